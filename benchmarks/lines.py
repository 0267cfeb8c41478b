"""What reading a drawing of six digits costs, on one core: `python -m benchmarks.lines --data DIR`.

The peer is reading six drawings of one digit each, of the same writers, with the same code and in the same run.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from app.reading import pipeline
from app.reading.picture import decode, open_file
from app.reading.reader import LINES_FILE, LineReader
from app.reading.recognizer import MODEL_FILE, Recognizer
from training import line_sets
from training.package import installed
from training.progress import console

DIGITS = 6


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lines", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder with the data sets (%(default)s)")
    parser.add_argument("--count", type=int, default=200, help="drawings (%(default)s)")
    args = parser.parse_args()
    model = installed("digits") / MODEL_FILE
    recognizer = Recognizer(model)
    reader = LineReader(recognizer, model.with_name(LINES_FILE))
    sets = {one.name: one for one in line_sets.of_data(args.data)}
    numbers = _drawings(sets["numbers"], DIGITS, args.count)
    singles = _drawings(sets["single digits"], 1, args.count)
    whole = _milliseconds(lambda data: reader.read([pipeline.page_of(decode(data))]), numbers)
    found = _milliseconds(lambda data: pipeline.page_of(decode(data)), numbers)
    single = _milliseconds(lambda data: pipeline.read([open_file(data)], recognizer), singles)
    console.print(f"a drawing of {DIGITS} digits: {whole:.1f} ms, of which {found:.1f} until its candidates are there")
    console.print(f"{DIGITS} drawings of one digit: {DIGITS * single:.1f} ms; ratio {whole / (DIGITS * single):.2f}")


def _drawings(numbers: line_sets.Numbers, digits: int, count: int) -> list[bytes]:
    """The first that have so many digits."""
    made = (numbers.file(index) for index in range(numbers.count))
    return [data for text, data in made if len(text) == digits][:count]


def _milliseconds(work: Callable[[bytes], object], files: list[bytes]) -> float:
    """The median of what the core worked, whatever else ran on it; after a few to warm up."""
    times = []
    for data in [*files[:5], *files]:
        start = time.process_time()
        work(data)
        times.append(1000 * (time.process_time() - start))
    return statistics.median(times[5:])


if __name__ == "__main__":
    main()
