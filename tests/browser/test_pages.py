"""What every page owes: working snippets, figures, accessibility, and no heavy imports."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext

from tests.browser.conftest import opened, pictures_of
from tests.browser.drawing import draw
from tests.browser.servers import App
from tests.conftest import need

PAGES = ["", "upload", "how-good", "api"]


def test_the_model_card_tells_figures_with_their_count(context: BrowserContext, app: App) -> None:
    page = opened(context, app, "how-good")
    row = page.get_by_role("row", name="MNIST test").first
    assert "10,000" in row.inner_text()
    assert "%" in row.inner_text()


def test_the_shell_snippet_works_as_it_stands(context: BrowserContext, app: App, tmp_path: Path) -> None:
    need(shutil.which("curl"), "curl is not installed")
    command = opened(context, app, "api").locator("code").filter(has_text="curl").inner_text()
    shutil.copy(pictures_of("6")[0], tmp_path / "digit.png")
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=True)
    assert '"predicted_digit":6' in done.stdout.replace(" ", "")


def test_the_python_snippet_works_as_it_stands(context: BrowserContext, app: App, tmp_path: Path) -> None:
    code = opened(context, app, "api").locator("code").filter(has_text="import requests").inner_text()
    shutil.copy(pictures_of("6")[0], tmp_path / "digit.png")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == "6", done.stderr


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_accessibility(browser: Browser, app: App, path: str, scheme: str) -> None:
    """No serious or critical violation by axe-core's rules."""
    context = browser.new_context(color_scheme=scheme, reduced_motion="reduce")
    page = opened(context, app, path)
    if not path:
        draw(page, "5")
        page.locator(".answer-label").wait_for()
    found = Axe().run(page).response["violations"]
    serious = {
        violation["id"]: [node["html"][:200] for node in violation["nodes"]]
        for violation in found
        if violation["impact"] in ("serious", "critical")
    }
    context.close()
    assert not serious


def test_no_other_site_may_frame_the_page(app: App) -> None:
    headers = requests.get(app.page_url, timeout=10).headers
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_loads_no_pandas(context: BrowserContext, app: App) -> None:
    """The image has neither pandas nor pyarrow; on a development machine they are there, so look what is loaded."""
    maps = Path(f"/proc/{app.page.pid}/maps")
    need(maps.exists(), "no /proc here")
    for path in PAGES:
        opened(context, app, path)
    page = opened(context, app, "upload")
    page.get_by_role("radio", name="Examples").click()
    page.get_by_role("button", name="Handwritten 7").first.click()
    page.locator(".answer-label").wait_for()
    assert not {"pandas", "pyarrow"} & set(maps.read_text().replace(".", "/").split("/"))
