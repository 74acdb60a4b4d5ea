"""The examples do what their texts say, through the real command line."""

from __future__ import annotations

import csv
import json
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pymongo
import pytest

from examples.quickstart.make_shop import CUSTOMERS, ORDERS, make
from tests.conftest import StartProgram
from worker import connectors
from worker.declaration import load
from worker.declaration.file import _Reader
from worker.declaration.jobs import JOB_FIELDS
from worker.declaration.schema import file_schema
from worker.declaration.streams import SHARED, STREAM_FIELDS
from worker.job import CatchUp, Delete, Drift, Mode, Overlap, Write

ROOT = Path(__file__).resolve().parent.parent
EDITOR = jsonschema.Draft202012Validator(file_schema())
Collections = pymongo.database.Database[dict[str, Any]]
Command = Callable[..., str]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the examples in it and the shop made, as `make run` finds it."""
    folder = tmp_path / "checkout"
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("data", "__pycache__"))
    make(folder / "examples" / "quickstart" / "data")
    return folder


@pytest.fixture
def command(checkout: Path, program: StartProgram, environment: Callable[..., dict[str, str]]) -> Command:
    """Run `syncworker ARGUMENTS` there, expect its exit code, and return what it printed."""

    def run(*arguments: str, code: int = 0) -> str:
        one = program("-m", "app", *arguments, env=environment(), folder=checkout, ready=False)
        assert one.wait(60) == code, f"syncworker {' '.join(arguments)}:\n{one.output}"
        return one.output

    return run


@pytest.fixture
def lake(mongo_url: str) -> Iterator[Collections]:
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        client.drop_database("shop")
        yield client["shop"]
        client.drop_database("shop")


def test_the_quickstart_is_valid_and_applying_it_twice_changes_nothing(command: Command) -> None:
    command("validate", "examples/quickstart.yaml")
    plan = command("apply", "examples/quickstart.yaml")
    assert {line[0] for line in plan.splitlines() if "catalogue" in line or "orders" in line} == {"+"}
    again = command("apply", "examples/quickstart.yaml")
    assert not [line for line in again.splitlines() if line.startswith(("+", "~", "-"))]


def test_the_quickstart_brings_the_shop_and_then_what_changed(
    command: Command, checkout: Path, lake: Collections
) -> None:
    command("apply", "examples/quickstart.yaml")
    command("run", "catalogue")
    command("run", "orders")
    products = checkout / "examples" / "quickstart" / "data" / "files" / "products.csv"
    counts = {name: lake[name].count_documents({}) for name in ("products", "customers", "orders")}
    assert counts == {"products": len(products.read_text().splitlines()) - 1, "customers": CUSTOMERS, "orders": ORDERS}

    with sqlite3.connect(checkout / "examples" / "quickstart" / "data" / "shop.db") as shop:
        shop.execute("UPDATE orders SET status = 'returned', updated_at = datetime('now') WHERE id = 17")
    products.write_text("".join(products.read_text().splitlines(keepends=True)[:-1]))
    command("run", "orders")
    command("run", "catalogue")
    assert (lake.orders.find_one({"_id": 17}) or {}).get("status") == "returned"
    assert lake.orders.count_documents({}) == ORDERS
    assert lake.products.count_documents({}) == counts["products"] - 1


def test_breaking_the_shop_leaves_the_products_as_they_were(
    command: Command, checkout: Path, lake: Collections
) -> None:
    products = checkout / "examples" / "quickstart" / "data" / "files" / "products.csv"
    whole = products.read_text()
    command("apply", "examples/quickstart.yaml")
    command("run", "catalogue")
    before = lake.products.count_documents({})
    products.unlink()
    assert "products" in command("run", "catalogue", code=1)
    products.write_text("".join(whole.splitlines(keepends=True)[:10]))
    assert "held" in command("run", "catalogue", code=4)
    assert lake.products.count_documents({}) == before


def test_the_analysts_learn_what_was_sold_and_not_to_whom(command: Command, checkout: Path) -> None:
    file = "examples/analysts/jobs.yaml"
    command("validate", file)
    assert "fires" in command("apply", file, "--dry-run")
    command("run", "for-analysts", "--file", file)
    customers, sales = (
        list(csv.DictReader((checkout / "examples/analysts/data" / name).read_text().splitlines()))
        for name in ("customers.csv", "sales.csv")
    )
    assert len(customers) == CUSTOMERS and "name" not in customers[0]
    assert all(re.fullmatch("[0-9a-f]{64}", one["email"]) for one in customers)
    with sqlite3.connect(checkout / "examples/quickstart/data/shop.db") as shop:
        (sold,) = shop.execute("SELECT count(*) FROM orders WHERE status <> 'returned'").fetchone()
    assert len(sales) == sold
    assert set(sales[0]) == {"id", "customer_id", "product", "revenue", "sold_at"}


EXAMPLES = sorted((ROOT / "examples").rglob("*.yaml"))
PAGES = ["README.md", "docs/jobs.md", "docs/configuration-as-code.md"]


@pytest.mark.parametrize("page", PAGES)
def test_the_files_that_the_documents_show_are_valid(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n((?:#[^\n]*\n)?version.*?)```", text, flags=re.DOTALL)
    assert blocks
    for block in blocks:
        assert load(block).jobs
        assert [error.message for error in EDITOR.iter_errors(_Reader().read(block))] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_editors_find_the_schema_of_an_example_and_take_it_for_good(example: Path) -> None:
    first = example.read_text(encoding="utf-8").splitlines()[0]
    named = first.removeprefix("# yaml-language-server: $schema=")
    schema = json.loads((example.parent / named).read_text(encoding="utf-8"))
    document = _Reader().read(example.read_text(encoding="utf-8"))
    assert [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(document)] == []


def test_the_page_of_jobs_names_every_key_and_shows_each_once() -> None:
    """A stranger writes a file with that page alone."""
    text = (ROOT / "docs/jobs.md").read_text(encoding="utf-8")
    shown = load(re.findall(r"```yaml\n(version.*?)```", text, flags=re.DOTALL)[-1])
    written = "\n".join(re.findall(r"```yaml\n(version.*?)```", text, flags=re.DOTALL)[-1:])
    keys = {*JOB_FIELDS, *STREAM_FIELDS, *SHARED, "cron", "every", "timezone", "jitter", "attempts", "backoff"}
    keys |= {"max_backoff", "max_delete", "max_shrink"}
    for type_ in connectors.REGISTRY:
        connector = connectors.connector(type_)
        keys |= {*connector.settings.names(), *connector.stream_options, *connector.source_options}
    assert {one.type for one in shown.connections.values()} == set(connectors.REGISTRY)
    assert [key for key in sorted(keys) if f"`{key}`" not in text] == []
    assert [key for key in sorted(keys) if f"{key}: " not in written and f"{key}:\n" not in written] == []
    for vocabulary in (Mode, Write, CatchUp, Overlap, Drift, Delete):
        assert [word.value for word in vocabulary if f"`{word.value}`" not in text] == []


def test_the_shop_is_the_same_for_everyone(tmp_path: Path) -> None:
    assert make(tmp_path / "one")
    assert make(tmp_path / "other")
    assert not make(tmp_path / "one")
    dumps = []
    for name in ("one", "other"):
        with sqlite3.connect(tmp_path / name / "shop.db") as shop:
            dumps.append("\n".join(shop.iterdump()))
    assert dumps[0] == dumps[1]
    files = [(tmp_path / name / "files" / "products.csv").read_bytes() for name in ("one", "other")]
    assert files[0] == files[1]


def test_the_readme_changes_the_row_that_it_says(checkout: Path) -> None:
    text = (ROOT / "examples" / "quickstart" / "README.md").read_text(encoding="utf-8")
    command = next(block for block in re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL) if "UPDATE orders" in block)
    subprocess.run(["sh", "-c", command], cwd=checkout, check=True)
    with sqlite3.connect(checkout / "examples" / "quickstart" / "data" / "shop.db") as shop:
        changed = shop.execute("SELECT id, status FROM orders WHERE updated_at > '2024-12'").fetchall()
    assert changed == [(17, "returned")]
