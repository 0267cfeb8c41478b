"""What calls are given before their own work begins, each a dependency of FastAPI's.

All are coroutines: FastAPI would run a plain function in a thread, and let the request wait for one.
"""

from typing import Annotated

from fastapi import Depends, Query, Request

from app.api.service import Service, service_of
from app.reading.recognizer import Recognizer


async def _service(request: Request) -> Service:
    return service_of(request)


TheService = Annotated[Service, Depends(_service)]


async def admit(request: Request) -> None:
    """Let a request pass, as one for one picture. Raises MissingKey, WrongKey, TooManyRequests."""
    service_of(request).gate.admit(request)


async def _recognizer(
    request: Request,
    alphabet: Annotated[
        str | None,
        Query(description="Which alphabet to recognize, as GET /alphabets/ lists them.", examples=["digits"]),
    ] = None,
) -> Recognizer:
    """Raises UnknownAlphabet."""
    return service_of(request).recognizer(alphabet)


TheRecognizer = Annotated[Recognizer, Depends(_recognizer)]
"""That of the alphabet in the query, or of the default one."""

WithGlyph = Annotated[bool, Query(description="Whether the answer shows the 28x28 picture that the model saw.")]
