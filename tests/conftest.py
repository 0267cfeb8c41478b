"""What tests share."""

import os
import shutil
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.camera import film
from tests.browser.drawing import CHROMIUM
from tests.support.left_out import left_out
from tests.support.postgres import Postgres, programs, running

os.environ["DIGITS_SAMPLES_DATABASE"] = ""  # servers keep samples only where a test says so
os.environ["DIGITS_WORKERS"] = "1"  # and are one process each


def need(condition: object, reason: str) -> None:
    """Skip a test where the machine lacks something; fail it in CI, where nothing may be lacking."""
    if not condition:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


@pytest.fixture
def packages_of_the_image() -> Iterator[None]:
    """For tests that run the page in this process."""
    main = sys.modules["__main__"]
    with left_out():
        yield
    sys.modules["__main__"] = main  # Streamlit puts its script there; processes spawned later would start with that


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for all tests, which make databases of their own in it, and start it again where they end it."""
    need(programs(), "PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium, whose camera looks at a handwritten 3. One for all tests: Playwright runs once in a thread."""
    need(shutil.which(CHROMIUM), "chromium is not installed (Debian: apt-get install chromium)")
    video = film("3", tmp_path_factory.mktemp("camera") / "three.y4m")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={video}",
            ],
        )
        yield browser
        browser.close()
