"""A database that the app does not own: who may do what there, over TLS, with tokens of AWS's IAM, and who migrates."""

import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar, Self
from urllib.parse import parse_qsl

import pytest
import requests
from alembic.script import ScriptDirectory
from pydantic import SecretStr
from sqlalchemy import text

from app.samples import iam
from app.samples.database import Database, url_of
from app.samples.errors import Unavailable
from app.samples.iam import Credentials, SignIn
from app.samples.migration import FOLDER, HEAD
from app.samples.roles import APP, TRAINER
from app.samples.store import opened, opened_server
from app.settings import Settings
from tests.conftest import need
from tests.support.api import ROOT, serving
from tests.support.ports import free_port
from tests.support.postgres import Postgres, programs, running
from tests.support.samples import ANOTHER, VISITOR, delete_mine, post, reasons, sample, wait_until

ADMIN = {"X-API-Key": "an-admin"}
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
CREDENTIALS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a+session/token==", NOW)


@dataclass(frozen=True)
class Secured:
    """A server that lets the roles in over TLS alone, as RDS does with `rds.force_ssl`."""

    postgres: Postgres
    root: Path

    def address(self, database: str, role: str, password: str = "") -> str:
        name = database.rpartition("/")[2]
        query = f"sslmode=verify-full&sslrootcert={self.root}"
        return f"postgresql://{role}:{password}@localhost:{self.postgres.port}/{name}?{query}"


@pytest.fixture(scope="module")
def secured() -> Iterator[Secured]:
    need(programs(), "PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with running() as postgres:
        root = postgres.secure(APP, TRAINER)
        postgres.stop()
        postgres.start()
        for role in (APP, TRAINER):
            postgres.execute(postgres.url(), f"CREATE ROLE {role} LOGIN PASSWORD 'secret'")
        yield Secured(postgres, root)


@pytest.fixture(scope="module")
def migrated(secured: Secured) -> str:
    """The address of a database as its owner leaves it, for its owner."""
    owner = secured.postgres.new_database()
    done = command(owner, "migrate", "--roles")
    assert (done.returncode, done.stdout) == (0, f"The schema is {HEAD}, and the roles are as they should be.\n")
    return owner


def command(database: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"DIGITS_SAMPLES_DATABASE": database, "PATH": ""}
    return subprocess.run(
        [sys.executable, "-m", "app.samples", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )


def owned_by_another(address: str, **settings: object) -> Settings:
    return Settings(samples_database=SecretStr(address), samples_migrate=False, **settings)  # type: ignore[arg-type]


def test_the_app_s_role_may_do_all_that_the_api_does(secured: Secured, migrated: str, tmp_path: Path) -> None:
    address = secured.address(migrated, APP, "secret")
    store = opened(migrated)
    settings = {"samples_migrate": "false", "samples_days": 10_000, "samples_outbox": tmp_path / "outbox.sqlite3"}
    with serving(tmp_path, samples_database=address, admin_keys="an-admin", **settings) as server:
        for id in ("one", "two", "three"):
            assert post(server, visitor=VISITOR, id=id, label="3").status_code == 201
        assert post(server, visitor=ANOTHER, id="four").status_code == 201
        wait_until(lambda: store.count() == 4)
        assert post(server, visitor=VISITOR, id="one", label="5").status_code == 201
        wait_until(lambda: store.sample("one").label == "5")
        listed = requests.get(server.url + "/samples/", headers=ADMIN, timeout=9).json()["samples"]
        assert len(listed) == 4
        changed = requests.patch(server.url + "/samples/two", json={"label": "7"}, headers=ADMIN, timeout=9)
        assert (changed.status_code, store.sample("two").label) == (200, "7")
        assert requests.delete(server.url + "/samples/two", headers=ADMIN, timeout=9).json()["deleted"] == 1
        assert len(requests.get(server.url + "/samples/export", headers=ADMIN, timeout=9).text.splitlines()) == 3
        assert delete_mine(server, VISITOR) == 2
        assert delete_mine(server, VISITOR) == 0
        assert [one.id for one in store.each()] == ["four"]
        assert reasons(server, "Samples are tended.")
    store.database.close()


NOT_FOR_THE_APP = [
    "DROP TABLE samples",
    "ALTER TABLE samples ADD COLUMN more text",
    "TRUNCATE samples",
    "UPDATE samples SET picture = ''",
    "UPDATE samples SET visitor = NULL",
    "DELETE FROM deleted",
    "UPDATE deleted SET time = now()",
    "UPDATE forgotten SET visitor = ''",
    "UPDATE alembic_version SET version_num = '9'",
    "CREATE TABLE own (id int)",
    "CREATE TEMPORARY TABLE own (id int)",
    "CREATE ROLE another",
    "SELECT rolpassword FROM pg_authid",
    f"SET ROLE {TRAINER}",
]
NOT_FOR_TRAINERS = [
    "INSERT INTO deleted VALUES ('', now())",
    "UPDATE samples SET label = ''",
    "DELETE FROM samples",
    "SELECT * FROM forgotten",
    "CREATE TABLE own (id int)",
]


@pytest.mark.parametrize(
    ("role", "statement"), [(APP, one) for one in NOT_FOR_THE_APP] + [(TRAINER, one) for one in NOT_FOR_TRAINERS]
)
def test_a_role_may_do_nothing_else(secured: Secured, migrated: str, role: str, statement: str) -> None:
    database = Database(url_of(secured.address(migrated, role, "secret")))
    denied = pytest.raises(Unavailable, match=r"InsufficientPrivilege: (permission denied|must be owner)")
    with denied, database.writing() as connection:
        connection.execute(text(statement))
    database.close()


def test_a_trainer_reads(secured: Secured, migrated: str) -> None:
    owner = opened(migrated)
    one = sample(label="5")
    owner.keep(one)
    trainer = opened_server(owned_by_another(secured.address(migrated, TRAINER, "secret")))
    assert one in list(trainer.each())
    assert trainer.deleted(["none"]) == set()
    for store in (owner, trainer):
        store.database.close()


def test_a_right_that_is_too_much_is_taken_back(secured: Secured, migrated: str) -> None:
    secured.postgres.execute(migrated, f"GRANT ALL ON samples TO {TRAINER}")
    assert command(migrated, "migrate", "--roles").returncode == 0
    test_a_role_may_do_nothing_else(secured, migrated, TRAINER, "DELETE FROM samples")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("verify-full", "disable"), "pg_hba.conf rejects connection"),
        (("@localhost", "@127.0.0.1"), 'does not match host name "127.0.0.1"'),
        (("server.crt", "no-root.crt"), "root certificate file .* does not exist"),
    ],
)
def test_only_over_tls_and_to_the_right_server(
    secured: Secured, migrated: str, change: tuple[str, str], complaint: str
) -> None:
    with pytest.raises(Unavailable, match=complaint):
        opened_server(owned_by_another(secured.address(migrated, APP, "secret").replace(*change)))


def test_until_the_owner_has_migrated_samples_wait(secured: Secured, tmp_path: Path) -> None:
    owner = secured.postgres.new_database()
    outbox = tmp_path / "outbox.sqlite3"
    with serving(tmp_path, samples_database=owner, samples_migrate="false", samples_outbox=outbox) as server:
        assert post(server, id="one").status_code == 201
        (reason,) = reasons(server, "The samples' database is away; samples wait in the outbox.")
        assert f"has the schema of nothing, and this version needs {HEAD}" in str(reason)
        assert command(owner, "migrate").returncode == 0
        store = opened(owner)
        wait_until(lambda: store.count() == 1)
    store.database.close()


def test_a_later_schema_is_taken_as_it_is(secured: Secured) -> None:
    """The app goes back to an earlier version; its tables do not."""
    owner = secured.postgres.new_database()
    opened(owner).database.close()
    secured.postgres.execute(owner, "UPDATE alembic_version SET version_num = '9999'")
    one = sample()
    store = opened_server(owned_by_another(owner))
    store.keep(one)
    assert list(store.each()) == [one]
    assert command(owner, "migrate", "--roles").stdout.startswith("The schema 9999 is of a later version")
    secured.postgres.execute(owner, "UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(Unavailable, match="has the schema 0000"):
        opened_server(owned_by_another(owner))
    store.database.close()


def test_migrations_only_add_and_are_numbered(secured: Secured) -> None:
    """The version before goes on with what they leave."""
    config_free = ScriptDirectory(str(FOLDER))
    revisions = [one.revision for one in config_free.walk_revisions()]
    assert revisions == sorted(revisions, reverse=True)
    for script in config_free.walk_revisions():
        calls = {word.partition("(")[0] for word in Path(script.path).read_text().split() if word.startswith("op.")}
        assert calls <= {"op.create_table", "op.create_index", "op.add_column"}, script.path


def test_where_nothing_answers_a_start_is_not_held_up() -> None:
    away = f"postgresql://digits@127.0.0.1:{free_port()}/digits"
    done = command(away, "migrate", "--wait", "0")
    assert (done.returncode, done.stderr) == (
        0,
        "Nothing answers at the database's address: its tables stay as they are.\n",
    )
    assert command(away, "migrate").returncode == 1


def test_a_file_needs_no_migration(tmp_path: Path) -> None:
    assert "names no server" in command(str(tmp_path / "samples.sqlite3"), "migrate").stderr


@pytest.mark.parametrize(
    ("session", "signature"),
    [
        ("a+session/token==", "2dbc725083c119dbdf15b18cfc1e185380835647365b44b70b0c43ba091326e1"),
        ("", "ee5bccb4abaefc56a5cd15fc116ebd79888e23fe8b0e3beba91b0eb1ab3fbbdd"),
    ],
)
def test_a_token_is_as_botocore_makes_it(session: str, signature: str) -> None:
    """As `generate_db_auth_token` of botocore 1.43.106 made it at that moment."""
    host = "digits.abc123.eu-central-1.rds.amazonaws.com"
    made = iam.token(host, 5432, APP, "eu-central-1", replace(CREDENTIALS, session=session), NOW)
    address, _, query = made.partition("/?")
    assert address == f"{host}:5432"
    assert dict(parse_qsl(query, strict_parsing=True)) == {
        "Action": "connect",
        "DBUser": APP,
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": "AKIDEXAMPLE/20261127/eu-central-1/rds-db/aws4_request",
        "X-Amz-Date": "20261127T120000Z",
        "X-Amz-Expires": "900",
        "X-Amz-SignedHeaders": "host",
        **({"X-Amz-Security-Token": session} if session else {}),
        "X-Amz-Signature": signature,
    }


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """What tokens take for the time: its last."""
    moments = [NOW]

    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> Self:
            return moments[-1]  # type: ignore[return-value]

    monkeypatch.setattr(iam, "datetime", Clock)
    return moments


def test_each_connection_is_made_with_a_token_of_its_own(
    secured: Secured, migrated: str, clock: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(iam, "credentials", lambda: CREDENTIALS)
    settings = owned_by_another(secured.address(migrated, APP), samples_iam_region="eu-central-1")
    try:
        for minutes in (0, 20):
            clock.append(NOW + timedelta(minutes=minutes))
            good = iam.token("localhost", secured.postgres.port, APP, "eu-central-1", CREDENTIALS, clock[-1])
            secured.postgres.execute(migrated, f"ALTER ROLE {APP} PASSWORD '{good}'")
            store = opened_server(settings)
            assert store.count() >= 0
            clock.append(clock[-1] + timedelta(seconds=1))
            store.database.close()
            with pytest.raises(Unavailable, match="password authentication failed"):
                store.count()
            store.database.close()
    finally:
        secured.postgres.execute(migrated, f"ALTER ROLE {APP} PASSWORD 'secret'")


class Ecs(BaseHTTPRequestHandler):
    """Gives credentials as the agent of ECS does, each for an hour."""

    asked: ClassVar[list[str]] = []
    answer: bytes = b""

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def ecs(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Ecs]]:
    monkeypatch.setattr(Ecs, "asked", [])
    server = HTTPServer(("127.0.0.1", 0), Ecs)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setattr(iam, "ECS", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/of-the-role")
    yield Ecs
    server.shutdown()
    server.server_close()


def test_a_role_s_credentials_are_asked_for_shortly_before_they_end(
    ecs: type[Ecs], clock: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    until = (NOW + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    said = {"AccessKeyId": "ASIAONE", "SecretAccessKey": "s", "Token": "t", "Expiration": until}
    monkeypatch.setattr(ecs, "answer", json.dumps(said).encode())
    signing = SignIn("eu-central-1")
    for minutes, asked in ((0, 1), (54, 1), (56, 2)):
        clock.append(NOW + timedelta(minutes=minutes))
        assert "ASIAONE%2F" in signing.token("host", 5432, APP)
        assert ecs.asked == ["/v2/credentials/of-the-role"] * asked


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"AccessKeyId": "ASIAONE"}', b"<html>"])
def test_an_answer_that_is_none_keeps_samples_waiting(
    ecs: type[Ecs], answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ecs, "answer", answer)
    with pytest.raises(Unavailable, match="ECS does not give the credentials"):
        SignIn("eu-central-1").token("host", 5432, APP)


def test_credentials_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"):
        monkeypatch.setenv(f"AWS_{name}", f"the-{name}")
    assert "the-ACCESS_KEY_ID%2F" in SignIn("eu-central-1").token("host", 5432, APP)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Unavailable, match="There are no credentials of AWS"):
        SignIn("eu-central-1").token("host", 5432, APP)


def test_the_roots_of_rds_are_there_for_each_region() -> None:
    context = ssl.create_default_context(cafile=str(ROOT / "app/samples/rds.pem"))
    names = {dict(field[0] for field in one["subject"])["commonName"] for one in context.get_ca_certs()}  # type: ignore[misc]
    assert len(names) == 27
    assert {f"Amazon RDS {one} Root CA RSA2048 G1" for one in ("us-east-1", "eu-central-1")} < names
