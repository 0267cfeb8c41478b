"""Files of the HEIF family, which say in their first box what they are: AVIF is read, HEIC, an iPhone's, is not."""

from typing import Final

_AVIF: Final = {b"avif", b"avis"}
_HEIC: Final = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
"""Brands of the family; the last two are of its pictures however they are coded."""

_LONGEST = 256
"""Bytes of the box that are looked at."""


def is_avif(data: bytes) -> bool:
    return not _AVIF.isdisjoint(_brands(data))


def is_heic(data: bytes) -> bool:
    return not is_avif(data) and not _HEIC.isdisjoint(_brands(data))


def _brands(data: bytes) -> set[bytes]:
    """The main one, and those that it is compatible with."""
    if data[4:8] != b"ftyp":
        return set()
    box = data[: min(int.from_bytes(data[:4], "big"), _LONGEST)]
    return {box[8:12], *(box[start : start + 4] for start in range(16, len(box), 4))}
