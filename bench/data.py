"""The rows that are measured: ten columns, about 160 bytes each as CSV, the same for everyone."""

from __future__ import annotations

import csv
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg

SEED = 7
START = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ("id", "ref", "name", "city", "status", "score", "amount", "active", "created_at", "updated_at")
TABLE = """
CREATE TABLE measured (
    id bigint PRIMARY KEY, ref text, name text, city text, status text, score double precision,
    amount numeric(12, 2), active boolean, created_at timestamptz, updated_at timestamptz
)
"""

Values = tuple[int, str, str, str, str, float, Decimal, bool, datetime, datetime]


def rows(count: int) -> Iterator[Values]:
    chance = random.Random(SEED)
    for number in range(1, count + 1):
        created = START + timedelta(seconds=number)
        yield (
            number,
            str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            f"name {chance.randrange(10_000)}",
            f"city {chance.randrange(500)}",
            chance.choice(("placed", "paid", "sent")),
            chance.random(),
            Decimal(chance.randrange(10**8)).scaleb(-2),
            chance.random() < 0.5,
            created,
            created + timedelta(seconds=chance.randrange(10**6)),
        )


def write_csv(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(NAMES)
        for row in rows(count):
            writer.writerow([value.isoformat() if isinstance(value, datetime) else value for value in row])


def fill_postgres(url: str, count: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE IF EXISTS measured")
        connection.execute(TABLE)
        with connection.cursor().copy("COPY measured FROM STDIN") as copy:
            for row in rows(count):
                copy.write_row(row)
