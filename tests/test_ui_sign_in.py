"""Sign-in is on with all of its settings, off with none, and an error with some."""

from collections.abc import Iterator

import pytest
import streamlit

from app.ui import sign_in

COMPLETE = {
    "CLIENT_ID": "id",
    "CLIENT_SECRET": "secret",
    "COOKIE_SECRET": "cookie",
    "METADATA_URL": "https://example.org/.well-known/openid-configuration",
    "REDIRECT_URI": "https://digits.example.org/oauth2callback",
}


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    sign_in.provider.cache_clear()
    sign_in.allowed.cache_clear()
    sign_in._admins.cache_clear()
    yield
    sign_in.provider.cache_clear()
    sign_in.allowed.cache_clear()
    sign_in._admins.cache_clear()


def configure(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"DIGITS_OIDC_{name}", value)


def test_off_without_settings() -> None:
    assert sign_in.secrets() == {}


def test_on_with_all_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, COMPLETE)
    assert sign_in.secrets() == {
        "auth": {
            "client_id": "id",
            "client_secret": "secret",
            "cookie_secret": "cookie",
            "server_metadata_url": "https://example.org/.well-known/openid-configuration",
            "redirect_uri": "https://digits.example.org/oauth2callback",
        }
    }


def test_half_a_configuration_names_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(monkeypatch, {name: COMPLETE[name] for name in ("CLIENT_ID", "METADATA_URL", "REDIRECT_URI")})
    with pytest.raises(SystemExit):
        sign_in.secrets()
    said = capsys.readouterr().err
    assert "DIGITS_OIDC_CLIENT_SECRET, DIGITS_OIDC_COOKIE_SECRET" in said
    assert "DIGITS_OIDC_CLIENT_ID" not in said


ADA = {"email": "Ada@Example.org", "email_verified": True}


@pytest.mark.parametrize(
    "allowed", ["example.org", "@example.org", "bob@example.com, ada@example.org", " EXAMPLE.ORG ,"]
)
def test_who_is_allowed_enters(monkeypatch: pytest.MonkeyPatch, allowed: str) -> None:
    configure(monkeypatch, {"ALLOWED": allowed})
    assert sign_in.may_enter(ADA)


@pytest.mark.parametrize("allowed", ["", ",", "bob@example.org", "ample.org", "org", "sub.example.org"])
def test_nobody_else_does(monkeypatch: pytest.MonkeyPatch, allowed: str) -> None:
    configure(monkeypatch, {"ALLOWED": allowed})
    assert not sign_in.may_enter(ADA)


@pytest.mark.parametrize(
    "user",
    [
        {},
        {"email": "ada@example.org"},
        {"email": "ada@example.org", "email_verified": False},
        {"email": "example.org", "email_verified": True},
        {"email": "ada@example.org@example.com", "email_verified": True},
        {"email": None, "email_verified": True},
    ],
)
def test_an_address_that_nobody_vouches_for_opens_nothing(
    monkeypatch: pytest.MonkeyPatch, user: dict[str, object]
) -> None:
    configure(monkeypatch, {"ALLOWED": "example.org"})
    assert not sign_in.may_enter(user)


@pytest.mark.parametrize(
    ("admins", "allowed", "is_one"),
    [
        ("ada@example.org", "example.org", True),
        ("", "example.org", False),
        ("bob@example.org", "example.org", False),
        ("ada@example.org", "example.com", False),
    ],
)
def test_an_admin_is_somebody_who_may_enter_and_is_listed(
    monkeypatch: pytest.MonkeyPatch, admins: str, allowed: str, is_one: bool
) -> None:
    configure(monkeypatch, COMPLETE | {"ADMINS": admins, "ALLOWED": allowed})
    monkeypatch.setattr(streamlit, "user", User(ADA))
    assert sign_in.is_admin() == is_one
    monkeypatch.setattr(streamlit, "user", User(ADA, is_logged_in=False))
    assert not sign_in.is_admin()


class User(dict[str, object]):
    """In the place of Streamlit's."""

    def __init__(self, of: dict[str, object], is_logged_in: bool = True) -> None:
        super().__init__(of)
        self.is_logged_in = is_logged_in
