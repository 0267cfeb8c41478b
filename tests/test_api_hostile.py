"""Thousands of broken files, and a hostile caller beside ordinary ones: no 5xx, no growth, right answers."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image

from tests.support import handmade
from tests.support.api import Server, serving
from tests.support.broken_files import broken_files
from tests.support.pictures import drawn, encoded
from tests.test_api_errors import jpeg_of_many_scans

BATCH = 64
MUTANTS = 5120


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("api"), log_level="error") as server:
        yield server


def test_thousands_of_broken_files(api: Server) -> None:
    files = broken_files(MUTANTS)
    codes: Counter[str] = Counter()

    def send(mutants: list[bytes]) -> None:
        answer = requests.post(
            api.url + "/predict/batch/", files=[("files", ("x", data)) for data in mutants], timeout=60
        )
        assert answer.status_code == 200, answer.text
        results = answer.json()["results"]
        assert len(results) == len(mutants)
        codes.update(result.get("code", "recognized") for result in results)

    batches = [files[start : start + BATCH] for start in range(0, MUTANTS, BATCH)]
    half = len(batches) // 2
    for batch in batches[:half]:
        send(batch)
    memory = api.memory()
    for batch in batches[half:]:
        send(batch)
    assert api.memory() - memory < 20 << 20
    assert sum(codes.values()) == MUTANTS
    assert set(codes) <= {
        "recognized",
        "damaged_picture",
        "not_a_picture",
        "blank_image",
        "too_many_pixels",
        "empty_file",
    }
    assert codes["recognized"] > 200
    assert codes["damaged_picture"] > 200


def test_a_hostile_caller_beside_ordinary_ones(api: Server) -> None:
    """Bombs, endless scans and large pictures all the while; every ordinary call gets its right answer."""
    pictures = [encoded(drawn(label).convert("RGBA")) for label in range(10)]
    bombs = [
        handmade.png_of_zeros(30_000, 3_000),
        handmade.png_of_zeros(4_900, 4_900),
        jpeg_of_many_scans(),
        bytes(12 << 20),
    ]
    stop = threading.Event()
    hostile: Counter[int] = Counter()

    def attack() -> None:
        while not stop.is_set():
            for bomb in bombs:
                try:
                    hostile[api.predict(bomb).status_code] += 1
                except requests.ConnectionError:
                    hostile[0] += 1

    attackers = [threading.Thread(target=attack) for _ in range(3)]
    for attacker in attackers:
        attacker.start()
    try:
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(api.predict, pictures * 30))
    finally:
        stop.set()
        for attacker in attackers:
            attacker.join()
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    assert [answer.json()["label"] for answer in answers] == list("0123456789") * 30
    assert sum(hostile.values()) >= 4
    assert not [status for status in hostile if status >= 500 and status != 503]


def test_memory_of_large_pictures_is_small_and_given_back(api: Server) -> None:
    """With that of the process that decodes them, at the worst moment and after it."""
    large = drawn(8).resize((4990, 4990))
    sixteen_bits = Image.fromarray(np.asarray(large).astype(np.uint16) * 200)
    for data in (
        encoded(large.convert("RGBA"), compress_level=1),
        encoded(sixteen_bits, compress_level=1),
        encoded(large.convert("RGB"), "JPEG", progressive=True, subsampling=0),
        encoded(large.resize((4080, 3060)).convert("RGBA"), "WEBP", lossless=True, quality=0, method=0),
    ):
        answers = (api.predict(data) for _ in range(3))  # a busy machine may take longer than a picture may take
        assert next((answer.json()["label"] for answer in answers if answer.ok), None) == "8"
    processes = [api.process.pid, *children(api.process.pid)]
    assert len(processes) == 2
    both_map = min(memory_of(process, "RssFile") for process in processes)  # the interpreter, NumPy: there once
    assert sum(memory_of(process, "VmHWM") for process in processes) - both_map < 400e6
    assert sum(memory_of(process, "VmRSS") for process in processes) - both_map < 200e6


def children(process: int) -> list[int]:
    """Whichever of its threads has started them."""
    lists = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for each in lists for child in each.read_text().split()]


def memory_of(process: int, kind: str) -> int:
    """Bytes that are resident, or were at most."""
    (line,) = (line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith(kind))
    return int(line.split()[1]) * 1024


def test_more_than_can_wait_is_turned_away_and_the_rest_answered(tmp_path_factory: pytest.TempPathFactory) -> None:
    picture = encoded(drawn(6))
    with serving(tmp_path_factory.mktemp("small"), max_waiting=2, log_level="error") as server:
        with ThreadPoolExecutor(24) as pool:
            answers = list(pool.map(server.predict, [picture] * 240))
        statuses = Counter(answer.status_code for answer in answers)
        assert set(statuses) == {200, 503}
        turned_away = next(answer for answer in answers if answer.status_code == 503)
        assert turned_away.json()["code"] == "overloaded"
        assert int(turned_away.headers["Retry-After"]) >= 1
        assert server.predict(picture).json()["label"] == "6"
