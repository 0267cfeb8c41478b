"""A PostgreSQL of the tests' own, on a free port of this machine."""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import free_port

START_SECONDS = 60


def programs() -> Path | None:
    """The folder of the newest PostgreSQL's programs, which Debian keeps off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[4]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


class Postgres:
    """A cluster that can be killed and started again. It leaves it to the system to write: that is not what is tested."""

    def __init__(self, folder: Path) -> None:
        """
        Args:
            folder: an empty one, which whoever runs PostgreSQL may enter: it does not run as root.
        """
        self._programs = programs()
        self._data = folder / "data"
        self.port = free_port()
        self._numbers = itertools.count()
        self._server: subprocess.Popen[bytes] | None = None
        self._run("initdb", "--auth=trust", "--username=digits", "--encoding=UTF8", "--no-sync", str(self._data))

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://digits@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The address of an empty one."""
        name = f"samples_{next(self._numbers)}"
        self.execute(self.url(), f"CREATE DATABASE {name}")
        return self.url(name)

    def secure(self, *roles: str) -> Path:
        """Let roles in over TLS and with a password alone, from the next start on.

        Returns:
            The certificate, which is good for `localhost` and is its own root.
        """
        certificate, key = (self._data / f"server.{kind}" for kind in ("crt", "key"))
        made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        named = ["-subj", "/CN=a test", "-addext", "subjectAltName=DNS:localhost"]
        self._run("openssl", *made, *named, "-out", str(certificate), "-keyout", str(key))
        rules = self._data / "pg_hba.conf"
        own = [f"{kind} all {role} all {how}\n" for role in roles for kind, how in _ONLY_OVER_TLS]
        rules.write_text("".join(own) + rules.read_text())
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.write("ssl = on\n")
        return certificate

    def execute(self, url: str, statement: str) -> None:
        self._run("psql", "--quiet", url, "--command", statement)

    @property
    def stopped(self) -> bool:
        return self._server is None

    def start(self) -> None:
        options = [
            "-p",
            str(self.port),
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
            "-c",
            "fsync=off",
        ]
        self._server = subprocess.Popen(
            self._as_nobody("postgres", "-D", str(self._data), *options),
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + START_SECONDS
        while subprocess.run(self._as_nobody("pg_isready", "-q", "-d", self.url()), cwd="/").returncode:
            assert self._server.poll() is None, "PostgreSQL ends at once"
            assert time.monotonic() < until, "PostgreSQL does not start"
            time.sleep(0.1)

    def stop(self) -> None:
        """At once, amid whatever it does; what was committed is there after a start."""
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait(30)
            self._server = None

    def _run(self, program: str, *arguments: str) -> None:
        command = self._as_nobody(program, *arguments)
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=START_SECONDS)
        assert done.returncode == 0, done.stderr

    def program(self, name: str) -> str:
        """One of PostgreSQL's, by where it is, or another one."""
        assert self._programs is not None
        own = self._programs / name
        return str(own) if own.exists() else name

    def _as_nobody(self, program: str, *arguments: str) -> list[str]:
        command = [self.program(program), *arguments]
        return ["setpriv", *_OTHER_USER, "--", *command] if os.getuid() == 0 else command


_ONLY_OVER_TLS = (("hostssl", "scram-sha-256"), ("hostnossl", "reject"))
_NOBODY = pwd.getpwnam("nobody")
_OTHER_USER = [f"--reuid={_NOBODY.pw_uid}", f"--regid={_NOBODY.pw_gid}", "--clear-groups"]


@contextmanager
def running() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:  # pytest's own folders are root's alone
        folder = Path(name)
        if os.getuid() == 0:
            os.chown(folder, _NOBODY.pw_uid, _NOBODY.pw_gid)
        server = Postgres(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
