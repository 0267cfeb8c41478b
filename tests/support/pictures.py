"""Pictures to send: digits as people drew them. Nothing here imports torch, which takes longer than a server to start."""

import io
import json
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

STROKES = Path(__file__).parent.parent / "data" / "strokes.json"


def drawn(label: int, side: int = 280, extent: float = 160, brush: float = 16) -> Image.Image:
    """A digit drawn black on a white canvas, mode L, with smooth edges."""
    fine = 4
    image = Image.new("L", (side * fine, side * fine), 255)
    pen = ImageDraw.Draw(image)
    corner = (side - extent) / 2
    for stroke in json.loads(STROKES.read_text())[str(label)]:
        points = [((corner + extent * x) * fine, (corner + extent * y) * fine) for x, y in stroke]
        pen.line(points, fill=0, width=round(brush * fine), joint="curve")
        for x, y in (points[0], points[-1]):
            pen.circle((x, y), brush * fine / 2, fill=0)
    return image.resize((side, side), Image.Resampling.BOX)


def encoded(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.copy().save(file, format, **options)  # saving as GIF would change the picture itself
    return file.getvalue()


def number(*digits: int) -> Image.Image:
    """Digits side by side, each in a cell of 120x160 pixels."""
    line = Image.new("L", (120 * len(digits), 160), 255)
    for place, digit in enumerate(digits):
        line.paste(drawn(digit).resize((110, 110)), (120 * place, 25))
    return line
