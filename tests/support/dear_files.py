"""Files and bodies that are small to send and dear to answer, one function for each kind. None is over 10 MB."""

import io
import random
import struct
import zlib
from collections.abc import Iterable

from PIL import Image

SIDE = 4990
"""Of a square of nearly 25 megapixels, the most that is decoded at once."""


def jpeg_of_scans() -> bytes:
    """25 megapixels, progressive, of as many passes as are accepted."""
    data = _encoded(Image.new("L", (SIDE, SIDE), 128), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * (100 - data.count(b"\xff\xda")) + data[-2:]


def mpo_of_scans() -> bytes:
    """The same with 3,000 passes, called a stereo picture by its second segment."""
    small = Image.new("L", (8, 8))
    file = _encoded(small, "MPO", save_all=True, append_images=[small])
    name = file.index(b"MPF\0")
    segment = file[name - 4 : name - 2 + struct.unpack(">H", file[name - 2 : name])[0]]
    data = jpeg_of_scans()
    last = data.rindex(b"\xff\xda")
    return data[:2] + segment + data[2:last] + data[last:-2] * 3000 + data[-2:]


def tiff_of_a_large_tile() -> bytes:
    """100 x 100 pixels in one tile of 16,384 x 16,384."""
    side = 16_384
    tile = _zeros(side * side)
    return _tiff(100, 100, 8, {322: (4, [side]), 323: (4, [side]), 324: (4, [8]), 325: (4, [len(tile)])}, tile)


def tiff_of_a_million_strips() -> bytes:
    count, row = 1_000_000, bytes(25)
    return _tiff(25, count, 1, {273: (4, [8] * count), 278: (4, [1]), 279: (4, [25] * count)}, row)


def tiff_of_complaints() -> bytes:
    """A fax of 8,000 lines of nonsense; of each libtiff complains on the standard error."""
    height, nonsense = 8_000, random.Random(0).randbytes(100_000)
    tags = {258: (3, [1]), 273: (4, [8]), 278: (4, [height]), 279: (4, [len(nonsense)])}
    return _tiff(100, height, 3, tags, nonsense)


def json_of_a_million_fields() -> bytes:
    return b"{" + ",".join(f'"{number:x}":0' for number in range(1_000_000)).encode() + b"}"


def bmp_of_short_lines() -> bytes:
    """Run-length encoded, 2.4 million lines with one pixel each."""
    width, height = 10, 2_400_000
    data, palette = b"\x01\x00\x00\x00" * height + b"\x00\x01", bytes(1024)
    start = 54 + len(palette)
    head = struct.pack("<2sIII", b"BM", start + len(data), 0, start)
    return head + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(data), 0, 0, 256, 0) + palette + data


def png_of_exif() -> bytes:
    """9 MB of EXIF, 65,000 entries of it."""
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, 0) for tag in range(65_000))
    exif = b"II*\0" + struct.pack("<IH", 8, 65_000) + entries + bytes(4)
    return _png(100, 100, 8, 0, [(b"eXIf", exif.ljust(9_000_000, b"\0"))])


def png_of_zeros() -> bytes:
    return _png(SIDE, SIDE, 8, 6)


def png_of_sixteen_bits() -> bytes:
    return _png(SIDE, SIDE, 16, 6)


def png_of_text_bombs() -> bytes:
    """A megabyte in each of 60 compressed texts and in the colour profile."""
    text = (b"zTXt", b"k\0\0" + _zeros((1 << 20) - 1))
    return _png(100, 100, 8, 0, [(b"iCCP", b"k\0\0" + _zeros((1 << 20) - 1)), *[text] * 60])


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


def _zeros(count: int) -> bytes:
    """So many zeros, compressed."""
    packer = zlib.compressobj(9)
    block = bytes(1 << 16)
    whole, rest = divmod(count, len(block))
    return b"".join(packer.compress(block) for _ in range(whole)) + packer.compress(bytes(rest)) + packer.flush()


def _png(width: int, height: int, bits: int, colour: int, chunks: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
    """Of zeros, with further chunks before the pixels. Colour 0 is grey, 6 RGBA."""
    samples = 4 if colour == 6 else 1
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    pixels = _zeros(height * (1 + width * samples * bits // 8))
    parts = [(b"IHDR", header), *chunks, (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


def _tiff(width: int, height: int, compression: int, tags: dict[int, tuple[int, list[int]]], data: bytes) -> bytes:
    """Grey, with the pixels' data at byte 8. A tag is its type, 3 for 16 bits and 4 for 32, and its values."""
    tags = {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [8]),
        259: (3, [compression]),
        262: (3, [1]),
        277: (3, [1]),
    } | tags
    directory = 8 + len(data)
    further = directory + 6 + 12 * len(tags)
    entries, values = b"", b""
    for tag, (kind, numbers) in sorted(tags.items()):
        packed = struct.pack(f"<{len(numbers)}{'H' if kind == 3 else 'I'}", *numbers)
        if len(packed) > 4:
            packed, values = struct.pack("<I", further + len(values)), values + packed
        entries += struct.pack("<HHI", tag, kind, len(numbers)) + packed.ljust(4, b"\0")
    head = b"II*\0" + struct.pack("<I", directory)
    return head + data + struct.pack("<H", len(tags)) + entries + bytes(4) + values
