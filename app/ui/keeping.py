"""Samples: with consent, a picture is kept when its visitor says whether the answer to it is right.

They are sent by threads of their own. What becomes of them is said below the answer, which waits for nothing of it.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from typing import Any, Final

import streamlit as st

from app import settings
from app.client.client import Client
from app.client.errors import ApiError, Busy, Refused, TimedOut, Unreachable
from app.client.models import Alphabet, Failed, Recognized
from app.client.retries import NEVER
from app.ui import consent, verdict
from app.ui.answer import is_one_character
from app.ui.consent import Consent
from app.ui.session import client
from app.ui.texts import _, ngettext
from app.ui.trouble import again_in
from app.ui.verdict import Question, Words

CANVAS, UPLOAD, CAMERA, NUMBER = "canvas", "upload", "camera", "number"
"""Where samples come from, as they tell."""

_REMEMBERED: Final = 32
"""Answers of a visitor of which something may still be said: it can be late."""

_REMEMBERED_BYTES: Final = 1024 * 1024
"""Of their pictures, which no limit of uploads counts; the newest is remembered whatever it has."""

_MOST_SENT: Final = 8
"""Answers of all visitors whose pictures are sent, or wait for it, at the same time."""

_SOON: Final = 0.15
"""Seconds in which a sample is mostly kept, and that a run waits for it."""

_IN_FLIGHT: Final = 10.0
"""Seconds that the wish to delete everything waits for what is under way."""

_TRIES: Final = 3

_PAUSE: Final = 2.0
"""Seconds between two tries, whatever the API asks for: a person waits for what becomes of a click."""

_LIVES: Final = 20
"""How often the same picture may be deleted and sent again."""


@dataclass(frozen=True)
class Piece:
    """One character."""

    picture: bytes
    answer: str
    confidence: float
    label: str | None = None
    """What it is; None where the visitor's verdict says so."""


@dataclass(frozen=True)
class Shown:
    """An answer of which something may be said."""

    alphabet: str
    version: str
    source: str
    question: Question
    pieces: Callable[[], Sequence[Piece]]
    """What is then kept."""
    size: int
    """Bytes of the picture that it is made of."""


def one_character(picture: bytes, answer: Recognized | Failed | None, alphabet: Alphabet, source: str) -> Shown | None:
    """The answer to a picture of one character, if there is one."""
    if not isinstance(answer, Recognized):
        return None
    names = {label: f"{label} · {_(name)}" for label, name in alphabet.names.items()}
    labels = alphabet.labels or sorted(answer.confidences)
    question = Question(
        _name(picture, answer.model.alphabet),
        answer.label,
        () if answer.sure or not is_one_character(answer) else tuple(one.label for one in answer.alternatives[:2]),
        tuple((label, names.get(label, label)) for label in labels if label != answer.label),
    )
    piece = Piece(picture, answer.label, answer.confidence)
    return Shown(answer.model.alphabet, answer.model.version, source, question, lambda: [piece], len(picture))


def several_characters(
    picture: bytes, text: str, alphabet: str, version: str, pieces: Callable[[], Sequence[Piece]]
) -> Shown:
    """The answer to a picture of several characters, as it stands: each of them is a sample.

    `text` is what stands there, and where.
    """
    question = Question(_name(picture, f"{alphabet} {text}"), text)
    return Shown(alphabet, version, NUMBER, question, pieces, len(picture))


def mark(shown: Shown | None) -> str:
    """HTML, not to be seen, that belongs to the answer of which something may be said."""
    return verdict.mark(shown.question) if shown else ""


@st.cache_resource(ttl=60, show_spinner=False)
def _are_taken() -> bool:
    """Raises ApiError."""
    try:
        client().delete_mine()  # nobody's: either there are no samples, or it has to be said whose
    except Refused as refused:
        return refused.code == "invalid_parameter"
    return False


def are_taken() -> bool:
    """Whether the API keeps samples; to be asked outside of what a stroke runs again."""
    if not settings.load().samples_database.get_secret_value():
        return False
    with suppress(ApiError):
        return _are_taken()
    return False


@st.fragment
def below(shown: Shown | None) -> None:
    """What may be said of an answer, and whether it may be kept; to be called where samples are taken."""
    known, letterbox = consent.remembered(), _letterbox()
    _delete(known, letterbox)
    if shown:
        letterbox.show(shown)
    for one in verdict.said():
        letterbox.take(one, known.visitor if known.given else "")
    letterbox.wait()
    with st.container(key="keeping", gap="small"):
        of = shown.question.of if shown else ""
        if known.given:
            label, words = letterbox.label(of), _words(letterbox, shown, of)
            verdict.ask(shown.question if shown else None, label, letterbox.taken, words)
        said = letterbox.told if letterbox.told_of == known.said else ""
        consent.ask(known, shown is not None, letterbox.deleted, said)
        if letterbox.is_busy:
            _look_again(letterbox)


def _words(letterbox: "_Letterbox", shown: Shown | None, of: str) -> Words:
    if letterbox.error:
        return Words(_trouble(letterbox.error), is_trouble=True)
    label = letterbox.label(of)
    if label is None:
        return Words(_("Where it is wrong, mend it below first.")) if shown and not shown.question.labels else Words()
    if letterbox.is_busy:
        return Words(_("Keeping it…"))
    return Words(_("Thank you. It is kept."))


def _trouble(error: ApiError) -> str:
    """Why something is not kept; the answer is not concerned."""
    if isinstance(error, Refused) and error.code == "no_samples":
        return _("Drawings are not kept here any more.")
    if isinstance(error, Refused):
        return _("This could not be kept. The answer is not concerned.")
    return _("This could not be kept: the place for drawings is away or full. Please press again later.")


def _look_again(letterbox: "_Letterbox") -> None:
    @st.fragment(run_every=1)
    def until_it_is_sent() -> None:
        if not letterbox.is_busy:
            st.rerun()

    until_it_is_sent()


def _delete(known: Consent, letterbox: "_Letterbox") -> None:
    """Do so once, where it was asked for."""
    if known.wish and known.visitor and known.wish != letterbox.deleted:
        letterbox.deleted = known.wish
        letterbox.forget()
        letterbox.wait(_IN_FLIGHT)
        try:
            with client_of(known.visitor) as mine:
                deleted = mine.delete_mine()
        except ApiError:
            letterbox.told = _("Your drawings could not be deleted at the moment. Please try again later.")
        else:
            letterbox.told = ngettext("{count} drawing was deleted.", "{count} drawings were deleted.", deleted).format(
                count=deleted
            )
        letterbox.told_of = known.said


@contextmanager
def client_of(visitor: str) -> Iterator[Client]:
    known = settings.load()
    key = known.api_keys[0].get_secret_value() if known.api_keys else None
    with Client(known.api_address, key, visitor=visitor, retries=NEVER) as mine:
        yield mine


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(4, "samples")


_room: Final = threading.BoundedSemaphore(_MOST_SENT)


def _letterbox() -> "_Letterbox":
    letterbox: _Letterbox = st.session_state.setdefault("letterbox", _Letterbox())
    return letterbox


class _Letterbox:
    """What a visitor has said, on its way to the API. Used by the session's thread, and by those that send."""

    def __init__(self) -> None:
        self.taken = 0
        """The largest number of what was said."""
        self.deleted = ""
        """The wish that all be deleted which was heard last."""
        self.told, self.told_of = "", ""
        """What has become of it, and what was said of keeping at that time."""
        self.error: ApiError | None = None
        """Why the last that was said is not kept."""
        self._shown: dict[str, Shown] = {}
        self._labels: dict[str, str] = {}
        self._waiting: dict[str, tuple[str, str]] = {}
        """What something is said of -> the label and the visitor's token, until it is sent."""
        self._sending: set[str] = set()
        self._deletions = 0
        """What was said before the last of them is wanted no more."""
        self._changed = threading.Condition()

    def show(self, shown: Shown) -> None:
        """Remember an answer, so that something can be said of it."""
        self._shown.pop(shown.question.of, None)
        self._shown[shown.question.of] = shown
        while len(self._shown) > 1 and (
            len(self._shown) > _REMEMBERED or sum(one.size for one in self._shown.values()) > _REMEMBERED_BYTES
        ):
            self._shown.pop(next(iter(self._shown)))

    def take(self, said: verdict.Verdict, visitor: str) -> None:
        """Send what was said, once; nothing without a visitor's token, which there is with consent alone."""
        shown = self._shown.get(said.of)
        if said.number <= self.taken or not shown or not _fits(said.label, shown):
            return
        self.taken, self.told = said.number, ""
        if not visitor:
            return
        with self._changed:
            is_new = said.of not in self._sending
            if is_new and not _room.acquire(blocking=False):
                self.error = Busy("Too much is being sent already.")
                self._labels.pop(said.of, None)
                return
            self._labels[said.of] = said.label
            self._waiting[said.of] = said.label, visitor
            self.error = None
            if not is_new:
                return
            self._sending.add(said.of)
        _threads().submit(self._send, shown)

    def label(self, of: str) -> str | None:
        """What was said of an answer so far."""
        return self._labels.get(of)

    def forget(self) -> None:
        """What was said so far: it is deleted. Nothing of it is sent from now on, whatever is under way."""
        with self._changed:
            self._deletions += 1
            self._labels.clear()
            self._waiting.clear()

    @property
    def is_busy(self) -> bool:
        return bool(self._sending)

    def wait(self, seconds: float = _SOON) -> None:
        """Give what is on its way the time that it mostly takes."""
        with self._changed:
            self._changed.wait_for(lambda: not self._sending, seconds)

    def _is_wanted(self, deletions: int) -> bool:
        """Whether nothing was deleted since there were so many deletions."""
        return deletions == self._deletions

    def _send(self, shown: Shown) -> None:
        """Send what is waiting of one answer until nothing is: of what was said quickly, the last alone."""
        of = shown.question.of
        try:
            while waiting := self._next(of):
                label, visitor, is_wanted = waiting
                error = _failure_to_keep(shown, label, visitor, is_wanted)
                with self._changed:
                    if error and is_wanted() and of not in self._waiting:
                        self.error = error
                        self._labels.pop(of, None)
        except BaseException:
            self._leave(of)
            raise

    def _next(self, of: str) -> "tuple[str, str, Callable[[], bool]] | None":
        """A label, the visitor's token and whether it is wanted; None at the end, after which others send."""
        with self._changed:
            if of in self._waiting:
                return *self._waiting.pop(of), partial(self._is_wanted, self._deletions)
            self._leave(of)
            return None

    def _leave(self, of: str) -> None:
        with self._changed:
            self._sending.discard(of)
            _room.release()
            self._changed.notify_all()


def _fits(label: str, shown: Shown) -> bool:
    """Whether one can say so: the browser is not to be trusted."""
    question = shown.question
    return label == question.right or (bool(question.labels) and label in {"", *dict(question.labels)})


def _failure_to_keep(shown: Shown, label: str, visitor: str, is_wanted: Callable[[], bool]) -> ApiError | None:
    """Keep the pieces of an answer; tried again where that helps, with ids by which it does no harm.

    Nothing is sent any more once it is not wanted.
    """
    pause = threading.Event()
    error: ApiError | None = None
    for _try in range(_TRIES):
        try:
            with client_of(visitor) as mine:
                for piece in shown.pieces():
                    _keep(mine, visitor, shown, piece, label, is_wanted)
        except ApiError as failed:
            error = failed
            if not isinstance(failed, Unreachable | TimedOut | Busy) or _try == _TRIES - 1:
                return error
            pause.wait(min(_PAUSE, again_in(failed) or 0))
        except OSError:  # a part of the picture cannot be cut out
            return Refused("The picture cannot be taken apart.")
        else:
            return None
    return error


def _keep(mine: Client, visitor: str, shown: Shown, piece: Piece, label: str, is_wanted: Callable[[], bool]) -> None:
    """Does nothing, or no more, once it is not wanted. Raises ApiError."""
    details: dict[str, Any] = {
        "label": label if piece.label is None else piece.label,
        "alphabet": shown.alphabet,
        "answer": piece.answer,
        "confidence": piece.confidence,
        "model": shown.version,
        "source": shown.source,
    }
    for life in range(_LIVES):
        if not is_wanted():
            return
        try:
            mine.sample(piece.picture, id=_id(piece.picture, shown, visitor, life), **details)
        except Refused as refused:
            if refused.code != "sample_deleted" or life == _LIVES - 1:
                raise
        else:
            return


def _id(picture: bytes, shown: Shown, visitor: str, life: int) -> str:
    """The same for the same picture by the same visitor, until it is deleted."""
    name = sha256(f"{visitor} {shown.alphabet} {life}\0".encode())
    name.update(picture)
    return name.hexdigest()[:32]


def _name(picture: bytes, what: str) -> str:
    name = sha256(what.encode() + b"\0")
    name.update(picture)
    return name.hexdigest()[:32]
