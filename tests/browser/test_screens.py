"""Small windows, large type, high contrast, and a keyboard: all of the pad is in sight and can be told apart."""

import io
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import opened, visitor
from tests.browser.drawing import draw
from tests.browser.servers import App

WINDOWS = {
    "desktop": (1280, 800),
    "desktop at 200%": (640, 400),
    "phone": (390, 844),
    "small phone": (320, 568),
    "phone on its side": (844, 390),
}

STEPS = 40
"""Presses of Tab that go once around."""

FOCUS = """() => {
  let element = document.activeElement;
  while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  const { outlineStyle, outlineWidth, boxShadow, borderColor } = getComputedStyle(element);
  const { width, height } = element.getBoundingClientRect();
  return { name: element.outerHTML.slice(0, 120), heading: Boolean(element.closest("h1, h2, h3")), body: element === document.body,
    seen: (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none", width, height };
}"""


def drawn(browser: Browser, app: App, **screen: Any) -> Page:
    page = opened(visitor(browser, **screen), app)
    draw(page, "5")
    expect(page.locator(".answer-label")).to_have_text("5")
    return page


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS.keys())
def test_pad_and_answer_are_in_sight_together(browser: Browser, app: App, window: tuple[int, int]) -> None:
    width, height = window
    page = drawn(browser, app, viewport={"width": width, "height": height})
    page.locator(".st-key-details .chart").wait_for()
    for part in (page.get_by_role("application"), page.locator(".answer"), page.get_by_role("button", name="Clear")):
        box = part.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height, part
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_paper_s_edge_stands_out(browser: Browser, app: App, scheme: str) -> None:
    """By 3:1 from the paper and from the page, as WCAG 1.4.11 asks."""
    page = opened(visitor(browser, color_scheme=scheme), app)
    box = page.get_by_role("application").bounding_box()
    assert box
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    row = [picture.getpixel((round(box["x"]) + dx, round(box["y"] + box["height"] / 2))) for dx in range(-4, 8)]
    beyond, paper = _luminance(row[0]), _luminance(row[-1])
    for beside in (beyond, paper):
        assert max(_contrast(_luminance(pixel), beside) for pixel in row) >= 3
    page.context.close()


def test_high_contrast_keeps_edges_and_bars(browser: Browser, app: App) -> None:
    page = drawn(browser, app, forced_colors="active")
    border = "e => getComputedStyle(e).borderTopStyle"
    assert page.get_by_role("application").evaluate(border) == "solid"
    for part in (".answer", ".chart .best i"):
        assert page.locator(part).evaluate(border) == "solid", part
    bar = page.locator(".chart .best i")
    assert "gradient" in bar.evaluate("e => getComputedStyle(e).backgroundImage")
    page.context.close()


def test_every_stop_of_the_keyboard_is_seen_large_enough_and_no_heading(browser: Browser, app: App) -> None:
    page = drawn(browser, app)
    page.locator(".st-key-details .chart").wait_for()
    page.mouse.click(5, 500)
    names = set()
    for _ in range(STEPS):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        if focus["body"] or focus["name"] in names:
            continue
        names.add(focus["name"])
        assert focus["seen"], focus
        assert not focus["heading"], focus
        assert min(focus["width"], focus["height"]) >= 24, focus
    assert len(names) >= 10
    page.context.close()


def _luminance(pixel: Any) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in pixel)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)
