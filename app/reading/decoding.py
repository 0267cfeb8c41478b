"""What goes wrong in Pillow, which is the picture's fault, told from what goes wrong in our own code, which is ours."""

from collections.abc import Iterator
from contextlib import contextmanager


class Undecodable(Exception):
    """Raised for whatever a decoder has raised: on hostile bytes that is nearly anything."""


@contextmanager
def decoding() -> Iterator[None]:
    """Around calls on an opened file. Raises Undecodable, and MemoryError where there is too little."""
    try:
        yield
    except (MemoryError, Undecodable):
        raise
    except Exception:
        raise Undecodable from None
