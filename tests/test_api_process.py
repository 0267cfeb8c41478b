"""The API as a process: its start and end, its logs and figures, several workers."""

import json
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from app import cores
from tests.support import handwriting
from tests.support.api import Server, serving, start
from tests.support.pictures import drawn, encoded

PNG = encoded(drawn(5))
BLANK = encoded(drawn(5).point(lambda _: 255))


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("api")) as server:
        yield server


def figures(server: Server) -> dict[tuple[str, ...], float]:
    text = requests.get(server.url + "/metrics", timeout=5).text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_taken_port_is_said_in_one_sentence(api: Server, tmp_path: Path) -> None:
    second = start(tmp_path / "log", api_port=api.port)
    assert second.process.wait(20) == 1
    assert second.output.read_text() == f"The API cannot listen on 127.0.0.1:{api.port}: Address already in use.\n"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_missing_model_is_said_and_ends_the_process(tmp_path: Path, workers: int) -> None:
    server = start(tmp_path / "log", models_dir=tmp_path / "none", workers=workers)
    assert server.process.wait(30) != 0
    assert "There is no model file digits/model.onnx." in server.output.read_text()
    assert "Traceback" not in server.output.read_text()


def test_a_wrong_setting_is_said_with_its_name(tmp_path: Path) -> None:
    server = start(tmp_path / "log", workers="many")
    assert server.process.wait(20) == 2
    assert server.output.read_text().startswith("DIGITS_WORKERS: ")


def test_without_keys_the_start_says_that_everybody_may_call(api: Server) -> None:
    warnings = [entry["message"] for entry in api.log() if entry["level"] == "warning"]
    assert any("everybody" in message and "DIGITS_API_KEYS" in message for message in warnings)


def test_a_request_has_one_line_in_the_log_and_no_picture(api: Server) -> None:
    answer = api.predict(BLANK)
    entry = api.logged(answer.json()["request_id"])
    assert {name: entry[name] for name in ("level", "method", "path", "status", "code")} == {
        "level": "info",
        "method": "POST",
        "path": "/predict/",
        "status": 400,
        "code": "blank_image",
    }
    assert entry["ms"] > 0
    assert len(api.output.read_bytes().splitlines()[-1]) < 400


def test_a_callers_own_request_id_is_kept_when_harmless(api: Server) -> None:
    assert api.predict(PNG, headers={"X-Request-ID": "order-4711-a"}).json()["request_id"] == "order-4711-a"
    for odd in ("short", "x" * 65, 'quote"quote', "new line \t"):
        assert api.predict(PNG, headers={"X-Request-ID": odd}).json()["request_id"] != odd


def test_figures_for_prometheus(api: Server) -> None:
    before = figures(api)
    assert api.predict(PNG).json()["label"] == "5"
    api.predict(BLANK)
    requests.get(api.url + "/some/path/nobody/has", timeout=5)
    after = figures(api)

    def more(*name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert more("digits_requests_total", "/predict/", "200") == 1
    assert more("digits_requests_total", "/predict/", "400") == 1
    assert more("digits_requests_total", "other", "404") == 1
    assert more("digits_errors_total", "blank_image") == 1
    assert more("digits_predictions_total", "digits", "5") == 1
    assert more("digits_confidence_count", "digits") == 1
    assert more("digits_request_seconds_count", "/predict/") == 2
    assert ("digits_pictures_waiting", "quick") in after


def test_one_process_takes_little_memory(api: Server) -> None:
    with ThreadPoolExecutor(16) as pool:
        assert all(answer.ok for answer in pool.map(api.predict, [PNG] * 400))
    assert api.memory() < 150e6


def test_a_drawing_needs_no_memory_that_the_last_one_did_not(api: Server) -> None:
    """Its arrays have a megabyte, 250 pages, which the C library would return and take anew with each picture."""
    drawing = encoded(handwriting.canvas(5).convert("RGBA"))
    for _ in range(50):
        assert api.predict(drawing).ok
    before = api.pages_taken()
    for _ in range(50):
        assert api.predict(drawing).ok
    assert api.pages_taken() - before < 50 * 100


def test_sigterm_finishes_what_is_in_flight(tmp_path: Path) -> None:
    """A request whose body is still on its way when the signal comes is answered; new connections are not taken."""
    with serving(tmp_path) as server:
        body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n' + PNG + b"\r\n--b--\r\n"
        head = (
            f"POST /predict/ HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode()
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            connection.sendall(head + body[:100])
            time.sleep(0.3)
            server.process.send_signal(signal.SIGTERM)
            while True:
                try:
                    socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
                    time.sleep(0.05)
                except OSError:
                    break
            assert server.process.poll() is None
            connection.sendall(body[100:])
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b'"label":"5"' in answer
        assert server.process.wait(10) in (0, -signal.SIGTERM)


def test_sigterm_under_load_loses_no_request_that_was_taken(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        statuses: list[int] = []
        stop = threading.Event()

        def call() -> None:
            while not stop.is_set():
                try:
                    statuses.append(server.predict(PNG).status_code)
                except requests.ConnectionError:  # not taken: the server listens no more
                    return

        callers = [threading.Thread(target=call) for _ in range(4)]
        for caller in callers:
            caller.start()
        while len(statuses) < 50:
            time.sleep(0.01)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) in (0, -signal.SIGTERM)
        stop.set()
        for caller in callers:
            caller.join()
        assert set(statuses) == {200}


def test_two_workers_add_their_figures_up(tmp_path: Path) -> None:
    with serving(tmp_path, workers=2) as server:
        with ThreadPoolExecutor(8) as pool:
            assert all(answer.ok for answer in pool.map(server.predict, [PNG] * 60))
        for _ in range(5):  # whichever process answers
            assert figures(server)[("digits_requests_total", "/predict/", "200")] == 60
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(15) == 0


def test_a_process_for_each_processor_is_told_and_each_counts_for_itself(tmp_path: Path) -> None:
    """On one processor that is one process; what is said of rates is true of it, too."""
    allowed = 3
    with serving(tmp_path, workers="auto", trusted_proxies=1, rate_per_address=allowed) as server:
        processes = cores.usable()
        assert {entry["processes"] for entry in server.log() if entry["message"] == "Ready."} == {processes}
        assert len(workers_of(server)) == (processes if processes > 1 else 0)
        stranger = {"X-Forwarded-For": "203.0.113.7"}
        answers = [server.predict(PNG, headers=stranger).status_code for _ in range(20 * processes)]
    assert allowed <= answers.count(200) <= allowed * processes
    assert set(answers) == {200, 429}


def workers_of(server: Server) -> list[int]:
    """Process ids of the children that listen, without multiprocessing's resource tracker."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    workers = []
    for child in children:
        with suppress(OSError):  # it has just ended
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                workers.append(int(child))
    return workers


def test_a_killed_worker_leaves_no_figures_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with serving(tmp_path, workers=2) as server:

        def wait_for_gauges(of: set[int]) -> None:
            wanted = {f"gauge_{kind}_{worker}.db" for worker in of for kind in ("livesum", "livemostrecent")}
            until = time.monotonic() + 20
            while {file.name for file in tmp_path.glob("metrics-*/gauge_*")} != wanted:
                assert time.monotonic() < until, "there are other processes' gauges"
                time.sleep(0.05)

        killed, other = workers_of(server)
        wait_for_gauges({killed, other})
        os.kill(killed, signal.SIGKILL)
        while killed in workers_of(server) or len(workers_of(server)) < 2:
            time.sleep(0.05)
        wait_for_gauges(set(workers_of(server)))
        assert server.predict(PNG).ok


def test_no_room_for_the_workers_figures_is_said_in_one_sentence(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (48 * 1024, before[1]))  # stands for a full disk
    try:
        server = start(tmp_path / "log", workers=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    try:
        assert server.process.wait(20) == 1
    finally:
        server.process.terminate()
    assert server.output.read_text() == (
        "The API's workers need 320 KB each in a folder for temporary files: File too large. "
        "Set TMPDIR to another, or DIGITS_WORKERS to 1.\n"
    )


def test_workers_that_die_again_and_again_end_the_api(tmp_path: Path) -> None:
    with serving(tmp_path, workers=2) as server:
        until = time.monotonic() + 40
        while server.process.poll() is None:
            assert time.monotonic() < until, "workers are started for ever"
            for worker in workers_of(server):
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
            time.sleep(0.1)
        assert server.process.returncode not in (0, -signal.SIGTERM)
    messages = [entry["message"] for entry in server.log()]
    assert "The API ends: 5 workers died right after their start, one after the other." in messages


def test_a_log_that_nobody_reads_stops_nothing(tmp_path: Path) -> None:
    """More is logged than a pipe and the queue before it hold; whoever reads on is told how many lines are missing."""
    os.mkfifo(tmp_path / "api.log")
    reader = os.open(tmp_path / "api.log", os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(reader, "rb") as log, serving(tmp_path) as server, requests.Session() as session:
        for number in range(250):
            assert session.get(f"{server.url}/{number:08000}", timeout=10).status_code == 404
        os.set_blocking(reader, True)
        entries = [json.loads(log.readline())]
        while "dropped" not in entries[-1]:
            entries.append(json.loads(log.readline()))
        before = sum(entry["message"] == "request" and entry["path"] != "/health/ready" for entry in entries)
        assert entries[-1]["level"] == "warning"
        assert before + entries[-1]["dropped"] == 250
        session.get(server.url + "/health/live", timeout=10)
        assert json.loads(log.readline())["path"] == "/health/live"
