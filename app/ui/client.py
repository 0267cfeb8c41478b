"""The page's way to the API: calls with time limits, answers checked, every trouble told as a sentence."""

from typing import Any, TypeVar

import requests
from pydantic import BaseModel, TypeAdapter, ValidationError

from app.settings import Settings

CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 10.0

BATCH = 16
"""Pictures a call: the API takes more, but a progress bar likes steps."""


class Trouble(Exception):
    """No answer; the message says in plain words why, and what to do about it.

    `again_in`: seconds after which asking again may help; None when it will not.
    """

    def __init__(self, message: str, again_in: float | None = None) -> None:
        super().__init__(message)
        self.again_in = again_in


class Share(BaseModel):
    label: str
    confidence: float


class Model(BaseModel):
    alphabet: str
    version: str


class Answer(BaseModel):
    """What the API said of one picture; `alternatives` are all other labels, best first."""

    label: str
    confidence: float
    sure: bool
    alternatives: list[Share]
    model: Model
    glyph: str | None = None
    """A data URL of the picture as the model saw it."""
    request_id: str = ""


class Refusal(BaseModel):
    """What the API said of one picture that it cannot read."""

    error: str
    code: str = ""

    @property
    def is_blank(self) -> bool:
        return self.code == "blank_image"


class Alphabet(BaseModel):
    name: str
    labels: list[str]
    version: str
    figures: dict[str, Any] = {}


class _Alphabets(BaseModel):
    alphabets: list[Alphabet]


class _Batch(BaseModel):
    results: list[Answer | Refusal]


Known = TypeVar("Known")

_ONE: TypeAdapter[Answer | Refusal] = TypeAdapter(Answer | Refusal)
_MANY = TypeAdapter(_Batch)
_ALPHABETS = TypeAdapter(_Alphabets)


class Client:
    """Safe to share between people: it keeps connections, and nothing of what was sent."""

    def __init__(self, settings: Settings) -> None:
        self._address = settings.api_address
        self._session = requests.Session()
        self._session.trust_env = False  # the API is next door: no proxy leads there
        if settings.api_keys:
            self._session.headers["X-API-Key"] = settings.api_keys[0].get_secret_value()

    def predict(self, picture: bytes, alphabet: str = "") -> Answer | Refusal:
        """What a picture shows. Raises Trouble."""
        return _understood(_ONE, self._call("POST", "/predict/", alphabet, files={"file": ("picture", picture)}))

    def predict_all(self, pictures: list[bytes], alphabet: str = "") -> list[Answer | Refusal]:
        """What each picture shows, in order, at most `BATCH` at a time. Raises Trouble."""
        files = [("files", ("picture", picture)) for picture in pictures]
        return _understood(_MANY, self._call("POST", "/predict/batch/", alphabet, files=files)).results

    def alphabets(self) -> list[Alphabet]:
        """What can be recognized, with the models' records. Raises Trouble."""
        return _understood(_ALPHABETS, self._call("GET", "/alphabets/")).alphabets

    def is_ready(self) -> bool:
        try:
            self._call("GET", "/health/ready")
        except Trouble:
            return False
        return True

    def _call(self, method: str, path: str, alphabet: str = "", files: Any = None) -> bytes:
        query = {"glyph": "true", "alphabet": alphabet or None} if files else None
        try:
            response = self._session.request(
                method, self._address + path, params=query, files=files, timeout=(CONNECT_SECONDS, ANSWER_SECONDS)
            )
        except requests.Timeout:
            raise Trouble(
                "The recognizer takes longer than usual. You need not do anything: it is asked again by itself.", 2
            ) from None
        except requests.RequestException:
            raise Trouble(
                "The recognizer is away at the moment. Nothing is lost: the answer comes as soon as it is back.", 2
            ) from None
        if trouble := _trouble(response):
            raise trouble
        return response.content


def _trouble(response: requests.Response) -> Trouble | None:
    """What keeps the API from answering; a picture that it refuses is an answer."""
    match response.status_code:
        case 401:
            return Trouble(
                "The recognizer does not accept this page's key. "
                "Whoever runs the app has to give both the same DIGITS_API_KEYS and start them again."
            )
        case 429:
            wait = _seconds(response)
            return Trouble(
                f"That was a lot in a short time. Please wait {wait:.0f} seconds; the answer then comes by itself.",
                wait,
            )
        case 503:
            return Trouble(
                "The recognizer is busy with others. You need not do anything: it is asked again by itself.",
                _seconds(response),
            )
        case status if status >= 500:
            return Trouble("Something went wrong in the recognizer. It is asked again by itself.", 5)
    return None


def _seconds(response: requests.Response) -> float:
    """How long the API asks to wait, kept to what a person would."""
    try:
        return min(60.0, max(1.0, float(response.headers.get("Retry-After", "2"))))
    except ValueError:
        return 2.0


def _understood(kind: TypeAdapter[Known], answer: bytes) -> Known:
    try:
        return kind.validate_json(answer)
    except ValidationError:
        raise Trouble(
            "The recognizer's answer makes no sense to this page: they are of different versions. "
            "Whoever runs the app has to update both."
        ) from None
