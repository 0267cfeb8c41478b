"""The app, started once, and visitors to it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.servers import App

SECONDS = 60
"""What a machine that trains a model meanwhile may take for what an idle one does in a fraction of a second."""

expect.set_options(timeout=1000 * SECONDS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser's test fails where it fails twice; one that did once is listed as such, and has a cause to be found."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def app() -> Iterator[App]:
    with App(DIGITS_LOG_LEVEL="warning") as app:
        yield app


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = visitor(browser)
    yield context
    context.close()


def visitor(browser: Browser, **screen: Any) -> BrowserContext:
    """Somebody with a browser of their own, and a desktop's screen unless told otherwise."""
    context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | screen))
    context.set_default_timeout(1000 * SECONDS)
    return context


@pytest.fixture
def page(context: BrowserContext, app: App) -> Page:
    return opened(context, app)


def opened(context: BrowserContext, app: App, path: str = "") -> Page:
    page = context.new_page()
    page.goto(f"{app.page_url}/{path}")
    page.locator("h1").wait_for()
    return page


def pictures_of(digits: str) -> list[Path]:
    """Real digits from the page's gallery, one for each."""
    gallery = Path(__file__).parents[2] / "app" / "ui" / "gallery" / "digits"
    return [sorted(gallery.glob(f"{digit}-*.png"))[0] for digit in digits]
