"""A database that the app does not own: who may do what there, over TLS, with tokens of AWS's IAM, and who migrates."""

import shlex
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import requests
from alembic.script import ScriptDirectory
from pydantic import SecretStr
from sqlalchemy import text

from app import aws
from app.samples.database import Database, url_of
from app.samples.errors import Unavailable
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
PRESIGN = aws.presign


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
    scripts = ScriptDirectory(str(FOLDER))
    revisions = [one.revision for one in scripts.walk_revisions()]
    assert revisions == sorted(revisions, reverse=True)
    for script in scripts.walk_revisions():
        calls = {word.partition("(")[0] for word in Path(script.path).read_text().split() if word.startswith("op.")}
        assert calls <= {"op.create_table", "op.create_index", "op.add_column"}, script.path


def test_a_restore_brings_back_what_is_lost_and_not_what_was_deleted(secured: Secured, tmp_path: Path) -> None:
    """By the commands of infra/README.md."""
    block = (ROOT / "infra/README.md").read_text().partition("psql RESTORED")[2].partition("```")[0]
    there, _, here = block.partition("psql DATABASE")
    restored, live = (secured.postgres.new_database() for _ in range(2))
    before, now = opened(restored), opened(live)
    kept, lost, deleted = samples = [sample(label="5") for _ in range(3)]
    before.take(samples)
    now.take([kept, deleted])
    now.delete(deleted.id)
    for address, commands in ((restored, there), (live, here)):
        arguments = shlex.split(commands.replace("\\\n", " "))
        subprocess.run([secured.postgres.program("psql"), "--quiet", address, *arguments], cwd=tmp_path, check=True)
    assert list(now.each()) == [kept, lost]
    assert now.changed_pictures() == []
    for store in (before, now):
        store.database.close()


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


def test_each_connection_is_made_with_a_token_of_its_own(
    secured: Secured, migrated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One whose password is the token of a moment lets in at that moment, and not a second later."""
    by = aws.Credentials("AKIDEXAMPLE", "secret", "session")
    monkeypatch.setattr(aws, "credentials", lambda: by)
    address = f"https://localhost:{secured.postgres.port}/?Action=connect&DBUser={APP}"
    settings = owned_by_another(secured.address(migrated, APP), samples_iam_region="eu-central-1")
    store = None
    try:
        for minutes in (0, 20):
            now = datetime(2026, 11, 27, 12, minutes, tzinfo=UTC)
            monkeypatch.setattr(aws, "presign", partial(PRESIGN, now=now))
            token = PRESIGN("GET", address, 900, service="rds-db", region="eu-central-1", by=by, now=now)
            secured.postgres.execute(migrated, f"ALTER ROLE {APP} PASSWORD '{token.removeprefix('https://')}'")
            store = store or opened_server(settings)
            assert store.count() >= 0
            store.database.close()
            monkeypatch.setattr(aws, "presign", partial(PRESIGN, now=now + timedelta(seconds=1)))
            with pytest.raises(Unavailable, match="password authentication failed"):
                store.count()
    finally:
        secured.postgres.execute(migrated, f"ALTER ROLE {APP} PASSWORD 'secret'")


def test_without_credentials_samples_wait(secured: Secured, migrated: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Unavailable, match="There are no credentials for AWS"):
        opened_server(owned_by_another(secured.address(migrated, APP), samples_iam_region="eu-central-1"))


def test_the_roots_of_rds_are_there_for_each_region() -> None:
    context = ssl.create_default_context(cafile=str(ROOT / "app/samples/rds.pem"))
    names = {dict(field[0] for field in one["subject"])["commonName"] for one in context.get_ca_certs()}  # type: ignore[misc]
    assert len(names) == 27
    assert {f"Amazon RDS {one} Root CA RSA2048 G1" for one in ("us-east-1", "eu-central-1")} < names
