"""What the API and its callers say to each other, and the clients that call it.

    from app.client import Recognizer

    with Recognizer("http://localhost:8000") as recognizer:
        answer = recognizer.predict("digit.png")

`Recognizer` and `AsyncRecognizer` are `Client` and `AsyncClient` to who uses the API; within the app, where a
recognizer is a network, they go by the latter names. They are loaded when they are asked for: the API has no use for
them.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.client.asynchronous import AsyncClient as AsyncRecognizer
    from app.client.client import Client as Recognizer

__all__ = ["AsyncRecognizer", "Recognizer"]


def __getattr__(name: str) -> Any:
    if name == "Recognizer":
        from app.client.client import Client

        return Client
    if name == "AsyncRecognizer":
        from app.client.asynchronous import AsyncClient

        return AsyncClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
