"""How long a person waits: from the end of a stroke to the answer on the screen, in a real browser.

    python -m benchmarks.page [--strokes 200] [--url http://localhost:8501 | --trace]

Digits that people wrote with a pen are drawn by moving the mouse, each time at another place, so that no picture is
answered from memory; the clock runs inside the browser, from the pointerup event until the answer's element has changed
and a frame with it has been painted. `--trace` also tells where that time goes.
"""

import argparse
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count, cycle

from playwright.sync_api import Page, sync_playwright

from benchmarks import trace
from tests.browser.drawing import CHROMIUM, Point, draw_stroke, pen_strokes
from tests.browser.servers import running_app

WARM_UP = 5
"""Strokes that do not count."""

_STOPWATCH = """
window.waits = [];
let lifted = 0;
addEventListener("pointerup", (event) => {
  lifted = event.timeStamp;
  window.mark?.("lifted", lifted);
}, true);
new MutationObserver(() => {
  const answer = document.querySelector(".st-key-answer .answer")?.dataset.request;
  if (!answer || answer === window.lastAnswer) return;
  window.lastAnswer = answer;
  const since = lifted;
  window.mark?.("shown");
  requestAnimationFrame(() => setTimeout(() => {
    window.waits.push(performance.now() - since);
    window.mark?.("painted");
  }));
}).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
"""


def measure(page: Page, url: str, number: int) -> list[float]:
    """Milliseconds for each of `number` strokes, after those that warm up."""
    page.goto(url)
    page.get_by_role("application").wait_for()
    page.evaluate(_STOPWATCH)
    done = 0
    for strokes, at in zip(cycle(pen_strokes().values()), _places(), strict=False):
        for stroke in strokes:
            draw_stroke(page, stroke, at=at)
            done += 1
            page.wait_for_function("n => window.waits.length >= n", arg=done)
            if done == number + WARM_UP:
                waits: list[float] = page.evaluate("window.waits")
                return waits[WARM_UP:]
        page.get_by_role("button", name="Clear").click()
        page.get_by_text("The answer appears here.").wait_for()
    raise AssertionError("unreachable: cycle has no end")


def _places() -> Iterator[Point]:
    """Near the canvas's middle, a pixel from each other, the first one again after a thousand."""
    return ((0.45 + 0.003 * (i % 37), 0.45 + 0.003 * (i % 31)) for i in count())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strokes", type=int, default=200)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", help="a running page; without it the app is started")
    where.add_argument("--trace", action="store_true", help="tell where the time goes")
    options = parser.parse_args()
    with sync_playwright() as playwright, ExitStack() as started:
        tracer = started.enter_context(trace.tracer()) if options.trace else None
        url = tracer.url if tracer else started.enter_context(running_app(options.url))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        if tracer:
            page.add_init_script(trace.IN_BROWSER)
        waits = measure(page, url, options.strokes)
        if tracer:
            print(tracer.table(page.evaluate("window.marks")))
        browser.close()
    print(f"stroke end to answer on screen, {len(waits)} strokes: {trace.told(waits)}")


if __name__ == "__main__":
    main()
