"""Cut from Noto Sans CJK what labels and texts are written with: `python -m training.font`, into app/ui/fonts.

    python -m training.font [--whole /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc]

The whole font is Debian's package fonts-noto-cjk.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

from app.ui import texts
from app.ui.fonts import FAMILY, FILE, RANGES
from training import alphabets

WHOLE = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")


def needed() -> set[str]:
    """Characters within the font's ranges of all alphabets' labels and of all catalogues."""
    written = [
        *(label for name in alphabets.NAMES for label in alphabets.named(name).labels),
        *texts.LANGUAGES.values(),
    ]
    written += (file.read_text() for file in texts.LOCALE.rglob("*.po"))
    return {character for text in written for character in text if _is_within(ord(character), RANGES)}


def _is_within(code: int, ranges: Iterable[tuple[int, int]]) -> bool:
    return any(first <= code <= last for first, last in ranges)


def covered(file: Path) -> set[str]:
    """The characters that a font has."""
    with TTFont(file) as font:
        return set(map(chr, font.getBestCmap()))


def cut(whole: Path, characters: set[str], file: Path) -> None:
    """Write the part of a collection's `FAMILY` that has these characters; it keeps its name and its copyright."""
    with TTCollection(whole) as collection:
        font = next(one for one in collection.fonts if one["name"].getDebugName(1) == FAMILY)
        options = Options(
            name_IDs=["*"], name_languages=[0x409], hinting=False, layout_features=[], notdef_outline=True
        )
        subsetter = Subsetter(options)
        subsetter.populate(text="".join(sorted(characters)))
        subsetter.subset(font)
        font["head"].modified = font["head"].created  # the same characters make the same file
        font.recalcTimestamp = False
        font.save(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--whole", type=Path, default=WHOLE)
    options = parser.parse_args()
    if not options.whole.is_file():
        raise SystemExit(f"There is no {options.whole}. It is in Debian's package fonts-noto-cjk.")
    characters = needed()
    cut(options.whole, characters, FILE)
    print(f"{FILE.name}: {len(characters)} characters, {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
