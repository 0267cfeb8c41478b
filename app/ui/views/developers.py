"""The API: where it is, and requests that work as they stand."""

from urllib.parse import urlsplit

import streamlit as st

from app import settings

_CURL = "curl{key} -F file=@digit.png {address}/predict/"

_PYTHON = """import requests

with open("digit.png", "rb") as picture:
    answer = requests.post("{address}/predict/", files={{"file": picture}}{key}, timeout=10)
print(answer.json()["predicted_digit"])
"""


def developers() -> None:
    address, locked = public_address(), bool(settings.load().api_keys)
    st.title("The API", anchor=False)
    st.html('<p class="lead">Send a picture, get the answer as JSON.</p>')
    st.markdown(f"It answers at **{address}**; [its documentation]({address}/docs) tells all.")
    if locked:
        st.markdown("It wants a key, which whoever runs this app gives out. Put yours in the place of `YOUR_KEY`.")
    st.header("From a shell", anchor=False)
    st.code(_CURL.format(address=address, key=" -H 'X-API-Key: YOUR_KEY'" if locked else ""), language=None)
    st.header("From Python", anchor=False)
    key = ', headers={"X-API-Key": "YOUR_KEY"}' if locked else ""
    st.code(_PYTHON.format(address=address, key=key), language=None)
    st.header("The answer", anchor=False)
    st.code(_EXAMPLE, language=None)


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
