"""What this process was started with, a variable a line; of a secret no more than whether it is set."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from app.api.context import Settings
from app.api.masking import masked
from app.api.operation import Ask
from app.api.wire import Setting, SettingList

SECRETS = ("SECRET_KEY", "AUTH_TOKEN", "ADMIN_PASSWORD")
# Kept as they were given: what they mean is decided where they are used.
GIVEN = ("NODE_ENV", "ENABLE_SYNC_WORKER", "EMBEDDED_MONGO", "AUTH", "ALLOW_NETWORKS", "ALLOW_PATHS", "SECRETS_DIR")


def list_(ask: Ask[Any, None]) -> SettingList:
    """The settings of the process that answers, in effect; null for what is unset."""
    told = effective(ask.context.settings, os.environ)
    return SettingList(
        items=[Setting(name=name, value=value, secret=name in SECRETS) for name, value in told.items()], next=None
    )


def effective(settings: Settings, env: Mapping[str, str]) -> dict[str, str | None]:
    """Variable -> its value as this process goes by it."""
    worker = settings.worker
    url = {"url": worker.mongo_url} if worker.mongo_url else {}
    secrets = {
        "SECRET_KEY": len(worker.secret_keys),
        "AUTH_TOKEN": settings.auth_token,
        "ADMIN_PASSWORD": settings.admin_password,
    }
    return {
        "APP_ENV": "production" if worker.production else "development",
        "HOST": settings.host,
        "PORT": str(settings.port),
        "PUBLIC_URL": worker.public_url,
        "WORKER_HEALTH_PORT": _text(worker.health_port),
        "MONGO_URL": masked(url, frozenset(url)).get("url"),
        "MONGO_DATABASE": worker.mongo_database,
        "DATA_DIR": str(worker.data_dir),
        "JOBS_FILE": _text(worker.jobs_file),
        "WORKER_CONCURRENCY": str(worker.concurrency),
        "RUN_ISOLATION": worker.isolation,
        "LEASE_TTL": f"{worker.lease_ttl:g}",
        "CLAIM_TTL": f"{worker.claim_ttl:g}",
        "SHUTDOWN_GRACE": f"{worker.shutdown_grace:g}",
        "RETENTION_DAYS": f"{worker.retention_days:g}",
        "ALLOWED_HOSTS": ", ".join(settings.allowed_hosts) or None,
        "TRUSTED_PROXIES": ", ".join(settings.trusted_proxies) or None,
        "LOG_LEVEL": worker.log_level,
        "LOG_FORMAT": worker.log_format,
        **{name: env.get(name, "").strip() or None for name in GIVEN},
        **{name: "set" if given else None for name, given in secrets.items()},
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)
