"""A folder of pictures for each label, as `torchvision.datasets.ImageFolder` has it.

Each picture is read as a request's is. What cannot be read, is blank or is there twice is left out and named; where too
little is left to learn from, the program ends with what to do.
"""

import hashlib
import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

import numpy as np

from app.reading.glyphs import Cleaning
from app.reading.picture import ReadingError, decode
from app.reading.pipeline import BlankImage, glyph_of
from training import splits
from training.datasets import GlyphSet, Pictures
from training.progress import console, track
from training.splits import Split

FEWEST, FEW = 8, 20
"""Pictures of a label that can be read: with fewer than the first nothing is learned, with fewer than the second not
much."""

UNEVEN = 10
"""How many times as many pictures as another label has are worth a warning."""

LONGEST_LABEL = 20
"""Characters."""

_NO_PICTURES = ("Thumbs.db", "desktop.ini", "__MACOSX")
"""What file managers put into folders, beside hidden files."""

_LAYOUT = "It has a folder for each label, named by it, with at least {} pictures, such as {}."


@cache
def read(folder: Path, cleaning: Cleaning) -> Split:
    """All pictures that can be learned from, read once; ends the program where they are too few."""
    files = files_by_label(folder)
    labels = tuple(files)
    listed = [(label, file) for label, name in enumerate(labels) for file in files[name]]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        work = pool.map(partial(_read_file, cleaning), (file for _, file in listed), chunksize=16)
        found = list(track(work, folder.name, len(listed)))
    kept: dict[bytes, tuple[int, Path, Pictures]] = {}
    left_out: dict[str, list[Path]] = defaultdict(list)
    for (label, file), (digest, glyph, trouble) in zip(listed, found, strict=True):
        if glyph is None:
            left_out[trouble].append(file)
        elif digest in kept:
            left_out["The same file is there twice."].append(file)
        else:
            kept[digest] = (label, file, glyph)
    _say_what_is_left_out(left_out, folder)
    numbers = np.array([label for label, _, _ in kept.values()], np.int64)
    _judge(Counter({name: int((numbers == label).sum()) for label, name in enumerate(labels)}))
    everything = GlyphSet.of(np.stack([glyph for _, _, glyph in kept.values()]), numbers)
    training, validation, test = splits.by_content(numbers, list(kept))
    paths = [file for _, file, _ in kept.values()]
    return Split(
        labels,
        everything[training],
        everything[validation],
        everything[test],
        partial(_content, [paths[place] for place in test]),
        numbers[test],
        origin={
            "pictures": {name: int((numbers == label).sum()) for label, name in enumerate(labels)},
            "left_out": sum(map(len, left_out.values())),
            "sha256": _checksum((labels[label], digest) for digest, (label, _, _) in kept.items()),
        },
    )


def files_by_label(folder: Path) -> dict[str, list[Path]]:
    """Label -> the files in its folder and in those inside; ends the program where there are no two labels.

    Labels are folders' names in Unicode's composed form (NFC), which not every file system keeps.
    """
    layout = _LAYOUT.format(FEWEST, folder / "α" / "1.png")
    if not folder.is_dir():
        raise SystemExit(f"There is no folder of pictures {folder}. {layout}")
    files: dict[str, list[Path]] = defaultdict(list)
    loose = []
    for entry in sorted(filter(_is_meant, folder.iterdir())):
        if entry.is_dir():
            label = unicodedata.normalize("NFC", entry.name)
            inside = sorted(entry.rglob("*"))
            files[label] += [
                one for one in inside if one.is_file() and all(map(_is_meant, (one, *one.relative_to(entry).parents)))
            ]
        else:
            loose.append(entry)
    for label in files:
        if len(label) > LONGEST_LABEL or not label.isprintable() or label != label.strip():
            raise SystemExit(
                f"The folder {label!r} cannot be a label: that is what an answer says, of at most {LONGEST_LABEL} "
                "characters, without line breaks or spaces at its ends. Give the folder another name."
            )
    if len(files) < 2:
        there = f"only one label, {next(iter(files))}" if files else "no folder of a label"
        raise SystemExit(f"In {folder} there is {there}; it takes two to tell apart. {layout}")
    if loose:
        _say_what_is_left_out({"What is in no label's folder is not read.": loose}, folder)
    return dict(sorted(files.items()))


def _is_meant(entry: Path) -> bool:
    return entry.name not in _NO_PICTURES and not entry.name.startswith(".")


def _read_file(cleaning: Cleaning, file: Path) -> tuple[bytes, Pictures | None, str]:
    """The file's digest and its glyph, (28, 28) uint8; or, where there is none, a sentence that says why."""
    try:
        data = file.read_bytes()
        glyph = glyph_of(decode(data), cleaning)
    except OSError:
        return b"", None, "The file cannot be opened."
    except BlankImage:
        return b"", None, "The picture is blank."
    except ReadingError as error:
        return b"", None, str(error)
    return hashlib.sha256(data).digest(), np.round(glyph.pixels * 255).astype(np.uint8), ""


def _say_what_is_left_out(left_out: dict[str, list[Path]], folder: Path) -> None:
    for trouble, files in left_out.items():
        names = ", ".join(str(file.relative_to(folder)) for file in files[:3])
        more = f" and {len(files) - 3} more" if len(files) > 3 else ""
        _say(f"Left out: {names}{more}. {trouble}")


def _judge(counts: Counter[str]) -> None:
    """Say what will not be learned well of so many pictures of each label; end the program where nothing would be."""
    (most, largest), (least, smallest) = counts.most_common()[0], counts.most_common()[-1]
    if smallest < FEWEST:
        raise SystemExit(
            f"Too few pictures can be read: {_of_labels(counts, FEWEST)}. At least {FEWEST} of each label are needed, "
            f"and {FEW} are better: add some, or take the label's folder away."
        )
    if smallest < FEW:
        _say(f"Few pictures: {_of_labels(counts, FEW)}. With {FEW} or more of each label, answers are better.")
    if largest > UNEVEN * smallest:
        _say(
            f"There are {largest} pictures of {most} and {smallest} of {least}. Those of rare labels are shown more "
            f"often in training, each label at least a {UNEVEN}th as often as the most frequent; more pictures of them "
            "do better."
        )


def _of_labels(counts: Counter[str], fewer_than: int, shown: int = 10) -> str:
    few = [f"{count} of {label}" for label, count in reversed(counts.most_common()) if count < fewer_than]
    return ", ".join(few[:shown]) + (f" and of {len(few) - shown} more labels" if len(few) > shown else "")


def _say(sentence: str) -> None:
    console.print(sentence, markup=False, soft_wrap=True)


def _content(files: list[Path], index: int) -> bytes:
    return files[index].read_bytes()


def _checksum(pictures: Iterable[tuple[str, bytes]]) -> str:
    """SHA-256 of all labels and pictures, whatever the files are called."""
    whole = hashlib.sha256()
    for label, digest in sorted(pictures):
        whole.update(label.encode() + b"\0" + digest)
    return whole.hexdigest()
