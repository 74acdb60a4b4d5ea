"""What the API half reads from the environment, on top of the worker's settings. All faults of both at once."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from worker import settings as worker_settings
from worker.settings import PLACEHOLDER, Environment, WorkerSettings

LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost"})
HOST_NAME = re.compile(r"(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?")
LEAST_TOKEN, LEAST_PASSWORD = 16, 8
# How the hashes of passwords begin that people may have at hand.
HASHES = ("$argon2", "$2a$", "$2b$", "$2y$", "$5$", "$6$", "$scrypt$", "$pbkdf2")
MOST_KIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`worker_forced` is ENABLE_SYNC_WORKER as given: True, False, or None where it is unset.

    `admin_password` is the password, or its argon2id hash.
    """

    worker: WorkerSettings
    host: str
    port: int
    auth_token: str | None = field(default=None, repr=False)
    admin_password: str | None = field(default=None, repr=False)
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    worker_forced: bool | None = None

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
        allowed_hosts=_hosts(environment),
        trusted_proxies=_networks(environment, "TRUSTED_PROXIES"),
        worker_forced=environment.flag("ENABLE_SYNC_WORKER"),
    )
    _check_access(environment, settings)
    environment.refuse()
    return settings


def weaknesses(settings: Settings) -> list[str]:
    """What is allowed, and should not stay so; said at every start, and by `syncworker check`."""
    found = []
    if settings.auth_token and len(settings.auth_token) < LEAST_TOKEN:
        found.append(f"AUTH_TOKEN has fewer than {LEAST_TOKEN} characters and can be guessed: `openssl rand -hex 32`")
    if settings.admin_password and len(settings.admin_password) < LEAST_PASSWORD:
        found.append(f"ADMIN_PASSWORD has fewer than {LEAST_PASSWORD} characters and can be guessed")
    if not (settings.auth_token or settings.admin_password) and (settings.production or not loopback(settings.host)):
        found.append(f"AUTH=none: whoever reaches {settings.url} may do everything there")
    return found


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
    """Refuse a door that stands open by accident, or behind a word that everybody knows."""
    for name, given in (("AUTH_TOKEN", settings.auth_token), ("ADMIN_PASSWORD", settings.admin_password)):
        if given and PLACEHOLDER.match(given):
            environment.fault(name, "is the placeholder of an example; set one of your own")
    if settings.admin_password and settings.admin_password.startswith(HASHES):
        _check_hash(environment, settings.admin_password)
    open_door = environment.choice("AUTH", ("required", "none"), "required") == "none"
    guarded = settings.auth_token or settings.admin_password
    if guarded or open_door or (not settings.production and loopback(settings.host)):
        return
    why = "in production" if settings.production else f"where HOST is {settings.host}"
    environment.fault(
        "AUTH_TOKEN", f"and ADMIN_PASSWORD are unset {why}; set one of them, or AUTH=none to let everybody in"
    )


def _check_hash(environment: Environment, given: str) -> None:
    """Refuse what looks like a hash and is none that we check; taken for a plain password it would let nobody in."""
    from argon2 import extract_parameters
    from argon2.exceptions import InvalidHash

    try:
        found = extract_parameters(given)
        good = given.startswith("$argon2id$") and found.memory_cost <= MOST_KIB
    except InvalidHash:
        good = False
    if not good:
        allowed = "a password, or what `syncworker hash-password` prints ($argon2id$…, at most 1 GiB of memory)"
        environment.fault("ADMIN_PASSWORD", f"looks like a hash, but cannot be used; allowed: {allowed}")


def _hosts(environment: Environment) -> tuple[str, ...]:
    names = []
    for text in (environment.text("ALLOWED_HOSTS") or "").lower().replace(",", " ").split():
        if HOST_NAME.fullmatch(text):
            names.append(text)
        else:
            allowed = "names like sync.example.com or *.example.com, without scheme and port, comma-separated"
            environment.fault("ALLOWED_HOSTS", f"names {text!r}; allowed: {allowed}")
    return tuple(names)


def _networks(environment: Environment, name: str) -> tuple[str, ...]:
    networks = []
    for text in (environment.text(name) or "").replace(",", " ").split():
        try:
            networks.append(str(ipaddress.ip_network(text, strict=False)))
        except ValueError:
            environment.fault(name, f"names {text!r}; allowed: networks like 10.0.0.0/8, comma-separated")
    return tuple(networks)
