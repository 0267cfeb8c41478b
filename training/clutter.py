"""Pictures on which there is more than the character: what is cut from forms, registers, photographs and screens.

All made from pen strokes of writers whose drawings are not trained on, for `training.evaluate --reading`.
"""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from training.evaluation_sets import png
from training.strokes import StrokeSet, draw

Random = np.random.Generator
Floats = npt.NDArray[np.float32]


def form_cell(strokes: StrokeSet, index: int) -> bytes:
    """A character in a cell cut a little wrongly: remains of its frame on one to three sides, thin or thick, aslant."""
    rng = np.random.default_rng(index)
    ink = _character(strokes, index, rng, canvas=240, share=(0.35, 0.7))
    sides = rng.permutation(4)[: rng.integers(1, 4)]
    _draw_frame(ink, sides, rng)
    return scan(ink, _size(rng), rng)


def empty_cell(index: int) -> bytes:
    """A cell with nothing in it: grain, traces of its frame, JPEG's dust."""
    rng = np.random.default_rng(index)
    ink = Image.new("L", (240, 240), 0)
    _draw_frame(ink, rng.permutation(4)[: rng.integers(0, 5)], rng)
    return scan(ink, _size(rng), rng, contrast=(10, 180))


def neighbours(strokes: StrokeSet, index: int) -> bytes:
    """A character in the middle of what was cut out of a line: remains of those beside it, a full stop, a rule."""
    rng = np.random.default_rng(index)
    ink = _character(strokes, index, rng, canvas=240, share=(0.6, 0.85), middle=True)
    left, _, right, _ = ink.getbbox() or (0, 0, 240, 240)
    for beside in rng.permutation(2)[: rng.integers(1, 3)]:
        other = _character(strokes, int(rng.integers(len(strokes.labels))), rng, canvas=240, share=(0.6, 0.85))
        box = other.getbbox() or (0, 0, 240, 240)
        gap = int(rng.integers(8, 30))
        shift = left - gap - box[2] if beside else right + gap - box[0]
        ink = ImageChops.lighter(ink, _moved(other, shift))
    cut = ink.crop((max(0, left - int(rng.integers(20, 70))), 0, min(240, right + int(rng.integers(20, 70))), 240))
    if rng.random() < 0.3:
        x = int(rng.integers(2, 10)) if rng.random() < 0.5 else cut.width - int(rng.integers(2, 10))
        ImageDraw.Draw(cut).line((x, 0, x + int(rng.integers(-3, 4)), 240), 255, int(rng.integers(2, 7)))
    return scan(cut, _size(rng), rng)


def two_characters(strokes: StrokeSet, index: int) -> bytes:
    """Two whole characters beside one another: neither is the answer."""
    rng = np.random.default_rng(index)
    one, other = (
        _character(strokes, int(rng.integers(len(strokes.labels))), rng, canvas=240, share=(0.4, 0.5)) for _ in range(2)
    )
    wide = Image.new("L", (480, 240), 0)
    wide.paste(one.crop(one.getbbox()), (40, 40))
    box = other.getbbox() or (0, 0, 1, 1)
    wide.paste(
        other.crop(box), (40 + (one.getbbox() or box)[2] - (one.getbbox() or box)[0] + int(rng.integers(6, 60)), 40)
    )
    left, top, right, bottom = wide.getbbox() or (0, 0, 480, 240)
    margin = int(rng.integers(2, 50))
    return scan(wide.crop((left - margin, top - margin, right + margin, bottom + margin)), _size(rng), rng)


def hard_shadow(strokes: StrokeSet, index: int) -> bytes:
    """A photograph across which an edge of shadow lies, straight or wavy, often through the character."""
    rng = np.random.default_rng(index)
    width, height = 800, 600
    ink = _placed(strokes, index, rng, width, height, share=(0.25, 0.6), brush=(0.02, 0.12))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    along = (x - width / 2) * np.cos(angle) + (y - height / 2) * np.sin(angle) - rng.uniform(-0.3, 0.3) * width
    across = (y - height / 2) * np.cos(angle) - (x - width / 2) * np.sin(angle)
    if rng.random() < 0.4:
        along += rng.uniform(10, 40) * np.sin(across / rng.uniform(60, 200) + rng.uniform(0, 6))
    shade = rng.uniform(0.4, 0.75)
    light = 1 - (1 - shade) / (1 + np.exp(-along / rng.uniform(0.5, 6)))
    paper = rng.uniform(160, 235) * (1 + rng.uniform(-0.1, 0.1) * x / width)
    dark = 1 - np.asarray(ink, np.float32) / 255 * rng.uniform(0.5, 0.85)
    return _jpeg(paper * light * dark + rng.normal(0, rng.uniform(1, 5), light.shape), rng)


def surrounded(strokes: StrokeSet, index: int) -> bytes:
    """Paper that is not all of the picture: aslant in a scanner, on a table, a tile, an area of a screenshot."""
    rng = np.random.default_rng(index)
    kind = index % 4
    side = 360
    ink = np.asarray(_character(strokes, index, rng, canvas=side, share=(0.35, 0.65)), np.float32)[..., None] / 255
    paper, pen = _shades(rng, 0.2)
    sheet = Image.fromarray((paper + (pen - paper) * ink).astype(np.uint8))
    if kind == 3:
        picture = Image.new("RGBA", (side + int(rng.integers(0, 300)), side + int(rng.integers(0, 300))), (0, 0, 0, 0))
        picture.paste(
            sheet, (int(rng.integers(0, picture.width - side + 1)), int(rng.integers(0, picture.height - side + 1)))
        )
        return png(picture)
    if kind == 2:
        picture = Image.new("RGB", (side + int(rng.integers(40, 400)), side + int(rng.integers(40, 200))), "white")
        picture.paste(sheet, (int(rng.integers(0, 30)), int(rng.integers(0, 30))))
        pencil = ImageDraw.Draw(picture)
        for line in range(int(rng.integers(2, 8))):
            pencil.text(
                (side + 40, 20 + 14 * line), "Clear  Predict  Result: 7"[: int(rng.integers(4, 24))], fill=(90, 90, 90)
            )
        return png(picture)
    canvas = rng.normal(rng.uniform(20, 110), rng.uniform(5, 30), (520, 520, 3)) if kind == 0 else _pattern(rng, 520)
    table = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))
    white = Image.fromarray(np.clip(rng.uniform(190, 250) * (1 - 0.8 * ink[..., 0]), 0, 255).astype(np.uint8)).convert(
        "RGB"
    )
    whole = Image.new("L", white.size, 255)
    degrees = rng.uniform(-35, 35)
    turned, mask = (one.rotate(degrees, Image.Resampling.BICUBIC, expand=True) for one in (white, whole))
    table.paste(turned, ((520 - turned.width) // 2, (520 - turned.height) // 2), mask)
    return _jpeg(np.asarray(table, np.float32) + rng.normal(0, 2, (520, 520, 3)), rng)


def _pattern(rng: Random, side: int) -> Floats:
    cells = rng.uniform(30, 170, (side // 13 + 1, side // 13 + 1, 3))
    pattern: Floats = np.kron(cells, np.ones((13, 13, 1)))[:side, :side].astype(np.float32)
    return pattern


def _shades(rng: Random, least: float) -> tuple[Floats, Floats]:
    """Two colours that differ by at least this share of full range."""
    while True:
        one, other = rng.uniform(0, 255, (2, 3)).astype(np.float32)
        if abs(float(one.mean() - other.mean())) > least * 255 * 2:
            return one, other


def _character(
    strokes: StrokeSet, index: int, rng: Random, canvas: int, share: tuple[float, float], middle: bool = False
) -> Image.Image:
    """White on black."""
    extent = canvas * rng.uniform(*share)
    place = (0.5, 0.5) if middle else (float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.2, 0.8)))
    drawn = draw(
        strokes.samples[index], canvas=canvas, extent=extent, brush=extent * rng.uniform(0.04, 0.13), position=place
    )
    return ImageChops.invert(drawn.convert("L"))


def _placed(
    strokes: StrokeSet,
    index: int,
    rng: Random,
    width: int,
    height: int,
    share: tuple[float, float],
    brush: tuple[float, float],
) -> Image.Image:
    extent = height * rng.uniform(*share)
    drawn = draw(
        strokes.samples[index], canvas=height, extent=extent, brush=extent * rng.uniform(*brush), position=(0.5, 0.5)
    )
    ink = Image.new("L", (width, height), 0)
    ink.paste(ImageChops.invert(drawn.convert("L")), (int(rng.integers(0, width - height)), 0))
    return ink


def _draw_frame(ink: Image.Image, sides: npt.NDArray[np.int64], rng: Random) -> None:
    width, shade = int(rng.integers(2, 20)), int(rng.integers(130, 256))
    inset = int(rng.integers(0, 16))
    pencil = ImageDraw.Draw(ink)
    low, high = inset + width // 2, 239 - inset - width // 2
    slant = int(rng.integers(-5, 6))
    lines = (
        (low, 0, low + slant, 239),
        (high, 0, high + slant, 239),
        (0, low, 239, low + slant),
        (0, high, 239, high + slant),
    )
    for side in sides:
        pencil.line(lines[side], shade, width)


def _size(rng: Random) -> int:
    return int(np.exp(rng.uniform(np.log(32), np.log(240))))


def _moved(ink: Image.Image, right: int) -> Image.Image:
    moved = Image.new("L", ink.size, 0)
    moved.paste(ink, (right, 0))
    return moved


def scan(ink: Image.Image, side: int, rng: Random, contrast: tuple[int, int] = (90, 220)) -> bytes:
    """Ink, white on black, as a scan of so many pixels on its longer side: grain, a little blur, PNG or JPEG."""
    scale = side / max(ink.size)
    small = ink.resize((max(12, round(ink.width * scale)), max(12, round(ink.height * scale))), Image.Resampling.BOX)
    soft = np.asarray(small.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.6))), np.float32) / 255
    white, dark = rng.uniform(190, 255), rng.uniform(*contrast)
    shades = white - min(dark, white) * soft + rng.normal(0, rng.uniform(0, 6), soft.shape)
    return _jpeg(shades, rng) if rng.random() < 0.5 else png(Image.fromarray(np.clip(shades, 0, 255).astype(np.uint8)))


def _jpeg(shades: npt.NDArray[np.floating], rng: Random) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.clip(shades, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=int(rng.integers(40, 95)))
    return file.getvalue()
