"""Try a connection to files of this machine: are they there, may they be read, may they be written, are they readable?

Nothing is made: of a place that a destination would make, the folder above it is looked at.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from worker import places
from worker.connectors.trial import Misstep, Stage, Step


def stages(path: str, read: Callable[[], None], *, folder: bool) -> Iterator[Stage]:
    """`read` looks into it with the connector's own reader; `folder`: the place is one, else it is a file."""
    place = Path(path).absolute()
    yield Stage(Step.NAME, lambda: _somewhere(place))
    yield Stage(Step.PERMISSION, lambda: _may_read(place, folder=folder), "source")
    yield Stage(Step.PERMISSION, lambda: _may_write(place, folder=folder), "destination")
    if place.exists():
        yield Stage(Step.QUERY, read)


def _somewhere(place: Path) -> None:
    if wrong := places.refusal(place):
        raise Misstep(Step.PERMISSION, f"{place} {wrong}.", "Use another path.")
    above = _nearest(place)
    if above != place and not above.is_dir():
        raise Misstep(Step.NAME, f"There is no {place}: {above} is no folder.", "Check the path.")


def _may_read(place: Path, *, folder: bool) -> None:
    try:
        found = place.exists()
    except OSError as error:
        raise Misstep(Step.PERMISSION, f"{place}: {error.strerror or error}.") from None
    if not found:
        if not os.access(_nearest(place), os.X_OK):
            raise Misstep(Step.PERMISSION, f"This user may not look into {_nearest(place)}.")
        raise Misstep(Step.NAME, f"There is no {place} yet.", "Check the path.")
    needed = os.R_OK | os.X_OK if folder and place.is_dir() else os.R_OK
    if not os.access(place, needed):
        raise Misstep(Step.PERMISSION, f"This user may not read {place}.", "Let the user of this process read it.")


def _may_write(place: Path, *, folder: bool) -> None:
    nearest = _nearest(place)
    needed = [nearest] if folder or nearest != place else [place, place.parent]
    for one in needed:
        if not os.access(one, os.W_OK | (os.X_OK if one.is_dir() else 0)):
            raise Misstep(Step.PERMISSION, f"This user may not write to {one}.", "Let the user of this process write.")


def _nearest(place: Path) -> Path:
    """The place itself, or the closest above it that is there."""
    for one in (place, *place.parents):
        if os.path.lexists(one):
            return one
    return place.parents[-1]
