"""Sign-in is on with all of its settings, off with none, and an error with some."""

from collections.abc import Iterator

import pytest

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
    yield
    sign_in.provider.cache_clear()


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
