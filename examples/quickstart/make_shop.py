"""Make the quickstart's small shop: customers and orders in SQLite, products in a CSV file.

Seeded, so that everyone gets the same rows. A shop that is already there is left alone; delete `data` for a new one.
"""

from __future__ import annotations

import csv
import os
import random
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

DATA = Path(__file__).resolve().parent / "data"
SEED = 2024
CUSTOMERS, ORDERS = 500, 4_000
OPENED = datetime(2024, 1, 8, 8, 0, tzinfo=UTC)

FIRST = "Ada Bo Chen Dalia Emre Fatou Grace Hugo Ines Jun Kofi Lena Mateo Nia Omar Priya Quinn Rosa Sami Tove"
LAST = "Abara Berg Costa Dubois Endo Fischer Garcia Haddad Ito Jensen Kaya Lopez Moreau Novak Okafor Park"
CITIES = ["Lisbon", "Lyon", "Malmö", "Nairobi", "Osaka", "Porto", "Québec", "Tartu", "Utrecht", "Zürich"]
ADJECTIVES = "plain striped tall small folding enamel linen oak woollen recycled"
NOUNS = {
    "kitchen": "mug pan kettle bowl plate jug tray ladle",
    "bath": "towel mat basket mirror soap brush",
    "study": "lamp shelf stool desk clock frame globe pen vase rug",
}
STATUSES = ["placed", "paid", "sent", "delivered"]

SCHEMA = """
CREATE TABLE customers (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE, city TEXT, updated_at TEXT NOT NULL
);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id), product TEXT NOT NULL,
    quantity INTEGER NOT NULL, amount REAL NOT NULL, status TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE INDEX orders_updated_at ON orders (updated_at, id);
"""


def products(chance: random.Random) -> list[dict[str, str]]:
    """Rows of products.csv, with prices as written."""
    kinds = [(group, noun) for group, nouns in NOUNS.items() for noun in nouns.split()]
    names = [(group, f"{adjective} {noun}") for group, noun in kinds for adjective in ADJECTIVES.split()]
    rows = []
    for number, (group, name) in enumerate(names, start=1):
        price = f"{chance.randrange(250, 12_000) / 100:.2f}"
        stock = str(chance.randrange(90))
        rows.append({"sku": f"P{number:04}", "name": name, "category": group, "price": price, "stock": stock})
    return rows


def fill(shop: sqlite3.Connection, catalogue: list[dict[str, str]], chance: random.Random) -> None:
    """Write the customers and their orders; `updated_at` grows with the id, as in a shop that opened once."""
    for number in range(1, CUSTOMERS + 1):
        name = f"{chance.choice(FIRST.split())} {chance.choice(LAST.split())}"
        email = f"{name.lower().replace(' ', '.')}{number}@example.com"
        city = chance.choice(CITIES) if chance.random() > 0.05 else None
        joined = OPENED + timedelta(minutes=37 * number)
        shop.execute("INSERT INTO customers VALUES (?, ?, ?, ?, ?)", (number, name, email, city, stamp(joined)))
    for number in range(1, ORDERS + 1):
        product = chance.choice(catalogue)
        quantity = chance.randrange(1, 5)
        amount = round(quantity * float(product["price"]), 2)
        moment = OPENED + timedelta(minutes=61 * number, seconds=chance.randrange(60))
        customer, status = chance.randint(1, CUSTOMERS), chance.choice(STATUSES)
        row = (number, customer, product["sku"], quantity, amount, status, stamp(moment))
        shop.execute("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def make(folder: Path) -> bool:
    """Make the shop in `folder`; False where there is one. The database comes last: half a shop is made anew."""
    database = folder / "shop.db"
    if database.exists():
        return False
    chance = random.Random(SEED)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "files").mkdir(exist_ok=True)
    catalogue = products(chance)
    with (folder / "files" / "products.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(catalogue[0]))
        writer.writeheader()
        writer.writerows(catalogue)
    half = folder / "shop.db.half"
    half.unlink(missing_ok=True)
    with sqlite3.connect(half) as shop:
        shop.executescript(SCHEMA)
        fill(shop, catalogue, chance)
    shop.close()
    os.replace(half, database)
    return True


if __name__ == "__main__":
    told = "made" if make(DATA) else "there is already"
    print(f"{told} a shop in {DATA}: {CUSTOMERS} customers and {ORDERS} orders in shop.db, products in files")
