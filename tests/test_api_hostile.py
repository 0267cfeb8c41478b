"""Thousands of broken files, and a hostile caller beside ordinary ones: no 5xx, no growth, right answers."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import requests
from PIL import Image

from tests.api_pictures import drawn, encoded
from tests.api_support import Server, serving
from tests.test_api_errors import jpeg_of_many_scans, png_of

SEED = 20261121
BATCH = 64
MUTANTS = 5120


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("api"), log_level="error") as server:
        yield server


def originals() -> list[bytes]:
    """A small digit in every format and in modes that are decoded in different ways."""
    digit = drawn(3, side=40, extent=28, brush=4)
    colour = Image.merge("RGBA", (digit, digit, digit.point(lambda shade: shade // 2), digit.point(lambda _: 200)))
    return [
        *(encoded(digit.convert(mode)) for mode in ("1", "L", "LA", "P", "RGB", "RGBA")),
        encoded(Image.fromarray(np.asarray(digit).astype(np.uint16) * 250)),
        encoded(digit, "JPEG"),
        encoded(digit.convert("CMYK"), "JPEG"),
        encoded(digit.convert("RGB"), "JPEG", progressive=True, exif=bytes.fromhex("45786966000049492a0008000000")),
        encoded(colour, "WEBP", lossless=True),
        encoded(digit, "WEBP", quality=60),
        encoded(digit, "GIF"),
        encoded(digit, "GIF", save_all=True, append_images=[drawn(4, side=40)]),
        encoded(digit, "BMP"),
        encoded(digit.convert("1"), "BMP"),
        *(
            encoded(colour.convert("RGB"), "TIFF", compression=how)
            for how in (None, "tiff_lzw", "tiff_deflate", "jpeg")
        ),
        encoded(digit.convert("1"), "TIFF", compression="group4"),
    ]


def mutant(rng: np.random.Generator, files: list[bytes]) -> bytes:
    """One of the files with bytes changed, cut out, doubled, cut off or taken from another file."""
    data = bytearray(files[rng.integers(len(files))])
    for _ in range(rng.integers(1, 6)):
        here = int(rng.integers(len(data)) if rng.random() < 0.5 else rng.integers(min(64, len(data))))
        length = int(rng.integers(1, 40))
        match rng.integers(6):
            case 0:
                data[here] ^= 1 << int(rng.integers(8))
            case 1:
                data[here : here + length] = rng.bytes(length)
            case 2:
                del data[here : here + length]
            case 3:
                data[here:here] = data[here : here + length] * int(rng.integers(1, 30))
            case 4:
                data[here : here + 4] = [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"][rng.integers(3)]
            case 5:
                other = files[rng.integers(len(files))]
                data[here:] = other[here:]
        if len(data) < 8:
            break
    return bytes(data)


def test_thousands_of_broken_files(api: Server) -> None:
    rng = np.random.default_rng(SEED)
    files = originals()
    codes: Counter[str] = Counter()

    def send(mutants: list[bytes]) -> None:
        answer = requests.post(
            api.url + "/predict/batch/", files=[("files", ("x", data)) for data in mutants], timeout=60
        )
        assert answer.status_code == 200, answer.text
        results = answer.json()["results"]
        assert len(results) == len(mutants)
        codes.update(result.get("code", "recognized") for result in results)

    batches = [[mutant(rng, files) for _ in range(BATCH)] for _ in range(MUTANTS // BATCH)]
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
    expected = [api.predict(picture).json()["label"] for picture in pictures]
    bombs = [png_of(30_000, 3_000), png_of(4_900, 4_900), jpeg_of_many_scans(), bytes(12 << 20)]
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
    assert [answer.json()["label"] for answer in answers] == expected * 30
    assert sum(hostile.values()) >= 4
    assert not [status for status in hostile if status >= 500 and status != 503]


def test_memory_of_large_pictures_is_given_back(api: Server) -> None:
    large = drawn(8).resize((4990, 4990))
    sixteen_bits = Image.fromarray(np.asarray(large).astype(np.uint16) * 200)
    for data in (encoded(large.convert("RGBA"), compress_level=1), encoded(sixteen_bits, compress_level=1)):
        assert api.predict(data).status_code == 200
    assert api.memory() < 150e6


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
        assert server.predict(picture).status_code == 200
