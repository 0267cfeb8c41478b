"""ZIP archives of any size, their lists of members read a piece at a time.

Python's own module holds that list in memory, about a kilobyte for each member, and takes members out in one process.
Here a member is a few numbers, which any process can take out by itself.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Final

_END: Final = struct.Struct("<4s4H2LH")
_END_64_PLACE: Final = struct.Struct("<4sLQL")
_END_64: Final = struct.Struct("<4sQ2H2L4Q")
_ENTRY: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT: Final = 65_535
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _UTF8 = 0x1, 0x800
_ELSEWHERE: Final = 0xFFFFFFFF
"""In the place of a number that stands in the ZIP64 field instead."""


class BrokenArchive(ValueError):
    """It is no ZIP archive, a broken one, or of a kind that is not read; the message says which."""


@dataclass(frozen=True, slots=True)
class Member:
    """`place`: of its local header in the file `archive`; `packed` and `size`: bytes in the archive and taken out."""

    archive: str
    name: str
    place: int
    packed: int
    size: int
    method: int
    checksum: int
    encrypted: bool


def is_archive(name: str) -> bool:
    return name.lower().endswith(".zip")


def members(archive: str) -> Iterator[Member]:
    """The files in an archive, in the order of its list. Raises BrokenArchive and OSError."""
    with Path(archive).open("rb") as file:
        count, start, shift = _list_of(file)
        file.seek(start)
        for _ in range(count):
            member = _member(file, archive, shift)
            if not member.name.endswith("/"):
                yield member


def load(member: Member, largest: int) -> bytes:
    """A member's bytes. Raises BrokenArchive, OSError and zlib.error."""
    if member.encrypted:
        raise BrokenArchive("it is encrypted")
    if member.method not in (_STORED, _DEFLATED):
        raise BrokenArchive(f"its compression, number {member.method}, is not known here")
    if max(member.size, member.packed) > largest:
        raise BrokenArchive(f"it is larger than {largest // 1024**2} MB")
    file = _opened(member.archive)
    file.seek(member.place)
    signature, *_, name, extra = _LOCAL.unpack(_exactly(file, _LOCAL.size))
    if signature != b"PK\3\4":
        raise BrokenArchive("its header is broken")
    file.seek(name + extra, 1)
    data = _exactly(file, member.packed)
    if member.method == _DEFLATED:  # no more than it says, and one byte to tell that there is more
        data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, member.size + 1)
    if len(data) != member.size or zlib.crc32(data) != member.checksum:
        raise BrokenArchive("it is damaged")
    return data


@lru_cache(maxsize=8)
def _opened(archive: str) -> IO[bytes]:
    """Kept open, for the members to come."""
    return Path(archive).open("rb")


def _list_of(file: IO[bytes]) -> tuple[int, int, int]:
    """How many entries the list has, where it begins, and by how much places are off: something may lie in front."""
    length = file.seek(0, 2)
    tail_start = max(0, length - _END.size - _LONGEST_COMMENT)
    file.seek(tail_start)
    tail = file.read()
    found = _end_in(tail)
    _, _, _, _, count, bytes_of_list, place, _ = _END.unpack_from(tail, found)
    end = tail_start + found
    if end >= _END_64_PLACE.size:
        file.seek(end - _END_64_PLACE.size)
        signature, *_ = _END_64_PLACE.unpack(_exactly(file, _END_64_PLACE.size))
        if signature == b"PK\6\7":
            end -= _END_64_PLACE.size + _END_64.size  # not where it says: something may lie in front
            file.seek(max(0, end))
            signature, *_, count, bytes_of_list, place = _END_64.unpack(_exactly(file, _END_64.size))
            if signature != b"PK\6\6":
                raise BrokenArchive("its end is broken")
    start = end - bytes_of_list
    if start < 0 or start < place:
        raise BrokenArchive("its list of members is broken")
    return count, start, start - place


def _end_in(tail: bytes) -> int:
    """Where the record at an archive's end begins: the last whose comment goes to the end. Raises BrokenArchive."""
    found = len(tail)
    while (found := tail.rfind(b"PK\5\6", 0, found)) >= 0:
        if len(tail) - found >= _END.size and found + _END.size + _END.unpack_from(tail, found)[-1] == len(tail):
            return found
    raise BrokenArchive("it is no ZIP archive, or its end is missing")


def _member(file: IO[bytes], archive: str, shift: int) -> Member:
    fields = _ENTRY.unpack(_exactly(file, _ENTRY.size))
    signature, _, _, flags, method, _, _, checksum, packed, size, name_length, extra_length, comment = fields[:13]
    place = fields[-1]
    if signature != b"PK\1\2":
        raise BrokenArchive("its list of members is broken")
    name = _exactly(file, name_length).decode("utf-8" if flags & _UTF8 else "cp437", "surrogateescape")
    extra = _exactly(file, extra_length)
    file.seek(comment, 1)
    if _ELSEWHERE in (size, packed, place):
        size, packed, place = _in_64_bits(extra, size, packed, place)
    return Member(archive, name, place + shift, packed, size, method, checksum, bool(flags & _ENCRYPTED))


def _in_64_bits(extra: bytes, *numbers: int) -> tuple[int, ...]:
    """The numbers, those that stand elsewhere from the ZIP64 field."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        if kind == 1:
            large = iter(struct.unpack_from(f"<{min(length, len(extra) - 4) // 8}Q", extra, 4))
            try:
                return tuple(next(large) if number == _ELSEWHERE else number for number in numbers)
            except RuntimeError:  # there are fewer than are wanted
                break
        extra = extra[4 + length :]
    raise BrokenArchive("its list of members is broken")


def _exactly(file: IO[bytes], count: int) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise BrokenArchive("it is cut off")
    return data
