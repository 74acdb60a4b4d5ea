"""One thing that the API does: method and path, who may, the handler, and the shapes that OpenAPI tells.

Handlers are plain blocking functions: they run in a thread, get an `Ask`, and return a shape, an `Answer` around one,
or a finished response. What changes something leaves a record in the audit, whether its handler thinks of it or not.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from app.api import reading
from app.api.context import Context
from app.api.problems import Refused
from app.api.questions import Draft, Nothing, Question
from app.api.wire import Wire
from worker.access import Scope, Who
from worker.errors import StoreUnavailable
from worker.store.audit import difference

Q = TypeVar("Q", bound=Question)
B = TypeVar("B")
T = TypeVar("T")

# A frozen database is told of within 5 s; what asks another server than the database has longer.
PATIENCE = 4.5
LONG_PATIENCE = 30.0


@dataclass(frozen=True, kw_only=True)
class Ask(Generic[Q, B]):
    """A request, read and checked. `body` is the operation's question, or a mapping where that is a draft."""

    context: Context
    query: Q
    body: B
    path: dict[str, str]
    if_match: str | None
    who: Who
    request: Request
    noted: Noted

    def note(
        self, before: Mapping[str, Any] | None = None, after: Mapping[str, Any] | None = None, *, subject: str = ""
    ) -> None:
        """Say for the audit what was and what is now: what differs is kept. No secret may be in it."""
        self.noted.before, self.noted.after = difference(before, after)
        self.noted.subject = subject or self.noted.subject


@dataclass(kw_only=True)
class Noted:
    """What the audit will say of a request: `subject` is a collection and an id (`jobs/orders`).

    `who` is somebody else than the one who asked, as after a login.
    """

    subject: str
    who: Who | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    shape: Wire
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Result = Wire | Answer | Response
Handler = Callable[[Ask[Any, Any]], Result | Awaitable[Result]]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """`answer` None: no content (204), or a response of its own type (`media_type`).

    `needs` None: open to all. `harmless`: a POST that changes nothing and calls nobody, so that it leaves no record.
    `revisioned`: False where what is changed has no revision, so that none is asked for.
    `inline`: the handler blocks nothing (it may be a coroutine), and answers even when every thread is busy.
    """

    method: str
    path: str
    needs: Scope | None
    handler: Handler
    answer: type[Wire] | None = None
    body: type[Question] | type[Draft] | None = None
    query: type[Question] = Nothing
    status: int = 200
    media_type: str = "application/json"
    patience: float = PATIENCE
    inline: bool = False
    harmless: bool = False
    revisioned: bool = True

    @property
    def name(self) -> str:
        """Unique in ROUTES; OpenAPI's operationId."""
        return f"{self.tag}_{self.handler.__name__}".removesuffix("_")

    @property
    def tag(self) -> str:
        return self.handler.__module__.rpartition(".")[2]

    @property
    def audited(self) -> bool:
        return self.method != "GET" and not self.harmless

    @property
    def action(self) -> str:
        """What the audit calls it: `job.update`, `run.cancel`, `login`."""
        verb = self.handler.__name__.rstrip("_")
        verb = {"put": "update", "patch": "update"}.get(verb, verb)
        return verb if self.tag == "auth" else f"{self.tag.removesuffix('s')}.{verb}"

    @property
    def wants_revision(self) -> bool:
        return self.revisioned and self.method in {"PUT", "PATCH", "DELETE"}

    async def respond(self, request: Request, context: Context) -> Response:
        """Read, call the handler in a thread, print. Raises whatever `app.api.problems` answers."""
        body: Any = None
        if self.method not in {"GET", "HEAD"}:
            raw = await reading.read_json(request)
            if self.body is not None and issubclass(self.body, Draft):
                body = reading.draft(self.body, raw)
            else:
                body = reading.question(self.body or Nothing, raw)
        if_match = request.headers.get("if-match")
        if self.wants_revision and if_match is None:
            raise Refused(428, "Send If-Match with the revision that you read, so that no change is lost.")
        ask = Ask(
            context=context,
            query=reading.query(self.query, request.query_params),
            body=body,
            path={name: str(value) for name, value in request.path_params.items()},
            if_match=if_match,
            who=request.scope["who"],
            request=request,
            noted=Noted(subject="/".join(filter(None, [self.tag, request.path_params.get("id")]))),
        )
        result: Any
        if self.inline:
            result = self.handler(ask)
            result = await result if inspect.isawaitable(result) else result
        else:
            result = await in_thread(self._do, ask, patience=self.patience)
        if isinstance(result, Response):
            return result
        answer = result if isinstance(result, Answer) else Answer(shape=result, status=self.status)
        headers = {"Cache-Control": "no-store"} | answer.headers
        return Response(dump(answer.shape), answer.status, headers=headers, media_type=self.media_type)

    def _do(self, ask: Ask[Any, Any]) -> Any:
        """Call the handler, and record what it did: in its thread, so also where nobody waits for it any more."""
        result = self.handler(ask)
        if self.audited:
            noted, audit = ask.noted, ask.context.store.audit
            audit.record(noted.who or ask.who, self.action, noted.subject, before=noted.before, after=noted.after)
        return result


async def in_thread(call: Callable[..., T], *arguments: Any, patience: float = PATIENCE) -> T:
    """`call` in a thread; StoreUnavailable where it does not return in time (it ends by itself, later)."""
    with anyio.move_on_after(patience):
        return await anyio.to_thread.run_sync(call, *arguments, abandon_on_cancel=True)
    raise StoreUnavailable(f"no answer within {patience:g} s")


def dump(shape: Wire) -> str:
    """JSON; whatever a checkpoint holds that JSON does not know becomes text."""
    return shape.model_dump_json(fallback=str)


def etag(revision: int) -> dict[str, str]:
    return {"ETag": f'"{revision}"'}


def revision_of(if_match: str | None) -> int | None:
    """The revision in If-Match; None for `*`. Raises Refused 400 for what is no revision."""
    text = (if_match or "").strip()
    if text == "*":
        return None
    number = text.removeprefix("W/").strip('"')
    if not number.isascii() or not number.isdigit() or len(number) > 15:
        raise Refused(400, f'If-Match is {text!r}; allowed: a revision like "3", or *.')
    return int(number)
