"""The wrong and the doubtful side by side, as one PNG to look through."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from app.cli.evaluate import Seen
from app.cli.items import Unreadable
from app.reading import picture
from app.reading.picture import ReadingError

SIDE, ACROSS, MARGIN, CAPTION, HEADING = 112, 10, 10, 40, 40

_HAN: Final = Path(__file__).parent.parent / "ui" / "fonts" / "han.otf"
_COMMON: Final = "DejaVuSans.ttf"
"""For letters that Pillow's own font does not have; where this is not installed, a letter's number stands for it."""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def save(file: Path, wrong: Sequence[Seen], doubtful: Sequence[Seen]) -> None:
    """Raises OSError."""
    parts = [
        (f"Wrong, the most confident first: {len(wrong)}", wrong),
        (f"Right and not sure, the least confident first: {len(doubtful)}", doubtful),
    ]
    heights = [HEADING + -(-len(some) // ACROSS) * (SIDE + CAPTION) for _, some in parts]
    sheet = Image.new("RGB", (MARGIN + ACROSS * (SIDE + MARGIN), sum(heights) + MARGIN), "white")
    top = 0
    for (heading, some), height in zip(parts, heights, strict=True):
        ImageDraw.Draw(sheet).text((MARGIN, top + 12), heading, "black", ImageFont.load_default(18))
        for place, seen in enumerate(some):
            left = MARGIN + place % ACROSS * (SIDE + MARGIN)
            _draw(sheet, seen, left, top + HEADING + place // ACROSS * (SIDE + CAPTION))
        top += height
    sheet.save(file, "PNG")


def _draw(sheet: Image.Image, seen: Seen, left: int, top: int) -> None:
    """A picture, as it was sent, and below it what it shows, what was answered and how confidently."""
    pen = ImageDraw.Draw(sheet)
    try:
        image = picture.decode(seen.item.load()).image
        image.thumbnail((SIDE, SIDE))
        if max(image.size) < SIDE:
            scale = SIDE // max(image.size)
            image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
        shown = image.convert("RGBA")
        sheet.paste(shown, (left + (SIDE - shown.width) // 2, top + (SIDE - shown.height) // 2), shown)
    except (ReadingError, Unreadable):
        pen.text((left + 8, top + SIDE // 2), "not readable", "gray", ImageFont.load_default(12))
    pen.rectangle((left - 1, top - 1, left + SIDE, top + SIDE), outline="lightgray")
    x = float(left)
    confidence = f"  {seen.confidence:.1%}" if seen.confidence else ""
    for character in f"{seen.label} > {seen.answer}{confidence}":
        written, font = _in_a_font(character)
        pen.text((x, top + SIDE + 20), written, "black", font, anchor="ls")
        x += font.getlength(written)


@cache
def _in_a_font(character: str) -> tuple[str, Font]:
    """What to write for a character, and in which font."""
    if character.isascii():
        return character, ImageFont.load_default(15)
    if ord(character) >= 0x2E80:
        return character, ImageFont.truetype(_HAN, 16)
    try:
        return character, ImageFont.truetype(_COMMON, 15)
    except OSError:
        return f"U+{ord(character):04X}", ImageFont.load_default(13)
