"""From a drawing through consent and verdict to a sample in the database, and back out of it."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, WebSocketRoute, expect

from tests.browser.conftest import SECONDS, opened, pictures_of, visitor
from tests.browser.drawing import draw
from tests.browser.servers import App
from tests.browser.test_draw import PHONE
from tests.browser.test_number import LEFT, RIGHT, Corrections
from tests.browser.test_pages import serious

ADMIN = "an-admins-key"


class Samples:
    """A look at the file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def rows(self, what: str = "label, answer, source") -> list[Any]:
        """Those that there are by now: with the first comes the file, and then the table."""
        try:
            with closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)) as database:
                return database.execute(f"select {what} from samples order by time, id").fetchall()
        except sqlite3.OperationalError:
            return []

    def end_with(self, page: Page, *rows: tuple[str, str, str]) -> None:
        """Wait until the last of them are these, however they are ordered, and the page says so."""
        deadline = time.monotonic() + SECONDS
        while sorted(self.rows()[-len(rows) :]) != sorted(rows) and time.monotonic() < deadline:
            page.wait_for_timeout(50)
        assert sorted(self.rows()[-len(rows) :]) == sorted(rows)
        expect(page.get_by_text("Thank you. It is kept.")).to_be_visible()


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return Samples(tmp_path_factory.mktemp("samples") / "samples.sqlite3")


@pytest.fixture(scope="module")
def keeping(samples: Samples) -> Iterator[App]:
    """An app that keeps samples."""
    with App(DIGITS_LOG_LEVEL="warning", DIGITS_SAMPLES_DATABASE=str(samples.file), DIGITS_ADMIN_KEYS=ADMIN) as app:
        yield app


@pytest.fixture
def drawer(context: BrowserContext, keeping: App) -> Page:
    return opened(context, keeping)


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def agree(page: Page) -> None:
    button(page, "Yes, keep them").click()
    expect(button(page, "Right")).to_be_visible()


def test_from_consent_to_a_sample_and_back(drawer: Page, samples: Samples, keeping: App) -> None:
    before = len(samples.rows())
    draw(drawer, "7")
    expect(drawer.get_by_text("May your drawings be kept")).to_be_visible()
    expect(button(drawer, "Right")).to_have_count(0)
    agree(drawer)
    button(drawer, "Right").click()
    expect(button(drawer, "Right")).to_have_attribute("aria-pressed", "true")
    samples.end_with(drawer, ("7", "7", "canvas"))
    drawer.get_by_label("It is…").select_option("1")
    expect(button(drawer, "Right")).to_have_attribute("aria-pressed", "false")
    samples.end_with(drawer, ("1", "7", "canvas"))
    drawer.reload()
    expect(button(drawer, "Right")).to_be_visible()
    expect(drawer.get_by_text("May your drawings be kept")).to_have_count(0)
    button(drawer, "No character").click()
    samples.end_with(drawer, ("", "7", "canvas"))
    button(drawer, "Delete my drawings").click()
    expect(drawer.get_by_text("1 drawing was deleted.")).to_be_visible()
    assert len(samples.rows()) == before
    button(drawer, "Right").click()
    samples.end_with(drawer, ("7", "7", "canvas"))


def test_who_does_not_agree_is_asked_no_more_and_nothing_is_kept(drawer: Page, keeping: App) -> None:
    draw(drawer, "3")
    button(drawer, "No").click()
    expect(drawer.get_by_text("Your drawings are not kept.")).to_be_visible()
    later = opened(drawer.context, keeping, "upload")
    later.locator("input[type=file]").set_input_files(pictures_of("5"))
    expect(later.locator(".answer-label")).to_have_text("5")
    expect(later.get_by_text("Your drawings are not kept.")).to_be_visible()
    expect(button(later, "Right")).to_have_count(0)
    assert {one["name"] for one in drawer.context.cookies()} >= {"consent"}
    assert "visitor" not in {one["name"] for one in drawer.context.cookies()}


def test_consent_taken_back_in_one_tab_is_in_all(drawer: Page, samples: Samples, keeping: App) -> None:
    draw(drawer, "7")
    agree(drawer)
    other = opened(drawer.context, keeping)
    draw(other, "3")
    expect(button(other, "Right")).to_be_visible()
    before = samples.rows()
    button(drawer, "Keep no more").click()
    expect(drawer.get_by_text("Your drawings are not kept.")).to_be_visible()
    button(other, "Right").click()
    expect(other.get_by_text("Your drawings are not kept.")).to_be_visible()
    expect(button(other, "Right")).to_have_count(0)
    assert samples.rows() == before
    button(other, "Keep them").click()
    button(other, "Right").click()
    samples.end_with(other, ("3", "3", "canvas"))


def test_an_uploaded_picture_is_kept_as_one(drawer: Page, samples: Samples, keeping: App) -> None:
    draw(drawer, "3")
    agree(drawer)
    later = opened(drawer.context, keeping, "upload")
    later.locator("input[type=file]").set_input_files(pictures_of("5"))
    button(later, "Right").click()
    samples.end_with(later, ("5", "5", "upload"))


def test_by_keyboard_alone(drawer: Page, samples: Samples) -> None:
    draw(drawer, "3")
    button(drawer, "Yes, keep them").focus()
    drawer.keyboard.press("Enter")
    expect(button(drawer, "Right")).to_be_visible()
    button(drawer, "Right").focus()
    drawer.keyboard.press("Tab")
    expect(drawer.get_by_label("It is…")).to_be_focused()
    drawer.keyboard.type("8")
    expect(drawer.get_by_label("It is…")).to_have_value("8")
    samples.end_with(drawer, ("8", "3", "canvas"))
    expect(drawer.get_by_label("It is…")).to_be_focused()


def test_a_click_that_is_lost_on_its_way_is_sent_again(context: BrowserContext, keeping: App, samples: Samples) -> None:
    page, lost, losing = context.new_page(), list[str | bytes](), list[bool]()

    def lose(route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        route.on_message(lambda message: lost.append(message) if losing else server.send(message))

    page.route_web_socket("**/_stcore/stream", lose)
    page.goto(keeping.page_url)
    page.locator("canvas").wait_for()
    draw(page, "4")
    agree(page)
    losing.append(True)
    button(page, "Right").click()
    expect(button(page, "Right")).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(500)
    losing.clear()
    samples.end_with(page, ("4", "4", "canvas"))
    assert lost


def test_a_number_is_kept_as_its_characters(context: BrowserContext, keeping: App, samples: Samples) -> None:
    page = opened(context, keeping, "number")
    page.get_by_role("application").wait_for()
    draw(page, "3", at=LEFT)
    draw(page, "5", at=RIGHT)
    expect(page.locator(".st-key-answer .answer-label")).to_have_text("35")
    agree(page)
    Corrections(page)
    field = page.get_by_label("What it says")
    field.fill("38")
    field.press("Enter")
    expect(page.locator(".st-key-answer .answer-label")).to_have_text("38")
    button(page, "Right").click()
    samples.end_with(page, ("3", "3", "number"), ("8", "5", "number"))


def test_the_answer_stays_where_nothing_can_be_kept(browser: Browser, tmp_path: Path) -> None:
    with App(DIGITS_LOG_LEVEL="error", DIGITS_SAMPLES_DATABASE=str(tmp_path / "none" / "of" / "these")) as app:
        context = visitor(browser)
        page = opened(context, app)
        draw(page, "7")
        agree(page)
        button(page, "Right").click()
        expect(page.get_by_text("This could not be kept")).to_be_visible()
        expect(page.locator(".st-key-answer .answer-label")).to_have_text("7")
        context.close()


def test_a_server_that_starts_again_does_nothing_again(browser: Browser, tmp_path: Path) -> None:
    """It is told what the page's widgets say: a wish to delete that was heard, and verdicts of before it."""
    samples = Samples(tmp_path / "samples.sqlite3")
    with App(DIGITS_LOG_LEVEL="error", DIGITS_SAMPLES_DATABASE=str(samples.file)) as app:
        context = visitor(browser)
        page = opened(context, app)
        draw(page, "7")
        agree(page)
        button(page, "Right").click()
        samples.end_with(page, ("7", "7", "canvas"))
        button(page, "Delete my drawings").click()
        expect(page.get_by_text("1 drawing was deleted.")).to_be_visible()
        page.get_by_label("It is…").select_option("1")
        samples.end_with(page, ("1", "7", "canvas"))
        app.page.stop()
        app.page.start()
        button(page, "Clear").click()
        draw(page, "3")
        expect(page.locator(".st-key-answer .answer-label")).to_have_text("3")
        button(page, "No character").click()
        samples.end_with(page, ("1", "7", "canvas"), ("", "3", "canvas"))
        context.close()


def test_without_samples_the_page_is_as_before(page: Page) -> None:
    draw(page, "7")
    expect(page.locator(".answer-label")).to_have_text("7")
    page.locator(".stApp[data-test-script-state=notRunning]").wait_for()
    expect(page.get_by_text("May your drawings be kept")).to_have_count(0)
    expect(page.locator(".st-key-keeping")).to_have_count(0)


def test_on_a_phone_nothing_is_wider_than_it_and_all_is_reached(browser: Browser, keeping: App) -> None:
    context = visitor(browser, **PHONE | {"viewport": {"width": 360, "height": 740}})
    page = opened(context, keeping)
    draw(page, "2")
    agree(page)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.wait_for_timeout(500)
        assert not serious(page), scheme
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
