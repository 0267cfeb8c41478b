"""An admin looks after samples by keyboard, and everybody sees whether answers have drifted."""

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from app.drift import FEWEST
from tests.browser.conftest import SECONDS, opened, visitor
from tests.browser.servers import App
from tests.browser.test_draw import PHONE
from tests.browser.test_pages import serious
from tests.support.pictures import drawn, encoded

KEY = "an-admins-key"
SAMPLES = [("7", "1", "0.4"), ("5", "5", "0.5"), ("3", None, "0.6"), ("8", "8", "0.7"), ("2", "2", "0.99")]
"""What was drawn, what somebody has called it, and how sure the answer was; the most doubtful first."""


class Kept:
    """An app with samples, and a look at its file."""

    def __init__(self, app: App, file: Path) -> None:
        self.app, self._file = app, file

    def row(self, drawing: str) -> Any:
        """Its label, and whether that was reviewed; nothing where it was deleted."""
        with closing(sqlite3.connect(f"file:{self._file}?mode=ro", uri=True)) as database:
            return database.execute("select label, reviewed from samples where answer = ?", (drawing,)).fetchone()

    def becomes(self, page: Page, drawing: str, label: str | None) -> None:
        """Wait until the drawing has this label, of an admin's; with None, until it is gone."""
        wanted = None if label is None else (label, 1)
        deadline = time.monotonic() + SECONDS
        while self.row(drawing) != wanted and time.monotonic() < deadline:
            page.wait_for_timeout(50)
        assert self.row(drawing) == wanted


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    file = tmp_path / "samples.sqlite3"
    with App(DIGITS_LOG_LEVEL="warning", DIGITS_SAMPLES_DATABASE=str(file), DIGITS_ADMIN_KEYS=KEY) as app:
        for drawing, label, confidence in SAMPLES:
            form = {"answer": drawing, "confidence": confidence, "source": "canvas"}
            requests.post(
                f"{app.api_url}/samples/",
                files={"file": ("picture", encoded(drawn(int(drawing))))},
                data=form if label is None else form | {"label": label},
                timeout=30,
            ).raise_for_status()
        yield Kept(app, file)


def entered(page: Page) -> Page:
    page.get_by_label("Admin key").fill(KEY)
    page.get_by_role("button", name="Open").click()
    page.locator(".tile").first.wait_for()
    return page


def tile(page: Page, answer: str) -> Locator:
    return page.locator(".tile").filter(has_text=f"answer: {answer} ")


def answers(page: Page) -> list[str]:
    """Of the tiles, in their order."""
    return [re.findall(r"answer: (\S)", text)[0] for text in page.locator(".tile").all_inner_texts()]


def test_samples_are_reviewed_by_keyboard_alone(context: BrowserContext, kept: Kept) -> None:
    page = entered(opened(context, kept.app, "review"))
    assert answers(page) == ["7", "5", "3", "8", "2"]
    page.locator(".tile").first.focus()
    page.keyboard.press("7")
    expect(tile(page, "5")).to_be_focused()
    page.keyboard.press("Enter")
    expect(tile(page, "3")).to_be_focused()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Backspace")
    expect(tile(page, "2")).to_be_focused()
    page.keyboard.press("Delete")
    expect(page.get_by_text("Press Delete once more to delete 1 for good.")).to_be_visible()
    page.keyboard.press("Delete")
    for drawing, label in (("7", "7"), ("5", "5"), ("3", ""), ("8", ""), ("2", None)):
        kept.becomes(page, drawing, label)
    expect(page.get_by_role("button", name="Next ones")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("There is nothing of this kind any more.")).to_be_visible()


def test_likely_errors_of_labels_come_first_and_others_are_filtered(context: BrowserContext, kept: Kept) -> None:
    page = entered(opened(context, kept.app, "review"))
    page.get_by_role("radio", name="Likely label errors").click()
    expect(page.locator(".tile").first).to_contain_text("answer: 7 ")
    page.get_by_role("combobox", name="Verdict").click()
    page.get_by_role("option", name="Corrected").click()
    expect(page.locator(".tile")).to_have_count(1)
    assert answers(page) == ["7"]


def test_the_page_is_for_admins(context: BrowserContext, kept: Kept) -> None:
    page = opened(context, kept.app, "review")
    expect(page.get_by_role("link", name="Samples")).to_have_count(0)
    page.get_by_label("Admin key").fill("a-guess")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_text("This is not an admin key.")).to_be_visible()
    expect(page.locator(".tile")).to_have_count(0)
    entered(page)
    expect(page.get_by_role("link", name="Samples")).to_be_visible()


def test_a_finger_chooses_and_nothing_is_wider_than_a_phone(browser: Browser, kept: Kept) -> None:
    context = visitor(browser, **PHONE | {"viewport": {"width": 360, "height": 740}})
    page = entered(opened(context, kept.app, "review"))
    tile(page, "3").tap()
    page.get_by_role("button", name="4", exact=True).tap()
    kept.becomes(page, "3", "4")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.wait_for_timeout(500)
        assert not serious(page), scheme
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_health_warns_of_what_is_always_the_same(context: BrowserContext, kept: Kept) -> None:
    page = opened(context, kept.app, "health-of-model")
    expect(page.get_by_text("0 answers so far.")).to_be_visible()
    files = [("files", ("picture", encoded(drawn(2))))] * 20
    for _ in range(FEWEST // 20):
        requests.post(f"{kept.app.api_url}/predict/batch/", files=files, timeout=60).raise_for_status()
    page.reload()
    expect(page.get_by_text("Some characters are answered far more or far less often")).to_be_visible()
    expect(page.locator(".watched li").filter(has_text=re.compile(r"^2")).first).to_contain_text("100.0%")
    row = page.get_by_role("row").filter(has_text="Characters")
    expect(row).to_contain_text("yes")
    today = page.get_by_role("table").last
    expect(today).to_contain_text("25.0%")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.wait_for_timeout(500)
        assert not serious(page), scheme
