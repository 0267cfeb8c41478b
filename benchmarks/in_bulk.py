"""What one more picture costs the command line, in processor time: its start is left out."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import drawings
from benchmarks.processes import own_seconds

FEW, MANY = 500, 4500


def measure() -> dict[str, float]:
    """Milliseconds of a core for each picture, by kind."""
    kinds = {"28x28 pixels": drawings.small(), "drawing of 280x280": drawings.canvases()}
    return {kind: _each(pictures) for kind, pictures in kinds.items()}


def _each(pictures: Sequence[bytes]) -> float:
    return 1000 * (_seconds(pictures, MANY) - _seconds(pictures, FEW)) / (MANY - FEW)


def _seconds(pictures: Sequence[bytes], count: int) -> float:
    """Processor seconds that the command takes for so many."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "pictures")
        folder.mkdir()
        for number in range(count):
            (folder / f"{number:05}.png").write_bytes(pictures[number % len(pictures)])
        before = own_seconds()
        command = [
            sys.executable,
            "-m",
            "app.cli",
            "predict",
            str(folder),
            "--output",
            str(Path(name, "answers.jsonl")),
        ]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"})
        return own_seconds() - before
