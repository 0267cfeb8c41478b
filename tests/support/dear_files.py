"""Files and bodies that are small to send and dear to answer, one function for each kind. None is over 10 MB."""

import io
import random
import struct

from PIL import Image

from tests.support import handmade
from tests.support.handmade import grey

SIDE = 4990
"""Of a square of nearly 25 megapixels, the most that is decoded at once."""


def jpeg_of_scans() -> bytes:
    """25 megapixels, progressive, of as many passes as are accepted."""
    data = _encoded(Image.new("L", (SIDE, SIDE), 128), "JPEG", progressive=True)
    return handmade.with_last_scan(data, 100 - data.count(b"\xff\xda"))


def mpo_of_scans() -> bytes:
    """The same with 3,000 passes, called a stereo picture by its second segment."""
    return handmade.as_mpo(handmade.with_last_scan(jpeg_of_scans(), 3000))


def tiff_of_a_large_tile() -> bytes:
    """100 x 100 pixels in one tile of 16,384 x 16,384."""
    side = 16_384
    return handmade.tiff_of_a_tile(grey(100, 100, handmade.DEFLATE), side, handmade.zeros(side * side))


def tiff_of_a_million_strips() -> bytes:
    count = 1_000_000
    return handmade.tiff_of_strips(grey(25, count), 1, count, bytes(25))


def tiff_of_complaints() -> bytes:
    """A fax of 8,000 lines of nonsense; of each libtiff complains on the standard error."""
    height, nonsense = 8_000, random.Random(0).randbytes(100_000)
    tags = grey(100, height, handmade.FAX) | {handmade.BITS: handmade.longs(1)}
    return handmade.tiff_of_strips(tags, height, 1, nonsense)


def json_of_a_million_fields() -> bytes:
    return b"{" + ",".join(f'"{number:x}":0' for number in range(1_000_000)).encode() + b"}"


def bmp_of_short_lines() -> bytes:
    """Run-length encoded, 2.4 million lines with one pixel each."""
    height = 2_400_000
    return handmade.run_length_encoded_bmp(10, height, b"\x01\x00\x00\x00" * height + b"\x00\x01")


def png_of_exif() -> bytes:
    """9 MB of EXIF, 65,000 entries of it."""
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, 0) for tag in range(65_000))
    exif = b"II*\0" + struct.pack("<IH", 8, 65_000) + entries + bytes(4)
    return handmade.png_of_zeros(100, 100, before=[handmade.png_chunk(b"eXIf", exif.ljust(9_000_000, b"\0"))])


def png_of_zeros() -> bytes:
    return handmade.png_of_zeros(SIDE, SIDE, 8, 6)


def png_of_sixteen_bits() -> bytes:
    return handmade.png_of_zeros(SIDE, SIDE, 16, 6)


def png_of_text_bombs() -> bytes:
    """A megabyte in each of 60 compressed texts and in the colour profile."""
    megabyte = b"k\0\0" + handmade.zeros((1 << 20) - 1)
    texts = [handmade.png_chunk(b"zTXt", megabyte)] * 60
    return handmade.png_of_zeros(100, 100, before=[handmade.png_chunk(b"iCCP", megabyte), *texts])


def webp_of_frames() -> bytes:
    frames = [Image.new("RGB", (SIDE, SIDE), shade) for shade in ("white", "black")]
    return _encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], method=0)


def gif_of_frames() -> bytes:
    frames = [Image.new("L", (SIDE, SIDE), shade) for shade in (255, 0, 128)]
    return _encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


def photograph() -> bytes:
    """A JPEG of 25 megapixels with detail everywhere."""
    return _encoded(Image.effect_noise((1400, 1100), 60).resize((5600, 4400)).convert("RGB"), "JPEG", quality=85)


def png_of_noise() -> bytes:
    """One of a batch: a megapixel that does not compress well."""
    return _encoded(Image.effect_noise((250, 250), 60).resize((1000, 1000), Image.Resampling.NEAREST), "PNG")


def _encoded(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()
