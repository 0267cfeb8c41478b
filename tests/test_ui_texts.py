"""The page in its visitors' languages: whole catalogues, a font that has their characters, and which one it is."""

import ast
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po

from app.ui import fonts, texts
from app.ui.texts import LANGUAGES, LOCALE
from training import font

ROOT = Path(__file__).parent.parent
MARKS = ("_", "N_", "ngettext", "pgettext")
FILES = {language: LOCALE / language.replace("-", "_") / "LC_MESSAGES" / "page.po" for language in list(LANGUAGES)[1:]}


def catalogue(language: str) -> Catalog:
    return read_po(BytesIO(FILES[language].read_bytes()), locale=language.replace("-", "_"))


def messages(language: str) -> list[Message]:
    return [message for message in catalogue(language) if message.id]


def forms(text: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def written() -> set[tuple[str, str | None]]:
    """Every text that the page's code marks, and its context."""
    found: set[tuple[str, str | None]] = set()
    for file in (ROOT / "app" / "ui").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
                given = [part.value for part in node.args if isinstance(part, ast.Constant)]
                if given:
                    *context, text = given[:2] if node.func.id == "pgettext" else given[:1]
                    found.add((str(text), str(context[0]) if context else None))
    return found


@pytest.mark.parametrize("language", FILES)
def test_every_text_of_the_page_is_translated(language: str) -> None:
    known = {(forms(one.id)[0], one.context or None) for one in messages(language)}
    assert not written() ^ known, "make texts brings them in step; it does not look into f-strings"
    untranslated = [one.id for one in messages(language) if one.fuzzy or not all(forms(one.string))]
    assert not untranslated
    assert not catalogue(language).obsolete


@pytest.mark.parametrize("language", FILES)
def test_translations_fill_in_the_same(language: str) -> None:
    for message in messages(language):
        for form in forms(message.string):
            assert set(re.findall(r"{\w*}", form)) == set(re.findall(r"{\w*}", forms(message.id)[-1])), message.id
        wanted = get_plural(language.replace("-", "_"))[0] if message.pluralizable else 1
        assert len(forms(message.string)) == wanted


@pytest.mark.parametrize("language", FILES)
def test_what_is_served_is_what_is_written(language: str) -> None:
    compiled = read_mo(BytesIO(FILES[language].with_suffix(".mo").read_bytes()))
    served = {(forms(one.id)[0], one.context): forms(one.string) for one in compiled if one.id}
    assert served == {(forms(one.id)[0], one.context): forms(one.string) for one in messages(language)}


def test_the_font_has_all_that_needs_it() -> None:
    assert font.needed() <= font.covered(fonts.FILE)


@pytest.mark.parametrize(
    ("cookies", "accepted", "language"),
    [
        ({}, "", "en"),
        ({}, "uk-UA,uk;q=0.9,en;q=0.8", "uk"),
        ({}, "fr,zh-TW;q=0.7,en;q=0.3", "zh-Hans"),
        ({}, "fr;q=0.9", "en"),
        ({}, "uk;q=0,en;q=0.1", "en"),
        ({}, "uk;q=much", "en"),
        ({"language": "zh-Hans"}, "uk", "zh-Hans"),
        ({"language": "../../etc"}, "uk", "uk"),
    ],
)
def test_the_browsers_language_decides_until_one_is_chosen(
    cookies: dict[str, str], accepted: str, language: str
) -> None:
    assert texts.of_visitor(cookies, {"Accept-Language": accepted}) == language


def test_pictures_of_training_show_chinese_labels(tmp_path: Path) -> None:
    program = (
        "import sys, warnings; warnings.simplefilter('error'); import numpy as np; from pathlib import Path; from training import pictures;"
        "pictures.confusion(np.eye(2), np.arange(2), ['千', 'ї'], Path(sys.argv[1]))"
    )
    drawn = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "a.png")], cwd=ROOT, capture_output=True, text=True
    )
    assert drawn.returncode == 0, drawn.stderr
