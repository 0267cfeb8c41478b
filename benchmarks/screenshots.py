"""Take the README's pictures of the real page: `python -m benchmarks.screenshots`, into images/."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import pictures_of
from tests.browser.drawing import CHROMIUM, draw
from tests.browser.servers import App

IMAGES = Path(__file__).parents[1] / "images"

DESK = {"viewport": {"width": 1280, "height": 720}}
TALL = {"viewport": {"width": 1280, "height": 1000}}
PHONE = {"viewport": {"width": 375, "height": 740}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}


@contextmanager
def picture(browser: Browser, url: str, name: str, **screen: Any) -> Iterator[Page]:
    """A visitor's page; what it shows in the end is the picture."""
    context = browser.new_context(reduced_motion="reduce", **screen)
    page = context.new_page()
    page.goto(url)
    page.locator("h1").wait_for()
    yield page
    page.mouse.move(5, 5)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1000)  # Streamlit lets things fade in
    page.screenshot(path=IMAGES / f"{name}.png")
    context.close()


def drawn(page: Page, digit: str) -> None:
    draw(page, digit, size=0.64)
    page.locator(".answer-label").wait_for()
    page.get_by_role("button", name="Which pixels mattered?").click()
    page.get_by_role("img", name="orange where").wait_for()


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright, App(api=8000, page=8501) as app:
        url = app.page_url
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with picture(browser, url, "draw", **DESK) as page:
            drawn(page, "4")
        with picture(browser, url, "dark", color_scheme="dark", **DESK) as page:
            drawn(page, "8")
        with picture(browser, f"{url}/number", "number", **TALL) as page:
            for place, digit in enumerate("2037"):
                draw(page, digit, at=(0.2 + 0.2 * place, 0.5))
            page.locator(".boxed li").nth(3).wait_for()
        with picture(browser, url, "phone", **PHONE) as page:
            draw(page, "2", size=0.64)
            page.locator(".answer-label").wait_for()
        with picture(browser, f"{url}/upload", "upload", **DESK) as page:
            page.locator("input[type=file]").set_input_files(pictures_of("58203"))
            page.get_by_role("button", name="Download as CSV").wait_for()
        with picture(browser, f"{url}/how-good", "how-good", **DESK) as page:
            page.get_by_role("table").first.wait_for()
        with picture(browser, f"{url}/api", "api", **DESK):
            pass
        browser.close()


if __name__ == "__main__":
    main()
