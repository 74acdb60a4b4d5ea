"""What the API half reads from the environment, on top of the worker's settings. All faults of both at once."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from worker import settings as worker_settings
from worker.settings import Environment, WorkerSettings

# What a child that is none of ours (mongod, the dev server) has no business with.
SECRETS = ("SECRET_KEY", "AUTH_TOKEN", "ADMIN_PASSWORD", "MONGO_URL")
LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost"})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`worker_forced` is ENABLE_SYNC_WORKER as given: True, False, or None where it is unset."""

    worker: WorkerSettings
    host: str
    port: int
    auth_token: str | None = field(default=None, repr=False)
    admin_password: str | None = field(default=None, repr=False)
    worker_forced: bool | None = None
    allow_networks: tuple[str, ...] = ()

    @property
    def production(self) -> bool:
        return self.worker.production

    @property
    def worker_inside(self) -> bool:
        """Whether the API's process runs the worker too."""
        return self.production if self.worker_forced is None else self.worker_forced

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"


def load(env: Mapping[str, str]) -> Settings:
    """Read everything; raises BadConfiguration naming every bad variable of both halves."""
    environment = Environment(env)
    worker = worker_settings.read(environment, env)
    _check_url(environment, worker.mongo_url)
    host = (environment.text("HOST") or "127.0.0.1").removeprefix("[").removesuffix("]")
    if any(character in host for character in " /@?#"):
        environment.fault("HOST", f"is {host!r}; allowed: an IP address or a name, without a port")
    settings = Settings(
        worker=worker,
        host=host,
        port=int(environment.number("PORT", 8080, low=1, high=65535, whole=True)),
        auth_token=environment.text("AUTH_TOKEN"),
        admin_password=environment.text("ADMIN_PASSWORD"),
        worker_forced=environment.flag("ENABLE_SYNC_WORKER"),
        allow_networks=_networks(environment),
    )
    _check_access(environment, settings)
    environment.refuse()
    return settings


def loopback(host: str) -> bool:
    """Whether `host` can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() in LOOPBACK_NAMES


def _check_url(environment: Environment, url: str | None) -> None:
    """Refuse what the driver cannot read. Its own message is not repeated: it may quote a part of a password."""
    if url is None or url.startswith("mongodb+srv://"):  # to read that one takes a name server
        return
    from pymongo.errors import PyMongoError
    from pymongo.uri_parser import parse_uri

    try:
        parse_uri(url)
    except (PyMongoError, ValueError):
        allowed = "mongodb://HOST:PORT/DATABASE?OPTIONS, special characters in user and password percent-encoded"
        environment.fault("MONGO_URL", f"cannot be read; allowed: {allowed}")


def _check_access(environment: Environment, settings: Settings) -> None:
    open_door = environment.choice("AUTH", ("required", "none"), "required") == "none"
    guarded = settings.auth_token or settings.admin_password
    if guarded or open_door or (not settings.production and loopback(settings.host)):
        return
    why = "in production" if settings.production else f"where HOST is {settings.host}"
    environment.fault(
        "AUTH_TOKEN", f"and ADMIN_PASSWORD are unset {why}; set one of them, or AUTH=none to let everybody in"
    )


def _networks(environment: Environment) -> tuple[str, ...]:
    networks = []
    for text in (environment.text("ALLOW_NETWORKS") or "").replace(",", " ").split():
        try:
            networks.append(str(ipaddress.ip_network(text, strict=False)))
        except ValueError:
            environment.fault("ALLOW_NETWORKS", f"names {text!r}; allowed: networks like 10.0.0.0/8, comma-separated")
    return tuple(networks)
