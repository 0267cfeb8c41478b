"""The calls of the API and what they answer to good pictures."""

import base64
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image, ImageOps

from app.reading.reader import LINES_FILE
from app.reading.recognizer import Recognizer
from tests.support.api import ROOT, Server, serving
from tests.support.pictures import drawn, encoded
from tests.support.reading import glyph_of, pixels_of


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("api")) as server:
        yield server


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(ROOT / "app/models/digits/model.onnx")


def expected(recognizer: Recognizer, data: bytes) -> str:
    """What the recognizer says without a server around it."""
    return recognizer.predict([glyph_of(data)])[0].label


def test_welcome(api: Server) -> None:
    answer = requests.get(api.url + "/", timeout=5)
    assert answer.status_code == 200
    assert answer.json() == {"message": "Welcome to the Digit Recognition API"}


@pytest.mark.parametrize("digit", range(10))
def test_digits_drawn_on_a_drawn(api: Server, recognizer: Recognizer, digit: int) -> None:
    data = encoded(drawn(digit).convert("RGBA"))
    answer = api.predict(data)
    assert answer.status_code == 200
    body = answer.json()
    label = str(digit)
    assert body["label"] == label == expected(recognizer, data)
    assert body["predicted_digit"] == digit
    assert body["sure"] == (body["confidence"] >= recognizer.record.sure_from)
    others = [alternative["label"] for alternative in body["alternatives"]]
    assert sorted([label, *others]) == recognizer.labels
    confidences = [body["confidence"], *(alternative["confidence"] for alternative in body["alternatives"])]
    assert confidences == sorted(confidences, reverse=True)
    assert sum(confidences) == pytest.approx(1, abs=1e-4)
    assert body["model"] == {"alphabet": "digits", "version": recognizer.record.version}
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert "glyph" not in body


SEVEN = drawn(7)
ON_TRANSPARENCY = Image.merge("LA", (Image.new("L", SEVEN.size, 0), ImageOps.invert(SEVEN)))
COLOURED = Image.merge("RGB", (SEVEN, SEVEN.point(lambda shade: shade // 2 + 90), Image.new("L", SEVEN.size, 140)))
TURNED = encoded(
    SEVEN.rotate(90, expand=True),
    "JPEG",
    exif=bytes.fromhex("45786966000049492a00080000000100120103000100000006000000"),
)

PICTURES: dict[str, bytes] = {
    "PNG L": encoded(SEVEN),
    "PNG inverted": encoded(ImageOps.invert(SEVEN)),
    "PNG 1": encoded(SEVEN.convert("1", dither=Image.Dither.NONE)),
    "PNG LA": encoded(ON_TRANSPARENCY),
    "PNG RGBA": encoded(ON_TRANSPARENCY.convert("RGBA")),
    "PNG RGBA, white ink": encoded(
        Image.merge("RGBA", (*[Image.new("L", SEVEN.size, 255)] * 3, ImageOps.invert(SEVEN)))
    ),
    "PNG P with transparency": encoded(
        ImageOps.invert(SEVEN).convert("P", palette=Image.Palette.ADAPTIVE, colors=16), transparency=0
    ),
    "PNG RGB": encoded(COLOURED),
    "PNG 16 bit": encoded(Image.fromarray(np.asarray(SEVEN).astype(np.uint16) * 200)),
    "JPEG": encoded(SEVEN, "JPEG", quality=80),
    "JPEG RGB": encoded(COLOURED, "JPEG"),
    "JPEG CMYK": encoded(SEVEN.convert("CMYK"), "JPEG"),
    "JPEG turned by EXIF": TURNED,
    "WebP": encoded(SEVEN, "WEBP"),
    "WebP with transparency": encoded(ON_TRANSPARENCY.convert("RGBA"), "WEBP"),
    "GIF": encoded(SEVEN, "GIF"),
    "GIF of two frames": encoded(SEVEN, "GIF", save_all=True, append_images=[drawn(1)]),
    "BMP": encoded(SEVEN, "BMP"),
    "TIFF": encoded(SEVEN, "TIFF", compression="tiff_lzw"),
    "TIFF CMYK": encoded(SEVEN.convert("CMYK"), "TIFF"),
    "large": encoded(SEVEN.resize((4000, 4000))),
    "wide": encoded(ImageOps.expand(SEVEN, (600, 0), fill=255)),
}


@pytest.mark.parametrize("name", PICTURES)
def test_every_format_and_mode_shows_the_same_glyph(api: Server, name: str) -> None:
    reference = shown_glyph(api.predict(PICTURES["PNG L"], "/predict/?glyph=true").json())
    answer = api.predict(PICTURES[name], "/predict/?glyph=true")
    assert answer.status_code == 200, answer.text
    assert answer.json()["label"] == "7"
    glyph = np.roll(shown_glyph(answer.json()), (-1, -1), (0, 1))  # may lie a pixel off: its centre is rounded
    assert max(overlap(np.roll(glyph, shift, (0, 1)), reference) for shift in np.ndindex(3, 3)) > SAME


SAME = 0.65
"""Overlap of glyphs of one drawing; those of different digits stay below 0.5."""


def overlap(one: Any, other: Any) -> float:
    return float(np.minimum(one, other).sum() / np.maximum(one, other).sum())


def shown_glyph(body: dict[str, Any]) -> Any:
    head, _, data = body["glyph"].partition(",")
    assert head == "data:image/png;base64"
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    assert (image.mode, image.size, image.format) == ("L", (28, 28), "PNG")
    return np.asarray(image, np.float32)


def test_the_glyph_is_what_the_model_saw(api: Server) -> None:
    glyph = pixels_of(PICTURES["PNG L"])
    shown = shown_glyph(api.predict(PICTURES["PNG L"], "/predict/?glyph=true").json())
    assert np.abs(shown / 255 - glyph).max() <= 0.5 / 255 + 1e-6


def test_a_data_url_in_json_answers_as_the_file(api: Server) -> None:
    data = PICTURES["PNG RGBA"]
    url = "data:image/png;base64," + base64.b64encode(data).decode()
    by_url = requests.post(api.url + "/predict/", json={"image": url}, timeout=5)
    assert by_url.status_code == 200
    assert by_url.json()["label"] == "7"
    assert {**by_url.json(), "request_id": 0} == {**api.predict(data).json(), "request_id": 0}


def test_without_the_slash_there_is_no_redirect(api: Server) -> None:
    answer = api.predict(PICTURES["PNG L"], "/predict", allow_redirects=False)
    assert answer.status_code == 200
    assert answer.json()["label"] == "7"


@pytest.mark.parametrize(
    "blank",
    [
        Image.new("RGB", (280, 280), "white"),
        Image.new("L", (280, 280), 0),
        Image.new("RGBA", (280, 280), (0, 0, 0, 0)),
        Image.new("RGB", (50, 70), (12, 200, 90)),
        Image.new("L", (1, 1), 77),
    ],
    ids=["white", "black", "transparent", "one colour", "one pixel"],
)
def test_blank_pictures(api: Server, blank: Image.Image) -> None:
    answer = api.predict(encoded(blank))
    assert answer.status_code == 400
    assert answer.json()["error"] == "Image is blank. Please provide a valid digit."
    assert answer.json()["code"] == "blank_image"


def test_a_stray_pixel_is_blank(api: Server) -> None:
    image = Image.new("L", (280, 280), 255)
    image.putpixel((40, 200), 0)
    assert api.predict(encoded(image)).json()["code"] == "blank_image"


def test_a_batch_keeps_order_and_has_errors_in_place(api: Server) -> None:
    digits = [encoded(drawn(digit)) for digit in (3, 1, 4)]
    blank, broken = encoded(Image.new("L", (9, 9))), digits[0][:200]
    sent = [digits[0], blank, digits[1], b"", broken, b"no picture", digits[2]]
    answer = requests.post(api.url + "/predict/batch/", files=[("files", ("x", data)) for data in sent], timeout=30)
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [result.get("label") or result["code"] for result in results] == [
        "3",
        "blank_image",
        "1",
        "empty_file",
        "damaged_picture",
        "not_a_picture",
        "4",
    ]
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


def test_batch_with_glyphs_and_without_slash(api: Server) -> None:
    answer = requests.post(
        api.url + "/predict/batch?glyph=true", files=[("files", ("x", PICTURES["GIF"]))] * 64, timeout=30
    )
    assert {result["label"] for result in answer.json()["results"]} == {"7"}
    assert len({result["glyph"] for result in answer.json()["results"]}) == 1
    assert len(answer.json()["results"]) == 64


def test_alphabets(api: Server, recognizer: Recognizer) -> None:
    listed = requests.get(api.url + "/alphabets/", timeout=5).json()["alphabets"]
    digits = next(alphabet for alphabet in listed if alphabet["name"] == "digits")
    record = recognizer.record
    assert digits == {
        "name": "digits",
        "title": "Digits",
        "labels": record.labels,
        "names": {},
        "cased": [],
        "version": record.version,
        "sure_from": record.sure_from,
        "lines": (ROOT / "app/models/digits" / LINES_FILE).exists(),
        "figures": record.figures,
    }
    named = api.predict(PICTURES["PNG L"], "/predict/?alphabet=digits").json()
    assert named["model"]["alphabet"] == "digits"
    assert named["label"] == "7"


def test_health(api: Server) -> None:
    assert requests.get(api.url + "/health/live", timeout=5).json() == {"status": "alive"}
    assert requests.get(api.url + "/health/ready", timeout=5).json() == {"status": "ready"}
