"""Drawing in a real browser, and the answer on the screen."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import opened, visitor
from tests.browser.drawing import draw, draw_by_touch, draw_stroke
from tests.browser.servers import App

PHONE = {"viewport": {"width": 375, "height": 740}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}


def answer(page: Page) -> Locator:
    return page.locator(".st-key-answer .answer-label")


def clear(page: Page) -> None:
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("The answer appears here.").wait_for()


@pytest.fixture(scope="module")
def desk(browser: Browser, app: App) -> Iterator[Page]:
    context = visitor(browser)
    yield opened(context, app)
    context.close()


@pytest.fixture(scope="module")
def phone(browser: Browser, app: App) -> Iterator[Page]:
    context = visitor(browser, **PHONE)
    yield opened(context, app)
    context.close()


@pytest.mark.parametrize("digit", "0123456789")
def test_every_digit_by_mouse(desk: Page, digit: str) -> None:
    draw(desk, digit)
    expect(answer(desk)).to_have_text(digit)
    clear(desk)


@pytest.mark.parametrize("digit", "0123456789")
def test_every_digit_by_touch_on_a_phone(phone: Page, digit: str) -> None:
    draw_by_touch(phone, digit)
    expect(answer(phone)).to_have_text(digit)
    clear(phone)


@pytest.mark.parametrize(
    ("size", "at", "brush"), [(0.2, (0.15, 0.15), "10"), (0.9, (0.5, 0.5), "50"), (0.9, (0.5, 0.5), "10")]
)
def test_small_in_a_corner_large_thin_and_thick(desk: Page, size: float, at: tuple[float, float], brush: str) -> None:
    slider = desk.get_by_role("slider", name="Brush")
    slider.fill(brush)
    draw(desk, "5", size, at)
    expect(answer(desk)).to_have_text("5")
    clear(desk)
    slider.fill("25")


def test_the_answer_is_announced_with_the_label_first(desk: Page) -> None:
    draw(desk, "7")
    expect(answer(desk)).to_have_text("7")
    assert desk.get_by_role("status").and_(desk.locator(".st-key-answer")).inner_text().split()[0] == "7"
    clear(desk)


def test_what_the_model_saw_and_what_mattered(desk: Page) -> None:
    draw(desk, "3")
    saw = desk.get_by_role("img", name="The drawing as the model saw it")
    assert saw.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [28, 28]
    desk.get_by_role("button", name="Which pixels mattered?").click()
    desk.get_by_role("img", name="orange where erasing it costs confidence").wait_for()
    expect(answer(desk)).to_have_text("3")
    assert desk.locator(".chart li").count() == 10
    clear(desk)


def test_undo_takes_one_stroke_back_and_clear_can_be_undone(desk: Page) -> None:
    draw_stroke(desk, [(0.5, 0), (0.5, 1)])
    expect(answer(desk)).to_have_text("1")
    draw_stroke(desk, [(0.1, 0), (0.9, 1)])
    desk.get_by_role("button", name="Undo").click()
    expect(answer(desk)).to_have_text("1")
    clear(desk)
    desk.get_by_role("button", name="Undo").click()
    expect(answer(desk)).to_have_text("1")
    clear(desk)


def test_the_eraser_takes_ink_away(desk: Page) -> None:
    draw(desk, "7")
    expect(answer(desk)).to_have_text("7")
    before = desk.locator(".pictures img").first.get_attribute("src")
    desk.get_by_role("button", name="Eraser").click()
    draw_stroke(desk, [(0, 0.6), (1, 0.6)])
    expect(desk.locator(".pictures img").first).not_to_have_attribute("src", before or "")
    clear(desk)


def test_by_keyboard_alone(page: Page) -> None:
    canvas = page.get_by_role("application", name="Drawing area")
    canvas.focus()
    for key in ["ArrowUp"] * 10 + ["Space"] + ["ArrowDown"] * 20 + ["Space"]:
        page.keyboard.press(key)
    expect(answer(page)).to_have_text("1")
    for name in ("Brush", "Eraser", "Undo", "Clear"):
        page.keyboard.press("Tab")
        assert name in page.evaluate(
            "document.activeElement.shadowRoot.activeElement.closest('label, button').innerText"
        )
    page.keyboard.press("Enter")
    page.get_by_text("The answer appears here.").wait_for()


def test_a_drawing_survives_another_page_and_a_reload(page: Page) -> None:
    draw(page, "2")
    expect(answer(page)).to_have_text("2")
    page.get_by_role("link", name="API").click()
    page.get_by_role("heading", name="From a shell").wait_for()
    page.get_by_role("link", name="Draw").first.click()
    expect(answer(page)).to_have_text("2")
    page.reload()
    expect(answer(page)).to_have_text("2")


def test_the_canvas_is_the_same_element_after_an_answer(desk: Page) -> None:
    """A new one would flicker, and lose a stroke that has begun."""
    canvas = desk.locator("canvas").last
    canvas.evaluate("element => { element.mark = 'first' }")
    draw(desk, "4")
    expect(answer(desk)).to_have_text("4")
    assert canvas.evaluate("element => element.mark") == "first"
    clear(desk)


def test_two_people_see_their_own_drawing(browser: Browser, app: App) -> None:
    contexts = [visitor(browser) for _ in range(2)]
    mine, yours = (opened(context, app) for context in contexts)
    draw(mine, "3")
    draw(yours, "7")
    expect(answer(mine)).to_have_text("3")
    expect(answer(yours)).to_have_text("7")
    third = opened(contexts[0], app)
    third.get_by_text("The answer appears here.").wait_for()
    for context in contexts:
        context.close()


def test_a_phone_shows_all_without_scrolling_sideways(phone: Page) -> None:
    draw_by_touch(phone, "6")
    expect(answer(phone)).to_have_text("6")
    assert phone.evaluate("document.documentElement.scrollWidth") == 375
    for name in ("Eraser", "Undo", "Clear"):
        box = phone.get_by_role("button", name=name).bounding_box()
        assert box
        assert box["x"] + box["width"] <= 375
        assert box["y"] + box["height"] <= 740, f"{name} is below the fold"
        assert box["height"] >= 44, f"{name} is too small for a thumb"
    box = answer(phone).bounding_box()
    assert box
    assert box["y"] + box["height"] <= 740
    clear(phone)


def test_in_the_dark_ink_is_light_and_the_answer_the_same(browser: Browser, app: App) -> None:
    context = visitor(browser, color_scheme="dark")
    page = opened(context, app)
    draw(page, "8")
    expect(answer(page)).to_have_text("8")
    assert _brightness_of_ink(page) > 200
    page.emulate_media(color_scheme="light")
    page.wait_for_function(
        """() => { const paper = document.querySelector(".stApp"); return getComputedStyle(paper).colorScheme === "light"; }"""
    )
    page.wait_for_timeout(300)
    assert _brightness_of_ink(page) < 60
    context.close()


def _brightness_of_ink(page: Page) -> int:
    red: int = page.locator("canvas").last.evaluate(
        "canvas => { const p = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;"
        " for (let i = 0; i < p.length; i += 4) if (p[i + 3] === 255) return p[i]; }"
    )
    return red
