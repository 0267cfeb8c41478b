"""How long a person waits: from the end of a stroke to the answer on the screen, in a real browser.

    python -m benchmarks.page [--strokes 200] [--url http://localhost:8501]

Digits that people wrote with a pen are drawn by moving the mouse; the clock runs inside the browser, from the
pointerup event until the answer's element has changed and a frame with it has been painted.
"""

import argparse
import statistics
from itertools import cycle

from playwright.sync_api import Page, sync_playwright

from tests.browser.drawing import CHROMIUM, draw_stroke, pen_strokes
from tests.browser.servers import running_app

_STOPWATCH = """
window.waits = [];
let lifted = 0;
addEventListener("pointerup", (event) => { lifted = event.timeStamp; }, true);
new MutationObserver(() => {
  const answer = document.querySelector(".st-key-answer .answer")?.dataset.request;
  if (!answer || answer === window.lastAnswer) return;
  window.lastAnswer = answer;
  const since = lifted;
  requestAnimationFrame(() => setTimeout(() => window.waits.push(performance.now() - since)));
}).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
"""


def measure(page: Page, url: str, count: int) -> list[float]:
    """Milliseconds for each of `count` strokes, after five that warm up."""
    page.goto(url)
    page.locator("canvas").last.wait_for()
    page.evaluate(_STOPWATCH)
    done = 0
    for strokes in cycle(pen_strokes().values()):
        for stroke in strokes:
            draw_stroke(page, stroke)
            done += 1
            page.wait_for_function("n => window.waits.length >= n", arg=done)
            if done == count + 5:
                waits: list[float] = page.evaluate("window.waits")
                return waits[5:]
        page.get_by_role("button", name="Clear").click()
        page.get_by_text("The answer appears here.").wait_for()
    raise AssertionError("unreachable: cycle has no end")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strokes", type=int, default=200)
    parser.add_argument("--url", help="a running page; without it the app is started")
    options = parser.parse_args()
    with sync_playwright() as playwright, running_app(options.url) as url:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        waits = sorted(measure(browser.new_page(), url, options.strokes))
        browser.close()
    cuts = statistics.quantiles(waits, n=20)
    p50, p95 = statistics.median(waits), cuts[-1]
    print(f"stroke end to answer on screen, {len(waits)} strokes: p50 {p50:.0f} ms, p95 {p95:.0f} ms")


if __name__ == "__main__":
    main()
