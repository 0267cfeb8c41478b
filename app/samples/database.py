"""Connections to where samples are kept: a file of SQLite's, or PostgreSQL."""

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import DataError, DBAPIError, SQLAlchemyError

from app.samples.errors import BadValue, Unavailable

BUSY_SECONDS: Final = 3.0
"""That a transaction waits for another one's end."""

CONNECT_SECONDS: Final = 3

TOKEN_SECONDS: Final = 900
"""In which a connection must be made with a token of IAM's; it may last for longer."""

PORT: Final = 5432
"""PostgreSQL's, where an address names none."""

_WRITERS: Final = 0x64696769
"""PostgreSQL's number for the lock that whoever writes holds: one at a time, as with SQLite. A sample cannot come while
it is deleted, nor a table while it is migrated."""

log = logging.getLogger(__name__)


def url_of(setting: str) -> URL:
    """The address that a setting means: one as it is, or a path of a file of SQLite's."""
    if "://" not in setting:
        return URL.create("sqlite+pysqlite", database=setting)
    url = make_url(setting)
    return url.set(
        drivername={"postgresql": "postgresql+psycopg", "sqlite": "sqlite+pysqlite"}.get(url.drivername, url.drivername)
    )


def answers(url: URL, seconds: float) -> bool:
    """Whether something takes connections at a server's address, now or within some seconds."""
    until = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((url.host or "localhost", url.port or PORT), CONNECT_SECONDS).close()
            return True
        except OSError:
            if time.monotonic() > until:
                return False
            time.sleep(0.5)


class Database:
    """Safe to share between threads. What goes wrong with it is raised as Unavailable."""

    def __init__(self, url: URL, busy_seconds: float = BUSY_SECONDS, iam_region: str = "") -> None:
        """
        Args:
            url: see `url_of`.
            busy_seconds: that a transaction waits for another one's end.
            iam_region: the region of AWS whose IAM signs in, in place of a password.
        """
        self.is_file = url.get_backend_name() == "sqlite"
        self.name = url.database if self.is_file else url.render_as_string(hide_password=True)
        self._engine = _file_engine(url, busy_seconds) if self.is_file else _server_engine(url, busy_seconds)
        if iam_region:
            _sign_in(self._engine, iam_region)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection in a transaction that sees one state of the database. Raises Unavailable."""
        with _explained(), self._engine.connect() as plain:
            # A server's transaction sees, unless it is told otherwise, what others commit between two statements.
            connection = plain if self.is_file else plain.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The only connection that writes; what was done is kept, durably, once this ends. Raises Unavailable."""
        with _explained(), self._engine.connect() as plain:
            connection = plain.execution_options(writing=True)
            with connection.begin():
                if not self.is_file:
                    connection.execute(select(func.pg_advisory_xact_lock(_WRITERS)))
                yield connection

    def forget_pages(self) -> None:
        """After something was deleted: leave nothing of it in SQLite's log beside the file, as far as readers let it.

        PostgreSQL overwrites it by itself, at its next vacuum.
        """
        if not self.is_file:
            return
        try:
            with _explained(), self._engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")  # which has nothing in it: none may be open
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.exec_driver_sql("BEGIN")
        except Unavailable as error:
            log.warning("What was deleted stays in SQLite's log for now.", extra={"fields": {"reason": str(error)}})

    def close(self) -> None:
        self._engine.dispose()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except DataError as error:
        raise BadValue(f"{type(error.orig).__name__}: {str(error.orig).partition(chr(10))[0]}") from error
    except DBAPIError as error:
        raise Unavailable(f"{type(error.orig).__name__}: {str(error.orig).partition(chr(10))[0]}") from error
    except SQLAlchemyError as error:
        raise Unavailable(f"{type(error).__name__}: {error}") from error


def _file_engine(url: URL, busy_seconds: float) -> Engine:
    engine = create_engine(url, connect_args={"timeout": busy_seconds}, pool_size=2, max_overflow=8)

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, and so hold tables' changes, too
        _into_wal(connection, busy_seconds)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _into_wal(connection: Any, busy_seconds: float) -> None:
    """Readers and the writer do not wait for each other. The first to switch to it waits for none, so it is retried."""
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except Exception as error:  # the driver's, which differs between drivers
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _server_engine(url: URL, busy_seconds: float) -> Engine:
    patience = round(busy_seconds * 1000)
    return create_engine(
        url,
        pool_size=2,
        max_overflow=8,
        pool_pre_ping=True,
        pool_timeout=busy_seconds,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "tcp_user_timeout": patience,
            "options": f"-c lock_timeout={patience} -c statement_timeout={6 * patience} -c timezone=UTC",
            "application_name": "digits samples",
        },
    )


def _sign_in(engine: Engine, region: str) -> None:
    """Give each new connection a token of its own: one is good for minutes, a connection for as long as it lives."""
    from app import aws

    @event.listens_for(engine, "do_connect")
    def _connecting(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
        host, port, user = parameters["host"], parameters.get("port", PORT), parameters["user"]
        connecting = f"https://{host}:{port}/?Action=connect&DBUser={user}"
        try:
            by = aws.credentials()
        except aws.NoCredentials as error:
            raise Unavailable(str(error)) from None
        address = aws.presign("GET", connecting, TOKEN_SECONDS, service="rds-db", region=region, by=by)
        parameters["password"] = address.removeprefix("https://")
