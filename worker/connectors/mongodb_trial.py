"""Try a MongoDB connection stage by stage, told apart by the driver's types and the server's codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from pymongo import MongoClient
from pymongo.errors import ConfigurationError, InvalidURI, OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from worker.connectors.mongodb import MongoDBSettings
from worker.connectors.mongodb_session import STATE, Document, short
from worker.connectors.reach import Reach, unverified, verified
from worker.connectors.trial import Misstep, Stage, Step

_MILLISECONDS = 5000
_UNAUTHORIZED = 13
_LOGIN_CODES = frozenset({18, 8000})
_HINT_LOGIN = "Check the user, the password and authSource, the database that the user belongs to."


def stages(settings: MongoDBSettings) -> Iterator[Stage]:
    trying = _Trying(settings)
    with closing(trying):
        yield Stage(Step.NAME, trying.resolve)
        yield Stage(Step.TCP, trying.connect)
        if trying.tls:
            yield Stage(Step.TLS, trying.handshake)
        yield Stage(Step.LOGIN, trying.login)
        yield Stage(Step.PERMISSION, trying.may_read, "source")
        yield Stage(Step.PERMISSION, trying.may_write, "destination")
        yield Stage(Step.QUERY, trying.query)


class _Trying:
    def __init__(self, settings: MongoDBSettings) -> None:
        self._settings = settings
        self._options: Mapping[str, Any] = {}
        self._user: str | None = None
        self._reach = Reach([])
        self._client: MongoClient[Document] | None = None
        self.tls = False

    def close(self) -> None:
        self._reach.close()
        if self._client is not None:
            self._client.close()

    def resolve(self) -> None:
        try:
            found = parse_uri(self._settings.url)
        except InvalidURI:  # whose words may repeat a part of the password
            raise Misstep(Step.NAME, "The URL cannot be read.", "Write special characters as %XX.") from None
        except (ConfigurationError, ValueError) as error:  # of mongodb+srv: the name has no such record
            raise Misstep(Step.NAME, f"The name is not known: {_plain(error)}.") from None
        self._options, self._user = found["options"], found["username"]
        self.tls = bool(self._options.get("tls"))
        self._reach = Reach([(host, port or 0) for host, port in found["nodelist"]])
        self._reach.resolve()

    def connect(self) -> None:
        self._reach.connect()

    def handshake(self) -> None:
        options = self._options
        if options.get("tlsInsecure") or options.get("tlsAllowInvalidCertificates"):
            self._reach.handshake(unverified())
            return
        names = not options.get("tlsAllowInvalidHostnames")
        context = verified(options.get("tlsCAFile"), names=names)
        if own := options.get("tlsCertificateKeyFile"):
            try:
                context.load_cert_chain(own, password=options.get("tlsCertificateKeyFilePassword"))
            except OSError as error:
                raise Misstep(
                    Step.TLS, f"The client's certificate cannot be used: {error.strerror or error}."
                ) from None
        self._reach.handshake(context)

    def login(self) -> None:
        self._reach.close()
        self._client = self._connected()
        try:
            self._client.admin.command("ping")
        except OperationFailure as error:
            if error.code in _LOGIN_CODES or error.code == _UNAUTHORIZED:
                raise Misstep(Step.LOGIN, f"{short(error)} (code {error.code}).", _HINT_LOGIN) from None
            raise Misstep(Step.QUERY, f"{short(error)} (code {error.code}).") from None
        except PyMongoError as error:
            self._explain(error)

    def _connected(self, **more: Any) -> MongoClient[Document]:
        try:
            return MongoClient(
                self._settings.url,
                appname="syncworker",
                serverSelectionTimeoutMS=_MILLISECONDS,
                connectTimeoutMS=_MILLISECONDS,
                timeoutMS=_MILLISECONDS,
                maxPoolSize=2,
                compressors=[],
                **more,
            )
        except (PyMongoError, ValueError) as error:
            raise Misstep(Step.NAME, f"The URL cannot be used: {_plain(error)}.") from None

    def _explain(self, error: PyMongoError) -> None:
        """The port answers, and the driver found no server to use: why?"""
        if not self.tls and self._reach.speaks_tls():
            message = f"{self._reach.host} speaks TLS alone, and the URL does not."
            raise Misstep(Step.TLS, message, "Add tls=true to the URL.") from None
        wanted = self._options.get("replicaSet")
        with self._connected(directConnection=True, replicaSet=None) as direct:
            try:
                hello = direct.admin.command("hello")
            except PyMongoError:
                hello = {}
        if wanted and hello and hello.get("setName") != wanted:
            message = f"The replica set there is {hello.get('setName', 'none')}, not {wanted}."
            raise Misstep(Step.NAME, message, "Mend replicaSet in the URL, or leave it out.") from None
        if hello:
            members = ", ".join(hello.get("hosts", ())) or "none"
            message = f"No primary can be reached: {short(error)}. The members name themselves {members}."
            hint = "Check that the set has a primary, and that this machine knows the members by those names."
            raise Misstep(Step.TCP, message, hint) from None
        raise Misstep(Step.TCP, f"{short(error)}.") from None

    def may_read(self) -> None:
        self._permitted(lambda: self._database().list_collection_names(), "list the collections of")

    def may_write(self) -> None:
        """An update that matches nothing."""
        change = {"$set": {"checked": True}}
        self._permitted(lambda: self._database()[STATE].update_one({"_id": {"check": True}}, change), "write to")

    def _permitted(self, call: Any, what: str) -> None:
        name = self._settings.database
        try:
            call()
        except OperationFailure as error:
            words = f"{short(error)} (code {error.code})."
            if error.code == _UNAUTHORIZED and self._user is None:
                raise Misstep(Step.LOGIN, words, "The server wants a login, and the URL names no user.") from None
            if error.code == _UNAUTHORIZED:
                raise Misstep(Step.PERMISSION, words, f"Let this user {what} the database {name}.") from None
            raise Misstep(Step.QUERY, words) from None

    def query(self) -> None:
        database = self._database()
        try:
            names = sorted(name for name in database.list_collection_names() if not name.startswith(("system.", "_")))
            if names:
                database[names[0]].find_one({})
        except OperationFailure as error:
            if error.code != _UNAUTHORIZED:
                raise Misstep(Step.QUERY, f"{short(error)} (code {error.code}).") from None
            # One who may only write is a destination, which the stages before have found out.

    def _database(self) -> Any:
        assert self._client is not None
        return self._client[self._settings.database]


def _plain(error: Exception) -> str:
    words = str(error).splitlines()[0] if str(error) else ""
    return words if words and "@" not in words and "//" not in words else type(error).__name__
