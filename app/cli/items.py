"""One picture of many: what it is called, and where its bytes are."""

import os
import zlib
from dataclasses import dataclass
from typing import Final

from app.cli import archives
from app.cli.archives import BrokenArchive, Member

LARGEST: Final = 256 * 1024 * 1024
"""Bytes of a file; what is larger is no picture that anybody wants to have read."""


class Unreadable(Exception):
    """Its bytes cannot be had; the message says why, to a person."""


@dataclass(frozen=True, slots=True)
class Item:
    """`where`: a file, a member of an archive, or the bytes themselves."""

    name: str
    where: str | Member | bytes

    def load(self) -> bytes:
        """Its bytes. Raises Unreadable."""
        if isinstance(self.where, bytes):
            return self.where
        try:
            return self._of_file(self.where) if isinstance(self.where, str) else archives.load(self.where, LARGEST)
        except OSError as error:
            raise Unreadable(f"The file cannot be read: {error.strerror or error}.") from None
        except (BrokenArchive, zlib.error) as error:
            raise Unreadable(f"It cannot be taken out of the archive: {error}.") from None

    @staticmethod
    def _of_file(name: str) -> bytes:
        """By the system's own calls: what Python puts on top of them takes three times as long."""
        file = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(file).st_size
            if size > LARGEST:
                raise Unreadable(f"The file is larger than {LARGEST // 1024**2} MB.")
            data = os.read(file, size)
            while len(data) < size and (more := os.read(file, size - len(data))):
                data += more
            return data
        finally:
            os.close(file)
