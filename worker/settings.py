"""What the worker reads from the environment, and the reader that finds every fault before it refuses.

It reads a mapping, never `os.environ` by itself; it prints nothing and never repeats a secret's value.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import unquote, urlsplit

from worker import places
from worker.errors import BadConfiguration, Fault
from worker.redaction import register_secret

DEFAULT_DATABASE = "syncworker"
# What stands in examples, here and elsewhere, to be replaced: with such a key anybody could open what it seals.
PLACEHOLDER = re.compile(
    r"change.?(me|this|it)|replace.?(me|this|it)|your.?(own.?)?(secret|key|token|password)|<.*>$", re.I
)


class Environment:
    """Typed reads from a mapping that collect faults; `refuse()` raises them all at once."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self.faults: list[Fault] = []

    def fault(self, name: str, message: str) -> None:
        self.faults.append(Fault(field=name, message=message))

    def text(self, name: str, default: str | None = None) -> str | None:
        """The value without surrounding blanks; an empty one counts as unset."""
        value = self._env.get(name, "").strip()
        return value or default

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = (self.text(name) or default).lower()
        if value not in allowed:
            self.fault(name, f"is {self._env[name]!r}; allowed: {', '.join(allowed)}")
            return default
        return value

    def flag(self, name: str, default: bool | None = None) -> bool | None:
        value = self.text(name)
        if value is None:
            return default
        if value.lower() in {"true", "1", "yes", "on"}:
            return True
        if value.lower() in {"false", "0", "no", "off"}:
            return False
        self.fault(name, f"is {value!r}; allowed: true, false")
        return default

    def number(self, name: str, default: float, *, low: float, high: float, whole: bool = False) -> float:
        value = self.text(name)
        if value is None:
            return default
        unit = "a whole number" if whole else "a number"
        allowed = f"{unit} from {low:g} to {high:g}"
        try:
            number = float(int(value)) if whole else float(value)
        except ValueError:
            self.fault(name, f"is {value!r}; allowed: {allowed}")
            return default
        if not low <= number <= high:
            self.fault(name, f"is {value!r}; allowed: {allowed}")
            return default
        return number

    def refuse(self) -> None:
        if self.faults:
            raise BadConfiguration(self.faults)


def app_env(env: Mapping[str, str]) -> str:
    """`APP_ENV`, else `NODE_ENV` (where `test` and other values of Node's count as development), as given."""
    return env.get("APP_ENV", "").strip() or env.get("NODE_ENV", "").strip() or "development"


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """Durations in seconds. `mongo_url` None means: the embedded database under `data_dir`.

    `public_url`: where people reach the dashboard, without a slash at its end; None: nobody said.
    """

    production: bool
    mongo_url: str | None
    mongo_database: str
    data_dir: Path
    lease_ttl: float = 15.0
    claim_ttl: float = 30.0
    concurrency: int = 4
    isolation: str = "thread"
    shutdown_grace: float = 25.0
    secret_keys: tuple[str, ...] = ()
    jobs_file: Path | None = None
    retention_days: float = 30.0
    log_level: str = "info"
    log_format: str = "console"
    health_port: int | None = None
    host_name: str = ""
    public_url: str | None = None


def read_environment_file(path: Path, env: Mapping[str, str]) -> dict[str, str]:
    """The variables of a `.env` file under those of `env` (the environment wins). A missing file is no fault.

    `KEY=value` a line, `export` allowed, single or double quotes removed, `#` starts a comment line.
    """
    merged: dict[str, str] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        lines = []
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfiguration([Fault(field=str(path), message=f"cannot be read: {error}")]) from error
    for number, raw in enumerate(lines, start=1):
        line = raw.strip().removeprefix("export ").strip()
        if not line or line.startswith("#"):
            continue
        name, sign, value = line.partition("=")
        if not sign or not name.strip().isidentifier():
            raise BadConfiguration([Fault(field=str(path), message=f"line {number} is not KEY=value", line=number)])
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        else:
            value = value.split(" #", 1)[0].rstrip()
        merged[name.strip()] = value
    merged.update(env)
    return merged


def load(env: Mapping[str, str]) -> WorkerSettings:
    """Read the worker's settings; raises BadConfiguration naming every bad variable."""
    environment = Environment(env)
    settings = read(environment, env)
    environment.refuse()
    return settings


def read(environment: Environment, env: Mapping[str, str]) -> WorkerSettings:
    """As `load`, but leaves the faults in `environment`, so that another half can add its own."""
    production = _production(environment, env)
    mongo_url = _mongo_url(environment, production)
    secret_keys = _secret_keys(environment, production)
    _check_places(environment)
    _check_networks(environment)
    jobs_file = environment.text("JOBS_FILE")
    port = environment.number("WORKER_HEALTH_PORT", 0, low=0, high=65535, whole=True)
    return WorkerSettings(
        production=production,
        mongo_url=mongo_url,
        mongo_database=_database(environment, mongo_url),
        data_dir=Path(environment.text("DATA_DIR") or "./.data").absolute(),
        lease_ttl=environment.number("LEASE_TTL", 15.0, low=1, high=3600),
        claim_ttl=environment.number("CLAIM_TTL", 30.0, low=1, high=3600),
        concurrency=int(environment.number("WORKER_CONCURRENCY", 4, low=1, high=64, whole=True)),
        isolation=environment.choice("RUN_ISOLATION", ("thread", "process"), "thread"),
        shutdown_grace=environment.number("SHUTDOWN_GRACE", 25.0, low=0, high=3600),
        secret_keys=secret_keys,
        jobs_file=Path(jobs_file).absolute() if jobs_file else None,
        retention_days=environment.number("RETENTION_DAYS", 30.0, low=0.01, high=36500),
        log_level=environment.choice("LOG_LEVEL", ("debug", "info", "warning", "error"), "info"),
        log_format=environment.choice("LOG_FORMAT", ("console", "json"), "json" if production else "console"),
        health_port=int(port) or None,
        host_name=socket.gethostname(),
        public_url=_public_url(environment),
    )


def _production(environment: Environment, env: Mapping[str, str]) -> bool:
    name = "APP_ENV" if env.get("APP_ENV", "").strip() else "NODE_ENV"
    value = app_env(env).lower()
    if name == "NODE_ENV" and value not in {"production", "development"}:
        value = "development" if value == "test" else value
    if value not in {"production", "development"}:
        environment.fault(name, f"is {env[name]!r}; allowed: development, production")
    return value == "production"


def _mongo_url(environment: Environment, production: bool) -> str | None:
    url = environment.text("MONGO_URL")
    embedded = environment.flag("EMBEDDED_MONGO", default=not production)
    if url is None:
        if not embedded:
            environment.fault(
                "MONGO_URL",
                "is unset; production needs a MongoDB (mongodb://… or mongodb+srv://…), or EMBEDDED_MONGO=true",
            )
        return None
    if not url.startswith(("mongodb://", "mongodb+srv://")):
        environment.fault("MONGO_URL", "is not a MongoDB URL; allowed: mongodb://… or mongodb+srv://…")
        return None
    return url


def _database(environment: Environment, mongo_url: str | None) -> str:
    name = environment.text("MONGO_DATABASE")
    if name is None and mongo_url is not None:
        name = unquote(urlsplit(mongo_url).path.lstrip("/"))
    name = name or DEFAULT_DATABASE
    if len(name.encode()) > 63 or any(c in name for c in '/\\. "$*<>:|?\0'):
        allowed = 'up to 63 bytes without / \\ . " $ * < > : | ? or blanks'
        given = environment.text("MONGO_DATABASE")  # what a broken URL seems to name may be a part of its password
        what = f"is {given!r}" if given else "is unset, and MONGO_URL names none that can be used"
        environment.fault("MONGO_DATABASE", f"{what}; allowed: {allowed}")
    return name


def _secret_keys(environment: Environment, production: bool) -> tuple[str, ...]:
    keys = tuple(k for k in (environment.text("SECRET_KEY") or "").split(",") if k)
    if any(len(key) < 16 for key in keys):
        allowed = "16 characters or more (several, comma-separated, newest first)"
        environment.fault("SECRET_KEY", f"is too short; allowed: {allowed}")
    elif any(PLACEHOLDER.match(key) for key in keys):
        environment.fault("SECRET_KEY", "is the placeholder of an example; set one of your own: `openssl rand -hex 32`")
    elif not keys and production:
        environment.fault("SECRET_KEY", "is unset; production needs a text of 16 characters or more")
    return keys


def _check_places(environment: Environment) -> None:
    """Refuse what `worker.places` could not read; it reads these itself, wherever a connection is opened."""
    for name in ("SECRETS_DIR", "ALLOW_PATHS"):
        try:
            places.folders(environment.text(name))
        except ValueError as error:
            environment.fault(name, f"names {str(error)!r}; allowed: absolute folders, comma-separated")


def _check_networks(environment: Environment) -> None:
    """Refuse what `worker.networks` could not read; it reads ALLOW_NETWORKS itself, wherever it is asked."""
    for text in (environment.text("ALLOW_NETWORKS") or "").replace(",", " ").split():
        try:
            ip_network(text, strict=False)
        except ValueError:
            environment.fault("ALLOW_NETWORKS", f"names {text!r}; allowed: networks like 10.0.0.0/8, comma-separated")


def _public_url(environment: Environment) -> str | None:
    """PUBLIC_URL; where it is unset, the address that this machine's dashboard has by HOST and PORT, on loopback."""
    given = environment.text("PUBLIC_URL")
    if given is None:
        host = (environment.text("HOST") or "127.0.0.1").removeprefix("[").removesuffix("]")
        port = environment.text("PORT") or "8080"
        if not (port.isdecimal() and _loopback(host)):
            return None
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    try:
        parts = urlsplit(given)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    plain = not re.search(r"[\s<>|\"'\\@?#]", given)
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        shown = "" if re.search("[@?]", given) else f" {given!r}"  # what stands around these may be a password
        allowed = "http:// or https://, a host, perhaps a port and a path, as in https://sync.example.com"
        environment.fault("PUBLIC_URL", f"is{shown or ' no such URL'}; allowed: {allowed}")
        return None
    return given.rstrip("/")


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def secret_keys(settings: WorkerSettings) -> tuple[str, ...]:
    """SECRET_KEY's keys, newest first; in development, where it is unset, the one generated in DATA_DIR."""
    return settings.secret_keys or (generated_secret_key(settings.data_dir),)


def generated_secret_key(data_dir: Path) -> str:
    """The development key kept in DATA_DIR, made at first use, readable by its owner alone."""
    path = data_dir / "secret_key"
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        draft = data_dir / f".secret_key.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(os.urandom(32).hex(), encoding="ascii")
        try:  # a link appears whole or not at all: of two processes that start at once, one key wins
            os.link(draft, path)
        except FileExistsError:
            pass
        draft.unlink()
    key = path.read_text(encoding="ascii").strip()
    register_secret(key)
    return key
