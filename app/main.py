"""The composition root: reads the settings and picks several processes, or one.

| | development | production |
|---|---|---|
| `python -m app` | supervisor: mongod, API, worker, dashboard | one process |
| `python -m app api` | the API alone | the API with the worker inside |

`ENABLE_SYNC_WORKER=true` puts the worker inside the API's process in either; `false` keeps it out of both.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from app import settings as app_settings
from app.credentials import credentials
from app.settings import Settings
from worker import logs
from worker import settings as worker_settings
from worker.redaction import register_own
from worker.settings import WorkerSettings

log = logging.getLogger(__name__)

CRASH = 1


def environment() -> dict[str, str]:
    """The environment over systemd's credentials over the `.env` file of the folder; it becomes the process's own.

    So a connection's `${NAME}` finds what stands in a file.
    """
    given = {**credentials(os.environ), **os.environ}
    os.environ.update(worker_settings.read_environment_file(Path(".env"), given))
    register_own(os.environ)
    return dict(os.environ)


def start(env: Mapping[str, str]) -> int:
    """`python -m app`: the supervisor in development, one process in production; the exit code.

    Raises, as its neighbours do, BadConfiguration, PortTaken, EmbeddedFailed: what keeps it from starting.
    """
    settings = app_settings.load(env)
    if settings.production:
        return _one_process(settings)
    from app import development

    return development.run(settings, env)


def api(env: Mapping[str, str]) -> int:
    """`python -m app api`: the API and the bundle, with the worker where it belongs inside; the exit code."""
    return _one_process(app_settings.load(env))


def worker(env: Mapping[str, str]) -> int:
    """`syncworker worker`, which `python -m worker` becomes where it needs the embedded database; the exit code."""
    from worker.alone import main
    from worker.stopping import Stopping

    settings = worker_settings.load(env)
    _log(settings, "worker")
    stopping = Stopping(settings.shutdown_grace)
    return _with_database(settings, stopping.ask, lambda url: main(env, mongo_url=url, stopping=stopping))


def _one_process(settings: Settings) -> int:
    from app import single
    from worker.stopping import Stopping

    _log(settings.worker, "syncworker")
    for weakness in app_settings.weaknesses(settings):
        log.warning("%s", weakness)
    stopping = Stopping(settings.worker.shutdown_grace)
    return _with_database(settings.worker, stopping.ask, lambda url: single.run(settings, url, stopping))


def _with_database(settings: WorkerSettings, stop: Callable[[], None], run: Callable[[str], int]) -> int:
    """`run` with the database's URL; `stop` is called when an embedded one is beyond help."""
    if settings.mongo_url is not None:
        return run(settings.mongo_url)
    from app.database import Database
    from app.embedded import require_program

    require_program()
    database = Database(settings.data_dir, failed=stop)
    os.environ["MONGO_URL"] = database.url  # connections may refer to it, as the quickstart's do
    try:
        code = run(database.url)
    finally:
        database.close()
    return CRASH if database.failure else code


def _log(settings: WorkerSettings, process: str) -> None:
    logs.configure(settings.log_level, settings.log_format, process)
