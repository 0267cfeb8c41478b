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
    st.title("The API")
    st.html('<p class="lead">Send a picture, get the answer as JSON.</p>')
    st.markdown(f"It answers at **{address}**; [its documentation]({address}/docs) tells all.")
    if locked:
        st.markdown("It wants a key, which whoever runs this app gives out. Put yours in the place of `YOUR_KEY`.")
    st.header("From a shell")
    st.code(_CURL.format(address=address, key=" -H 'X-API-Key: YOUR_KEY'" if locked else ""), language="bash")
    st.header("From Python")
    key = ', headers={"X-API-Key": "YOUR_KEY"}' if locked else ""
    st.code(_PYTHON.format(address=address, key=key), language="python")
    st.header("The answer")
    st.code(_EXAMPLE, language="json")


def public_address() -> str:
    """Where others reach the API: as configured, or on this page's host at the API's port."""
    known = settings.load()
    if known.api_url:
        return known.api_address
    page = urlsplit(st.context.url or "")
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
