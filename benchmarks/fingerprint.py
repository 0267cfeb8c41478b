"""What every picture becomes, as hashes, so that a change of the reading code shows each picture that it touches.

    python -m benchmarks.fingerprint --data DIR --write before.json      # before the change
    python -m benchmarks.fingerprint --data DIR --against before.json    # after it

Read are all sets of `training.evaluate`, and thousands of broken files as strangers send them. A refusal counts by its
kind. Hashes are the same on the same machine with the same versions: Pillow, NumPy and BLAS differ in last bits.
"""

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

from app.reading.picture import ReadingError, decode
from app.reading.pipeline import glyph_of
from tests.support.broken_files import broken_files
from training.evaluation_sets import of_digits
from training.progress import console, track

BROKEN_FILES = 5120


def fingerprint(data: bytes) -> str:
    """Of an encoded picture's glyph, to the bit, or of the kind of its refusal."""
    try:
        content = glyph_of(decode(data)).pixels.tobytes()
    except ReadingError as refusal:
        content = type(refusal).__name__.encode()
    return hashlib.sha256(content).hexdigest()[:12]


@cache
def _broken_files() -> list[bytes]:
    return broken_files(BROKEN_FILES)


def _broken_file(index: int) -> bytes:
    return _broken_files()[index]


def _of_file(file: Callable[[int], bytes], index: int) -> str:
    return fingerprint(file(index))


def fingerprints(data: Path, count: int | None, only: str) -> dict[str, list[str]]:
    """Of all pictures, by set."""
    corpus: list[tuple[str, int, Callable[[int], bytes]]] = [("broken files", BROKEN_FILES, _broken_file)]
    corpus += [(one.name, len(one.labels), one.file) for one in of_digits(data)]
    found = {}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for name, size, file in corpus:
            if only in name:
                indices = range(min(size, count or size))
                work = pool.map(partial(_of_file, file), indices, chunksize=max(8, len(indices) // 32))
                found[name] = list(track(work, name, len(indices)))
    return found


def report(found: dict[str, list[str]], before: dict[str, list[str]]) -> bool:
    """Say which pictures changed; whether any did."""
    changed = False
    for name, now in found.items():
        then = before.get(name, [])
        differing = [i for i, pair in enumerate(zip(now, then, strict=False)) if pair[0] != pair[1]]
        changed |= bool(differing) or len(then) < len(now)
        where = f": {', '.join(map(str, differing[:10]))}{' ...' if len(differing) > 10 else ''}" if differing else ""
        console.print(f"{name:34} {len(differing):6} of {min(len(now), len(then)):6} changed{where}")
    return changed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder with the data sets (%(default)s)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="keep the hashes in this file")
    parser.add_argument("--against", type=Path, metavar="FILE", help="compare with those; exit with 1 if any differ")
    parser.add_argument("--only", default="", metavar="TEXT", help="only sets whose name contains this")
    parser.add_argument("--count", type=int, metavar="N", help="only the first N pictures of each set")
    args = parser.parse_args()
    found = fingerprints(args.data, args.count, args.only)
    for name, hashes in found.items():
        console.print(f"{name:34} {hashlib.sha256(''.join(hashes).encode()).hexdigest()[:16]} {len(hashes):6}")
    if args.write:
        args.write.write_text(json.dumps(found))
    if args.against and report(found, json.loads(args.against.read_text())):
        sys.exit("Some pictures are read otherwise than before.")


if __name__ == "__main__":
    main()
