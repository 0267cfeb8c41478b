"""What calls are given before their own work begins, each a dependency of FastAPI's.

All are coroutines: FastAPI would run a plain function in a thread, and let the request wait for one.
"""

from typing import Annotated

from fastapi import Depends, Query, Request

from app.api.said import Said
from app.api.service import Service, service_of
from app.api.watch import Watch
from app.client.models import ALPHABET


async def _service(request: Request) -> Service:
    return service_of(request)


TheService = Annotated[Service, Depends(_service)]


async def _watch(request: Request) -> Watch:
    watch: Watch = request.app.state.watch
    return watch


TheWatch = Annotated[Watch, Depends(_watch)]


async def _said(request: Request) -> Said:
    said: Said = request.app.state.said
    return said


TheSaid = Annotated[Said, Depends(_said)]


async def admit(request: Request) -> None:
    """Let a request pass, as one for one picture. Raises MissingKey, WrongKey, TooManyRequests."""
    service_of(request).gate.admit(request)


async def admit_admin(request: Request) -> None:
    """Let a request of an admin pass. Raises MissingKey, WrongKey, TooManyRequests."""
    service_of(request).gate.admit_admin(request)


InQuery = Annotated[str | None, Query(description=ALPHABET)]
"""An alphabet, the last where several are given: `named_in_query` knows them all."""


def named_in_query(request: Request) -> list[str]:
    """Alphabets: none, or one that there is. Raises UnknownAlphabet and SeveralAlphabets, before the body is read."""
    named = request.query_params.getlist("alphabet")
    service_of(request).recognizer(named)
    return named


WithGlyph = Annotated[bool, Query(description="Whether the answer shows the 28x28 picture that the model saw.")]

IsTrial = Annotated[
    bool,
    Query(description="Whether the answer is of no account, as one to half a drawing: GET /health/drift omits it."),
]
