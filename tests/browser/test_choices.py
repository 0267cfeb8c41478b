"""An alphabet and a language are chosen, and remembered."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import opened, visitor
from tests.browser.drawing import draw, draw_stroke
from tests.browser.servers import App

TEN = [[(0.1, 0.5), (0.5, 0.5), (0.9, 0.5)], [(0.5, 0.1), (0.5, 0.5), (0.5, 0.9)]]
"""十, a bar and a stick across it."""


@pytest.fixture
def reader(browser: Browser, app: App) -> Iterator[Page]:
    """Somebody whose browser asks for Ukrainian."""
    context = visitor(browser, locale="uk-UA")
    yield opened(context, app)
    context.close()


def choose(page: Page, what: str, option: str) -> None:
    page.get_by_label(what, exact=True).locator("visible=true").select_option(label=option)


def test_a_numeral_is_drawn_and_named(page: Page) -> None:
    choose(page, "Alphabet", "Chinese numerals")
    expect(page.locator(".lead")).to_contain_text("零")
    for stroke in TEN:
        draw_stroke(page, stroke)
    expect(page.locator(".st-key-answer .answer-label")).to_have_text("十")
    expect(page.locator(".answer-name")).to_have_text("ten, shí")


def test_a_drawing_is_answered_by_the_alphabet_chosen_after_it_and_that_is_remembered(page: Page, app: App) -> None:
    draw(page, "7")
    expect(page.locator(".st-key-answer .answer-label")).to_have_text("7")
    choose(page, "Alphabet", "Chinese numerals")
    expect(page.locator(".st-key-answer .answer-label")).not_to_have_text("7")
    page.get_by_role("link", name="Upload").click()
    expect(page.get_by_label("Alphabet", exact=True)).to_have_value("chinese")
    page.reload()
    expect(page.get_by_label("Alphabet", exact=True)).to_have_value("chinese")
    later = opened(page.context, app)
    expect(later.get_by_label("Alphabet", exact=True)).to_have_value("chinese")


def test_the_browsers_language_is_spoken(reader: Page) -> None:
    expect(reader.locator("h1")).to_have_text("Малюйте й підніміть перо")
    expect(reader.locator("html")).to_have_attribute("lang", "uk")
    expect(reader.get_by_role("button", name="Стерти")).to_be_visible()
    draw(reader, "7")
    expect(reader.locator(".answer-words")).to_contain_text("Майже напевно")


def test_another_language_is_chosen_and_remembered(reader: Page) -> None:
    choose(reader, "Мова", "简体中文")
    expect(reader.get_by_role("button", name="清空")).to_be_visible()
    reader.reload()
    expect(reader.get_by_role("button", name="清空")).to_be_visible()
    expect(reader.locator("html")).to_have_attribute("lang", "zh-Hans")
