"""The API goes away, stalls, refuses; the page says so in plain words and goes on by itself."""

import json
import re
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, WebSocketRoute, expect

from tests.browser.conftest import opened, pictures_of
from tests.browser.drawing import draw
from tests.browser.servers import App, Server
from tests.support.ports import free_port
from tests.support.scripted_api import SEVEN, Api, scripted_api


@pytest.fixture(scope="module")
def own_app() -> Iterator[App]:
    """Not the one that other tests share: this one's API is stopped."""
    with App(DIGITS_LOG_LEVEL="warning", DIGITS_API_KEYS="a-key,another") as app:
        yield app


def said(page: Page) -> Locator:
    return page.locator(".st-key-answer")


def label(page: Page) -> Locator:
    return page.locator(".st-key-answer .answer-label")


def test_away_and_back(own_app: App, context: BrowserContext) -> None:
    page = opened(context, own_app)
    own_app.api.stop()
    draw(page, "7")
    expect(said(page)).to_contain_text("The recognizer is away at the moment.")
    own_app.api.start()
    expect(label(page)).to_have_text("7")


def test_slow_and_quick_again(own_app: App, context: BrowserContext) -> None:
    page = opened(context, own_app)
    own_app.api.freeze()
    try:
        draw(page, "3")
        expect(said(page)).to_contain_text("takes longer than usual")
    finally:
        own_app.api.thaw()
    expect(label(page)).to_have_text("3")


def test_the_page_s_server_away_and_back(own_app: App, context: BrowserContext) -> None:
    """It then knows nothing of the page, which has not been answered before."""
    page = opened(context, own_app)
    page.locator("canvas").wait_for()
    own_app.page.stop()
    draw(page, "3")
    expect(said(page)).to_have_attribute("data-waiting", re.compile("cannot reach its server. Your drawing is kept"))
    expect(page.get_by_role("dialog")).to_have_count(0)
    own_app.page.start()
    expect(label(page)).to_have_text("3")


def test_opened_while_the_api_is_away(own_app: App, context: BrowserContext) -> None:
    own_app.api.stop()
    page = opened(context, own_app, "how-good")
    page.get_by_text("The recognizer is away at the moment.").wait_for()
    own_app.api.start()
    page.get_by_role("heading", name="Digits").wait_for()


@pytest.fixture(scope="module")
def scripted() -> Iterator[Api]:
    with scripted_api() as api:
        yield api


@pytest.fixture(scope="module")
def page_url(scripted: Api) -> Iterator[str]:
    port = free_port()
    url = f"http://localhost:{port}"
    server = Server("app.ui", f"{url}/_stcore/health", {"DIGITS_API_URL": scripted.url, "DIGITS_UI_PORT": str(port)})
    server.start()
    yield url
    server.stop()


@pytest.mark.parametrize(
    ("status", "says"),
    [(429, "Please wait 1 second;"), (503, "busy with others"), (500, "Something went wrong in the recognizer")],
)
def test_what_passes_by_itself(scripted: Api, page_url: str, context: BrowserContext, status: int, says: str) -> None:
    page = context.new_page()
    page.goto(page_url)
    scripted.status, scripted.headers = status, {"Retry-After": "1"}
    draw(page, "7")
    expect(said(page)).to_contain_text(says)
    scripted.status, scripted.body = 200, json.dumps(SEVEN)
    expect(label(page)).to_have_text("7")


def test_a_late_answer_is_said_to_be_late(scripted: Api, page_url: str, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(page_url)
    draw(page, "7")
    expect(label(page)).to_have_text("7")
    expect(said(page)).not_to_have_attribute("data-waiting", re.compile(""))
    scripted.wait.clear()
    draw(page, "1")
    expect(said(page)).to_have_attribute("data-waiting", "Thinking…")
    assert float(page.locator(".st-key-answer .stHtml").first.evaluate("e => getComputedStyle(e).opacity")) < 0.5
    scripted.wait.set()
    expect(said(page)).not_to_have_attribute("data-waiting", re.compile(""))


def about_to_lose(context: BrowserContext, page_url: str) -> tuple[Page, list[str | bytes]]:
    """A page that is ready, whose connection loses the next message as Streamlit does while it is broken; what it lost."""
    page, lost, ready = context.new_page(), list[str | bytes](), threading.Event()

    def lose_the_first(route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        route.on_message(lambda message: lost.append(message) if ready.is_set() and not lost else server.send(message))

    page.route_web_socket("**/_stcore/stream", lose_the_first)
    page.goto(page_url)
    page.locator("canvas").wait_for()
    ready.set()
    return page, lost


def test_a_drawing_that_was_lost_on_its_way_is_sent_again(page_url: str, context: BrowserContext) -> None:
    page, lost = about_to_lose(context, page_url)
    draw(page, "3")
    expect(label(page)).to_have_text("7")
    assert lost


def test_a_choice_that_was_lost_on_its_way_is_sent_again(page_url: str, context: BrowserContext) -> None:
    page, lost = about_to_lose(context, page_url)
    page.get_by_label("Language", exact=True).locator("visible=true").select_option(label="简体中文")
    expect(page.get_by_role("button", name="清空")).to_be_visible()
    assert lost


def test_a_key_that_the_api_does_not_know(scripted: Api, page_url: str, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(page_url)
    scripted.status = 401
    draw(page, "7")
    expect(said(page)).to_contain_text("Whoever runs the app has to give both the same DIGITS_API_KEYS")
    scripted.status = 200


def test_one_drawing_is_asked_once(scripted: Api, page_url: str, context: BrowserContext) -> None:
    """Drawings of before, which have settled meanwhile, are asked about as what they are."""
    page = context.new_page()
    page.goto(page_url)
    page.locator("canvas").wait_for()
    scripted.status, before = 200, len(scripted.asked)
    draw(page, "3")
    expect(label(page)).to_have_text("7")
    page.wait_for_timeout(500)
    asked = [call.path for call in scripted.asked[before:]]
    assert [path for path in asked if path != "/predict/"] == ["/predict/?glyph=true&trial=true"]


_FAINTEST = """() => {
  let opacity = 1;
  for (let one = document.querySelector(".answer-label"); one; one = one.parentElement)
    opacity = Math.min(opacity, getComputedStyle(one).opacity);
  return opacity < 0.5;
}"""


def test_what_takes_its_time_is_told_and_the_old_answer_is_dimmed(
    scripted: Api, page_url: str, context: BrowserContext
) -> None:
    """For uploads: an answer of before would look like one of now."""
    scripted.status, scripted.headers = 200, {}
    scripted.bodies["/alphabets/"] = json.dumps({"alphabets": [{"name": "digits", "labels": ["7"], "version": "1"}]})
    page = context.new_page()
    page.goto(f"{page_url}/upload")
    widget = page.locator("input[type=file]")
    widget.set_input_files(pictures_of("7"))
    expect(label(page)).to_have_text("7")
    scripted.wait.clear()
    try:
        widget.set_input_files(pictures_of("1"))
        expect(page.locator(".waiting")).to_have_text("Thinking…")
        expect(page.locator(".waiting")).to_have_css("opacity", "1")
        page.wait_for_function(_FAINTEST)
    finally:
        scripted.wait.set()
    expect(said(page)).to_have_text("2 pictures: all recognized.")
    expect(page.locator(".waiting")).to_have_count(0)


def test_figures_that_take_their_time_are_announced(scripted: Api, page_url: str, context: BrowserContext) -> None:
    scripted.wait.clear()
    page = context.new_page()
    page.goto(f"{page_url}/how-good")
    try:
        page.get_by_text("Asking…").wait_for()
    finally:
        scripted.wait.set()
