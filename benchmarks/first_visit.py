"""How long a first visit takes, from opening the page with an empty cache until one can draw, in a real browser.

    python -m benchmarks.first_visit [--visits 10] [--url http://localhost:8501]

Once as it comes from this machine, and once as to a phone: Chromium's DevTools call that network "Fast 4G", and its
processor is slowed down to a quarter.
"""

import argparse
import statistics
from collections.abc import Mapping
from typing import Any, Final

from playwright.sync_api import Browser, sync_playwright

from tests.browser.drawing import CHROMIUM
from tests.browser.servers import running_app

_FAST_4G: Final = {
    "offline": False,
    "latency": 60,
    "downloadThroughput": 9e6 / 8,
    "uploadThroughput": 1.5e6 / 8,
}
"""Milliseconds, and bytes a second."""

WHERE: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    "on this machine": {},
    "on a phone": {"Network.emulateNetworkConditions": _FAST_4G, "Emulation.setCPUThrottlingRate": {"rate": 4}},
}
"""What the browser is told, by its DevTools' protocol."""

_LOOK = """
const look = () => {
  const roots = [...document.querySelectorAll("*")].map(({ shadowRoot }) => shadowRoot).filter(Boolean);
  if (roots.some((root) => root.querySelector("[role=application]")?.clientWidth)) window.ready = performance.now();
  else requestAnimationFrame(look);
};
look();
"""


def visit(browser: Browser, url: str, where: Mapping[str, Mapping[str, Any]]) -> float:
    """Milliseconds from the navigation's start to a frame in which the pad is there."""
    with browser.new_context() as context:
        page = context.new_page()
        devtools = context.new_cdp_session(page)
        for method, values in where.items():
            devtools.send(method, dict(values))
        page.add_init_script(_LOOK)
        page.goto(url, wait_until="commit")
        page.wait_for_function("window.ready", timeout=120_000)
        ready: float = page.evaluate("window.ready")
        return ready


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visits", type=int, default=10)
    parser.add_argument("--url", help="a running page; without it the app is started")
    options = parser.parse_args()
    with sync_playwright() as playwright, running_app(options.url) as url:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for where, told in WHERE.items():
            took = [visit(browser, url, told) / 1000 for _ in range(options.visits)]
            print(f"{where}: median {statistics.median(took):.1f} s, {min(took):.1f} to {max(took):.1f} s")
        browser.close()


if __name__ == "__main__":
    main()
