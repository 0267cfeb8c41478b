"""What the image weighs, how soon it answers and what it keeps in memory, held as tightly as it is deployed.

    docker build -t digit-recognition-app . && python -m benchmarks.image digit-recognition-app [--cold] [--json FILE]

Sizes are those of the layers compressed by gzip as a registry keeps them. A start lasts from the engine's `run` until
the API has recognized a picture and the page calls itself well, both asked over a published port. Memory is what the
engine counts against the container's limit, page cache included, and of that what the processes hold (the sum of
their proportional set sizes). Under load 16 callers send drawings, then 4 send pictures of 25 megapixels, while
pages are open in a browser.
"""

import argparse
import json
import os
import statistics
import tarfile
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import requests
from playwright.sync_api import sync_playwright

from tests.browser.drawing import CHROMIUM, draw
from tests.support import containers, handwriting
from tests.support.containers import Container, running
from tests.support.pictures import encoded

SETTLING = 10
"""Seconds after the start until memory counts as idle."""

HELD = """
from pathlib import Path
total = 0
for entry in Path("/proc").glob("[0-9]*/smaps_rollup"):
    try:
        if b"-c" not in (entry.parent / "cmdline").read_bytes().split(bytes(1)):
            total += sum(int(line.split()[1]) for line in entry.read_text().splitlines() if line.startswith("Pss:"))
    except OSError:
        pass
print(total * 1.024e-3)
"""
"""Run inside: megabytes that all processes but this one hold."""


@dataclass(frozen=True)
class Layer:
    made_by: str
    megabytes: float
    compressed: float


@dataclass(frozen=True)
class Start:
    cpus: str
    cold: bool
    seconds: list[float]


@dataclass(frozen=True)
class Memory:
    state: str
    counted: float
    """Megabytes, the most that was seen."""
    held: float


def layers(image: str) -> list[Layer]:
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "image.tar"
        containers.ask("save", "--output", str(archive), image)
        with tarfile.open(archive) as saved:
            manifest = json.load(member(saved, "manifest.json"))[0]
            history = json.load(member(saved, manifest["Config"]))["history"]
            steps = [step.get("created_by", "") for step in history if not step.get("empty_layer")]
            return [
                Layer(step, *weigh(member(saved, name))) for step, name in zip(steps, manifest["Layers"], strict=True)
            ]


def member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    file = archive.extractfile(name)
    assert file is not None, name
    return file


def weigh(file: IO[bytes]) -> tuple[float, float]:
    """Megabytes as they are and compressed."""
    plain, packed, gzip = 0, 0, zlib.compressobj(6)
    while chunk := file.read(1 << 20):
        plain += len(chunk)
        packed += len(gzip.compress(chunk))
    return plain / 1e6, (packed + len(gzip.flush())) / 1e6


def base_layers(image: str) -> int:
    """How many of the first layers are the base image's."""
    base = containers.configuration(image)["Config"]["Labels"]["org.opencontainers.image.base.name"]
    if containers.call("image", "inspect", base).returncode:  # a builder keeps its own copy
        containers.ask("pull", base)
    return len(containers.configuration(base)["RootFS"]["Layers"])


def forget_files(folder: Path) -> None:
    """Drop the files below a folder from the page cache, as after a reboot; needs to be their owner or root."""
    os.sync()
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            descriptor = os.open(file, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def store() -> Path:
    """Where the engine keeps images."""
    field = "{{.Store.GraphRoot}}" if containers.engine() == "podman" else "{{.DockerRootDir}}"
    return Path(containers.ask("info", "--format", field))


def starts(image: str, cpus: str, times: int, cold: bool) -> Start:
    seconds = []
    for _ in range(times):
        if cold:
            forget_files(store())
        began = time.perf_counter()
        with running(image, "--cpus", cpus):
            seconds.append(time.perf_counter() - began)
    return Start(cpus, cold, seconds)


def memory(container: Container, state: str, work: Callable[[], None]) -> Memory:
    """The most memory that was seen while some work was done, and what is held after it."""
    seen = [container.megabytes()]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.3):
            seen.append(container.megabytes())

    watching = threading.Thread(target=watch)
    watching.start()
    work()
    done.set()
    watching.join()
    return Memory(state, max(seen), float(container.python(HELD)))


def load(container: Container, picture: bytes, callers: int, seconds: float) -> dict[int, int]:
    """Send a picture from several callers at once; how many answers had which status."""
    until = time.monotonic() + seconds

    def call(_: int) -> list[int]:
        answers = []
        with requests.Session() as session:
            while time.monotonic() < until:
                answer = session.post(container.url(8000, "/predict/"), files={"file": picture}, timeout=60)
                answers.append(answer.status_code)
        return answers

    with ThreadPoolExecutor(callers) as pool:
        statuses = [status for answers in pool.map(call, range(callers)) for status in answers]
    return {status: statuses.count(status) for status in sorted(set(statuses))}


@contextmanager
def pages(url: str, count: int) -> Iterator[None]:
    """So many pages open in a browser, on each of which a digit has been drawn."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for number in range(count):
            page = browser.new_context().new_page()
            page.goto(url)
            page.locator("canvas").last.wait_for(timeout=60_000)
            draw(page, str(number % 10))
            page.locator(".st-key-answer .answer").wait_for(timeout=60_000)
        yield
        browser.close()


def memories(image: str, count: int) -> tuple[list[Memory], dict[str, dict[int, int]]]:
    large = encoded(handwriting.canvas(3).resize((5000, 5000)).convert("RGBA"))
    answers = {}
    with running(image, "--cpus", "0.5", "--env", "DIGITS_RATE_PER_ADDRESS=0") as container:
        found = [memory(container, "idle", lambda: time.sleep(SETTLING))]

        def drawings() -> None:
            answers["drawings"] = load(container, encoded(handwriting.canvas(3)), callers=16, seconds=15)

        def large_ones() -> None:
            answers["pictures of 25 megapixels"] = load(container, large, callers=4, seconds=15)

        with pages(container.url(8501), count):
            found.append(memory(container, f"{count} pages open", lambda: time.sleep(2)))
            found.append(memory(container, "16 callers with drawings", drawings))
            found.append(memory(container, "4 callers with 25 megapixels", large_ones))
        return found, answers


def table(weights: list[Layer], of_base: int, began: list[Start], kept: list[Memory]) -> str:
    own = weights[of_base:]
    rows = ["| layer | MB | compressed |", "|---|---:|---:|"]
    rows.append(row("base image", weights[:of_base]))
    rows += [row(name_of(layer), [layer]) for layer in own]
    rows += [row("own layers", own), row("**all**", weights), "", "| start until both answer | median | range |"]
    rows.append("|---|---:|---:|")
    for start in began:
        label = f"{'cold' if start.cold else 'warm'}, {start.cpus} CPU{'s' if float(start.cpus) > 1 else ''}"
        rows.append(
            f"| {label} | {statistics.median(start.seconds):.1f} s "
            f"| {min(start.seconds):.1f} to {max(start.seconds):.1f} s |"
        )
    rows += ["", "| memory, 0.5 CPU | counted by the engine | held by processes |", "|---|---:|---:|"]
    rows += [f"| {one.state} | {one.counted:.0f} MB | {one.held:.0f} MB |" for one in kept]
    return "\n".join(rows)


def row(name: str, weights: list[Layer]) -> str:
    return f"| {name} | {sum(w.megabytes for w in weights):.1f} | {sum(w.compressed for w in weights):.1f} |"


def name_of(layer: Layer) -> str:
    """What a step of the Dockerfile adds, in words."""
    words = {"compileall": "bytecode of Python's library", "/usr/local": "packages", "./": "the app with its model"}
    return next((meaning for part, meaning in words.items() if part in layer.made_by), layer.made_by[:60])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image")
    parser.add_argument("--times", type=int, default=7, help="starts of each kind")
    parser.add_argument("--pages", type=int, default=5, help="pages open under load")
    parser.add_argument("--cold", action="store_true", help="also start with nothing in the page cache; as root")
    parser.add_argument("--json", type=Path, help="where all figures go")
    options = parser.parse_args()
    weights, of_base = layers(options.image), base_layers(options.image)
    began = [
        starts(options.image, cpus, options.times, cold)
        for cold in ([False, True] if options.cold else [False])
        for cpus in ("2", "0.5")
    ]
    kept, answers = memories(options.image, options.pages)
    print(table(weights, of_base, began, kept))
    print(f"\nAnswers by status: {answers}. Load average of the machine: {os.getloadavg()[1]:.1f} over 5 minutes.")
    if options.json:
        figures: dict[str, Any] = {
            "layers": [asdict(layer) for layer in weights],
            "starts": [asdict(start) for start in began],
            "memory": [asdict(one) for one in kept],
            "answers": answers,
        }
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
