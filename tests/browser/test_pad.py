"""The drawing pad's own ways: eraser, undo and redo, keys, fingers and pens, guesses, drawings put aside."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.conftest import opened, visitor
from tests.browser.drawing import Hand, draw, draw_stroke, on_canvas, pen_strokes
from tests.browser.servers import App
from tests.conftest import need

ONE = [(0.5, 0.0), (0.5, 0.5), (0.5, 1.0)]


@pytest.fixture(scope="module")
def open_page(browser: Browser, app: App) -> Iterator[Page]:
    context = visitor(browser)
    yield opened(context, app)
    context.close()


@pytest.fixture
def desk(open_page: Page) -> Page:
    """An empty sheet."""
    if tool(open_page, "Clear").is_enabled():
        tool(open_page, "Clear").click()
    said(open_page).get_by_text("The answer appears here.").wait_for()
    return open_page


@pytest.fixture(scope="module")
def tablet(browser: Browser, app: App) -> Iterator[Page]:
    context = visitor(browser, viewport={"width": 600, "height": 700}, has_touch=True, is_mobile=True)
    yield opened(context, app)
    context.close()


def said(page: Page) -> Locator:
    return page.locator(".st-key-answer")


def label(page: Page) -> Locator:
    return page.locator(".st-key-answer .answer-label")


def tool(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def paper(page: Page) -> Locator:
    return page.get_by_role("application", name="Drawing area")


def test_a_dot_is_no_digit(desk: Page) -> None:
    paper(desk).click()
    expect(said(desk)).to_contain_text("Only a dot so far")
    draw(desk, "7")
    expect(label(desk)).to_have_text("7")


def test_what_is_no_digit_is_not_called_one(desk: Page) -> None:
    draw_stroke(desk, [(x / 20, (x * 7 % 20) / 20) for x in range(21)], size=0.9)
    expect(said(desk)).to_contain_text("This does not look like one digit.")


def test_all_erased_is_an_empty_sheet_and_a_pen(desk: Page) -> None:
    draw_stroke(desk, ONE)
    expect(label(desk)).to_have_text("1")
    desk.get_by_role("slider", name="Brush").fill("50")
    tool(desk, "Eraser").click()
    assert "image/svg" in paper(desk).evaluate("canvas => getComputedStyle(canvas).cursor")
    draw_stroke(desk, ONE)
    expect(said(desk)).to_contain_text("The answer appears here.")
    expect(tool(desk, "Eraser")).to_have_attribute("aria-pressed", "false")
    assert paper(desk).evaluate("canvas => getComputedStyle(canvas).cursor") == "crosshair"
    desk.get_by_role("slider", name="Brush").fill("25")
    draw_stroke(desk, ONE)
    expect(label(desk)).to_have_text("1")
    for _ in range(2):
        tool(desk, "Undo").click()
    expect(label(desk)).to_have_text("1")


def test_what_was_undone_is_redone_by_button_and_by_keys(desk: Page) -> None:
    draw(desk, "3")
    for keys in ("Control+y", "Control+Shift+z", ""):
        expect(label(desk)).to_have_text("3")
        desk.keyboard.press("Control+z")
        expect(said(desk)).to_contain_text("The answer appears here.")
        desk.keyboard.press(keys) if keys else tool(desk, "Redo").click()
    expect(label(desk)).to_have_text("3")
    expect(tool(desk, "Redo")).to_be_disabled()


def test_changes_that_follow_each_other_at_once_are_answered(desk: Page) -> None:
    """Streamlit's browser part may lose track of large messages that change, and is disconnected then."""
    for _ in range(8):
        draw_stroke(desk, ONE)
        expect(label(desk)).to_have_text("1")
        draw_stroke(desk, [(0.1, 0), (0.9, 1)])
        tool(desk, "Undo").click()
        tool(desk, "Clear").click()
        said(desk).get_by_text("The answer appears here.").wait_for(timeout=5000)


def test_keys_are_shown_and_work_and_the_focus_stays_in_the_pad(desk: Page) -> None:
    keys = desk.get_by_text("By keyboard:")
    desk.mouse.click(5, 300)
    expect(keys).to_be_hidden()
    draw(desk, "5")
    expect(label(desk)).to_have_text("5")
    desk.keyboard.press("e")
    expect(tool(desk, "Eraser")).to_have_attribute("aria-pressed", "true")
    expect(keys).to_be_visible()
    desk.keyboard.press("Delete")
    expect(said(desk)).to_contain_text("The answer appears here.")
    draw(desk, "5")
    for name in ("Clear", "Undo"):
        tool(desk, name).focus()
        desk.keyboard.press("Enter")
    expect(label(desk)).to_have_text("5")
    tool(desk, "Clear").focus()
    desk.keyboard.press("Enter")
    expect(paper(desk)).to_be_focused()


def test_a_resting_pen_gets_a_guess_that_is_not_read_out(desk: Page) -> None:
    first, *rest = on_canvas(desk, pen_strokes()["3"][0])
    desk.mouse.move(*first)
    desk.mouse.down()
    for point in rest:
        desk.mouse.move(*point)
    expect(label(desk)).to_have_text("3")
    expect(said(desk)).to_have_attribute("aria-live", "off")
    desk.mouse.up()
    expect(said(desk)).to_have_attribute("aria-live", "polite")
    expect(desk.get_by_role("status").and_(desk.locator(".unseen"))).to_contain_text("3")  # once the pen is lifted


def test_drawings_are_put_aside_and_brought_back(desk: Page) -> None:
    draw(desk, "3")
    expect(desk.locator(".chart .best b")).to_have_text("3")
    tool(desk, "Next drawing").click()
    expect(said(desk)).to_contain_text("The answer appears here.")
    draw(desk, "2")
    expect(desk.locator(".chart .best b")).to_have_text("2")
    tool(desk, "Bring back 3").click()
    expect(label(desk)).to_have_text("3")
    expect(tool(desk, "Bring back 3")).to_have_count(0)
    desk.reload()
    tool(desk, "Bring back 2").click()
    expect(label(desk)).to_have_text("2")


def test_a_drawing_as_png_json_and_curl(desk: Page, tmp_path: Path) -> None:
    need(shutil.which("curl"), "curl is not installed")
    draw(desk, "6")
    expect(label(desk)).to_have_text("6")
    desk.get_by_text("This drawing as PNG, JSON and curl").click()
    with desk.expect_download() as download:
        desk.get_by_role("button", name="The drawing as PNG").click()
    download.value.save_as(tmp_path / download.value.suggested_filename)
    answer = json.loads(desk.locator("code").first.inner_text())
    assert answer["label"] == "6"
    curl = desk.locator("code").filter(has_text="curl").inner_text()
    again = subprocess.run(["sh", "-c", curl], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(again.stdout)["confidence"] == answer["confidence"]
    desk.get_by_text("This drawing as PNG, JSON and curl").click()


def test_two_fingers_move_the_page_and_leave_no_ink(tablet: Page) -> None:
    hand = Hand(tablet)
    (x, y), (to_x, to_y) = on_canvas(tablet, [(0.2, 0.9), (0.8, 0.9)])
    hand.touch("touchStart", (x, y))
    hand.touch("touchStart", (x, y), (to_x, to_y))
    for up in range(0, 200, 10):
        hand.touch("touchMove", (x, y - up), (to_x, to_y - up))
    hand.touch("touchEnd")
    tablet.wait_for_function("document.querySelector('.stMain').scrollTop > 50")
    expect(tool(tablet, "Undo")).to_be_disabled()
    expect(said(tablet)).to_contain_text("The answer appears here.")
    tablet.evaluate("document.querySelector('.stMain').scrollTop = 0")


def test_the_hand_that_holds_the_pen_draws_nothing(tablet: Page) -> None:
    hand = Hand(tablet)
    first, *rest = on_canvas(tablet, ONE)
    (palm,) = on_canvas(tablet, [(0.9, 0.9)])
    hand.touch("touchStart", palm)  # the hand is there before the pen
    hand.pen("mousePressed", first)
    for point in rest:
        hand.pen("mouseMoved", point)
    hand.pen("mouseReleased", rest[-1])
    hand.touch("touchEnd")
    expect(label(tablet)).to_have_text("1")
    hand.draw_by_touch(on_canvas(tablet, [(0.1, 0.1), (0.9, 0.2)]))
    strokes = json.loads(tablet.evaluate("sessionStorage['drawing-pad']"))
    assert len(strokes) == 1, "of the pen alone"


def test_a_drawing_leaves_before_the_next_frame(context: BrowserContext, app: App) -> None:
    """Chromium has timers wait for it, by one of which Streamlit sends."""
    context.add_init_script(
        """let frames = 0; window.waited = [];
        addEventListener("pointerup", () => { frames = 0; requestAnimationFrame(() => frames++); }, true);
        const { send } = WebSocket.prototype;
        WebSocket.prototype.send = function (data) { window.waited.push(frames); return send.call(this, data); };"""
    )
    page = opened(context, app)
    page.locator(".stApp[data-test-script-state=notRunning]").wait_for()
    page.evaluate("window.waited = []")
    draw_stroke(page, pen_strokes()["1"][0])
    page.wait_for_function("window.waited.length > 0")
    assert page.evaluate("window.waited[0]") == 0
