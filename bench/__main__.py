"""`make bench`: a few routes, ours beside a copy written by hand, on servers started for it.

Only the ratios mean something: absolute figures are this machine's. `BENCH_ROWS` says how many rows (200,000).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from bench.data import fill_postgres, write_csv
from bench.routes import Machine, csv_to_mongodb, postgres_to_mongodb
from tests.servers import running_mongod, running_postgres


def main() -> None:
    count = int(os.environ.get("BENCH_ROWS", "200000"))
    with running_mongod() as mongod, running_postgres() as postgres, tempfile.TemporaryDirectory() as folder:
        machine = Machine(mongo_url=mongod.url, postgres_url=postgres.url, folder=Path(folder), count=count)
        write_csv(machine.folder / "measured.csv", count)
        fill_postgres(postgres.url, count)
        print(f"{count:,} rows of ten columns\n")
        print("| route | ours, rows/s | by hand, rows/s | ours / by hand |\n|---|--:|--:|--:|")
        for route in (csv_to_mongodb, postgres_to_mongodb):
            result = route(machine)
            print(
                f"| {result.route} | {count / result.ours:,.0f} | {count / result.by_hand:,.0f} | {result.ratio:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
