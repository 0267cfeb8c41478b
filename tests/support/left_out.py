"""The absence of what the image leaves out (container/left-out.txt), on a machine that has it.

Else the page could import pandas: that works here, and breaks in the image.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]

PACKAGES = frozenset(
    line.partition("#")[0].strip() for line in (ROOT / "container" / "left-out.txt").read_text().splitlines()
) - {""}

ENVIRONMENT = {"PYTHONPATH": f"{Path(__file__).with_name('image_packages')}:{ROOT}"}
"""What a Python process is to be started with to lack them from its first import on."""


class Absent:
    """An import hook, before all that would find the packages."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if _is_left_out(name):
            raise ModuleNotFoundError(f"No module named {name!r}: the image leaves it out", name=name)
        return None


def leave_out() -> None:
    """For the rest of this process."""
    sys.meta_path.insert(0, Absent())


@contextmanager
def left_out() -> Iterator[None]:
    """For a while, in a process where others have imported them or will."""
    imported = {name: module for name, module in sys.modules.items() if _is_left_out(name)}
    for name in imported:
        del sys.modules[name]
    hook = Absent()
    sys.meta_path.insert(0, hook)
    try:
        yield
    finally:
        sys.meta_path.remove(hook)
        sys.modules.update(imported)


def _is_left_out(name: str) -> bool:
    return name.partition(".")[0] in PACKAGES
