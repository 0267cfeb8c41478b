"""The client for programs that do many things at once: `app.client.client`, with calls that are awaited."""

from collections.abc import AsyncIterator, Iterable, Sequence
from types import TracebackType
from typing import TypeVar

import anyio
import httpx

from app.client import calls, transport
from app.client.calls import Box, Call
from app.client.errors import ApiError
from app.client.models import (
    Alphabet,
    Answer,
    Failed,
    Problem,
    Read,
    ReadAnswer,
    Recognized,
    SampleFields,
    SamplePage,
)
from app.client.pictures import Picture
from app.client.retries import Retries
from app.client.transport import ANSWER_SECONDS, CONNECT_SECONDS
from app.client.watching import Watched
from app.samples.sample import Sample

Answered = TypeVar("Answered")


class AsyncClient:
    """Takes and answers what `Client` does, and raises the same. Safe to share between tasks of one event loop."""

    def __init__(
        self,
        address: str,
        key: str | None = None,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
        retries: Retries | None = None,
        visitor: str | None = None,
        proxy: str | None = None,
    ) -> None:
        self._retries = retries or Retries()
        self._http = httpx.AsyncClient(
            **transport.options(address, key, connect_seconds, answer_seconds, visitor, proxy)
        )

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def predict(
        self, picture: Picture, alphabet: str | None = None, glyph: bool = False, trial: bool = False
    ) -> Answer | Problem:
        return await self._answer(calls.predict(picture, alphabet, glyph, trial))

    async def predict_batch(
        self, pictures: Iterable[Picture], alphabet: str | None = None, glyph: bool = False, trial: bool = False
    ) -> list[Recognized | Failed]:
        answers: list[Recognized | Failed] = []
        for part in calls.parts(pictures):
            told = await self._answer(calls.predict_part(part, alphabet, glyph, trial))
            answers += told
        return answers

    async def read(
        self, picture: Picture, alphabet: str | None = None, boxes: Sequence[Box] | None = None
    ) -> ReadAnswer | Problem:
        return await self._answer(calls.read(picture, alphabet, boxes))

    async def read_batch(self, pictures: Iterable[Picture], alphabet: str | None = None) -> list[Read | Failed]:
        answers: list[Read | Failed] = []
        for part in calls.parts(pictures):
            told = await self._answer(calls.read_part(part, alphabet))
            answers += told
        return answers

    async def alphabets(self) -> list[Alphabet]:
        return await self._answer(calls.alphabets())

    async def sample(
        self,
        picture: Picture,
        *,
        id: str | None = None,
        label: str | None = None,
        alphabet: str | None = None,
        answer: str | None = None,
        confidence: float | None = None,
        model: str | None = None,
        source: str = "api",
    ) -> str:
        return await self._answer(calls.sample(picture, id, label, alphabet, answer, confidence, model, source))

    async def delete_mine(self) -> int:
        return await self._answer(calls.delete_mine())

    async def samples(self, **filters: object) -> SamplePage:
        return await self._answer(calls.samples(filters))

    async def relabel(self, id: str, label: str) -> SampleFields:
        return await self._answer(calls.relabel(id, label))

    async def delete_sample(self, id: str) -> int:
        return await self._answer(calls.delete_sample(id))

    async def export(self) -> AsyncIterator[Sample]:
        call = calls.export()
        with transport.named():
            async with self._http.stream(**transport.request(call)) as response:
                transport.check(response)
                if not response.is_success:
                    call.understood(response.status_code, await response.aread())
                export = transport.Export()
                async for piece in response.aiter_bytes():
                    for sample in export.samples(piece):
                        yield sample
                for sample in export.last():
                    yield sample

    async def drifts(self) -> list[Watched]:
        return await self._answer(calls.drifts())

    async def is_ready(self) -> bool:
        try:
            await self._once(calls.ready())
        except ApiError:
            return False
        return True

    async def _answer(self, call: Call[Answered]) -> Answered:
        waits = self._retries.waits()
        while True:
            try:
                return await self._once(call)
            except ApiError as error:
                seconds = waits.after(error, call.harmless)
            await anyio.sleep(seconds)

    async def _once(self, call: Call[Answered]) -> Answered:
        with transport.named():
            response = await self._http.request(**transport.request(call))
        transport.check(response)
        return call.understood(response.status_code, response.content)
