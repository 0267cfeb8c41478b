"""A started API process to test against, over real HTTP."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.support.ports import free_port

ROOT = Path(__file__).parent.parent.parent


@dataclass
class Server:
    url: str
    port: int
    process: subprocess.Popen[bytes]
    output: Path

    def predict(self, data: bytes, path: str = "/predict/", **options: Any) -> requests.Response:
        return requests.post(self.url + path, files={"file": ("picture", data)}, timeout=30, **options)

    def log(self) -> list[dict[str, Any]]:
        whole, _, _ = self.output.read_text().rpartition("\n")  # the last line may be half written
        return [json.loads(line) for line in whole.splitlines()]

    def logged(self, request_id: str) -> dict[str, Any]:
        """The log's line of a request, which is written after its answer."""
        for _ in range(100):
            for entry in self.log():
                if entry.get("request_id") == request_id:
                    return entry
            time.sleep(0.02)
        raise AssertionError(f"no line for {request_id}")

    def cpu_seconds(self) -> float:
        fields = self._stat()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def pages_taken(self) -> int:
        """How often the system has given it a page of memory, a new one or one that it had given back."""
        return int(self._stat()[7])

    def _stat(self) -> list[str]:
        """The fields of /proc/PID/stat from the state on."""
        return Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()

    def memory(self) -> int:
        """Resident bytes."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def peak_memory(self) -> int:
        """The most bytes that were ever resident."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]  # Linux has it

    def raw(self, data: bytes, timeout: float = 15) -> bytes:
        """Everything that is answered on a connection of its own."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as connection:
            connection.sendall(data)
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                while chunk := connection.recv(65536):
                    answer += chunk
            return answer


def start(output: Path, **settings: object) -> Server:
    """A server with settings as `max_pixels=100`, that may not be up yet."""
    port = free_port()
    defaults = {"api_port": port, "samples_database": "", "workers": 1}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DIGITS_")}
    environment |= {f"DIGITS_{name.upper()}": str(value) for name, value in (defaults | settings).items()}
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.api"], cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
    return Server(f"http://127.0.0.1:{port}", port, process, output)


@contextlib.contextmanager
def serving(folder: Path, **settings: object) -> Iterator[Server]:
    server = start(folder / "api.log", **settings)
    try:
        for _ in range(600):
            with contextlib.suppress(requests.ConnectionError):
                if requests.get(server.url + "/health/ready", timeout=5).ok:
                    break
            assert server.process.poll() is None, server.output.read_text()
            time.sleep(0.05)
        yield server
    finally:
        server.process.terminate()
        try:
            server.process.wait(15)
        finally:
            server.process.kill()
