"""Optional sign-in with an OpenID Connect provider, by Streamlit's own login; on when `DIGITS_OIDC_*` is set.

A provider such as Google signs in anybody: who may use the page stands in `DIGITS_OIDC_ALLOWED`, without which nobody.
"""

import json
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

import streamlit as st
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.requests import HTTPConnection
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from app.settings import PREFIX
from app.ui.texts import _, paragraph


class Provider(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=f"{PREFIX}OIDC_", frozen=True)

    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    cookie_secret: SecretStr = SecretStr("")
    """Signs the cookie that keeps a visitor signed in; the same for all tasks behind a load balancer."""
    metadata_url: str = ""
    """The provider's `/.well-known/openid-configuration`."""
    redirect_uri: str = ""
    """This page's address and `/oauth2callback`, as registered with the provider."""

    def values(self) -> dict[str, str]:
        return {name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in iter(self)}


class Guests(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=f"{PREFIX}OIDC_", frozen=True)

    allowed: str = ""
    """Comma-separated e-mail addresses, such as ada@example.org, and domains, such as example.org."""
    admins: str = ""
    """Those of them, likewise, who look after samples without typing a key."""


@cache
def allowed() -> frozenset[str]:
    return _entries(Guests().allowed)


@cache
def _admins() -> frozenset[str]:
    return _entries(Guests().admins)


def _entries(listed: str) -> frozenset[str]:
    return frozenset(entry.strip().lower().removeprefix("@") for entry in listed.split(",")) - {""}


def may_enter(user: Mapping[str, Any]) -> bool:
    """Whether the provider vouches for an address of this user's that is allowed, itself or by its domain."""
    return _is_among(user, allowed())


def _is_among(user: Mapping[str, Any], entries: frozenset[str]) -> bool:
    address = str(user.get("email") or "").lower()
    vouched = user.get("email_verified") in (True, "true")
    return vouched and "@" in address and not entries.isdisjoint({address, address.rpartition("@")[2]})


def is_admin() -> bool:
    """Whether the visitor has signed in as somebody who looks after samples."""
    if not provider() or not _admins():
        return False
    return bool(st.user.is_logged_in) and may_enter(st.user) and _is_among(st.user, _admins())


@cache
def provider() -> dict[str, str]:
    """The provider's settings, empty without sign-in; ends the program when only some of them are set."""
    values = Provider().values()
    missing = [name for name, value in values.items() if not value]
    if len(missing) == len(values):
        return {}
    if missing:
        names = ", ".join(f"{PREFIX}OIDC_{name.upper()}" for name in missing)
        print(f"Sign-in is set up in part. Set these too, or none of DIGITS_OIDC_*: {names}", file=sys.stderr)
        raise SystemExit(2)
    return values


def secrets() -> dict[str, Any]:
    """What Streamlit's login reads."""
    values = provider()
    if not values:
        return {}
    return {"auth": {"server_metadata_url" if name == "metadata_url" else name: values[name] for name in values}}


def has_signed_in(request: HTTPConnection) -> bool:
    """Whether a request has the cookie that Streamlit's login gives, of a user who may enter, where sign-in is on."""

    def value(name: str) -> bytes | None:
        signed = request.cookies.get(name, "").encode("latin-1")
        return decode_signed_value(provider()["cookie_secret"], name, signed)

    user = get_cookie_with_chunks(value, USER_COOKIE_NAME)
    return user is not None and may_enter(json.loads(user))


def ask() -> None:
    """Let nobody past who is not signed in, or may not enter, where sign-in is on."""
    if not provider():
        return
    if not st.user.is_logged_in:
        st.title(_("Please sign in"))
        st.html(paragraph("lead", _("This page is for people with an account.")))
        st.button(_("Sign in"), type="primary", icon=":material/login:", on_click=st.login)
        st.stop()
    with st.sidebar:
        person = st.user.get("email") or st.user.get("name")
        st.caption(_("Signed in as {person}").format(person=person) if person else _("Signed in"))
        st.button(_("Sign out"), icon=":material/logout:", on_click=st.logout)
    if not may_enter(st.user):
        st.title(_("This page is not for this account"))
        st.html(paragraph("lead", _("Sign out and take another, or ask whoever runs this page to let yours in.")))
        st.stop()
