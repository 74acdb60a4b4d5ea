"""Checkpoint and schema of one stream in the coordination database, written under the claim's fence.

It insists: while the store is away it waits, for as long as the claim can be trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from worker.connectors.protocol import Fence
from worker.store.checkpoints import Checkpoints
from worker.store.schemas import Schemas
from worker.sync.basis import Basis
from worker.sync.drift import Record
from worker.sync.types import Kind, Type

Insist = Callable[[Callable[[], Any]], Any]


@dataclass(kw_only=True)
class CheckpointKeeper:
    """`insist` calls until the store answers, and raises LostClaim where the claim runs out meanwhile."""

    checkpoints: Checkpoints
    schemas: Schemas
    insist: Insist
    job_id: str
    run_id: str
    fence: Fence
    basis: Basis | None = None
    _something: bool = field(default=True, init=False)

    def load(self) -> Mapping[str, Any] | None:
        """{value, of, sequence, token} as saved last."""
        stored: Mapping[str, Any] | None = self.insist(lambda: self.checkpoints.get(self.job_id, self.fence.stream))
        self._something = stored is not None and stored["value"] is not None
        return stored

    def save(self, value: Any) -> None:
        fence, self._something = self.fence, True
        of, fenced = self.basis, {"sequence": fence.sequence, "token": fence.token}
        save = self.checkpoints.save
        self.insist(lambda: save(self.job_id, fence.stream, value, of=of, run_id=self.run_id, **fenced))

    def forget(self) -> None:
        """Empty it. A small stream that never saved one has nothing to forget, unless an earlier claim still might."""
        if not self._something and self.fence.token == 1:
            return
        fence = self.fence
        self.insist(
            lambda: self.checkpoints.forget(self.job_id, fence.stream, sequence=fence.sequence, token=fence.token)
        )

    def delivered(self) -> Record | None:
        """What the stream delivered so far, as noted by `note`."""
        found = self.insist(lambda: self.schemas.get(self.job_id, self.fence.stream))
        if found is None:
            return None
        columns = {column["name"]: _type(column["type"]) for column in found["columns"]}
        return Record(target=found["target"], key=tuple(found["key"]), columns=columns)

    def note(self, record: Record) -> None:
        fence = self.fence
        columns = [{"name": name, "type": _type_document(type_)} for name, type_ in record.columns.items()]
        document = {"target": record.target, "key": list(record.key), "columns": columns}
        self.insist(
            lambda: self.schemas.save(self.job_id, fence.stream, document, sequence=fence.sequence, token=fence.token)
        )


def _type_document(type_: Type) -> dict[str, Any]:
    """Without what is None, at any depth."""
    document = {name: value for name, value in asdict(type_).items() if value is not None}
    document["kind"] = str(type_.kind)
    if type_.item is not None:
        document["item"] = _type_document(type_.item)
    return document


def _type(document: Mapping[str, Any]) -> Type:
    fields = dict(document)
    item = fields.pop("item", None)
    return Type(kind=Kind(fields.pop("kind")), item=None if item is None else _type(item), **fields)
