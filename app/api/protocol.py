"""uvicorn's HTTP protocol with what it leaves out: bounds on headers, in bytes and time, and errors as JSON."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Protocol(HttpToolsProtocol):
    pass
