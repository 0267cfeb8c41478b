"""Lanes that get stuck, and the process that decodes: what its pictures cost, callers wait for and readiness tells."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.api import work
from app.api.decoder import Decoder
from app.api.errors import Overloaded
from app.api.sought import Found, OneGlyph, Sought, WholePage
from app.api.work import Job, Lanes
from app.api.worker import Mistake
from app.reading import picture, pipeline
from app.reading.glyphs import Cleaning, Glyph
from app.reading.lines import Page
from app.reading.picture import DamagedPicture, NotAPicture, TooLaborious, TooManyPixels
from app.reading.pipeline import BlankImage, Reading
from app.reading.reader import LINES_FILE, LineReader
from app.reading.recognizer import Recognizer
from app.reading.text import Text
from app.settings import Settings
from tests.support import coroutines, handmade
from tests.support.handmade import BITS, COUNTS, OFFSETS, ROWS, grey, longs, tiff
from tests.support.pictures import drawn, encoded, number
from tests.test_api_errors import laborious

MOST = picture.MAX_PIXELS
FAX = 3


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(Settings().models_dir / "digits" / "model.onnx")


@pytest.fixture(scope="module")
def line_reader(recognizer: Recognizer) -> LineReader:
    return LineReader(recognizer, Settings().models_dir / "digits" / LINES_FILE)


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    decoder = Decoder(MOST)
    yield decoder
    decoder.close()


def process_of(decoder: Decoder) -> int:
    assert decoder._worker is not None
    return decoder._worker[0].pid


def test_a_signal_to_all_processes_leaves_the_decoding_one_to_its_parent(decoder: Decoder) -> None:
    decoder.find(encoded(drawn(3), "TIFF"), OneGlyph())
    process = process_of(decoder)
    os.kill(process, signal.SIGTERM)
    decoder.find(encoded(drawn(3), "TIFF"), OneGlyph())
    assert process_of(decoder) == process


def two_characters() -> Image.Image:
    """On grain, and one of them at the edge."""
    both = Image.new("L", (560, 280), "white")
    both.paste(drawn(3).convert("L"), (-60, 0))
    both.paste(drawn(8).convert("L"), (200, 0))
    grain = np.random.default_rng(0).normal(0, 4, (280, 560))
    return Image.fromarray((np.asarray(both) * 0.8 + 20 + grain).clip(0, 255).astype(np.uint8))


def test_the_process_finds_what_this_one_does(decoder: Decoder) -> None:
    for image in (*map(drawn, range(10)), two_characters()):
        data = encoded(image, "TIFF")
        here = pipeline.glyph_of(picture.decode(data))
        there = decoder.find(data, OneGlyph())
        assert (there.box, there.scale) == (here.box, here.scale)
        assert np.array_equal((there.pixels, *there.others), (here.pixels, *here.others))
    assert there.crop is not None
    assert here.crop is not None
    assert np.array_equal(there.crop, here.crop)
    assert here.others


def test_the_process_finds_the_page_that_this_one_does(decoder: Decoder) -> None:
    data = encoded(number(2, 0, 7), "TIFF")
    here = pipeline.page_of(picture.decode(data))
    there = decoder.find(data, WholePage())
    assert len(here.views) >= 3
    for name in ("views", "spans", "boxes"):
        one, other = getattr(here, name), getattr(there, name)
        assert np.array_equal(one, other)
        assert other.dtype == {"views": np.float32, "spans": np.int64, "boxes": np.float64}[name]


def test_a_lane_reads_glyphs_and_pages_together(recognizer: Recognizer, line_reader: LineReader) -> None:
    async def outcomes() -> list[Reading | Text | Exception]:
        blank = encoded(Image.new("L", (50, 50)))
        return work.recognize(
            [
                Job(encoded(number(2, 0, 7)), WholePage(), recognizer, line_reader),
                Job(encoded(drawn(7)), OneGlyph(), recognizer),
                Job(blank, WholePage(), recognizer, line_reader),
                Job(encoded(number(1)), WholePage(), recognizer, line_reader),
            ],
            lambda data, sought: sought.on(picture.decode(data)),
        )

    several, seven, blank, one = coroutines.run(outcomes())
    assert isinstance(several, Text)
    assert several.text == "207"
    assert isinstance(seven, Reading)
    assert seven.prediction.label == "7"
    assert isinstance(blank, BlankImage)
    assert isinstance(one, Text)
    assert one.text == "1"


def test_whoever_waits_for_one_character_waits_for_no_page(
    recognizer: Recognizer, line_reader: LineReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    by_itself = LineReader.read

    def slow(self: LineReader, pages: Sequence[Page]) -> list[Text]:
        released.wait(30)
        return by_itself(self, pages)

    async def calls() -> None:
        lanes = Lanes(8, MOST)
        try:
            page = asyncio.create_task(lanes.read_page(encoded(number(2, 0, 7)), recognizer, line_reader))
            await asyncio.sleep(0.2)
            assert (await lanes.read(encoded(drawn(7)), recognizer)).prediction.label == "7"
            assert not page.done()
            released.set()
            assert (await page).text == "207"
        finally:
            released.set()
            lanes.close()

    monkeypatch.setattr(LineReader, "read", slow)
    coroutines.run(calls())


def test_pages_have_their_limits_too(recognizer: Recognizer, line_reader: LineReader) -> None:
    """Small and large ones, those that a lane has no room for, and those that are none."""

    async def calls() -> None:
        lanes = Lanes(2, MOST)
        try:
            small, large = encoded(number(2, 0, 7)), encoded(number(2, 0, 7).resize((1800, 800)), "TIFF")
            texts = await lanes.read_all_pages([small, large], recognizer, line_reader)
            assert [one.text for one in texts if isinstance(one, Text)] == ["207", "207"]
            with pytest.raises(Overloaded):
                await lanes.read_all_pages([small] * 3, recognizer, line_reader)
            with pytest.raises(DamagedPicture):
                await lanes.read_page(small[:500], recognizer, line_reader)
            with pytest.raises(BlankImage):
                await lanes.read_page(encoded(Image.new("L", (1200, 1200))), recognizer, line_reader)
        finally:
            lanes.close()

    coroutines.run(calls())


@pytest.mark.parametrize(
    ("data", "kind", "sentence"),
    [
        (encoded(Image.new("L", (50, 50))), BlankImage, "blank"),
        (encoded(drawn(5))[:500], DamagedPicture, "damaged"),
        (b"text", NotAPicture, "PNG, JPEG"),
        (
            handmade.png_of_zeros(60_000, 2_500),
            TooManyPixels,
            "60000 x 2500 pixels, 150 million; at most 120 million are accepted. Please",
        ),
        (laborious(), TooLaborious, "too much work"),
    ],
)
def test_the_process_tells_what_is_wrong(data: bytes, kind: type[Exception], sentence: str, decoder: Decoder) -> None:
    with pytest.raises(kind, match=sentence):
        decoder.find(data, OneGlyph())


@pytest.mark.filterwarnings("ignore:Pydantic serializer")
def test_a_mistake_of_ours_in_the_process_is_told_as_such(decoder: Decoder) -> None:
    with pytest.raises(Mistake, match="Traceback"):
        decoder.find(encoded(drawn(3)), OneGlyph(Cleaning.model_construct(speck="none")))


def test_a_picture_that_takes_too_long_is_given_up_and_the_next_is_read() -> None:
    decoder = Decoder(MOST, seconds=0.5)
    try:
        decoder.find(encoded(drawn(3)), OneGlyph())
        os.kill(process_of(decoder), signal.SIGSTOP)
        with pytest.raises(TooLaborious):
            decoder.find(encoded(drawn(3)), OneGlyph())
        assert isinstance(decoder.find(encoded(drawn(3)), OneGlyph()), Glyph)
    finally:
        decoder.close()


def test_a_process_that_has_died_is_replaced(decoder: Decoder) -> None:
    decoder.find(encoded(drawn(3)), OneGlyph())
    os.kill(process_of(decoder), signal.SIGKILL)
    time.sleep(0.2)
    assert isinstance(decoder.find(encoded(drawn(3)), OneGlyph()), Glyph)


def test_the_process_has_none_of_the_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITS_API_KEYS", "secret")
    fresh = Decoder(MOST)
    try:
        fresh.find(encoded(drawn(3)), OneGlyph())
        assert b"secret" not in Path(f"/proc/{process_of(fresh)}/environ").read_bytes()
    finally:
        fresh.close()


def test_the_process_ends_with_this_one() -> None:
    """That is, when nobody is there any more at the other end."""
    orphaned = Decoder(MOST)
    orphaned.find(encoded(drawn(3)), OneGlyph())
    assert orphaned._worker is not None
    process, connection = orphaned._worker
    connection.close()
    assert process.wait(10) == 0


def test_what_libtiff_thinks_of_every_line_is_not_written_anywhere(
    decoder: Decoder, capfd: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(1).bytes(200_000)
    tags = grey(1000, 1000, FAX) | {BITS: longs(1), ROWS: longs(1000), COUNTS: longs(len(noise))}
    data = tiff(tags | {OFFSETS: longs(len(tiff(tags)) + 12)}, noise)
    decoder.find(data, OneGlyph())
    assert capfd.readouterr() == ("", "")


def test_what_is_taken_together_has_its_time_together(recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """And who comes after that is told at once."""

    def slow(data: bytes, sought: Sought[Found]) -> Found:
        time.sleep(0.2)
        return work.decode_small(data, sought)

    async def outcomes() -> list[Reading | Text | Exception]:
        jobs: list[Job[Reading]] = [Job(encoded(drawn(label)), OneGlyph(), recognizer) for label in (7, 2)]
        return work.recognize(jobs, slow)

    monkeypatch.setattr(work, "TAKE_SECONDS", 0.1)
    seven, late = coroutines.run(outcomes())
    assert isinstance(seven, Reading)
    assert seven.prediction.label == "7"
    assert isinstance(late, Overloaded)


def stuck_lanes(monkeypatch: pytest.MonkeyPatch, released: threading.Event) -> Lanes:
    """Lanes whose quick one stays with any picture until it is released."""
    read = work.decode_small

    def endless(data: bytes, sought: Sought[Found], max_pixels: int) -> Found:
        released.wait(30)
        return read(data, sought, max_pixels)

    monkeypatch.setattr(work, "decode_small", endless)
    return Lanes(8, MOST)


def test_nobody_waits_for_a_lane_that_is_stuck(recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def calls() -> None:
        released = threading.Event()
        monkeypatch.setattr(work, "ANSWER_SECONDS", 0.3)
        lanes = stuck_lanes(monkeypatch, released)
        try:
            with pytest.raises(Overloaded):
                await asyncio.wait_for(lanes.read(encoded(drawn(7)), recognizer), 5)
            released.set()
            monkeypatch.setattr(work, "ANSWER_SECONDS", 10)
            assert (await lanes.read(encoded(drawn(7)), recognizer)).prediction.label == "7"
        finally:
            released.set()
            lanes.close()

    coroutines.run(calls())


def test_a_lane_that_is_stuck_is_not_ready(recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def calls() -> None:
        released = threading.Event()
        monkeypatch.setattr(work, "STUCK_SECONDS", 0.2)
        lanes = stuck_lanes(monkeypatch, released)
        try:
            assert lanes.alive
            reading = asyncio.create_task(lanes.read(encoded(drawn(7)), recognizer))
            await asyncio.sleep(0.5)
            assert not lanes.alive
            released.set()
            assert (await reading).prediction.label == "7"
            assert lanes.alive
        finally:
            released.set()
            lanes.close()

    coroutines.run(calls())
