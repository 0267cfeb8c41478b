"""The launcher, `python -m app`, held against its promise: both or neither, with processes really killed and stopped."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from app import health
from app.__main__ import GRACE_ON_FAILURE, GRACE_ON_REQUEST, ROOT, read_procfile
from app.api.__main__ import GRACE
from app.settings import Settings

PATIENCE = 60
"""Seconds until a test gives up; far more than anything takes, so that a slow machine fails none."""

linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc for processes")


@contextmanager
def launched(commands: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The launcher running these commands, each a Python program, in place of the Procfile's."""
    program = "import json, sys; from app.__main__ import run; sys.exit(run(json.loads(sys.argv[1])))"
    arguments = json.dumps({name: [sys.executable, "-c", code] for name, code in commands.items()})
    with started([sys.executable, "-c", program, arguments]) as launcher:
        yield launcher


@contextmanager
def started(command: list[str], **environment: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def ports() -> dict[str, str]:
    with socket.socket() as one, socket.socket() as other:
        for probe in (one, other):
            probe.bind(("127.0.0.1", 0))
        return {"DIGITS_API_PORT": str(one.getsockname()[1]), "DIGITS_UI_PORT": str(other.getsockname()[1])}


WAITS = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAITS}"
DRAINS = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.5), print("drained", flush=True), sys.exit(0)))
print("up", flush=True)
time.sleep(600)
"""
LEAVES_AN_ORPHAN = f"""
import subprocess, sys, time
subprocess.run([sys.executable, "-c", '''import subprocess, sys
orphan = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.5)"])
print("orphan", orphan.pid, flush=True)'''])
{WAITS}
"""


def lines_until(process: subprocess.Popen[str], wanted: Callable[[list[str]], bool]) -> list[str]:
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if wanted(lines):
            return lines
    pytest.fail("ended early:\n" + "\n".join(lines))


def all_up(count: int) -> Callable[[list[str]], bool]:
    return lambda lines: sum(line.endswith("| up") for line in lines) == count


def children(pid: int) -> dict[int, str]:
    """Process id -> state letter of a process's children, from /proc."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = entry.read_text().rpartition(") ")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == pid:
            found[int(entry.parent.name)] = state
    return found


def alive(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def test_graces_keep_the_promises() -> None:
    """A container ends within 5 s of a failure, and within the 10 s that an engine waits before it kills."""
    assert GRACE_ON_FAILURE < 4.5
    image = re.findall(r"DIGITS_DRAIN_SECONDS=(\S+)", (ROOT / "Dockerfile").read_text())
    assert GRACE_ON_REQUEST + float(image[0]) < 9.5
    assert GRACE < GRACE_ON_REQUEST


def test_procfile_starts_the_api_and_the_page() -> None:
    assert read_procfile((ROOT / "Procfile").read_text()) == {
        "api": ["python", "-m", "app.api"],
        "ui": ["python", "-m", "app.ui"],
    }


@pytest.mark.parametrize(("code", "expected", "says"), [(0, 1, "code 0"), (7, 7, "code 7")])
def test_an_end_of_one_is_the_end_of_all(code: int, expected: int, says: str) -> None:
    """A server that ends has failed, even with code 0."""
    with launched({"first": WAITS, "second": f"raise SystemExit({code})"}) as launcher:
        output, _ = launcher.communicate(timeout=PATIENCE)
        assert launcher.returncode == expected
    assert f"second ended with {says}; the rest was ended." in output


@linux
def test_a_kill_of_one_is_the_end_of_all() -> None:
    with launched({"first": WAITS, "second": STUBBORN}) as launcher:
        lines_until(launcher, all_up(2))
        first, second = sorted(children(launcher.pid))
        os.kill(first, signal.SIGKILL)
        output, _ = launcher.communicate(timeout=PATIENCE)
        assert launcher.returncode == 128 + signal.SIGKILL
        assert not Path(f"/proc/{second}").exists(), "the one that ignores SIGTERM lives on"
    assert "first was ended by SIGKILL; the rest was ended." in output


@linux
def test_workers_do_not_outlive_their_dead_server() -> None:
    """The worker ignores SIGTERM and holds its server's output open, as a server's workers may."""
    server = f"""
import subprocess, sys
worker = subprocess.Popen([sys.executable, "-c", {STUBBORN!r}], stdout=subprocess.PIPE)
worker.stdout.readline()
print("worker", worker.pid, flush=True)
raise SystemExit(3)
"""
    with launched({"server": server, "other": WAITS}) as launcher:
        output, _ = launcher.communicate(timeout=PATIENCE)
        assert launcher.returncode == 3
    worker = next(line for line in output.splitlines() if "worker" in line).split()[-1]
    until = time.monotonic() + PATIENCE
    while alive(worker):
        assert time.monotonic() < until, "the worker lives on"
        time.sleep(0.1)


def test_a_command_that_is_not_there_is_the_end_of_all() -> None:
    program = "import sys; from app.__main__ import run; sys.exit(run({'a': ['sleep', '600'], 'b': ['/no/such']}))"
    with started([sys.executable, "-c", program]) as launcher:
        output, _ = launcher.communicate(timeout=PATIENCE)
        assert launcher.returncode == 127
    assert "b cannot be started: /no/such: No such file or directory." in output


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_asked_to_stop_it_lets_all_finish_and_exits_with_0(asked: signal.Signals) -> None:
    with launched({"first": DRAINS, "second": DRAINS}) as launcher:
        lines_until(launcher, all_up(2))
        launcher.send_signal(asked)
        output, _ = launcher.communicate(timeout=PATIENCE)
        assert launcher.returncode == 0
    assert sorted(output.splitlines()) == ["first  | drained", "second | drained"]


def test_asked_to_stop_it_ends_the_stubborn_too() -> None:
    with launched({"first": STUBBORN}) as launcher:
        lines_until(launcher, all_up(1))
        launcher.send_signal(signal.SIGTERM)
        assert launcher.wait(PATIENCE) == 0


def test_lines_are_told_apart() -> None:
    """Also the last one, without its line end, of a process that dies."""
    with launched({"api": "print('one'); print('two', end='')", "page": WAITS}) as launcher:
        output, _ = launcher.communicate(timeout=PATIENCE)
    assert [line for line in output.splitlines() if line.startswith("api")][:2] == ["api  | one", "api  | two"]


def told_of(lines: list[str]) -> int:
    """How many lines are there, or said to be missing; what is read meanwhile may be followed by further gaps."""
    return sum(int(line.split()[0]) if "dropped" in line else 1 for line in lines)


@pytest.mark.parametrize("read_on", [True, False])
def test_output_that_nobody_reads_stops_no_process(tmp_path: Path, read_on: bool) -> None:
    """Nor the launcher's own end. Whoever reads on is told how many lines are missing."""
    done = tmp_path / "done"
    writes = f"""
import pathlib, time
for number in range(3000):
    print(f"{{number:01000}}")
pathlib.Path({str(done)!r}).touch()
time.sleep(600)
"""
    with launched({"api": writes}) as launcher:
        until = time.monotonic() + PATIENCE
        while not done.exists():
            assert time.monotonic() < until, "the process waits for whoever reads its output"
            time.sleep(0.05)
        if read_on:
            lines = lines_until(launcher, lambda lines: told_of(lines) >= 3000)
            assert told_of(lines) == 3000
        else:
            launcher.send_signal(signal.SIGTERM)
            assert launcher.wait(PATIENCE) == 0


SERVES = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status = int(open(os.environ["STATUS"]).read().split()[0])
        self.send_response(status)
        self.end_headers()
        self.wfile.write(open(os.environ["STATUS"]).read().encode())
print("up", flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["DIGITS_API_PORT"])), Handler).serve_forever()
"""


@pytest.mark.parametrize("trouble", ["stopped", '503 "not_ready"', '503 "overloaded"'])
def test_a_process_that_is_not_well_for_long_is_the_end_of_all(
    tmp_path: Path, ports: dict[str, str], trouble: str
) -> None:
    """One that is stopped, or says so itself; busy is not sick."""
    program = f"""
import os, sys
from app import __main__ as launcher, health
launcher.CHECK_EVERY, launcher.FAILURES, launcher.FAILURES_AT_START = 0.1, 3, 50
health.is_well.__defaults__ = (0.5,)
sys.exit(launcher.run({{"api": [sys.executable, "-c", {SERVES!r}]}}, health.places(os.environ)))
"""
    status = tmp_path / "status"
    status.write_text("200")
    with started([sys.executable, "-c", program], STATUS=str(status), **ports) as launcher:
        lines_until(launcher, lambda lines: sum('"GET /health/ready' in line for line in lines) == 2)
        if trouble == "stopped":
            os.kill(min(children(launcher.pid)), signal.SIGSTOP)
        else:
            status.write_text(trouble)
        if "overloaded" in trouble:
            lines_until(launcher, lambda lines: sum('" 503' in line for line in lines) == 6)
            assert launcher.poll() is None
        else:
            output, _ = launcher.communicate(timeout=PATIENCE)
            assert launcher.returncode == 128 + signal.SIGKILL
            assert "api was asked again and again whether it is well and did not say so; it is ended." in output


def test_the_launcher_asks_where_the_servers_listen() -> None:
    defaults = Settings()
    for settings in ({}, {"digits_api_port": "81", "DIGITS_UI_PORT": "82"}):
        places = health.places(settings)
        assert places["api"].port == settings.get("digits_api_port", str(defaults.api_port))
        assert places["ui"].port == settings.get("DIGITS_UI_PORT", str(defaults.ui_port))
        assert (places["api"].host, places["ui"].host) == (defaults.api_host, defaults.ui_host)
    assert health.places({"DIGITS_API_HOST": "::"})["api"].host == "::1"


@linux
def test_orphans_leave_no_zombies() -> None:
    """As a container's process 1, made so here by PR_SET_CHILD_SUBREAPER, it is handed every orphan."""
    become_reaper = "import ctypes; ctypes.CDLL(None).prctl(36, 1, 0, 0, 0); "
    program = f"{become_reaper}import sys; from app.__main__ import run; sys.exit(run({{'one': sys.argv[1:]}}))"
    with started([sys.executable, "-c", program, sys.executable, "-c", LEAVES_AN_ORPHAN]) as launcher:
        lines = lines_until(launcher, all_up(1))
        orphan = int(next(line for line in lines if "orphan" in line).split()[-1])
        until = time.monotonic() + PATIENCE
        while orphan in children(launcher.pid) and time.monotonic() < until:
            time.sleep(0.1)
        assert orphan not in children(launcher.pid)
        assert set(children(launcher.pid).values()) == {"S"}


@contextmanager
def the_app(ports: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """`python -m app` with the real API and page, when both answer."""
    with started([sys.executable, "-m", "app"], **ports) as launcher:
        until = time.monotonic() + PATIENCE
        left = [
            f"http://127.0.0.1:{ports['DIGITS_API_PORT']}/health/ready",
            f"http://127.0.0.1:{ports['DIGITS_UI_PORT']}/_stcore/health",
        ]
        while left:
            assert launcher.poll() is None, launcher.communicate()[0]
            assert time.monotonic() < until, f"no answer from {left}"
            left = [url for url in left if not answers(url)]
            time.sleep(0.1)
        yield launcher


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


@linux
@pytest.mark.parametrize("module", ["app.api", "app.ui"])
def test_the_app_ends_when_one_of_its_servers_is_killed(ports: dict[str, str], module: str) -> None:
    with the_app(ports) as launcher:
        servers = {
            Path(f"/proc/{child}/cmdline").read_bytes().split(bytes(1))[2].decode(): child
            for child in children(launcher.pid)
        }
        os.kill(servers[module], signal.SIGKILL)
        launcher.communicate(timeout=PATIENCE)
        assert launcher.returncode == 128 + signal.SIGKILL
        assert not any(Path(f"/proc/{server}").exists() for server in servers.values())


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_app_goes_on_for_a_while_and_says_that_it_leaves(ports: dict[str, str], workers: str) -> None:
    """What a load balancer still sends is answered; each answer is the last on its connection."""
    api, page = (f"http://127.0.0.1:{ports[f'DIGITS_{name}_PORT']}" for name in ("API", "UI"))
    before = requests.Session()
    with the_app(ports | {"DIGITS_DRAIN_SECONDS": "60", "DIGITS_WORKERS": workers}) as launcher:
        assert before.get(f"{api}/", timeout=5).headers.get("Connection") != "close"
        launcher.send_signal(signal.SIGTERM)
        for url in (f"{api}/health/ready", f"{page}/_stcore/health"):
            until = time.monotonic() + PATIENCE
            while answers(url):
                assert time.monotonic() < until, f"{url} says nothing of the end"
                time.sleep(0.05)
            assert requests.get(url, timeout=5).status_code == 503
        for ask in (before.get, requests.get):
            answer = ask(f"{api}/", timeout=5)
            assert (answer.status_code, answer.headers["Connection"]) == (200, "close")
        assert requests.get(page, timeout=5).status_code == 200
        launcher.send_signal(signal.SIGTERM)  # once more: at once
        output, _ = launcher.communicate(timeout=PATIENCE / 2)
        assert launcher.returncode == 0, output
    assert "Traceback" not in output


def test_the_end_comes_when_the_time_to_leave_is_over(ports: dict[str, str]) -> None:
    with the_app(ports | {"DIGITS_DRAIN_SECONDS": "0.5"}) as launcher:
        launcher.send_signal(signal.SIGTERM)
        output, _ = launcher.communicate(timeout=PATIENCE)
        assert launcher.returncode == 0, output


def test_the_app_stops_when_asked(ports: dict[str, str]) -> None:
    with the_app(ports) as launcher:
        launcher.send_signal(signal.SIGTERM)
        output, _ = launcher.communicate(timeout=PATIENCE)
        assert launcher.returncode == 0, output
    assert "Traceback" not in output


@pytest.mark.parametrize("taken", ["DIGITS_API_PORT", "DIGITS_UI_PORT"])
def test_the_app_says_which_port_is_taken(ports: dict[str, str], taken: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        ports[taken] = str(other.getsockname()[1])
        with started([sys.executable, "-m", "app"], **ports) as launcher:
            output, _ = launcher.communicate(timeout=PATIENCE)
            assert launcher.returncode == 1
    named = [line for line in output.splitlines() if ports[taken] in line]
    assert len(named) == 1, output
    assert "Traceback" not in output
