"""What the digits model is judged by: named sets of encoded pictures, as a stranger would send them.

Each set is a list of labels and a function from an index to a file's bytes. Every random number follows from the
index, so two models are asked about the very same pictures.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from app.reading.glyphs import Cleaning, Glyph
from app.reading.picture import ReadingError, decode
from app.reading.pipeline import glyph_of
from training import datasets, negatives
from training.corruptions import CORRUPTIONS
from training.negatives import OF_DIGITS, Lookalikes
from training.photographs import photograph
from training.strokes import Points, StrokeSet, leaning, rotated

Pictures = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class EvaluationSet:
    name: str
    """Short: figures are kept by it."""
    labels: Labels
    """(n,), `datasets.NO_CHARACTER` for pictures that are no digit."""
    file: Callable[[int], bytes]
    """Index -> encoded picture; can be sent to another process."""
    what: str = ""
    """What the pictures are, for people who read the figures."""
    cases: Labels | None = None
    """(n,), `datasets.NO_CASE` where nobody can tell; None in an alphabet without any."""

    def first(self, count: int | None) -> "EvaluationSet":
        cases = None if self.cases is None else self.cases[:count]
        return replace(self, labels=self.labels[:count], cases=cases)


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()


def scanned(pictures: Pictures, index: int) -> bytes:
    return png(Image.fromarray(pictures[index]))


def corrupted(pictures: Pictures, name: str, index: int) -> bytes:
    changed = CORRUPTIONS[name](pictures[index] / 255, np.random.default_rng(index))
    return png(Image.fromarray(np.round(changed * 255).astype(np.uint8)))


OTHER_ORIGINS = (
    ("usps", "USPS test", "another set of scans"),
    ("semeion", "Semeion", "16x16 pixels, black or white only"),
    ("optdigits", "optdigits", "32x32 pixels, black or white only"),
)
"""File of the data folder, name of the set, what it is."""

PAPERS = ("black on white", "white on black", "coloured", "transparent")


def drawing(strokes: StrokeSet, most_degrees: float, index: int, thickest: float = 1.0) -> bytes:
    """A 280x280 canvas: any place, size and brush, on one of four kinds of paper."""
    rng = np.random.default_rng(index)
    turned = rotated(strokes.samples[index], float(rng.uniform(-most_degrees, most_degrees)))
    return _drawn(turned, rng, index, thickest)


def narrow_drawing(strokes: StrokeSet, index: int) -> bytes:
    """As `drawing`, half to four fifths as wide and slanting to the right."""
    rng = np.random.default_rng(index)
    width, slant = float(rng.uniform(0.5, 0.8)), float(rng.uniform(0, 0.4))
    return _drawn(leaning(strokes.samples[index], width, slant), rng, index)


def _drawn(strokes: list[Points], rng: np.random.Generator, index: int, thickest: float = 1.0) -> bytes:
    return png(on_paper(datasets.draw_at_random(strokes, rng, thickest=thickest), PAPERS[index % len(PAPERS)], rng))


def on_paper(drawn: Image.Image, paper: str, rng: np.random.Generator) -> Image.Image:
    """A black-on-white drawing on another paper; coloured ink differs in brightness from its paper by a quarter."""
    if paper == "black on white":
        return drawn
    ink = ImageOps.invert(drawn)
    if paper == "white on black":
        return ink
    if paper == "transparent":
        stroke = Image.new("RGBA", drawn.size, "black" if rng.random() < 0.5 else "white")
        stroke.putalpha(ink)
        return stroke
    pen, ground = rng.integers(0, 256, 3), rng.integers(0, 256, 3)
    weights = np.array([0.299, 0.587, 0.114])
    while abs(float((pen - ground) @ weights)) < 64:
        pen, ground = rng.integers(0, 256, 3), rng.integers(0, 256, 3)
    return Image.composite(Image.new("RGB", drawn.size, tuple(pen)), Image.new("RGB", drawn.size, tuple(ground)), ink)


def photographed(strokes: StrokeSet, index: int) -> bytes:
    return photograph(strokes.samples[index], np.random.default_rng(index))


def no_character(
    characters: Pictures, labels: Labels, letters: Path | None, index: int, lookalikes: Lookalikes = OF_DIGITS
) -> bytes:
    return png(negatives.make(7_000_000 + index, characters, labels, letters, True, lookalikes))


def no_characters(
    data: Path, characters: Pictures, labels: Labels, what: str, lookalikes: Lookalikes = OF_DIGITS
) -> EvaluationSet:
    """What is made of such characters, (n, 28, 28) with ink bright, and is none; with letters if they are in `data`."""
    file = partial(no_character, characters, labels, datasets.letters_in(data), lookalikes=lookalikes)
    return EvaluationSet("no character", np.full(2000, datasets.NO_CHARACTER), file, what)


def glyph_of_file(file: Callable[[int], bytes], cleaning: Cleaning, index: int) -> Glyph | None:
    """The glyph of an encoded picture, cleaned as a model wants it; None where the picture is refused."""
    try:
        return glyph_of(decode(file(index)), cleaning)
    except ReadingError:
        return None


def of_digits(data: Path) -> list[EvaluationSet]:
    """All sets of digits whose files are in `data`; MNIST's always."""
    test, labels = datasets.mnist_pictures(data, train=False)
    sets = [EvaluationSet("MNIST test", labels, partial(scanned, test), "scanned digits, the usual test set")]
    strokes = datasets.pen_strokes(data)
    if strokes is not None:
        unseen = strokes[1]
        sets += [
            EvaluationSet(
                "drawings",
                unseen.labels,
                partial(drawing, unseen, 0.0),
                "canvas drawings by people never seen: any place, size, brush and paper",
            ),
            EvaluationSet(
                "turned drawings",
                unseen.labels,
                partial(drawing, unseen, 20.0),
                "the same drawings, turned by up to 20 degrees",
            ),
            EvaluationSet(
                "narrow drawings",
                unseen.labels,
                partial(narrow_drawing, unseen),
                "the same drawings, half to four fifths as wide and slanting",
            ),
            EvaluationSet(
                "photographs",
                unseen.labels,
                partial(photographed, unseen),
                "ink on paper with shadows, ruling, blur, JPEG (made from those strokes)",
            ),
        ]
    for name, title, what in OTHER_ORIGINS:
        if (data / f"{name}.npz").is_file():
            with np.load(data / f"{name}.npz", allow_pickle=False) as archive:
                chosen = archive["split"] == 1 if name == "usps" else slice(None)
                given = archive["y"][chosen].astype(np.int64)
                sets.append(EvaluationSet(title, given, partial(scanned, archive["X"][chosen]), what))
    sets += [
        EvaluationSet(
            f"MNIST-C {name}",
            labels,
            partial(corrupted, test, name),
            f"MNIST's test set, corrupted: {name.replace('_', ' ')}",
        )
        for name in CORRUPTIONS
    ]
    what = "scribbles, textures, letters, halves of digits and pairs of them"
    return [*sets, no_characters(data, test, labels, what)]
