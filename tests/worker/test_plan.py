"""The catch-up rule as a table: what becomes of each due fire time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from worker.job import CatchUp, Job, Overlap, Schedule, StreamSpec
from worker.plan import plan, undocumented

START = datetime(2026, 5, 1, 12, tzinfo=UTC)


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def minutes(*numbers: float) -> list[datetime]:
    return [at(number) for number in numbers]


def job(catch_up: CatchUp = CatchUp.LATEST, overlap: Overlap = Overlap.SKIP) -> Job:
    return Job(
        id="orders",
        source="shop",
        destination="lake",
        streams=(StreamSpec(name="orders"),),
        schedule=Schedule(every=60),
        catch_up=catch_up,
        overlap=overlap,
    )


# due, led since, policy -> missed gap, skipped, run, next
CASES = [
    ("on time", [0], -60, CatchUp.LATEST, None, [], 0, 1),
    ("on time, none", [0], -60, CatchUp.NONE, None, [], 0, 1),
    ("one missed is caught up", [0], 5, CatchUp.LATEST, None, [], 0, 1),
    ("several missed: the latest runs, the others are one gap", [0, 1, 2, 3], 3.5, CatchUp.LATEST, (0, 2, 3), [], 3, 4),
    ("missed, with none: all are one gap", [0, 1, 2], 3, CatchUp.NONE, (0, 2, 3), [], None, 3),
    ("missed and one on time, with none", [0, 1, 2, 3], 2.5, CatchUp.NONE, (0, 2, 3), [], 3, 4),
    ("a hand-over of a second is not a miss", [0], 1 / 60, CatchUp.NONE, None, [], 0, 1),
    ("late by one while leading: it is skipped", [0, 1], -60, CatchUp.LATEST, None, [0], 1, 2),
    ("late by more while leading: they are one gap", [0, 1, 2], -60, CatchUp.LATEST, (0, 1, 2), [], 2, 3),
    ("missed, then late: all are one gap", [0, 1, 2, 3], 1.5, CatchUp.LATEST, (0, 2, 3), [], 3, 4),
    ("all: one after the other", [0, 1, 2], 5, CatchUp.ALL, None, [], 0, 1),
    ("all, the last of them", [2], 5, CatchUp.ALL, None, [], 2, 3),
]


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_every_due_fire_time_has_one_place(case: tuple[object, ...]) -> None:
    _, due, led_since, policy, gap, skipped, run, following = case
    assert isinstance(due, list) and isinstance(led_since, (int, float)) and isinstance(policy, CatchUp)
    assert isinstance(skipped, list) and isinstance(following, (int, float))
    made = plan(
        job(policy), minutes(*due), led_since=at(led_since), following=lambda moment: moment + timedelta(minutes=1)
    )
    found = None if made.gap is None else (made.gap.first, made.gap.last, made.gap.count)
    wanted = None if not isinstance(gap, tuple) else (at(gap[0]), at(gap[1]), gap[2])
    assert found == wanted
    assert [made.skipped] * bool(made.skipped) == minutes(*skipped)
    assert made.run == (at(run) if isinstance(run, (int, float)) else None)
    assert made.next_fire_time == at(following)


def test_a_missed_time_waits_for_its_job_only_with_all() -> None:
    following = lambda moment: moment + timedelta(minutes=1)  # noqa: E731
    missed, led_since = minutes(0), at(5)
    assert plan(job(CatchUp.ALL), missed, led_since=led_since, following=following).waits
    assert not plan(job(CatchUp.ALL), minutes(6), led_since=led_since, following=following).waits
    assert not plan(job(CatchUp.LATEST), missed, led_since=led_since, following=following).waits


def test_a_gap_says_in_words_what_happened() -> None:
    made = plan(job(), minutes(0, 1, 2), led_since=at(3), following=lambda moment: moment)
    assert made.gap is not None
    assert made.gap.reason == "2 fire times passed while no instance led; the run of 2026-05-01T12:02:00Z stands for it"


def test_a_gap_while_somebody_led_says_so() -> None:
    made = plan(job(), minutes(0, 1, 2), led_since=at(-1), following=lambda moment: moment)
    assert made.gap is not None
    assert made.gap.reason.startswith("2 fire times passed before the scheduler came to them, or while the job was")


def test_what_has_a_document_is_left_out_and_never_reached_across() -> None:
    assert undocumented(minutes(0, 1, 2), []) == minutes(0, 1, 2)
    assert undocumented(minutes(0, 1, 2, 3), [(at(0), at(1)), (at(2), at(2))]) == minutes(3)
    assert undocumented(minutes(0, 1, 2, 3), [(at(0), at(0)), (at(3), at(3))]) == minutes(1, 2)
    assert undocumented(minutes(0, 1), [(at(0), at(5))]) == []
