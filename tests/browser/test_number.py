"""Whole numbers: drawn on the wide pad, sent as files, and corrected by hand."""

import csv
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.conftest import opened, visitor
from tests.browser.drawing import Point, draw, pen_strokes
from tests.browser.servers import App
from tests.browser.test_draw import PHONE
from tests.conftest import need

LEFT, MIDDLE, RIGHT = (0.2, 0.5), (0.5, 0.5), (0.8, 0.5)


@pytest.fixture
def pad(context: BrowserContext, app: App) -> Page:
    context.set_default_timeout(60_000)
    page = opened(context, app, "number")
    page.get_by_role("application").wait_for()
    return page


def said(page: Page) -> Locator:
    return page.locator(".st-key-answer")


def text(page: Page) -> Locator:
    return page.locator(".st-key-answer .answer-label")


def marks(page: Page) -> Locator:
    return page.locator(".boxed li")


def write(page: Page, left: str, right: str) -> None:
    draw(page, left, at=LEFT)
    draw(page, right, at=RIGHT)
    expect(text(page)).to_have_text(left + right)


def written(number: str, file: Path, lines: int = 1) -> Path:
    """A photograph of a number on paper, in so many lines."""
    picture = Image.new("RGB", (900, 300 * lines), (226, 223, 215))
    pen = ImageDraw.Draw(picture)
    for i, digit in enumerate(number):
        for stroke in pen_strokes()[digit]:
            for line in range(lines):
                points = [(100 + 200 * i + 110 * x, 300 * line + 80 + 140 * y) for x, y in stroke]
                pen.line(points, fill=(45, 45, 70), width=11, joint="curve")
    picture.save(file, quality=92)
    return file


def middle(box: Locator) -> Point:
    expect(box).to_be_visible()
    found = box.bounding_box()
    assert found
    return found["x"] + found["width"] / 2, found["y"] + found["height"] / 2


class Corrections:
    """What somebody does with the canvas for corrections; places are shares of its width and height."""

    def __init__(self, page: Page) -> None:
        self._page, self._canvas = page, page.locator(".st-key-boxing canvas").last
        page.get_by_text("Correct it").click()
        self._canvas.wait_for()
        self.settle()

    def settle(self) -> None:
        """The picture and the boxes are drawn once they have arrived."""
        self._page.wait_for_timeout(1000)

    def edit(self) -> None:
        self._page.get_by_role("button", name="Edit", exact=True).click()

    def click(self, at: Point) -> None:
        self._page.mouse.click(*self._place(at))

    def drag(self, start: Point, end: Point) -> None:
        self._page.mouse.move(*self._place(start))
        self._page.mouse.down()
        self._page.mouse.move(*self._place(((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)))
        self._page.mouse.move(*self._place(end))
        self._page.mouse.up()

    def press(self, name: str) -> None:
        self._page.get_by_role("button", name=name, exact=True).click()

    def _place(self, at: Point) -> Point:
        self._canvas.scroll_into_view_if_needed()
        box = self._canvas.bounding_box()
        assert box
        return box["x"] + at[0] * box["width"], box["y"] + at[1] * box["height"]


def test_two_digits_are_read_and_boxed(pad: Page) -> None:
    draw(pad, "3", at=LEFT)
    expect(text(pad)).to_have_text("3")
    draw(pad, "7", at=RIGHT)
    expect(text(pad)).to_have_text("37")
    assert said(pad).inner_text().split()[0] == "37"
    expect(said(pad)).to_contain_text("ikely: ")
    expect(marks(pad).locator("b")).to_have_text(["3", "7"])
    for mark in marks(pad).all():
        expect(mark).to_be_visible()
    size, middles = pad.wait_for_function(_SIZE_AND_MIDDLES).json_value()
    assert size == [840, 280]
    for found, (x, y) in zip(middles, (LEFT, RIGHT), strict=True):
        assert found == [pytest.approx(x, abs=0.05), pytest.approx(y, abs=0.1)]


_SIZE_AND_MIDDLES = """() => {
  const picture = document.querySelector(".boxed > div");
  const image = picture?.querySelector("img");
  if (!image?.naturalWidth) return null;
  const frame = image.getBoundingClientRect();
  const middle = ({ left, right, top, bottom }) =>
    [((left + right) / 2 - frame.left) / frame.width, ((top + bottom) / 2 - frame.top) / frame.height];
  const marks = [...picture.querySelectorAll("li")].map((mark) => middle(mark.getBoundingClientRect()));
  return [[image.naturalWidth, image.naturalHeight], marks];
}"""
"""Of the picture with boxes over it: its width and height, and each box's middle in shares of its sides.

At once, and when it is there: a run may put it anew between two questions.
"""


def test_undo_clear_redo_and_a_reload(pad: Page) -> None:
    draw(pad, "3", at=LEFT)
    expect(text(pad)).to_have_text("3")
    write(pad, "3", "2")
    pad.get_by_role("button", name="Undo").click()
    expect(text(pad)).to_have_text("3")
    pad.get_by_role("button", name="Redo").click()
    expect(text(pad)).to_have_text("32")
    pad.reload()
    expect(text(pad)).to_have_text("32")
    pad.get_by_role("link", name="Draw").first.click()
    expect(said(pad)).to_contain_text("The answer appears here.")  # that pad has drawings of its own
    pad.get_by_role("link", name="Number").click()
    expect(text(pad)).to_have_text("32")
    pad.get_by_role("button", name="Clear").click()
    expect(said(pad)).to_contain_text("The answer appears here.")


def test_by_keyboard_alone(pad: Page) -> None:
    pad.get_by_role("application", name="Drawing area").focus()
    stick = ["ArrowUp"] * 10 + ["Space"] + ["ArrowDown"] * 20 + ["Space"] + ["ArrowUp"] * 10
    for key in [*stick, *["ArrowRight"] * 40, *stick]:
        pad.keyboard.press(key)
    expect(text(pad)).to_have_text("11")


def test_a_number_put_aside_comes_back(pad: Page) -> None:
    write(pad, "4", "2")
    pad.get_by_role("button", name="Next drawing").click()
    expect(said(pad)).to_contain_text("The answer appears here.")
    pad.get_by_role("button", name="Bring back 42").click()
    expect(text(pad)).to_have_text("42")


def test_the_pad_fits_a_phone(browser: Browser, app: App) -> None:
    context = visitor(browser, **PHONE)
    page = opened(context, app, "number")
    page.get_by_role("application").wait_for()
    write(page, "5", "2")
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    for part in (
        page.get_by_role("application"),
        page.locator(".boxed > div"),
        page.get_by_role("button", name="Clear"),
    ):
        box = part.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 375
    context.close()


def test_a_label_and_a_box_are_corrected(pad: Page) -> None:
    write(pad, "3", "7")
    corrections = Corrections(pad)
    corrections.edit()
    corrections.click(RIGHT)
    corrections.click(RIGHT)  # once chosen, to write
    pad.keyboard.type("1")
    corrections.press("Read again")
    expect(text(pad)).to_have_text("31")
    expect(said(pad)).to_contain_text("As you corrected it.")
    expect(pad.locator(".boxed .by-hand b")).to_have_text("1")
    before = middle(marks(pad).first)
    corrections.settle()
    corrections.edit()
    corrections.drag(LEFT, (LEFT[0] + 0.02, LEFT[1]))
    corrections.press("Read again")
    pad.wait_for_function(
        "x => { const box = document.querySelector('.boxed li').getBoundingClientRect(); return box.x + box.width / 2 > x + 5; }",
        arg=before[0],
    )
    expect(text(pad)).to_have_text("31")
    corrections.press("Back to what was found")
    expect(text(pad)).to_have_text("37")


def test_what_it_says_is_written_by_keyboard(pad: Page) -> None:
    write(pad, "3", "7")
    Corrections(pad)
    pad.get_by_label("What it says").fill("31")
    pad.keyboard.press("Enter")
    expect(text(pad)).to_have_text("31")
    expect(pad.locator(".boxed .by-hand b")).to_have_text("1")
    pad.get_by_label("What it says").fill("310")
    pad.keyboard.press("Enter")
    expect(pad.get_by_role("alert")).to_contain_text("There are 2 boxes.")


def test_boxes_are_added_and_removed(pad: Page) -> None:
    write(pad, "3", "7")
    draw(pad, "2", at=MIDDLE)
    expect(text(pad)).to_have_text("327")
    corrections = Corrections(pad)
    corrections.edit()
    corrections.click(MIDDLE)
    corrections.press("Delete selected")
    corrections.press("Read again")
    expect(text(pad)).to_have_text("37")
    corrections.settle()
    corrections.drag((0.36, 0.1), (0.64, 0.9))
    corrections.press("Read again")
    expect(text(pad)).to_have_text("327")


def test_a_part_of_a_photograph_is_read(context: BrowserContext, app: App, tmp_path: Path) -> None:
    page = opened(context, app, "upload")
    page.get_by_role("radio", name="Whole numbers").click()
    page.locator("input[type=file]").set_input_files(written("472", tmp_path / "paper.jpg", lines=2))
    text(page).wait_for()
    corrections = Corrections(page)
    page.get_by_role("radio", name="Read a part only").click()
    page.get_by_role("button", name="Read this part").wait_for()
    corrections.settle()
    corrections.drag((0.05, 0.05), (0.95, 0.45))
    corrections.press("Read this part")
    expect(text(page)).to_have_text("472")
    expect(marks(page)).to_have_count(3)
    page.wait_for_function("document.querySelector('.boxed img')?.naturalWidth")
    ratio = page.locator(".boxed img").evaluate("image => image.naturalWidth / image.naturalHeight")
    assert ratio == pytest.approx(900 * 0.9 / (600 * 0.4), rel=0.05)


def test_many_files_of_numbers(context: BrowserContext, app: App, tmp_path: Path) -> None:
    page = opened(context, app, "upload")
    page.get_by_role("radio", name="Whole numbers").click()
    expect(page.get_by_role("radio", name="Examples")).to_have_count(0)
    files = [written(number, tmp_path / f"{number}.png") for number in ("47", "2026")]
    page.locator("input[type=file]").set_input_files(files)
    expect(page.locator("tbody tr b")).to_have_text(["47", "2026"])
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    rows = list(csv.DictReader(download.value.path().read_text().splitlines()))
    assert [(row["file"], row["text"]) for row in rows] == [("47.png", "47"), ("2026.png", "2026")]
    expect(marks(page)).to_have_count(2)
    page.get_by_role("radio", name="One character each").click()
    expect(page.get_by_role("radio", name="Examples")).to_be_visible()


def test_what_corrections_need_is_loaded_for_those_who_correct(pad: Page, app: App) -> None:
    loaded = Path(f"/proc/{app.page.pid}/maps")
    need(loaded.exists(), "no /proc here")
    scripts = "performance.getEntriesByType('resource').filter(one => one.name.includes('drawable-canvas')).length"
    write(pad, "3", "7")
    assert pad.evaluate(scripts) == 0
    Corrections(pad)
    assert pad.evaluate(scripts) > 0
