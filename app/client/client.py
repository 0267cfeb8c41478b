"""Calls of the API: with time limits, answers checked, every failure an exception of `app.client.errors`."""

import time
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import TypeVar

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


class Client:
    """Safe to share between threads: it keeps connections, and nothing of what was sent."""

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
        """
        Args:
            address: of the API, such as http://127.0.0.1:8000.
            key: to show with each call, where the API wants one.
            connect_seconds: until the API must have taken the call.
            answer_seconds: in which it may then send nothing.
            retries: how often, and how patiently, a call is made again where that does no harm; a few times if not
                given, and not at all with `app.client.retries.NEVER`.
            visitor: a secret of 16 to 128 characters, by which samples are known as somebody's, and deleted.
            proxy: to go through, such as http://proxy:3128; the environment's is not looked at.
        """
        self._retries = retries or Retries()
        self._http = httpx.Client(**transport.options(address, key, connect_seconds, answer_seconds, visitor, proxy))

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def predict(
        self, picture: Picture, alphabet: str | None = None, glyph: bool = False, trial: bool = False
    ) -> Answer | Problem:
        """What a picture shows, or why it cannot be read. Raises ApiError, but never Refused.

        Args:
            picture: the bytes of a file, its path, a Pillow image or an array, as `app.client.pictures` takes them.
            alphabet: the API's default one if none is named.
            glyph: whether the answer is to have the picture as the model saw it.
            trial: whether the answer is of no account for `drifts`, such as one to half a drawing.
        """
        return self._answer(calls.predict(picture, alphabet, glyph, trial))

    def predict_batch(
        self, pictures: Iterable[Picture], alphabet: str | None = None, glyph: bool = False, trial: bool = False
    ) -> list[Recognized | Failed]:
        """As `predict`, for each picture in order, of any number: they are sent in parts. Raises ApiError."""
        parts = (self._answer(calls.predict_part(part, alphabet, glyph, trial)) for part in calls.parts(pictures))
        return [answer for part in parts for answer in part]

    def read(
        self, picture: Picture, alphabet: str | None = None, boxes: Sequence[Box] | None = None
    ) -> ReadAnswer | Problem:
        """The lines on a picture, or why they cannot be read. Raises ApiError, but never Refused.

        With `boxes`, left, top, right and bottom limit each, the character in each of them, in their order.
        """
        return self._answer(calls.read(picture, alphabet, boxes))

    def read_batch(self, pictures: Iterable[Picture], alphabet: str | None = None) -> list[Read | Failed]:
        """As `read`, for each picture in order, of any number. Raises ApiError."""
        parts = (self._answer(calls.read_part(part, alphabet)) for part in calls.parts(pictures))
        return [answer for part in parts for answer in part]

    def alphabets(self) -> list[Alphabet]:
        """What can be recognized, with the models' records. Raises ApiError."""
        return self._answer(calls.alphabets())

    def sample(
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
        """Have a picture kept as a sample, and get its id. Raises ApiError.

        Args:
            picture: as `predict` takes it.
            id: to send it again with the same does no harm; one is made where there is none.
            label: what it really is; "": no character; None: nobody has said.
            alphabet: the default one where none is named.
            answer: what the model said.
            confidence: how sure it was.
            model: its version.
            source: where it comes from, such as canvas or upload.
        """
        return self._answer(calls.sample(picture, id, label, alphabet, answer, confidence, model, source))

    def delete_mine(self) -> int:
        """Delete all samples of this client's `visitor`, and count them. Raises ApiError."""
        return self._answer(calls.delete_mine())

    def samples(self, **filters: object) -> SamplePage:
        """A page of samples, for an admin's key. Raises ApiError.

        Args:
            filters: as the API has them: `alphabet`, `label`, `answer`, `source`, `verdict`, `reviewed`, `before`,
                `order`, `limit` and, for the page after another one, that one's `next` as `after`.
        """
        return self._answer(calls.samples(filters))

    def relabel(self, id: str, label: str) -> SampleFields:
        """Say what a sample really is, for good, with an admin's key. Raises ApiError."""
        return self._answer(calls.relabel(id, label))

    def delete_sample(self, id: str) -> int:
        """Delete one for good, with an admin's key. Raises ApiError."""
        return self._answer(calls.delete_sample(id))

    def export(self) -> Iterator[Sample]:
        """All samples, the oldest first, for an admin's key. Raises ApiError, also where the connection breaks."""
        call = calls.export()
        with transport.named(), self._http.stream(**transport.request(call)) as response:
            transport.check(response)
            if not response.is_success:
                call.understood(response.status_code, response.read())
            export = transport.Export()
            for piece in response.iter_bytes():
                yield from export.samples(piece)
            yield from export.last()

    def drifts(self) -> list[Watched]:
        """What has been answered lately, against the models' records. Raises ApiError."""
        return self._answer(calls.drifts())

    def is_ready(self) -> bool:
        """Whether it answers, asked once."""
        try:
            self._once(calls.ready())
        except ApiError:
            return False
        return True

    def _answer(self, call: Call[Answered]) -> Answered:
        waits = self._retries.waits()
        while True:
            try:
                return self._once(call)
            except ApiError as error:
                seconds = waits.after(error, call.harmless)
            time.sleep(seconds)

    def _once(self, call: Call[Answered]) -> Answered:
        with transport.named():
            response = self._http.request(**transport.request(call))
        transport.check(response)
        return call.understood(response.status_code, response.content)
