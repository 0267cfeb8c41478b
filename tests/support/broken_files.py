"""Broken files by the thousand, as a stranger may send them: small digits in every format, damaged at random."""

import numpy as np
from PIL import Image

from tests.support.pictures import drawn, encoded

SEED = 20261121


def broken_files(count: int) -> list[bytes]:
    """The same ones each time."""
    rng, files = np.random.default_rng(SEED), originals()
    return [mutant(rng, files) for _ in range(count)]


def originals() -> list[bytes]:
    """A small digit in every format and in modes that are decoded in different ways."""
    digit = drawn(3, side=40, extent=28, brush=4)
    colour = Image.merge("RGBA", (digit, digit, digit.point(lambda shade: shade // 2), digit.point(lambda _: 200)))
    return [
        *(encoded(digit.convert(mode)) for mode in ("1", "L", "LA", "P", "RGB", "RGBA")),
        encoded(Image.fromarray(np.asarray(digit).astype(np.uint16) * 250)),
        encoded(digit, "JPEG"),
        encoded(digit.convert("CMYK"), "JPEG"),
        encoded(digit.convert("RGB"), "JPEG", progressive=True, exif=bytes.fromhex("45786966000049492a0008000000")),
        encoded(colour, "WEBP", lossless=True),
        encoded(digit, "WEBP", quality=60),
        encoded(digit, "GIF"),
        encoded(digit, "GIF", save_all=True, append_images=[drawn(4, side=40)]),
        encoded(digit, "BMP"),
        encoded(digit.convert("1"), "BMP"),
        *(
            encoded(colour.convert("RGB"), "TIFF", compression=how)
            for how in (None, "tiff_lzw", "tiff_deflate", "jpeg")
        ),
        encoded(digit.convert("1"), "TIFF", compression="group4"),
        encoded(colour, "AVIF"),
    ]


def mutant(rng: np.random.Generator, files: list[bytes]) -> bytes:
    """One of the files with bytes changed, cut out, doubled, cut off or taken from another file."""
    data = bytearray(files[rng.integers(len(files))])
    for _ in range(rng.integers(1, 6)):
        here = int(rng.integers(len(data)) if rng.random() < 0.5 else rng.integers(min(64, len(data))))
        length = int(rng.integers(1, 40))
        match rng.integers(6):
            case 0:
                data[here] ^= 1 << int(rng.integers(8))
            case 1:
                data[here : here + length] = rng.bytes(length)
            case 2:
                del data[here : here + length]
            case 3:
                data[here:here] = data[here : here + length] * int(rng.integers(1, 30))
            case 4:
                data[here : here + 4] = [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"][rng.integers(3)]
            case 5:
                other = files[rng.integers(len(files))]
                data[here:] = other[here:]
        if len(data) < 8:
            break
    return bytes(data)
