"""Two routes, each in two ways: a whole run of ours, and the same copy written by hand with none of a product's duties.

The copy by hand makes dictionaries and inserts them; a columnar path would be faster still and is not measured here.
Ours is the command a user types, so its start, claim, types, checkpoints and progress are all in the time.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg
import pymongo
from bson import Decimal128

from bench.data import NAMES

BATCH = 5_000
DATABASE = "bench_rows"

Documents = Iterator[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where the rows are, and where they go."""

    mongo_url: str
    postgres_url: str
    folder: Path
    count: int


@dataclass(frozen=True, kw_only=True)
class Result:
    route: str
    ours: float
    by_hand: float

    @property
    def ratio(self) -> float:
        return self.by_hand / self.ours


def csv_to_mongodb(machine: Machine) -> Result:
    source = f'{{type: files, path: "{machine.folder}"}}'
    return _measure("CSV → MongoDB", machine, source, _read_csv(machine.folder / "measured.csv"))


def postgres_to_mongodb(machine: Machine) -> Result:
    source = f'{{type: postgres, url: "{machine.postgres_url}"}}'
    return _measure("PostgreSQL → MongoDB", machine, source, _read_postgres(machine.postgres_url))


def _measure(route: str, machine: Machine, source: str, documents: Documents) -> Result:
    with pymongo.MongoClient[dict[str, Any]](machine.mongo_url) as client:
        client.drop_database(DATABASE)
        by_hand = _seconds(lambda: _insert(client, documents))
        _expect(client, machine.count)
        client.drop_database(DATABASE)
        ours = _seconds(lambda: _run(machine, source))
        _expect(client, machine.count)
    return Result(route=route, ours=ours, by_hand=by_hand)


def _seconds(work: Any) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _expect(client: pymongo.MongoClient[dict[str, Any]], count: int) -> None:
    found = client[DATABASE].measured.count_documents({})
    if found != count:
        raise SystemExit(f"{count:,} rows were to arrive, {found:,} did; nothing is printed for a copy that is wrong")


def _run(machine: Machine, source: str) -> None:
    """`syncworker run` with a file of one job, as a user would."""
    file = machine.folder / "bench.yaml"
    file.write_text(
        "version: 1\n"
        "connections:\n"
        f"  from: {source}\n"
        f'  into: {{type: mongodb, url: "{machine.mongo_url}", database: {DATABASE}}}\n'
        "jobs:\n"
        "  bench: {source: from, destination: into, streams: [{name: measured, key: [id]}]}\n",
        encoding="utf-8",
    )
    env = os.environ | {"MONGO_URL": machine.mongo_url, "MONGO_DATABASE": "bench_jobs", "DATA_DIR": str(machine.folder)}
    command = [sys.executable, "-m", "app", "run", "bench", "--file", str(file)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def _insert(client: pymongo.MongoClient[dict[str, Any]], documents: Documents) -> None:
    collection = client[DATABASE].measured
    while batch := list(islice(documents, BATCH)):
        collection.insert_many(batch, ordered=False)


def _read_csv(path: Path) -> Documents:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        for i, ref, name, city, status, score, amount, active, created, updated in reader:
            values = (int(i), ref, name, city, status, float(score), amount, active == "True", created, updated)
            yield {"_id": values[0], **dict(zip(NAMES, values, strict=True))}


def _read_postgres(url: str) -> Documents:
    with psycopg.connect(url) as connection, connection.cursor("measured", binary=True) as cursor:
        cursor.itersize = BATCH
        cursor.execute("SELECT * FROM measured")
        for row in cursor:
            document = {"_id": row[0], **dict(zip(NAMES, row, strict=True))}
            document["amount"] = Decimal128(document["amount"])
            yield document
