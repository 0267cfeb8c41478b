"""The app's two processes on free ports, with the packages that the image has."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.support import left_out
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]

_START_SECONDS = 120


class Server:
    """A process that answers HTTP; it can be stopped, and started again on its port."""

    def __init__(self, module: str, health: str, environment: dict[str, str]) -> None:
        self._command, self._health = [sys.executable, "-m", module], health
        self._environment = os.environ | left_out.ENVIRONMENT | environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, cwd=ROOT, env=self._environment, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            assert self._process.poll() is None, f"{self._command} ended with {self._process.returncode}"
            try:
                if requests.get(self._health, timeout=5).ok:
                    return
            except requests.RequestException:
                time.sleep(0.1)
        self.stop()
        raise AssertionError(f"{self._command} does not answer at {self._health}")

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(15)

    def freeze(self) -> None:
        """Let it accept calls and answer none."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)


class App:
    def __init__(self, api: int = 0, page: int = 0, page_module: str = "app.ui", **environment: str) -> None:
        """On the given ports, or any that are free; `environment` is for both processes."""
        api, page = api or free_port(), page or free_port()
        ports = {"DIGITS_API_PORT": str(api), "DIGITS_UI_PORT": str(page), "DIGITS_SAMPLES_DATABASE": ""}
        self.api_url, self.page_url = f"http://127.0.0.1:{api}", f"http://localhost:{page}"
        self.api = Server("app.api", f"{self.api_url}/health/ready", ports | environment)
        self.page = Server(page_module, f"{self.page_url}/_stcore/health", ports | environment)

    def __enter__(self) -> "App":
        self.api.start()
        try:
            self.page.start()
        except AssertionError:
            self.api.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.page.stop()
        self.api.stop()


@contextmanager
def running_app(url: str | None = None) -> Iterator[str]:
    """The address of a running page: the given one, or of an app started for the while."""
    if url:
        yield url
        return
    with App() as app:
        yield app.page_url
