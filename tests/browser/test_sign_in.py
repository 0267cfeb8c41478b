"""Sign-in with OpenID Connect, against a provider on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import BrowserContext, Page

from tests.browser.conftest import pictures_of
from tests.browser.provider import CLIENT_ID, CLIENT_SECRET, PERSON, provider
from tests.browser.servers import Server
from tests.support.ports import free_port


@contextmanager
def signing_in(context: BrowserContext, allowed: str) -> Iterator[Page]:
    """A page of an app with sign-in, before somebody has signed in."""
    port = free_port()
    url = f"http://localhost:{port}"
    with provider(free_port()) as issuer:
        page_server = Server(
            "app.ui",
            f"{url}/_stcore/health",
            {
                "DIGITS_UI_PORT": str(port),
                "DIGITS_OIDC_ALLOWED": allowed,
                "DIGITS_OIDC_CLIENT_ID": CLIENT_ID,
                "DIGITS_OIDC_CLIENT_SECRET": CLIENT_SECRET,
                "DIGITS_OIDC_COOKIE_SECRET": "a-secret-of-some-length-for-tests",
                "DIGITS_OIDC_METADATA_URL": f"{issuer}/.well-known/openid-configuration",
                "DIGITS_OIDC_REDIRECT_URI": f"{url}/oauth2callback",
            },
        )
        page_server.start()
        try:
            page = context.new_page()
            page.goto(f"{url}/api")
            yield page
        finally:
            page_server.stop()


def test_nobody_draws_before_signing_in(context: BrowserContext) -> None:
    with signing_in(context, allowed="example.org") as page:
        page.get_by_role("heading", name="Please sign in").wait_for()
        assert page.get_by_text("From a shell").count() == 0
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("application", name="Drawing area").wait_for()
        page.get_by_text(f"Signed in as {PERSON['email']}").wait_for()
        page.get_by_role("link", name="Upload").click()
        page.locator("input[type=file]").set_input_files(pictures_of("4"))
        page.get_by_text("The recognizer is away at the moment.").wait_for()  # the file has arrived: it was asked
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("heading", name="Please sign in").wait_for()


def test_nobody_draws_whose_account_is_not_allowed(context: BrowserContext) -> None:
    with signing_in(context, allowed="") as page:
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="This page is not for this account").wait_for()
        assert page.get_by_text("From a shell").count() == 0
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("heading", name="Please sign in").wait_for()
