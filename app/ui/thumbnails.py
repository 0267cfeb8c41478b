"""Small pictures for a table of results."""

import base64
import io

from app.reading.picture import ReadingError, decode

SIDE = 96


def thumbnail(data: bytes) -> str:
    """An encoded picture of any size -> a data URL of a PNG at most `SIDE` pixels a side; empty for no picture."""
    try:
        picture = decode(data).image
    except ReadingError:
        return ""
    picture.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
