"""Members of ZIP archives that Python's own module has packed, found and taken out, and refused with a reason."""

import io
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from app.cli import archives
from app.cli.archives import BrokenArchive, Member
from app.cli.items import Item, Unreadable

LARGEST = 1 << 20


def written(file: Path, members: dict[str, bytes], front: bytes = b"", comment: bytes = b"") -> Path:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = comment
        for name, data in members.items():
            archive.writestr(name, data, zipfile.ZIP_STORED if name.startswith("stored") else None)
    file.write_bytes(front + packed.getvalue())
    return file


MEMBERS = {
    "a.png": b"a" * 5000,
    "folder/": b"",
    "folder/шість.png": bytes(range(256)) * 9,
    "stored": b"x",
    "empty": b"",
}


@pytest.mark.parametrize("front", [b"", b"#!/bin/sh\n" * 100])
@pytest.mark.parametrize("comment", [b"", b"PK\5\6 is how an end begins", b"c" * 65_535])
def test_what_python_has_packed(tmp_path: Path, front: bytes, comment: bytes) -> None:
    file = written(tmp_path / "a.zip", MEMBERS, front, comment)
    found = {one.name: archives.load(one, LARGEST) for one in archives.members(str(file))}
    assert found == {name: data for name, data in MEMBERS.items() if not name.endswith("/")}


@pytest.mark.parametrize("front", [b"", b"#!/bin/sh\n"])
def test_more_members_than_sixteen_bits_count(tmp_path: Path, front: bytes) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for place in range(66_000):
            archive.writestr(zipfile.ZipInfo(f"{place}.png"), b"%d" % place)
    (tmp_path / "a.zip").write_bytes(front + (tmp_path / "a.zip").read_bytes())
    found = list(archives.members(str(tmp_path / "a.zip")))
    assert len(found) == 66_000
    assert archives.load(found[65_999], LARGEST) == b"65999"


def test_numbers_of_64_bits(tmp_path: Path) -> None:
    """A list whose entry has its sizes and its place in the further field, as archives of gigabytes have it."""
    file = written(tmp_path / "a.zip", {"a.png": b"a" * 5000})
    data = file.read_bytes()
    start = data.index(b"PK\1\2")
    fields = list(archives._ENTRY.unpack_from(data, start))
    packed, size, place = fields[8], fields[9], fields[-1]
    extra = struct.pack("<2HH", 99, 2, 7) + struct.pack("<2H3Q", 1, 24, size, packed, place)
    fields[8] = fields[9] = fields[-1] = 0xFFFFFFFF
    fields[11] = len(extra)
    entry = archives._ENTRY.pack(*fields) + b"a.png" + extra
    end = archives._END.pack(b"PK\5\6", 0, 0, 1, 1, len(entry), start, 0)
    file.write_bytes(data[:start] + entry + end)
    (member,) = archives.members(str(file))
    assert archives.load(member, LARGEST) == b"a" * 5000


@pytest.mark.parametrize("data", [b"", b"PK\5\6", b"PK\5\6" + b"\xff" * 18, b"x" * 100_000])
def test_what_is_no_archive(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(BrokenArchive):
        list(archives.members(str(tmp_path / "a.zip")))


def changed(member: Member, **changes: object) -> Member:
    return Member(**{name: getattr(member, name) for name in Member.__slots__} | changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"encrypted": True}, "it is encrypted"),
        ({"method": 12}, "its compression, number 12, is not known here"),
        ({"size": 1 << 40}, "it is larger than"),
        ({"size": 100}, "it is damaged"),
        ({"checksum": 1}, "it is damaged"),
        ({"place": 7}, "its header is broken"),
        ({"place": 1 << 30}, "it is cut off"),
        ({"packed": 5}, "it is damaged"),
        ({"archive": "gone.zip"}, "No such file"),
    ],
)
def test_a_member_that_cannot_be_taken_out_says_why(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    (member,) = archives.members(str(written(tmp_path / "a.zip", {"a.png": b"a" * 5000})))
    with pytest.raises(Unreadable, match=said):
        Item("a.png", changed(member, **changes)).load()


def test_a_bomb_is_not_unpacked_further_than_it_says(tmp_path: Path) -> None:
    (member,) = archives.members(str(written(tmp_path / "a.zip", {"a.png": bytes(100_000_000)})))
    tracemalloc.start()
    with pytest.raises(BrokenArchive, match="damaged"):
        archives.load(changed(member, size=1000), LARGEST)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2_000_000
