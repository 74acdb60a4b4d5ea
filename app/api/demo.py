"""A demo with one request: a small shop in SQLite under DATA_DIR, and a job that copies it into a file beside it.

For a first look at an empty installation; where there are jobs it is refused. For a week the shop gets a new order each
half minute: they are written beforehand, and a view shows those whose time has come. What it makes is deleted like any
other job and connection; the files stay until DATA_DIR is emptied.
"""

from __future__ import annotations

import contextlib
import json
import random
import socket
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.api import jobs
from app.api.operation import Answer, Ask
from worker import apply as applying
from worker.declaration import load
from worker.errors import Conflict

JOB = "demo"
CUSTOMERS, ORDERS = 200, 21_000
SEED = 7
APART = timedelta(seconds=30)
# So many of the orders were there before the first look.
BEFORE = 800
CITIES = ("Lisbon", "Lyon", "Malmö", "Nairobi", "Osaka", "Porto", "Tartu", "Utrecht", "Zürich")
THINGS = ("mug", "pan", "kettle", "bowl", "lamp", "shelf", "stool", "clock", "frame", "rug")

SCHEMA = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT NOT NULL);
CREATE TABLE all_orders (
    id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, product TEXT NOT NULL, quantity INTEGER NOT NULL,
    placed_at TEXT NOT NULL
);
CREATE VIEW orders AS SELECT * FROM all_orders WHERE placed_at <= strftime('%Y-%m-%d %H:%M:%S', 'now');
"""

DECLARATION = """
version: 1
connections:
  demo-shop: {{type: sqlite, path: {shop}}}
  demo-copy: {{type: sqlite, path: {copy}}}
jobs:
  {job}:
    source: demo-shop
    destination: demo-copy
    schedule: {{every: 1m}}
    streams:
      - {{name: customers, mode: full, write: replace}}
      - {{name: orders, mode: incremental, cursor: placed_at, key: [id], write: upsert}}
"""


def create(ask: Ask[Any, Any]) -> Answer:
    """Make the demo's shop, its connections and its job."""
    store = ask.context.store
    if store.jobs.list(limit=1):
        raise Conflict("there are jobs already: the demo is for an installation without any")
    here = socket.gethostname()
    if any(one["live"] and one["host"] != here for one in store.instances.list()):
        raise Conflict("instances run on other machines, which do not see the demo's files: make a job of your own")
    folder = ask.context.settings.worker.data_dir / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    shop, copy = folder / "shop.db", folder / "copy.db"
    make_shop(shop, store.now())
    text = DECLARATION.format(shop=json.dumps(str(shop)), copy=json.dumps(str(copy)), job=JOB)
    applying.record(store, ask.who, applying.apply(store, ask.context.vault, load(text)))
    ask.note(after={"job": JOB}, subject=f"jobs/{JOB}")
    return Answer(shape=jobs.shape(ask.context, store.jobs.get(JOB)), status=201)


def make_shop(path: Path, now: datetime) -> None:
    """Write the shop, whole or not at all; one that is there is left alone."""
    if path.exists():
        return
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    chance = random.Random(SEED)
    first = now.astimezone(UTC) - BEFORE * APART
    with contextlib.closing(sqlite3.connect(part)) as shop:
        shop.executescript(SCHEMA)
        customers = ((number, f"Customer {number}", chance.choice(CITIES)) for number in range(1, CUSTOMERS + 1))
        shop.executemany("INSERT INTO customers VALUES (?, ?, ?)", customers)
        orders = (
            (
                number,
                chance.randint(1, CUSTOMERS),
                chance.choice(THINGS),
                chance.randint(1, 9),
                f"{first + number * APART:%Y-%m-%d %H:%M:%S}",
            )
            for number in range(1, ORDERS + 1)
        )
        shop.executemany("INSERT INTO all_orders VALUES (?, ?, ?, ?, ?)", orders)
        shop.commit()
    part.rename(path)
