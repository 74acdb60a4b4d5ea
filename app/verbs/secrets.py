"""`secrets rotate` and `secrets list`: all that is sealed, and under which key. No secret is shown."""

from __future__ import annotations

from app.terminal import print_json, print_table
from app.verbs.session import session
from worker import rotation
from worker.rotation import Rotated

GOOD, WRONG = 0, 1


def rotate(*, as_json: bool) -> int:
    """Seal everything anew; exit code 1 where a record does not open."""
    with session() as here:
        done = rotation.rotate(here.store, here.vault)
        here.store.audit.record(here.who, "secrets.rotate", "secrets", after={"total": done.total, "anew": done.anew})
        key = here.vault.key_ids[0]
    if as_json:
        print_json({"total": done.total, "anew": done.anew, "unopened": done.unopened, "key": key})
    else:
        _tell(done, key)
    return WRONG if done.unopened else GOOD


def _tell(done: Rotated, key: str) -> None:
    for name in done.unopened:
        print(f"{name} does not open: none of SECRET_KEY's keys sealed it; enter the secret again, or add that key")
    left = f", {len(done.unopened)} left as they are" if done.unopened else ""
    print(f"{done.total} sealed, {done.anew} of them anew under key {key}{left}")
    if not done.unopened:
        print("older keys can be taken out of SECRET_KEY once every instance has the new one; then rotate once more")


def show(*, as_json: bool) -> int:
    """List what is sealed and under which key, by the keys' names."""
    with session() as here:
        found = rotation.listed(here.store, here.vault)
    if as_json:
        print_json({"items": [{"what": what, "key": key, "rank": rank} for what, key, rank in found]})
    else:
        print_table(("SEALED", "KEY", "OF SECRET_KEY"), found)
    return WRONG if any(rank == "unknown" for _, _, rank in found) else GOOD
