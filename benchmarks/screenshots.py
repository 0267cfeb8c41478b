"""Take the README's pictures of the real page: `python -m benchmarks.screenshots`, into images/."""

import io
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import pictures_of
from tests.browser.drawing import CHROMIUM, draw
from tests.browser.servers import App

ADMIN_KEY = "a-key-for-pictures"

IMAGES = Path(__file__).parents[1] / "images"

DESK = {"viewport": {"width": 1280, "height": 720}}
HIGH = {"viewport": {"width": 1280, "height": 820}}
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
    page.get_by_role("button", name="Yes, keep them").click()
    page.get_by_role("button", name="Right", exact=True).click()
    page.get_by_text("It is kept.").wait_for()
    page.get_by_role("button", name="Which pixels mattered?").click()
    page.get_by_role("img", name="orange where").wait_for()


def visited(app: App) -> None:
    """People have drawn digits of the gallery, and said of some what they are: not all of it is right."""
    chance = random.Random(1)
    for file in pictures_of("0123456789" * 3):
        digit, sent = file.name[0], {"file": turned(file, chance)}
        answer = requests.post(f"{app.api_url}/predict/", files=sent, timeout=30).json()
        label = chance.choice([digit, digit, digit, None, chance.choice("0123456789")])
        form = {"answer": answer["label"], "confidence": answer["confidence"], "model": answer["model"]["version"]}
        requests.post(
            f"{app.api_url}/samples/",
            files=sent,
            data=form | {"source": "canvas"} | ({} if label is None else {"label": label}),
            timeout=30,
        ).raise_for_status()
    for _ in range(20):
        some = [("files", turned(file, chance)) for file in chance.choices(pictures_of("0123456789"), k=20)]
        requests.post(f"{app.api_url}/predict/batch/", files=some, timeout=60).raise_for_status()


def turned(file: Path, chance: random.Random) -> bytes:
    """As another hand might have written it."""
    picture = Image.open(file).convert("L").resize((112, 112), Image.Resampling.BICUBIC)
    drawn = picture.rotate(chance.uniform(-35, 35), Image.Resampling.BICUBIC).point(lambda value: 255 - value)
    buffer = io.BytesIO()
    drawn.save(buffer, "PNG")
    return buffer.getvalue()


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        App(
            api=8000,
            page=8501,
            DIGITS_SAMPLES_DATABASE=f"{folder}/samples.sqlite3",
            DIGITS_ADMIN_KEYS=ADMIN_KEY,
        ) as app,
    ):
        visited(app)
        url = app.page_url
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with picture(browser, url, "draw", **HIGH) as page:
            drawn(page, "4")
        with picture(browser, url, "dark", color_scheme="dark", **HIGH) as page:
            drawn(page, "8")
        with picture(browser, f"{url}/number", "number", **TALL) as page:
            for place, digit in enumerate("2037"):
                draw(page, digit, at=(0.2 + 0.2 * place, 0.5))
            page.locator(".boxed li").nth(3).wait_for()
            page.get_by_role("button", name="Yes, keep them").click()
            page.get_by_role("button", name="Right", exact=True).wait_for()
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
        with picture(browser, f"{url}/health-of-model", "health", **DESK) as page:
            page.locator(".watched").wait_for()
        with picture(browser, f"{url}/review", "samples", **DESK) as page:
            page.get_by_label("Admin key").fill(ADMIN_KEY)
            page.get_by_role("button", name="Open").click()
            page.locator(".tile").first.focus()
            page.keyboard.press("9")  # it is one, whatever was said of it
        browser.close()


if __name__ == "__main__":
    main()
