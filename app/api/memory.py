"""Give memory back: a large picture's is freed at once and should not stay with the process."""

import ctypes
import sys
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_LARGE: Final = 1024 * 1024


def return_large_blocks() -> None:
    """Have the C library take blocks of a megabyte and more from the system, and return them when they are freed.

    glibc would raise that bound itself to 32 MB with the first large picture, and then keep what it has. On systems
    without it, this does nothing.

    With that bound given, glibc would also return what is free above the last block in use, from 128 KB on: a drawing's
    arrays, to be taken again, page by page, for the next one. So it keeps as much as is no large block.
    """
    _call("mallopt", _M_MMAP_THRESHOLD, _LARGE)
    _call("mallopt", _M_TRIM_THRESHOLD, _LARGE)


def return_the_rest() -> None:
    """Have it return the smaller blocks that are free, too; that takes a moment."""
    _call("malloc_trim", 0)


def _call(function: str, *arguments: int) -> None:
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), function):
        library[function](*arguments)
