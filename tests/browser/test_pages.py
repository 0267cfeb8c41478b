"""What every page owes: working snippets, figures, accessibility, and no heavy imports."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

from tests.browser.conftest import opened, pictures_of, visitor
from tests.browser.drawing import draw
from tests.browser.servers import ROOT, App
from tests.conftest import need

PAGES = ["", "number", "upload", "how-good", "health-of-model", "api", "review"]


def test_the_model_card_tells_figures_with_their_count(context: BrowserContext, app: App) -> None:
    page = opened(context, app, "how-good")
    row = page.get_by_role("row", name="MNIST test").first
    assert "10,000" in row.inner_text()
    assert "%" in row.inner_text()


def test_the_figures_begin_with_a_sentence(context: BrowserContext, app: App) -> None:
    page = opened(context, app, "how-good")
    expect(page.locator(".lead").first).to_have_text(
        re.compile(r"^It is wrong on about \d+ of 1,000 drawings\. Where it is not sure, it says so\.$")
    )
    drawn = page.locator("details").filter(has=page.get_by_text("In pictures")).first
    drawn.get_by_text("In pictures").click()
    pictures = drawn.locator("img")
    expect(pictures).to_have_count(len(list((ROOT / "app" / "models" / "digits" / "pictures").glob("*.png"))))
    pictures.last.scroll_into_view_if_needed()
    page.wait_for_function("picture => picture.naturalWidth > 0", arg=pictures.last.element_handle())


def test_the_snippets_work_as_they_stand(context: BrowserContext, app: App, tmp_path: Path) -> None:
    need(shutil.which("curl"), "curl is not installed")
    page = opened(context, app, "api")
    shutil.copy(pictures_of("6")[0], tmp_path / "digit.png")

    def output(*command: str) -> str:
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True).stdout

    shell = page.locator("code").filter(has_text="curl").inner_text()
    assert '"predicted_digit":6' in output("sh", "-c", shell).replace(" ", "")
    python = page.locator("code").filter(has_text="import requests").inner_text()
    assert output(sys.executable, "-c", python).strip() == "6"


@pytest.mark.parametrize("path", PAGES)
def test_nothing_jumps_while_the_page_appears(context: BrowserContext, app: App, path: str) -> None:
    """Cumulative layout shift, of which more than 0.1 needs improvement by web.dev's rule."""
    context.add_init_script(
        """window.shift = 0; new PerformanceObserver(list => {
        for (const entry of list.getEntries()) window.shift += entry.value;
        }).observe({ type: "layout-shift", buffered: true });"""
    )
    page = opened(context, app, path)
    page.wait_for_timeout(1000)
    assert page.evaluate("window.shift") < 0.05


def test_what_is_coming_is_told_before_any_script_has_run(browser: Browser, app: App) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{app.page_url}/upload")
        expect(page.get_by_text("Upload pictures", exact=True)).to_be_visible()


def test_all_that_shows_the_pad_is_asked_for_at_once_and_comes_compressed(context: BrowserContext, app: App) -> None:
    """A script that is known of later only costs a first visit a way to the server and back, or two."""
    page, scripts = context.new_page(), list[Response]()
    page.on("response", lambda response: scripts.append(response) if response.url.endswith(".js") else None)
    page.goto(app.page_url)
    page.get_by_role("application").wait_for()
    told = requests.get(app.page_url, timeout=10).text
    assert len(scripts) > 50
    assert not [script.url for script in scripts if script.url.removeprefix(app.page_url) not in told]
    assert {script.headers.get("content-encoding") for script in scripts} == {"gzip"}


def test_who_takes_nothing_compressed_gets_it_plain(app: App) -> None:
    plain = {"Accept-Encoding": "identity"}
    html = requests.get(app.page_url, headers=plain, timeout=10)
    script = re.search(r"/static/js/index\.\w+\.js", html.text)
    assert script
    address = f"{app.page_url}{script[0]}"
    bare, packed = requests.get(address, headers=plain, timeout=10), requests.get(address, timeout=10)
    assert "Content-Encoding" not in html.headers
    assert "Content-Encoding" not in bare.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.content == bare.content
    for kept in ("Cache-Control", "X-Content-Type-Options"):
        assert packed.headers[kept] == bare.headers[kept]


@pytest.mark.parametrize("path", PAGES)
def test_accessibility_in_light_and_dark(context: BrowserContext, app: App, path: str) -> None:
    """No serious or critical violation by axe-core's rules."""
    page = opened(context, app, path)
    if path in ("", "number"):
        draw(page, "5")
        expect(page.locator(".answer-label")).to_have_text("5")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.wait_for_timeout(500)
        assert not serious(page), scheme


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("", ""),
        ("number", "Number · "),
        ("upload", "Upload · "),
        ("how-good", "How good is it? · "),
        ("health-of-model", "Health · "),
        ("api", "API · "),
        ("review", "Samples · "),
    ],
)
def test_pages_have_titles_of_their_own(context: BrowserContext, app: App, path: str, title: str) -> None:
    expect(opened(context, app, path)).to_have_title(f"{title}Digit Recognition")


_FOCUS = """() => {
  let element = document.activeElement;
  while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  const outlined = one => one && getComputedStyle(one).outlineStyle !== "none";
  const { width, height } = (element.closest("label") ?? element).getBoundingClientRect();
  const inline = element.closest("p");
  return {
    name: element.tagName + " " + element.innerText, heading: !!element.closest("h1, h2"), out: element === document.body,
    seen: outlined(element) || outlined(element.closest("label")), small: !inline && Math.min(width, height) < 24,
  };
}"""


@pytest.mark.parametrize("colours", ["none", "active"])
@pytest.mark.parametrize("path", ["number", "upload", "how-good", "api"])
def test_the_keyboard_s_focus_is_seen_and_on_no_heading(browser: Browser, app: App, path: str, colours: str) -> None:
    context = visitor(browser, forced_colors=colours)
    page = opened(context, app, path)
    if path == "upload":
        page.locator("input[type=file]").set_input_files(pictures_of("58"))
        page.get_by_role("button", name="Download as CSV").wait_for()
    if path == "api":
        page.locator("[data-testid=stCode]").locator("visible=true").first.wait_for()
    page.locator(".stApp[data-test-script-state=notRunning]").wait_for()  # what is drawn anew loses the focus
    stops = []
    for _ in range(30):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(_FOCUS))
        if stops[-1]["out"]:
            break
    assert len(stops) > 6
    for fault in ("heading", "small"):
        assert not [stop["name"] for stop in stops[:-1] if stop[fault]], fault
    assert not [stop["name"] for stop in stops[:-1] if not stop["seen"]]
    context.close()


def serious(page: Page) -> dict[str, list[str]]:
    found = Axe().run(page).response["violations"]
    return {
        violation["id"]: [node["html"][:200] for node in violation["nodes"]]
        for violation in found
        if violation["impact"] in ("serious", "critical")
    }


def test_no_other_site_may_frame_the_page(app: App) -> None:
    headers = requests.get(app.page_url, timeout=10).headers
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_loads_no_pandas(context: BrowserContext, app: App) -> None:
    """The image has neither pandas nor pyarrow, nor has the page under test: no page misses them."""
    maps = Path(f"/proc/{app.page.pid}/maps")
    need(maps.exists(), "no /proc here")
    page = opened(context, app)
    for name in ("API", "How good is it?", "Upload"):
        page.get_by_role("link", name=name).click()
        page.locator("h1").filter(has_text=name).wait_for()
        expect(page.get_by_test_id("stException")).to_have_count(0)
    page.get_by_role("radio", name="Examples").click()
    page.get_by_role("button", name="Handwritten 7").first.click()
    expect(page.locator(".answer-label")).to_have_text("7")
    assert not {"pandas", "pyarrow"} & set(maps.read_text().replace(".", "/").split("/"))
