"""Give memory back: a large picture's is freed at once and should not stay with the process."""

import ctypes
import sys
from typing import Final

_M_MMAP_THRESHOLD: Final = -3
_LARGE: Final = 1024 * 1024


def return_large_blocks() -> None:
    """Have the C library take blocks of a megabyte and more from the system, and return them when they are freed.

    glibc would raise that bound itself to 32 MB with the first large picture, and then keep what it has. Elsewhere
    this does nothing.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_MMAP_THRESHOLD, _LARGE)
