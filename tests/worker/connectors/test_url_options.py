"""URLs of databases: no parameter that reads a file, runs a library or leads to a socket of the machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from worker import connectors
from worker.connectors import mongodb, mongodb_session, postgres, postgres_session
from worker.connectors.postgres import PostgresSettings
from worker.errors import BadInput, SourceUnavailable
from worker.store.client import connect as connect_store


def refused(connector: str, url: str) -> str:
    settings = {"url": url} | ({"database": "d"} if connector == "mongodb" else {})
    with pytest.raises(BadInput) as refusal:
        connectors.settings_of(connector, settings)
    assert [fault.field for fault in refusal.value.faults] == ["url"]
    return str(refusal.value)


@pytest.mark.parametrize(
    "parameter",
    [
        *(
            "passfile=/etc/passwd",
            "service=x",
            "servicefile=/tmp/x",
            "options=-c%20search_path%3Dx",
            "replication=true",
        ),
        *("client_encoding=SQL_ASCII", "krbsrvname=x", "requirepeer=x", "sslcrldir=/etc", "oauth_issuer=http://evil"),
        *("gsslib=x", "sslkeylogfile=/tmp/x", "p%61ssfile=/etc/passwd", "PASSFILE=/etc/passwd", "nothing=1"),
    ],
)
def test_postgres_parameters_that_act_on_the_machine_are_refused_by_name(parameter: str) -> None:
    said = refused("postgres", f"postgresql://u:geheim@h/d?sslmode=require&{parameter}")
    assert "is not taken; allowed: application_name, " in said and "geheim" not in said


@pytest.mark.parametrize(
    "parameter",
    [
        *("sslkey=/etc/passwd", "sslcert=/etc/passwd", "sslrootcert=/etc/passwd", "sslrootcert={folder}/../outside"),
        *("sslrootcert={folder}/link", "sslkey=relative", "sslkey={folder}/pipe", "sslcrl={folder}/nothing"),
    ],
)
def test_files_of_a_url_lie_among_the_secrets_or_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parameter: str
) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (tmp_path / "outside").write_text("geheim")
    (folder / "ca.pem").write_text("x")
    (folder / "link").symlink_to(tmp_path / "outside")
    os.mkfifo(folder / "pipe")
    monkeypatch.setenv("SECRETS_DIR", str(folder))
    connectors.settings_of("postgres", {"url": f"postgresql://h/d?sslrootcert={folder}/ca.pem&sslmode=verify-full"})
    connectors.settings_of("postgres", {"url": "postgresql://h/d?sslrootcert=system"})
    connectors.settings_of("mongodb", {"url": f"mongodb://h/?tls=true&tlsCAFile={folder}/ca.pem", "database": "d"})
    assert "geheim" not in refused("postgres", f"postgresql://h/d?{parameter.format(folder=folder)}")
    name, _, value = parameter.format(folder=folder).partition("=")
    refused("mongodb", f"mongodb://h/?{'tlsCAFile' if 'cert' in name else 'tlsCertificateKeyFile'}={value}")


@pytest.mark.parametrize(
    ("connector", "url"),
    [
        ("postgres", "postgresql://u@%2Fvar%2Frun/d"),
        ("postgres", "postgresql:///d?host=/var/run"),
        ("postgres", "postgresql://h/d?host=h,/var/run"),
        ("postgres", "postgresql://h/d?host=%40abstract"),
        ("postgres", "postgresql://h,%2Ftmp/d"),
        ("mongodb", "mongodb://%2Ftmp%2Fmongodb-27017.sock/d"),
        ("mongodb", "mongodb://u:p@h,%2Ftmp%2Fx.sock/d"),
    ],
)
def test_sockets_of_the_machine_are_no_hosts(connector: str, url: str) -> None:
    assert "sockets are not taken" in refused(connector, url)


@pytest.mark.parametrize(
    "parameter",
    [
        *("authMechanism=MONGODB-AWS", "authMechanism=MONGODB-OIDC", "authMechanism=GSSAPI", "authmechanism=gssapi"),
        *("authMechanismProperties=ENVIRONMENT:azure", "driverInfo=x", "autoEncryptionOpts=x", "nothing=1"),
        *("proxyHost=evil", "a=b;authMechanism=MONGODB-AWS"),
    ],
)
def test_mongodb_parameters_that_ask_the_cloud_or_a_library_are_refused(parameter: str) -> None:
    assert "allowed: " in refused("mongodb", f"mongodb://u:geheim@h/?w=1&{parameter}")


@pytest.mark.parametrize(
    "url", ["postgresql://u:gehei/m?x@h/d", "postgresql://u:ge?heim=1@h/d", "mongodb://u:geh#eim@h/"]
)
def test_a_password_that_was_not_escaped_is_not_repeated(url: str) -> None:
    said = refused(url.partition(":")[0].replace("postgresql", "postgres"), url)
    assert "as %XX" in said and not any(part in said for part in ("heim", "gehei", "eim@"))


def test_what_one_is_used_to_is_taken() -> None:
    for url in ("postgresql://u:p@a:1,b:2/d?sslmode=require&target_session_attrs=read-write&connect_timeout=3",):
        connectors.settings_of("postgres", {"url": url})
    for url in (
        "mongodb+srv://u:p@cluster.example/?retryWrites=true&w=majority&appName=x",
        "mongodb://u:p@a:1,b:2/d?replicaSet=rs0&authSource=admin&tls=true&readPreference=secondaryPreferred",
    ):
        connectors.settings_of("mongodb", {"url": url, "database": "d"})


def test_libpq_itself_reads_no_more_in_a_url_than_we_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever libpq's own reader finds that ours did not see is refused before anything is connected to."""
    monkeypatch.setattr(postgres, "check_parameters", lambda *_: None)
    monkeypatch.setattr(postgres, "check_hosts", lambda *_: None)
    monkeypatch.setattr(psycopg, "connect", lambda *_, **__: pytest.fail("connected"))
    for parameter in ("passfile=/etc/passwd", "host=/tmp", "sslkey=/etc/passwd"):
        with pytest.raises(BadInput):
            postgres_session.connect(PostgresSettings(url=f"postgresql://h/d?{parameter}"), SourceUnavailable)
    known = conninfo_to_dict("postgresql://h/d")
    assert set(known) <= set(postgres.PARAMETERS)


def test_a_url_may_say_what_we_say_ourselves(postgres_url: str) -> None:
    """Where both do, ours counts: a writer is found by the name of its session."""
    url = f"{postgres_url}?application_name=mine&keepalives_idle=5&keepalives=1&connect_timeout=4&sslmode=prefer"
    with postgres_session.connect(PostgresSettings(url=url), SourceUnavailable) as connection:
        assert connection.info.get_parameters()["application_name"] == "syncworker"
        assert connection.info.get_parameters()["connect_timeout"] == "4"


def test_no_password_of_the_environment_or_the_home_goes_to_whoever_is_named(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".pgpass").write_text("*:*:*:*:geheim-of-home\n")
    (tmp_path / ".pgpass").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / ".pgpass"))
    monkeypatch.setenv("PGPASSWORD", "geheim-of-environment")
    given: dict[str, Any] = {}
    real = psycopg.connect

    def connect(*arguments: Any, **options: Any) -> Any:
        given.update(options)
        return real(*arguments, **options)

    monkeypatch.setattr(psycopg, "connect", connect)
    with postgres_session.connect(PostgresSettings(url=postgres_url), SourceUnavailable) as connection:
        assert connection.info.password == ""
    assert given["passfile"] == postgres_session.NO_FILE


@pytest.mark.filterwarnings("ignore:Wire protocol compression")
def test_compression_is_never_negotiated_whatever_the_url_says() -> None:
    """CVE-2025-14847: a server that unpacks what a client packs may answer with memory that is none of its business."""
    url = "mongodb://127.0.0.1:1/?compressors=zlib,snappy,zstd&zlibCompressionLevel=9"
    settings = connectors.settings_of("mongodb", {"url": url, "database": "d"})
    assert isinstance(settings, mongodb.MongoDBSettings)
    lent = mongodb_session.borrow(settings, seconds=1.0)
    try:
        for client in (lent, connect_store(url, app_name="test")):
            negotiated = client.options.pool_options._compression_settings
            assert negotiated is not None and negotiated.compressors == []
            client.close()
    finally:
        mongodb_session.give_back(settings, seconds=1.0)
