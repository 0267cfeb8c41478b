"""The API: where it is, and requests that work as they stand."""

from urllib.parse import urlsplit

import streamlit as st

from app import settings
from app.ui.session import alphabets
from app.ui.texts import _, paragraph

_PYTHON = """import requests

with open("digit.png", "rb") as picture:
    answer = requests.post("{address}/predict/", files={{"file": picture}}{key}, timeout=10)
print(answer.json()["label"])
"""


def developers() -> None:
    address, locked = public_address(), bool(settings.load().api_keys)
    st.title(_("The API"), anchor=False)
    st.html(paragraph("lead", _("Send a picture, get the answer as JSON.")))
    where = _("It answers at **{address}**; [its documentation]({documentation}) tells all.")
    st.markdown(where.format(address=address, documentation=f"{address}/docs"))
    if locked:
        wanted = _("It wants a key, which whoever runs this app gives out. Put yours in the place of {placeholder}.")
        st.markdown(wanted.format(placeholder="`YOUR_KEY`"))
    others = [one.name for one in alphabets() if one.name != settings.load().default_alphabet]
    if others:
        asked = _("It reads {default} unless asked for another alphabet: {others}.")
        st.markdown(
            asked.format(
                default=f"`{settings.load().default_alphabet}`",
                others=", ".join(f"`/predict/?alphabet={name}`" for name in others),
            )
        )
    st.header(_("From a shell"), anchor=False)
    st.code(curl("digit.png"), language=None)
    st.header(_("From Python"), anchor=False)
    key = ', headers={"X-API-Key": "YOUR_KEY"}' if locked else ""
    st.code(_PYTHON.format(address=address, key=key), language=None)
    st.header(_("The answer"), anchor=False)
    st.code(_EXAMPLE, language=None)


def curl(file: str, alphabet: str = "", call: str = "/predict/") -> str:
    """The command that asks the API what a file shows; `alphabet` is only said where it is not the API's default."""
    key = " -H 'X-API-Key: YOUR_KEY'" if settings.load().api_keys else ""
    address = public_address() + call
    if alphabet not in ("", settings.load().default_alphabet):
        address = f"'{address}?alphabet={alphabet}'"
    return f"curl{key} -F file=@{file} {address}"


def public_address() -> str:
    """Where others reach the API: on this page's own address behind a proxy, which sorts by path, else at its port."""
    known = settings.load()
    page = urlsplit(st.context.url or "")
    if known.trusted_proxies and page.netloc:
        return f"{page.scheme}://{page.netloc}"
    return f"{page.scheme or 'http'}://{page.hostname or 'localhost'}:{known.api_port}"


_EXAMPLE = """{
  "predicted_digit": 7,
  "label": "7",
  "confidence": 0.998,
  "sure": true,
  "alternatives": [{"label": "1", "confidence": 0.0011}, …],
  "model": {"alphabet": "digits", "version": "…"},
  "request_id": "…"
}
"""
