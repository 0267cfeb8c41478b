"""The page as `python -m app.ui` serves it, with marks of what it does when, a line each, in the file `$MARKS`."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime
from streamlit.web.server.starlette.starlette_websocket import StarletteSessionClient

from app.client.client import Client
from app.ui.__main__ import main


def mark(name: str) -> None:
    with Path(os.environ["MARKS"]).open("a") as file:
        file.write(f"{name} {1000 * time.time()}\n")


def marked(function: Callable[..., Any], before: str, after: str = "") -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        mark(before)
        result = function(*args, **kwargs)
        if after:
            mark(after)
        return result

    return call


def predict(self: Client, picture: bytes, alphabet: str, **kwargs: Any) -> Any:
    """Without those that are asked after a while, of a drawing that has settled."""
    function = marked(_predict, "asked", "answered") if kwargs.get("trial") else _predict
    return function(self, picture, alphabet, **kwargs)


def write_forward_msg(self: StarletteSessionClient, msg: ForwardMsg) -> None:
    if "data-request" in msg.delta.new_element.html.body:
        mark("handed")
    _write(self, msg)


_predict, _write = Client.predict, StarletteSessionClient.write_forward_msg
Client.predict = predict  # type: ignore[method-assign, assignment]
StarletteSessionClient.write_forward_msg = write_forward_msg  # type: ignore[method-assign]
Runtime.handle_backmsg = marked(Runtime.handle_backmsg, "heard")  # type: ignore[method-assign]

if __name__ == "__main__":
    main()
