"""Trying connections to real servers: which step failed is found by where it failed, and each step is measured."""

from __future__ import annotations

import datetime
import os
import socket
import sqlite3
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pymongo
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests import servers
from tests.conftest import missing
from tests.waiting import until
from worker.connectors.trial import Trial, tried

PASSWORD = "right-0nce"


def steps(found: Trial) -> list[str]:
    return [f"{one.step}{':' + one.end if one.end else ''}{'' if one.ok else '!'}" for one in found.steps]


def failed(found: Trial, step: str) -> str:
    """The message of a trial that failed at `step`, and nowhere before."""
    assert (found.ok, found.step) == (False, step), (found.message, steps(found))
    assert found.hint and found.message and PASSWORD not in found.message
    assert found.steps[-1].ok is False or found.reads is False
    return found.message


# PostgreSQL.


def postgres(url: str, **more: str) -> Trial:
    return tried("postgres", {"url": url, **more})


def changed(url: str, **parts: str) -> str:
    return urlunsplit(urlsplit(url)._replace(**parts))


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    """A PostgreSQL that asks `reader` and `writer` for a password (SCRAM) and trusts `postgres`."""
    try:
        servers.postgres_programs()
    except servers.MissingServer as reason:
        missing(reason)
    with servers.running_postgres() as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            (file,) = connection.execute("SHOW hba_file").fetchone() or ("",)
            rules = "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
            Path(file).write_text(rules)
            connection.execute("SELECT pg_reload_conf()")
            connection.execute(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
            connection.execute("CREATE DATABASE closed")
            connection.execute("REVOKE CONNECT ON DATABASE closed FROM public")
            connection.execute("CREATE SCHEMA hidden")
            connection.execute("CREATE SCHEMA shut")
            connection.execute("GRANT USAGE ON SCHEMA shut TO reader")
            connection.execute("CREATE TABLE shut.books (id integer)")
            connection.execute("CREATE TABLE public.books (id integer)")
            connection.execute("GRANT SELECT ON public.books TO reader")

        def asks() -> bool:
            try:
                psycopg.connect(server.url.replace("postgres@", "reader@")).close()
            except psycopg.OperationalError:
                return True
            return False

        until(asks, "the server asks for a password")
        yield server.url.replace("postgres@", f"reader:{PASSWORD}@")


def test_a_postgres_that_works_is_measured_step_by_step(guarded: str) -> None:
    found = postgres(guarded)
    assert found.ok and found.hint is None and found.reads and found.writes is False
    assert steps(found) == [
        "name", "tcp", "tls", "login", "login", "permission:source", "permission:destination!", "query"
    ]  # fmt: skip
    assert all(one.ms >= 0 for one in found.steps) and found.ms >= sum(one.ms for one in found.steps) - len(found.steps)
    assert "As a destination it would not: This user may not create tables in public." in found.message
    needed = tried("postgres", {"url": guarded}, needs=frozenset({"destination"}))
    assert "may not create tables in public" in failed(needed, "permission")
    owner = postgres(guarded.replace(f"reader:{PASSWORD}@", "postgres@"))
    assert owner.ok and owner.reads and owner.writes and owner.message == "It works."


def test_a_name_that_nobody_knows(guarded: str) -> None:
    assert "nowhere.invalid" in failed(postgres(changed(guarded, netloc="u:p@nowhere.invalid")), "name")


def test_a_port_where_nothing_listens(guarded: str, free_port: int) -> None:
    found = postgres(f"postgresql://u:p@127.0.0.1:{free_port}/x")
    assert str(free_port) in failed(found, "tcp") and found.hint == (
        "Nothing listens there: check the port, and that the server runs."
    )
    assert steps(found) == ["name", "tcp!"]


def test_one_of_several_hosts_will_do(guarded: str, free_port: int) -> None:
    user, _, host = urlsplit(guarded).netloc.rpartition("@")
    found = postgres(changed(guarded, netloc=f"{user}@127.0.0.1:{free_port},{host}"))
    assert found.ok, found.message


def test_a_server_without_tls_where_the_url_wants_it(guarded: str) -> None:
    found = postgres(changed(guarded, query="sslmode=require"))
    assert "offers no TLS, and the URL wants it (sslmode=require)" in failed(found, "tls")


def test_a_wrong_password_and_a_role_that_is_not_there(guarded: str) -> None:
    assert "127.0.0.1" in failed(postgres(guarded.replace(PASSWORD, "wrong")), "login")
    failed(postgres(guarded.replace("reader:", "nobody:")), "login")


def test_what_a_server_refuses_at_once_has_its_code(guarded: str) -> None:
    trusted = guarded.replace(f"reader:{PASSWORD}@", "postgres@")
    found = postgres(changed(trusted, path="/nothing"))
    assert "(SQLSTATE 3D000)" in failed(found, "name")
    assert found.hint == "Make the database nothing, or name another in the URL."


def test_a_database_that_is_not_there_and_one_that_is_closed(guarded: str) -> None:
    absent = postgres(changed(guarded, path="/nothing"))
    failed(absent, "name")
    assert absent.hint == "Make the database nothing, or name another in the URL."
    closed = postgres(changed(guarded, path="/closed"))
    failed(closed, "permission")
    assert closed.hint == "GRANT CONNECT ON DATABASE closed to this user."


@pytest.mark.parametrize(
    ("schema", "step", "hint"),
    [
        ("absent", "name", "Make it, or name another."),
        ("hidden", "permission", "GRANT USAGE ON SCHEMA hidden to this user."),
        ("shut", "permission", "GRANT SELECT ON ALL TABLES IN SCHEMA shut to this user."),
    ],
)
def test_a_schema_that_cannot_be_read(guarded: str, schema: str, step: str, hint: str) -> None:
    found = postgres(guarded, schema=schema)
    failed(found, step)
    assert found.hint == hint


class Handshaker:
    """A server that says yes to TLS as PostgreSQL does (or speaks it at once), shows its certificate, and hangs up."""

    def __init__(self, folder: Path, *, asks: bool) -> None:
        self._asks = asks
        self.authority = folder / "authority.pem"
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "elsewhere.example")])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("elsewhere.example")]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        self.authority.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        private = folder / "key.pem"
        form = serialization.PrivateFormat.PKCS8
        private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.authority, private)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._shake, args=(peer,), daemon=True).start()

    def _shake(self, peer: socket.socket) -> None:
        with peer:
            try:
                peer.settimeout(5)
                if self._asks:
                    peer.recv(8)
                    peer.sendall(b"S")
                with self._context.wrap_socket(peer, server_side=True) as shaken:
                    shaken.recv(1)
            except OSError:
                pass

    def close(self) -> None:
        self._listener.close()


@contextmanager
def handshaker(folder: Path, *, asks: bool) -> Iterator[Handshaker]:
    with closing(Handshaker(folder, asks=asks)) as server:
        yield server


def test_a_certificate_that_is_not_trusted_or_of_another_name(tmp_path: Path) -> None:
    with handshaker(tmp_path, asks=True) as server:
        url = f"postgresql://u:p@127.0.0.1:{server.port}/x?connect_timeout=2&sslmode="
        assert "certificate" in failed(postgres(f"{url}verify-full&sslrootcert=system"), "tls")
        accepted = postgres(f"{url}require")
        assert steps(accepted)[:3] == ["name", "tcp", "tls"] and accepted.step == "login"


# MongoDB.


def mongodb(url: str, database: str = "shop") -> Trial:
    return tried("mongodb", {"url": url, "database": database})


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A mongod that wants a login: `reader` may read the database shop, `writer` only one other."""
    try:
        servers.mongod_program()
    except servers.MissingServer as reason:
        missing(reason)
    key = tmp_path_factory.mktemp("key") / "key"
    key.write_text("of0the0members0of0this0set")
    key.chmod(0o400)
    port = servers.free_port()
    # Whoever comes from this machine may do as it likes until there is a user.
    with servers.running_mongod(port=port, flags=["--keyFile", str(key)]) as server:
        with pymongo.MongoClient[dict[str, object]](server.url) as client:
            client.admin.command("createUser", "root", pwd=PASSWORD, roles=["root"])
        root = server.url.replace("mongodb://", f"mongodb://root:{PASSWORD}@")
        with pymongo.MongoClient[dict[str, object]](root) as client:
            client.shop.books.insert_one({"_id": 1})
            reads, writes = [{"role": "read", "db": "shop"}], [{"role": "readWrite", "db": "other"}]
            client.admin.command("createUser", "reader", pwd=PASSWORD, roles=reads)
            client.admin.command("createUser", "writer", pwd=PASSWORD, roles=writes)
        yield root


def test_a_mongodb_that_works_is_measured_step_by_step(locked: str) -> None:
    found = mongodb(locked)
    assert found.ok and found.reads and found.writes
    assert steps(found) == ["name", "tcp", "login", "permission:source", "permission:destination", "query"]
    reader = mongodb(locked.replace("root:", "reader:"))
    assert reader.ok and reader.reads and reader.writes is False and "code 13" in reader.message
    with pymongo.MongoClient[dict[str, object]](locked) as client:
        assert client.shop.list_collection_names() == ["books"], "a trial makes nothing"


def test_names_and_ports_of_mongodb(free_port: int) -> None:
    assert "nowhere.invalid" in failed(mongodb("mongodb://nowhere.invalid:27017"), "name")
    assert str(free_port) in failed(mongodb(f"mongodb://u:p@127.0.0.1:{free_port}"), "tcp")


def test_logins_of_mongodb(locked: str) -> None:
    assert "code 18" in failed(mongodb(locked.replace(PASSWORD, "wrong")), "login")
    nobody = mongodb(locked.replace(f"root:{PASSWORD}@", ""))
    failed(nobody, "login")
    assert nobody.hint == "The server wants a login, and the URL names no user."
    assert "code 13" in failed(mongodb(locked.replace("root:", "writer:")), "permission")


def test_a_replica_set_of_another_name(locked: str) -> None:
    found = mongodb(locked.replace("replicaSet=tests", "replicaSet=others"))
    assert "The replica set there is tests, not others." in failed(found, "name")


def test_tls_on_one_side_alone(locked: str, tmp_path: Path) -> None:
    host = urlsplit(locked).netloc.rpartition("@")[2]
    failed(mongodb(f"mongodb://{host}/?tls=true"), "tls")
    with handshaker(tmp_path, asks=False) as server:
        plain = mongodb(f"mongodb://127.0.0.1:{server.port}")
        assert "speaks TLS alone, and the URL does not" in failed(plain, "tls")
        assert plain.hint == "Add tls=true to the URL."
        checked = mongodb(f"mongodb://127.0.0.1:{server.port}/?tls=true")
        assert "certificate" in failed(checked, "tls")


def test_a_server_that_is_no_mongodb(guarded: str) -> None:
    host = urlsplit(guarded).netloc.rpartition("@")[2]
    failed(mongodb(f"mongodb://{host}"), "tcp")


# Files and SQLite.


def test_a_folder_is_there_or_not(tmp_path: Path) -> None:
    (tmp_path / "books.csv").write_text("id\n1\n")
    found = tried("files", {"path": str(tmp_path)})
    assert found.ok and found.reads and found.writes
    assert steps(found) == ["name", "permission:source", "permission:destination", "query"]
    absent = tried("files", {"path": str(tmp_path / "absent")})
    assert f"There is no {tmp_path / 'absent'} yet." in failed(absent, "name") and absent.writes
    assert absent.hint == "Check the path. As a destination it is fine."
    assert tried("files", {"path": str(tmp_path / "absent")}, needs=frozenset({"destination"})).ok
    assert not (tmp_path / "absent").exists(), "a trial makes nothing"
    assert "is no folder" in failed(tried("files", {"path": str(tmp_path / "books.csv" / "x")}), "name")


def test_a_database_file_is_one_or_not(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    assert "There is no" in failed(tried("sqlite", {"path": str(path)}), "name")
    assert not path.exists(), "a trial makes nothing"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE books (id)")
    assert tried("sqlite", {"path": str(path)}).ok
    path.write_bytes(b"no database at all" * 100)
    failed(tried("sqlite", {"path": str(path)}), "query")


def test_what_this_user_may_not_read(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read all")
    path = tmp_path / "shop.db"
    path.write_bytes(b"")
    path.chmod(0)
    assert "may not read" in failed(tried("sqlite", {"path": str(path)}), "permission")


# Whatever it is.


def test_a_server_that_never_answers_is_given_up_and_the_step_is_told() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"mongodb://127.0.0.1:{silent.getsockname()[1]}"
        found = tried("mongodb", {"url": url, "database": "shop"}, patience=1.0)
    assert failed_late(found) == "login" and [one.step for one in found.steps] == ["name", "tcp"]


def failed_late(found: Trial) -> str:
    assert found.ok is False and "no answer within 1 s" in found.message
    return str(found.step)


def test_settings_that_cannot_be_used_are_the_answer() -> None:
    assert "no PostgreSQL URL" in tried("postgres", {"url": "mysql://x"}).message
    assert tried("nothing", {}).ok is False
