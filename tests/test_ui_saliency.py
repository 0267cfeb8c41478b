"""Occlusion finds the stroke that an answer hangs on."""

import base64
import io

from PIL import Image

from app.client.models import Answer, Failed, ModelName, Recognized
from app.ui.saliency import highlight


def two_strokes() -> Image.Image:
    glyph = Image.new("L", (28, 28))
    glyph.paste(255, (5, 5, 8, 23))
    glyph.paste(255, (20, 5, 23, 23))
    return glyph


def as_answer(glyph: Image.Image, confidence: float) -> Answer:
    buffer = io.BytesIO()
    glyph.save(buffer, "PNG")
    url = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    return Answer(
        label="7",
        confidence=confidence,
        sure=True,
        alternatives=[],
        model=ModelName(alphabet="d", version="1"),
        glyph=url,
    )


def needs_the_left_stroke(pictures: list[bytes]) -> list[Recognized | Failed]:
    """A model whose confidence is how much of the left stroke is there; without any of it, it refuses."""
    answers: list[Recognized | Failed] = []
    for data in pictures:
        picture = Image.open(io.BytesIO(data))
        left = sum(picture.crop((0, 0, 14, 28)).tobytes()) / (255 * 3 * 18)
        answers.append(as_answer(picture, left) if left else Failed(error="blank"))
    return answers


def test_what_the_answer_hangs_on_is_orange_and_the_rest_white() -> None:
    url = highlight(as_answer(two_strokes(), 1.0), needs_the_left_stroke)
    picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
    assert picture.getpixel((21, 14)) == (255, 255, 255)
    left = picture.crop((0, 0, 14, 28)).getcolors() or []
    assert (255, 140, 0) in [colour for _, colour in left]
    assert (255, 255, 255) not in [colour for _, colour in left]
    assert picture.getpixel((0, 0)) == (0, 0, 0)


def test_an_answer_that_hangs_on_nothing_stays_white() -> None:
    glyph = two_strokes()
    url = highlight(as_answer(glyph, 0.5), lambda pictures: [as_answer(glyph, 0.5) for _ in pictures])
    assert Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).getpixel((6, 14)) == (255, 255, 255)
