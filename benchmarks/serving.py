"""The API against others, `python -m benchmarks.serving`: one machine, one client, the same picture.

Needs wrk, and for LitServe and BentoML an environment of their own:

    python -m venv .venv-benchmarks && .venv-benchmarks/bin/pip install --require-hashes -r requirements-benchmarks.txt

Writes benchmarks/serving.json, benchmarks/serving.md and images/serving.png.
"""

import argparse
import io
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from app.reading import pipeline
from app.reading.picture import load, open_file
from app.reading.recognizer import Recognizer
from benchmarks import client, processes, report
from benchmarks.client import Load
from tests.support.ports import free_port

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "app/models/digits/model.onnx"
CONNECTIONS = (1, 8, 64)
BOUNDARY = "benchmark"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


@dataclass(frozen=True)
class Contender:
    name: str
    command: list[str]
    environment: dict[str, str]


@dataclass(frozen=True)
class Result:
    """Of one contender at one number of connections; times in milliseconds, memory in megabytes."""

    name: str
    connections: int
    rate: float
    p50: float
    p99: float
    cpu: float
    memory: float
    failed: int


def one_process(port: int) -> dict[str, str]:
    """Settings of an API that answers and does nothing else."""
    settings = {"API_PORT": str(port), "API_KEYS": "", "SAMPLES_DATABASE": "", "WORKERS": "1"}
    return {f"DIGITS_{name}": value for name, value in settings.items()}


def contenders(port: int, others: Path) -> list[Contender]:
    python = sys.executable
    ours = one_process(port)
    uvicorn = ["-m", "uvicorn", "--host", "127.0.0.1", "--port", str(port)]
    found = [
        Contender("this API", [python, "-m", "app.api"], ours),
        Contender("this API, 2 processes", [python, "-m", "app.api"], ours | {"DIGITS_WORKERS": "2"}),
        Contender("replaced service", [python, *uvicorn, "benchmarks.peers.replaced:app"], {}),
    ]
    if (others / "bin/python").exists():
        path = {"PATH": f"{others / 'bin'}{os.pathsep}{os.environ['PATH']}", "BENTOML_DO_NOT_TRACK": "1"}
        litserve = [str(others / "bin/python"), "-m", "benchmarks.peers.by_litserve", str(port)]
        bentoml = [str(others / "bin/bentoml"), "serve", "benchmarks.peers.by_bentoml:Digits"]
        found.append(Contender("LitServe", litserve, path))
        found.append(Contender("BentoML", [*bentoml, "--host", "127.0.0.1", "--port", str(port)], path))
    else:
        print(f"LitServe and BentoML are left out: there is no environment in {others}.", file=sys.stderr)
    return found


def picture() -> bytes:
    """A 7 as a canvas of 280x280 sends it: PNG with transparency, all opaque."""
    fine = Image.new("RGBA", (1120, 1120), "white")
    ImageDraw.Draw(fine).line([(360, 240), (760, 280), (520, 880)], fill="black", width=72, joint="curve")
    file = io.BytesIO()
    fine.resize((280, 280), Image.Resampling.BOX).save(file, "PNG")
    return file.getvalue()


def form(data: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="7.png"\r\n'
    return head.encode() + b"Content-Type: image/png\r\n\r\n" + data + f"\r\n--{BOUNDARY}--\r\n".encode()


def loops(data: bytes, seconds: float) -> tuple[float, float]:
    """CPU milliseconds for a picture without a server, one after the other: decoded and shown to the network; and all
    that is done to read it.
    """
    recognizer = Recognizer(MODEL)

    def decoded() -> None:
        image = load(open_file(data)).image.convert("L").resize((28, 28))
        recognizer.probabilities(np.asarray(image, dtype=np.float32)[np.newaxis] / np.float32(255))

    def read() -> None:
        pipeline.read([open_file(data)], recognizer)

    return cpu_ms(decoded, seconds), cpu_ms(read, seconds)


def cpu_ms(once: Callable[[], None], seconds: float) -> float:
    for _ in range(50):
        once()
    count, started, deadline = 0, time.process_time(), time.monotonic() + seconds
    while time.monotonic() < deadline:
        once()
        count += 1
    return (time.process_time() - started) / count * 1000


def measure(contender: Contender, port: int, body: bytes, seconds: int) -> list[Result]:
    url = f"http://127.0.0.1:{port}/predict/"
    results = []
    with processes.running(contender.command, contender.environment) as pid:
        answer = processes.wait_for(url, body, CONTENT_TYPE)
        assert b"predicted_digit" in answer, answer
        client.send(url, body, CONTENT_TYPE, 8, max(2, seconds // 3))
        for connections in CONNECTIONS:
            before = processes.cpu_seconds(pid)
            load = client.send(url, body, CONTENT_TYPE, connections, seconds)
            cpu = processes.cpu_seconds(pid) - before
            results.append(result(contender.name, connections, load, cpu, processes.memory(pid)))
            print(results[-1], flush=True)
    return results


def result(name: str, connections: int, load: Load, cpu: float, memory: float) -> Result:
    return Result(
        name=name,
        connections=connections,
        rate=load.requests / load.seconds,
        p50=load.p50,
        p99=load.p99,
        cpu=cpu / max(1, load.requests) * 1000,
        memory=memory,
        failed=load.failed,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10, help="how long to send at each number of connections")
    parser.add_argument("--others", type=Path, default=ROOT / ".venv-benchmarks", help="environment of the others")
    parser.add_argument("--only", help="measure those contenders whose name contains this, and write nothing")
    options = parser.parse_args()

    data = picture()
    body = form(data)
    results: list[Result] = []
    port = free_port()
    for contender in contenders(port, options.others):
        if not options.only or options.only in contender.name:
            results += measure(contender, port, body, options.seconds)
    decoded, read = loops(data, options.seconds / 2)
    record = {
        "machine": f"{os.cpu_count()} CPUs, shared with the client; {platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "seconds": options.seconds,
        "picture_bytes": len(data),
        "decoded_cpu_ms": decoded,
        "read_cpu_ms": read,
        "results": [asdict(entry) for entry in results],
    }
    print(report.table(record))
    if not options.only:
        (ROOT / "benchmarks/serving.json").write_text(json.dumps(record, indent=2) + "\n")
        (ROOT / "benchmarks/serving.md").write_text(report.table(record))
        report.chart(record, ROOT / "images/serving.png")


if __name__ == "__main__":
    main()
