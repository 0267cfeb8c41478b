"""Callers with dear requests beside ordinary ones, `python -m benchmarks.hostile`: what they cost the others.

For each kind of dear request the API is started anew. One and then two callers repeat the request without pause,
while ordinary callers on eight connections send a canvas drawing five times a second each. Linux only; the client's
threads share the machine with the API.

Writes benchmarks/hostile.json and benchmarks/hostile.md.
"""

import argparse
import contextlib
import http.client
import json
import os
import platform
import resource
import socket
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import processes
from benchmarks.serving import BOUNDARY, CONTENT_TYPE, form, picture
from tests.support import dear_files
from tests.support.ports import free_port

ROOT = Path(__file__).parent.parent
ORDINARY, PAUSE = 8, 0.2
"""Connections of ordinary callers, and seconds from one request of each to the next."""

PATIENCE = 30.0
"""Seconds that any caller waits for an answer."""

Answers = Counter[str]
Caller = Callable[[int, threading.Event, Answers], None]
"""Does the same again and again on a port until the event, and counts what it was answered."""


@dataclass(frozen=True)
class Result:
    """Of one kind with so many callers; the ordinary ones' times in milliseconds, the most memory in megabytes."""

    name: str
    callers: int
    requests: int
    p50: float
    p95: float
    p99: float
    errors: dict[str, int]
    memory: float
    answers: dict[str, int]


def ask(connection: http.client.HTTPConnection, path: str, body: bytes, content_type: str) -> str:
    """Status, and the code of an error."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # answered before all was sent
        connection.request("POST", path, body, {"Content-Type": content_type})
    answer = connection.getresponse()
    content = answer.read()
    code = json.loads(content).get("code", "") if answer.getheader("Content-Type") == "application/json" else ""
    return f"{answer.status} {code}".strip()


def repeat(path: str, body: bytes, content_type: str, port: int, stop: threading.Event, answers: Answers) -> None:
    while not stop.is_set():
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
            try:
                answer = ask(connection, path, body, content_type)
            except (OSError, http.client.HTTPException) as error:
                answer = type(error).__name__
            if not stop.is_set():
                answers[answer] += 1


def file(data: bytes) -> Caller:
    return partial(repeat, "/predict/", form(data), CONTENT_TYPE)


def batch(data: bytes, count: int) -> Caller:
    one = form(data).removesuffix(f"--{BOUNDARY}--\r\n".encode()).replace(b'name="file"', b'name="files"', 1)
    return partial(repeat, "/predict/batch/", one * count + f"--{BOUNDARY}--\r\n".encode(), CONTENT_TYPE)


def hold(sent: bytes, more: bytes, connections: int, port: int, stop: threading.Event, answers: Answers) -> None:
    """Open connections, send each something and then a little more each second; read nothing."""
    with contextlib.ExitStack() as stack:
        opened = []
        for _ in range(connections):
            if stop.is_set():
                break
            try:
                opened.append(stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=1)))
                opened[-1].setblocking(False)
                opened[-1].send(sent)
            except OSError as error:
                answers[type(error).__name__] += 1
        answers["held"] += len(opened)
        while not stop.wait(1):
            for connection in opened:
                with contextlib.suppress(OSError):  # closed, or full
                    connection.send(more)


def slow_body() -> bytes:
    head = f"POST /predict/ HTTP/1.1\r\nHost: x\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: 10000000\r\n\r\n"
    return head.encode() + bytes(1_000_000)


def kinds() -> Iterator[tuple[str, Callable[[], Caller | None]]]:
    """Names and how to make the caller, which takes a while for some."""
    yield "nobody", lambda: None
    for name, make in {
        "JPEG of 100 scans": dear_files.jpeg_of_scans,
        "MPO of 3,000 scans": dear_files.mpo_of_scans,
        "TIFF, tile larger than the picture": dear_files.tiff_of_a_large_tile,
        "TIFF of a million strips": dear_files.tiff_of_a_million_strips,
        "TIFF of 8,000 complaints": dear_files.tiff_of_complaints,
        "BMP RLE, a pixel a line": dear_files.bmp_of_short_lines,
        "PNG with 9 MB of EXIF": dear_files.png_of_exif,
        "PNG bomb of 25 megapixels": dear_files.png_of_zeros,
        "PNG of 16 bits, 25 megapixels": dear_files.png_of_sixteen_bits,
        "PNG of zTXt and iCCP bombs": dear_files.png_of_text_bombs,
        "animated WebP, 25 megapixels": dear_files.webp_of_frames,
        "animated GIF, 25 megapixels": dear_files.gif_of_frames,
        "photograph, 25 megapixels": dear_files.photograph,
    }.items():
        yield name, lambda make=make: file(make())  # type: ignore[misc]
    yield "batch of 64 pictures", lambda: batch(dear_files.png_of_noise(), 64)
    yield (
        "JSON of a million fields",
        lambda: partial(repeat, "/predict/", dear_files.json_of_a_million_fields(), "application/json"),
    )
    yield "1,000 idle connections", lambda: partial(hold, b"", b"", 1000)
    yield "100 slow bodies", lambda: partial(hold, slow_body(), b"\0", 100)
    request = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    yield "100 that never read", lambda: partial(hold, request * 100, request, 100)


def ordinary(body: bytes, port: int, late: float, stop: threading.Event, seconds: list[float], errors: Answers) -> None:
    """An ordinary caller: keeps its connection, and rests between requests."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    stop.wait(late)
    while not stop.is_set():
        started = time.monotonic()
        try:
            answer = ask(connection, "/predict/", body, CONTENT_TYPE)
        except (OSError, http.client.HTTPException) as error:
            answer = type(error).__name__
            connection.close()
        seconds.append(time.monotonic() - started)
        if answer != "200":
            errors[answer] += 1
        stop.wait(max(0, started + PAUSE - time.monotonic()))
    connection.close()


def watch(pid: int, stop: threading.Event, seen: list[float]) -> None:
    while not stop.wait(0.05):
        with contextlib.suppress(OSError):  # a process that has just ended
            seen.append(processes.memory(pid))


def measure(name: str, caller: Caller | None, callers: int, seconds: float) -> Result:
    """With an API of its own."""
    port, body = free_port(), form(picture())
    stop, over = threading.Event(), threading.Event()
    times: list[float] = []
    memory: list[float] = []
    errors, answers = Answers(), Answers()
    environment = {
        "DIGITS_API_PORT": str(port),
        "DIGITS_API_KEYS": "",
        "DIGITS_SAMPLES_DATABASE": "",
        "DIGITS_WORKERS": "1",
    }
    with processes.running([sys.executable, "-m", "app.api"], environment) as pid:
        processes.wait_for(f"http://127.0.0.1:{port}/predict/", body, CONTENT_TYPE)
        watching = threading.Thread(target=watch, args=(pid, over, memory))
        hostile = [
            threading.Thread(target=caller, args=(port, stop, answers), daemon=True)
            for _ in range(callers if caller else 0)
        ]
        patient = [
            threading.Thread(
                target=ordinary, args=(body, port, PAUSE * place / ORDINARY, stop, times, errors), daemon=True
            )
            for place in range(ORDINARY)
        ]
        for thread in (watching, *hostile, *patient):
            thread.start()
        time.sleep(seconds)
        stop.set()
        for thread in patient:
            thread.join(PATIENCE)
        for thread in hostile:
            thread.join(1)  # an answer that is long in coming is not waited for
        over.set()
        watching.join()
    cuts = [1000 * cut for cut in statistics.quantiles(times, n=100)]
    return Result(
        name, callers, len(times), cuts[49], cuts[94], cuts[98], dict(errors), max(memory), dict(answers.most_common())
    )


def table(record: dict[str, Any]) -> str:
    """Markdown; one row for each kind and number of callers."""
    lines = [
        "| dear request | callers | p50 ms | p95 ms | p99 ms | errors | memory MB | answered with |",
        "|---|--:|--:|--:|--:|---|--:|---|",
    ]

    def counted(answers: dict[str, int]) -> str:
        return ", ".join(f"{answer} ({count:,})" for answer, count in answers.items()) or "nothing"

    for entry in record["results"]:
        lines.append(
            f"| {entry['name']} | {entry['callers'] or ''} | {entry['p50']:.1f} | {entry['p95']:.1f} "
            f"| {entry['p99']:.1f} | {counted(entry['errors']) if entry['errors'] else 'none'} | {entry['memory']:.0f} "
            f"| {counted(entry['answers']) if entry['callers'] else ''} |"
        )
    lines += [
        "",
        f"Times and errors are those of ordinary callers on {ORDINARY} connections, which send {ORDINARY / PAUSE:.0f} "
        f"canvas drawings a second together; memory is the most that the API's processes held. {record['machine']}; "
        f"Python {record['python']}; {record['seconds']:g} s for each row.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4, help="how long the callers of each row send")
    parser.add_argument("--only", help="measure those kinds whose name contains this, and write nothing")
    options = parser.parse_args()

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    results: list[Result] = []
    for name, make in kinds():
        if options.only and options.only not in name:
            continue
        caller = make()
        for callers in (1, 2) if caller else (0,):
            results.append(measure(name, caller, callers, options.seconds))
            print(results[-1], flush=True)
    record = {
        "machine": f"{os.cpu_count()} CPUs, shared with the client; {platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "seconds": options.seconds,
        "results": [asdict(entry) for entry in results],
    }
    print(table(record))
    if not options.only:
        (ROOT / "benchmarks/hostile.json").write_text(json.dumps(record, indent=2) + "\n")
        (ROOT / "benchmarks/hostile.md").write_text(table(record))


if __name__ == "__main__":
    main()
