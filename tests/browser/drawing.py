"""Draw with a mouse or a finger as people did with a pen."""

import json
import shutil
from pathlib import Path

from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or "/usr/bin/chromium"

Point = tuple[float, float]
Stroke = list[Point]

_STROKES = Path(__file__).parents[1] / "data" / "strokes.json"


def pen_strokes() -> dict[str, list[Stroke]]:
    """Label -> strokes of one person, in a unit square, y down."""
    strokes: dict[str, list[Stroke]] = json.loads(_STROKES.read_text())
    return strokes


def on_canvas(page: Page, stroke: Stroke, size: float = 0.6, at: Point = (0.5, 0.5)) -> Stroke:
    """A stroke in pixels of the page: `size` as a share of the canvas's height, the middle's place `at` of its sides."""
    box = page.get_by_role("application").bounding_box()
    assert box, "there is no canvas"
    side = size * box["height"]
    left, top = box["x"] + at[0] * box["width"] - side / 2, box["y"] + at[1] * box["height"] - side / 2
    return [(left + side * x, top + side * y) for x, y in stroke]


def draw_stroke(page: Page, stroke: Stroke, size: float = 0.6, at: Point = (0.5, 0.5)) -> None:
    first, *rest = on_canvas(page, stroke, size, at)
    page.mouse.move(*first)
    page.mouse.down()
    for point in rest:
        page.mouse.move(*point)
    page.mouse.up()


def draw(page: Page, label: str, size: float = 0.6, at: Point = (0.5, 0.5)) -> None:
    for stroke in pen_strokes()[label]:
        draw_stroke(page, stroke, size, at)


class Hand:
    """Fingers and a pen: real events of the browser, from which it makes the pointer events itself."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)

    def touch(self, kind: str, *points: Point) -> None:
        """`kind` is touchStart, touchMove or touchEnd; `points` is where each finger is."""
        fingers = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(points)]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    def draw_by_touch(self, stroke: Stroke) -> None:
        first, *rest = stroke
        self.touch("touchStart", first)
        for point in rest:
            self.touch("touchMove", point)
        self.touch("touchEnd")

    def pen(self, kind: str, point: Point) -> None:
        """`kind` is mousePressed, mouseMoved or mouseReleased."""
        button = {"button": "left", "buttons": int(kind != "mouseReleased"), "clickCount": 1}
        event = {"type": kind, "x": point[0], "y": point[1], "pointerType": "pen"} | button
        self._session.send("Input.dispatchMouseEvent", event)


def draw_by_touch(page: Page, label: str) -> None:
    hand = Hand(page)
    for stroke in pen_strokes()[label]:
        hand.draw_by_touch(on_canvas(page, stroke))
