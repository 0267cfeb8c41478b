"""What the reading of pictures is judged by, beside the sets of every evaluation: what makes finding the ink hard.

Frames, thin and thick pens, transparency, grain, paper with nothing on it, all made from pen strokes of writers whose
drawings are not trained on; real pictures that nobody here made; and photographs binarised by well-known methods
(Niblack 1986, Sauvola 2000, Wolf 2002) before they are read, as a baseline for our own way.
"""

import csv
import io
import zipfile
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from app.reading.picture import WORKING_SIDE
from training import clutter, datasets
from training.datasets import NO_CHARACTER
from training.evaluation_sets import EvaluationSet, photographed, png
from training.strokes import StrokeSet, draw

CANVAS = 280
BINARISATIONS = ("Niblack", "Sauvola", "Wolf")


def made(data: Path) -> list[EvaluationSet]:
    """The sets that are made of pen strokes; none where the strokes are not in `data`."""
    strokes = datasets.pen_strokes(data)
    if strokes is None:
        return []
    unseen = strokes[1]
    kinds: dict[str, Callable[[StrokeSet, int], bytes]] = {
        "frames": framed,
        "thin pens": thin,
        "thick pens": thick,
        "transparency": transparent,
        "grain": grainy,
        "form cells": clutter.form_cell,
        "neighbours": clutter.neighbours,
        "hard shadows": clutter.hard_shadow,
        "surrounded": clutter.surrounded,
    }
    sets = [EvaluationSet(name, unseen.labels, partial(make, unseen)) for name, make in kinds.items()]
    nothing = np.full(len(unseen.labels), NO_CHARACTER)
    sets.append(EvaluationSet("blank paper", nothing, blank_paper))
    sets.append(EvaluationSet("empty cells", nothing, clutter.empty_cell))
    sets.append(EvaluationSet("two characters", nothing, partial(clutter.two_characters, unseen)))
    return sets + [
        EvaluationSet(f"photographs, {method} first", unseen.labels, partial(binarised, unseen, method))
        for method in BINARISATIONS
    ]


def real(archives: list[Path]) -> list[EvaluationSet]:
    """Pictures of others, from archives with a folder for each label, or with a CSV of `file`, `label` and `kind`."""
    sets = []
    for archive in archives:
        kinds: dict[str, list[tuple[str, int]]] = defaultdict(list)
        with zipfile.ZipFile(archive) as content:
            names = content.namelist()
            tables = [name for name in names if name.endswith(".csv")]
            if tables:
                for row in csv.DictReader(io.StringIO(content.read(tables[0]).decode())):
                    kinds[row["kind"]].append((row["file"], int(row["label"])))
            else:
                kinds["all"] = [(name, int(Path(name).parent.name)) for name in names if not name.endswith("/")]
        for kind, files in sorted(kinds.items()):
            labels = np.array([label for _, label in files], np.int64)
            sets.append(
                EvaluationSet(f"{archive.stem}: {kind}", labels, partial(_member, archive, [name for name, _ in files]))
            )
    return sets


def _member(archive: Path, names: list[str], index: int) -> bytes:
    with zipfile.ZipFile(archive) as content:
        return content.read(names[index])


def framed(strokes: StrokeSet, index: int) -> bytes:
    """A drawing within a border, the bars of a screenshot, a margin, or a printed box."""
    rng = np.random.default_rng(index)
    picture = datasets.draw_at_random(strokes.samples[index], rng)
    shade, width = int(rng.integers(0, 120)), int(rng.integers(1, 40))
    kind = index % 4
    if kind == 0:
        return png(ImageOps.expand(picture, width, shade))
    if kind == 1:
        return png(ImageOps.expand(picture, (0, width, 0, int(rng.integers(0, 40))), shade))
    if kind == 2:
        return png(ImageOps.expand(picture, width, int(rng.integers(150, 235))))
    boxed = ImageOps.expand(picture, int(rng.integers(2, 8)), shade)
    return png(ImageOps.expand(boxed, width, 255))


def thin(strokes: StrokeSet, index: int) -> bytes:
    """A pen of one to three pixels on the canvas."""
    rng = np.random.default_rng(index)
    extent, brush = CANVAS * rng.uniform(0.3, 0.9), rng.uniform(1, 3)
    return png(draw(strokes.samples[index], canvas=CANVAS, extent=extent, brush=brush, position=(rng.random(), 0.5)))


def thick(strokes: StrokeSet, index: int) -> bytes:
    """A marker of 15 to 25 % of the digit's size, half of the pictures cropped to the ink."""
    rng = np.random.default_rng(index)
    extent = CANVAS * rng.uniform(0.3, 0.7)
    picture = draw(strokes.samples[index], canvas=CANVAS, extent=extent, brush=extent * rng.uniform(0.15, 0.25))
    return png(picture.crop(ImageOps.invert(picture).getbbox()) if index % 2 else picture)


def transparent(strokes: StrokeSet, index: int) -> bytes:
    """Strokes on nothing, strokes cut to their ink, a digit cut out of paper, or paper with round corners."""
    rng = np.random.default_rng(index)
    drawn = datasets.draw_at_random(strokes.samples[index], rng)
    shade, kind = "black" if rng.random() < 0.5 else "white", index % 4
    if kind == 3:
        paper = (drawn if shade == "black" else ImageOps.invert(drawn)).convert("RGBA")
        corners = Image.new("L", drawn.size, 0)
        ImageDraw.Draw(corners).rounded_rectangle((0, 0, *drawn.size), int(rng.integers(5, 40)), fill=255)
        paper.putalpha(corners)
        return png(paper)
    picture = Image.new("RGBA", drawn.size, shade)
    picture.putalpha(drawn if kind == 2 else ImageOps.invert(drawn))
    return png(picture.crop(picture.getchannel("A").getbbox()) if kind == 1 else picture)


def grainy(strokes: StrokeSet, index: int) -> bytes:
    """A drawing with grain of a deviation of 3 to 30 of 255, half of them as a JPEG."""
    rng = np.random.default_rng(index)
    picture = np.asarray(datasets.draw_at_random(strokes.samples[index], rng), np.float32)
    return _encoded(20 + 0.86 * picture + rng.normal(0, rng.uniform(3, 30), picture.shape), rng)


def blank_paper(index: int) -> bytes:
    """Evenly or unevenly lit paper with grain: nothing is to be read there."""
    rng = np.random.default_rng(index)
    side = int(rng.integers(64, 800))
    slope = np.linspace(0, rng.uniform(0, 60), side, dtype=np.float32)
    paper = rng.uniform(80, 240) - slope + rng.normal(0, rng.uniform(0.5, 15), (side, side))
    return _encoded(paper if index % 2 else paper.T, rng)


def _encoded(shades: np.ndarray, rng: np.random.Generator) -> bytes:
    image = Image.fromarray(np.clip(shades, 0, 255).astype(np.uint8))
    if rng.random() < 0.5:
        return png(image)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=int(rng.integers(35, 95)))
    return file.getvalue()


def binarised(strokes: StrokeSet, method: str, index: int) -> bytes:
    """The photograph of the set of that name, black on white by a method that knows the neighbourhood."""
    from doxapy import Binarization

    photo = Image.open(io.BytesIO(photographed(strokes, index))).convert("L")
    # As the app shrinks them before it reads them.
    photo.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BOX)
    shades = np.ascontiguousarray(photo)
    result = np.empty_like(shades)
    algorithm = Binarization(getattr(Binarization.Algorithms, method.upper()))
    algorithm.initialize(shades)
    algorithm.to_binary(result, {"window": 75, "k": 0.2})
    return png(Image.fromarray(result))
