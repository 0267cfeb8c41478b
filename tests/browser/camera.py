"""A film for the browser's camera: a digit written on paper."""

from pathlib import Path

from PIL import Image, ImageDraw

from tests.browser.drawing import pen_strokes

_WIDTH, _HEIGHT, _FRAMES = 640, 480, 3
_PAPER, _PEN = 225, 40


def film(label: str, file: Path) -> Path:
    """Write an uncompressed YUV4MPEG2 film of a still picture, grey; chromium plays it in a loop."""
    picture = Image.new("L", (_WIDTH, _HEIGHT), _PAPER)
    draw = ImageDraw.Draw(picture)
    for stroke in pen_strokes()[label]:
        draw.line([(200 + 240 * x, 120 + 240 * y) for x, y in stroke], fill=_PEN, width=16, joint="curve")
    no_colour = bytes([128]) * (_WIDTH * _HEIGHT // 2)
    frame = b"FRAME\n" + picture.tobytes() + no_colour
    file.write_bytes(f"YUV4MPEG2 W{_WIDTH} H{_HEIGHT} F10:1 Ip A1:1 C420\n".encode() + frame * _FRAMES)
    return file
