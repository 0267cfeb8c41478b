"""The image in a container, by Docker or Podman, held as tightly as the deployment holds it."""

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from tests.support.ports import free_port

LIMITS = (
    "--read-only",
    "--tmpfs",
    "/tmp",
    "--cap-drop",
    "all",
    "--security-opt",
    "no-new-privileges",
    "--memory",
    "1g",
)
HEALTH = {8000: "/health/ready", 8501: "/_stcore/health"}

_START_SECONDS = 60


@cache
def engine() -> str | None:
    """The command of a container engine that works here."""
    for name in ("docker", "podman"):
        if shutil.which(name) and subprocess.run([name, "info"], capture_output=True).returncode == 0:
            return name
    return None


def call(*arguments: str, timeout: float = 120, **options: Any) -> subprocess.CompletedProcess[str]:
    """Ask the engine, whatever it answers."""
    name = engine()
    assert name, "there is no container engine"
    return subprocess.run([name, *arguments], capture_output=True, text=True, timeout=timeout, **options)


def ask(*arguments: str) -> str:
    answer = call(*arguments)
    assert answer.returncode == 0, f"{' '.join(arguments)}: {answer.stderr}"
    return answer.stdout.strip()


def configuration(image: str) -> dict[str, Any]:
    described: dict[str, Any] = json.loads(ask("image", "inspect", image))[0]
    return described


def healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


class Container:
    """A running container with both ports published on free ones of this machine."""

    def __init__(self, image: str, *options: str) -> None:
        self.ports = {inside: free_port() for inside in HEALTH}
        published = [f"--publish=127.0.0.1:{here}:{inside}" for inside, here in self.ports.items()]
        # The HEALTHCHECK's command is called by hand: Podman needs systemd for its timer.
        self.id = ask("run", "--detach", "--no-healthcheck", *published, *LIMITS, *options, image).splitlines()[-1]

    def url(self, port: int, path: str = "") -> str:
        return f"http://127.0.0.1:{self.ports[port]}{path}"

    def wait_healthy(self) -> None:
        until = time.monotonic() + _START_SECONDS
        left = dict(HEALTH)
        while left:
            time.sleep(0.02)
            left = {port: path for port, path in left.items() if not healthy(self.url(port, path))}
            assert time.monotonic() < until, f"no answer from ports {list(left)}:\n{self.logs()}"

    def running(self) -> bool:
        return ask("inspect", "--format", "{{.State.Running}}", self.id) == "true"

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return call("exec", self.id, *command)

    def python(self, program: str) -> str:
        """What a program prints that runs inside, as the container's user."""
        answer = self.run("python", "-c", program)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout.strip()

    def logs(self) -> str:
        answer = call("logs", self.id)
        return answer.stdout + answer.stderr

    def exit_code(self) -> int:
        """Wait for the end."""
        return int(ask("wait", self.id))

    def megabytes(self) -> float:
        """Memory in use as the engine counts it against the limit, page cache that can go included."""
        used = ask("stats", "--no-stream", "--format", "{{.MemUsage}}", self.id).split("/")[0].strip()
        units = {"MiB": 1.048576, "MB": 1.0, "KiB": 1.024e-3, "kB": 1e-3, "GiB": 1073.741824, "GB": 1000.0}
        return next(float(used.removesuffix(unit)) * size for unit, size in units.items() if used.endswith(unit))


@contextmanager
def running(image: str, *options: str, ready: bool = True) -> Iterator[Container]:
    container = Container(image, *options)
    try:
        if ready:
            container.wait_healthy()
        yield container
    finally:
        call("rm", "--force", container.id)
