"""A visitor of a running page without a browser: Streamlit's own messages over a websocket, and uploads."""

import json
import uuid
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Any

import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileUploaderState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect


class Visitor(AbstractContextManager["Visitor"]):
    """Has a session of its own at a page's address, and the headers that a proxy or a browser would send."""

    def __init__(self, url: str, headers: dict[str, str] | None = None) -> None:
        self._url, self._headers = url, headers or {}
        stream = url.replace("http", "ws", 1) + "/_stcore/stream"
        self._open = ExitStack()
        connection = connect(stream, subprotocols=["streamlit"], additional_headers=headers, max_size=None)  # type: ignore[list-item]
        self.socket = self._open.enter_context(connection)
        self.session = self.pad = self.uploader = self.file = ""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def run(self, page: str = "", widgets: dict[str, dict[str, Any]] | None = None) -> str:
        """Have a page's script run, with its widgets as given; all that it then shows, as HTML."""
        message = BackMsg()
        message.rerun_script.page_name = page
        for id, value in (widgets or {}).items():
            message.rerun_script.widget_states.widgets.add(id=id, **value)
        self.socket.send(message.SerializeToString())
        shown = []
        while True:
            received = ForwardMsg()
            received.ParseFromString(self.socket.recv(30))
            if received.HasField("new_session"):
                self.session = received.new_session.initialize.session_id
            element = received.delta.new_element
            if element.HasField("html"):
                shown.append(element.html.body)
            if element.HasField("bidi_component") and element.bidi_component.component_name.endswith("drawing_pad"):
                self.pad = element.bidi_component.id
            if element.HasField("file_uploader"):
                self.uploader = element.file_uploader.id
            if received.HasField("script_finished"):
                return "".join(shown)

    def draw(self, picture: str) -> str:
        """What the page shows for a drawing, a data URL."""
        if not self.pad:
            self.run()
        return self.run(widgets={self.pad: {"json_value": json.dumps({"drawing": picture})}})

    def upload(self, data: bytes, file: str = "", **cookies: str) -> requests.Response:
        """Put a file where the page's file widget would."""
        if not self.session:
            self.run()
        return self._call("PUT", file or str(uuid.uuid4()), files={"file": ("picture.png", data)}, cookies=cookies)

    def remove(self, file: str) -> requests.Response:
        return self._call("DELETE", file)

    def look_at(self, data: bytes) -> str:
        """What the page shows for an uploaded picture."""
        if not self.uploader:
            self.run("upload")
        self.file = str(uuid.uuid4())
        self.upload(data, self.file).raise_for_status()
        state = FileUploaderState()
        state.uploaded_file_info.add(file_id=self.file, name="picture.png", size=len(data))
        return self.run("upload", {self.uploader: {"file_uploader_state_value": state}})

    def _call(self, method: str, file: str, cookies: dict[str, str] | None = None, **body: Any) -> requests.Response:
        token = requests.get(f"{self._url}/_stcore/health", timeout=30).cookies["_streamlit_xsrf"]
        return requests.request(
            method,
            f"{self._url}/_stcore/upload_file/{self.session}/{file}",
            headers=self._headers | {"X-Xsrftoken": token},
            cookies={"_streamlit_xsrf": token} | (cookies or {}),
            timeout=30,
            **body,
        )
