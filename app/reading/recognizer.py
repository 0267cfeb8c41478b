"""Glyphs -> predictions, by ONNX Runtime. One self-describing model file is one alphabet."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import onnxruntime
from pydantic import BaseModel, ConfigDict, ValidationError

from app.drift import Reference
from app.reading import second_look
from app.reading.glyphs import SIDE, Cleaning, Glyph
from app.reading.middle import MIDDLE_FILE, Middle, MiddleRecord
from app.reading.second_look import Floats, SecondLook

MODEL_FILE: Final = "model.onnx"
"""As it is called in the folder of its alphabet."""

METADATA_KEY: Final = "digit_recognition_app"
"""The entry of an ONNX file's metadata that holds its record, as JSON."""

READING_VERSION: Final = 1
"""Counts changes of how pictures become glyphs after which a network has to be trained anew."""

_CUT_TEMPERATURE = 2.0
"""By which confidence in what was cut out of something is lowered: part of it may be missing, or another's."""

LABEL: Final = "label"
"""The head that every model has."""

CASE: Final = "case"
"""The head that tells upper from lower case, in an alphabet that has both."""

DIGITS: Final = frozenset("0123456789")
"""Labels that are digits; a label such as 10, or a digit of another script, is a character."""


class ModelRecord(BaseModel):
    """What a model file says of itself: all that serving needs. More is kept, for people to read."""

    model_config = ConfigDict(extra="allow", frozen=True)

    alphabet: str
    title: str = ""
    """The alphabet's name for people; empty in models of before there were several."""
    version: str
    labels: list[str]
    names: dict[str, str] = {}
    """What a learner wants to know of a label, where that says not all itself."""
    cases: list[Literal["lower", "upper"]] = []
    """What the head `case` tells apart, in the order of its output."""
    cased: list[str] = []
    """Labels whose case can be told; of others the two look alike, or there is one alone."""
    sure_from: float
    """Confidence from which an answer counts as sure, chosen on validation data."""
    reading_version: int
    """`READING_VERSION` of the code that made the glyphs which the network has learned from."""
    input_side: int = SIDE
    """Pixels of a glyph that the network takes."""
    heads: dict[str, str] = {LABEL: "probabilities"}
    """What the network tells of a glyph -> the output of the ONNX file that has it, (n, choices)."""
    second_look: SecondLook = SecondLook()
    cleaning: Cleaning = Cleaning()
    figures: dict[str, Any] = {}
    reference: Reference | None = None
    """What it answered when it was judged; absent in models of before drift was watched."""

    @property
    def character(self) -> str:
        """What people call one of its labels: digit or character."""
        return "digit" if DIGITS.issuperset(self.labels) else "character"


class UnusableModel(RuntimeError):
    """The model file is missing, broken or none of ours; the message says which and what to do."""


@dataclass(frozen=True)
class Prediction:
    """`probabilities` has one entry per label, in the model's order; they sum to 1. `case` is one of the model's, or
    None where nobody could tell.
    """

    label: str
    index: int
    confidence: float
    sure: bool
    probabilities: tuple[float, ...]
    case: str | None = None


class Recognizer:
    """Recognizes the glyphs of one alphabet. Safe to call from several threads."""

    def __init__(self, file: Path, threads: int = 1) -> None:
        """Load a model file. Raises UnusableModel."""
        self._session, metadata, name = opened(file, threads)
        self.record = _record(metadata, name)
        outputs = {output.name for output in self._session.get_outputs()}
        if missing := set(self.record.heads.values()) - outputs or {LABEL} - set(self.record.heads):
            raise UnusableModel(f"{name} does not have what its record promises: {', '.join(sorted(missing))}.")
        self._middle = _middle(file.with_name(MIDDLE_FILE), self.record, threads)

    @property
    def labels(self) -> list[str]:
        return self.record.labels

    def probabilities(self, glyphs: Floats) -> Floats:
        """(n, 28, 28) glyphs -> (n, labels) probabilities."""
        return self._told(glyphs.reshape(-1, SIDE, SIDE), [LABEL])[0]

    def predict(self, glyphs: list[Glyph]) -> list[Prediction]:
        """One prediction for each glyph, in order; of several characters side by side, one that is not sure."""
        if not glyphs:
            return []
        pixels = np.stack([pixels for glyph in glyphs for pixels in (glyph.pixels, *glyph.others)])
        shares, *cases = self._told(pixels, [LABEL, CASE] if self.record.cases else [LABEL])
        answers, rows, first = [], [], 0
        for glyph in glyphs:
            following = first + 1 + len(glyph.others)
            answer, piece = self._answer(glyph, shares[first:following])
            answers.append(answer)
            rows.append(first + piece)
            first = following
        self._ask_of_crops(glyphs, answers)
        return [
            self._prediction(answer, cases[0][row] if cases else None)
            for answer, row in zip(answers, rows, strict=True)
        ]

    def _told(self, glyphs: Floats, heads: Sequence[str]) -> list[Floats]:
        """(n, 28, 28) glyphs -> of each head, (n, choices) probabilities, asked in one run of the network."""
        outputs = [self.record.heads[head] for head in heads]

        def ask(some: Floats) -> list[Floats]:
            result: list[Floats] = self._session.run(outputs, {"glyphs": some[:, np.newaxis]})
            return result

        return second_look.of_heads(ask, glyphs, self.record.second_look)

    def _answer(self, glyph: Glyph, shares: Floats) -> tuple[Floats, int]:
        """(1 + others, labels) of what is said of a glyph and of the whole pieces of it -> (labels,): the answer, and
        the row that it comes from.

        Where two or more of them are surely characters, or the whole is none: of the one in the middle, and not sure.
        """
        answer, row = shares[0], 0
        if glyph.others:
            sure = shares[1:].max(axis=1) >= self.record.sure_from
            if np.count_nonzero(sure) > 1 or (sure[0] and answer.max() < self.record.sure_from):
                answer, row = _not_sure(shares[1]), 1
        return (answer if glyph.crop is None else _tempered(answer)), row

    def _ask_of_crops(self, glyphs: list[Glyph], answers: list[Floats]) -> None:
        """Where an answer leaves doubt about what was cut out, heed what is in the middle, too, and be not sure."""
        if self._middle is None:
            return
        below = self._middle.record.asked_below
        crops = {
            place: glyph.crop
            for place, (glyph, answer) in enumerate(zip(glyphs, answers, strict=True))
            if glyph.crop is not None and answer.max() < below
        }
        if crops:
            said = self._middle.probabilities(np.stack(list(crops.values())))
            for place, shares in zip(crops, said, strict=True):
                answers[place] = _not_sure(self._middle.weighed(answers[place], shares))

    def _prediction(self, probabilities: Floats, cases: Floats | None) -> Prediction:
        index = int(probabilities.argmax())
        label, confidence = self.labels[index], float(probabilities[index])
        return Prediction(
            label=label,
            index=index,
            confidence=confidence,
            sure=confidence >= self.record.sure_from,
            probabilities=tuple(probabilities.tolist()),
            case=self.record.cases[int(cases.argmax())] if cases is not None and label in self.record.cased else None,
        )


def opened(file: Path, threads: int) -> tuple[onnxruntime.InferenceSession, Any, str]:
    """A model file, its record and what to call it. Raises UnusableModel."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # a small network: the arena costs more memory than it saves time
    options.log_severity_level = 3
    name = f"{file.parent.name}/{file.name}"
    if not file.is_file():
        raise UnusableModel(f"There is no model file {name}. Train one: python train_model.py --install")
    try:
        session = onnxruntime.InferenceSession(str(file), sess_options=options, providers=["CPUExecutionProvider"])
        metadata = json.loads(session.get_modelmeta().custom_metadata_map[METADATA_KEY])
    except (KeyError, json.JSONDecodeError):
        raise UnusableModel(f"{name} has no record of its labels: it was not made by this project.") from None
    except Exception:  # ONNX Runtime's own exceptions share no base class
        raise UnusableModel(f"{name} cannot be loaded: it is damaged or no ONNX file.") from None
    return session, metadata, name


def _not_sure(probabilities: Floats) -> Floats:
    """With so much doubt that no answer is sure."""
    doubtful: Floats = (probabilities + np.float32(1 / len(probabilities))) / np.float32(2)
    return doubtful


def _tempered(probabilities: Floats) -> Floats:
    softer = probabilities ** np.float32(1 / _CUT_TEMPERATURE)
    answer: Floats = softer / softer.sum()
    return answer


def _middle(file: Path, record: ModelRecord, threads: int) -> Middle | None:
    """What tells the characters in the middle of crops, where the file is there. Raises UnusableModel."""
    if not file.is_file():
        return None
    session, metadata, name = opened(file, threads)
    try:
        of_middle = MiddleRecord.model_validate(metadata)
    except ValidationError:
        raise UnusableModel(f"{name} has a record that makes no sense.") from None
    if (of_middle.alphabet, of_middle.labels) != (record.alphabet, record.labels):
        raise UnusableModel(f"{name} was made for another alphabet, or for other labels.")
    if of_middle.reading_version != READING_VERSION:
        raise UnusableModel(f"{name} was made for another version of how pictures are read.")
    return Middle(session, of_middle)


def _record(metadata: object, name: str) -> ModelRecord:
    """A model file's record, of use to this code. Raises UnusableModel."""
    version = metadata.get("reading_version") if isinstance(metadata, dict) else None
    if version != READING_VERSION:
        raise UnusableModel(
            f"{name} was trained for another version of how pictures are read ({version or 'it does not say which'}; "
            f"this is {READING_VERSION}). Train it anew: python train_model.py --install"
        )
    try:
        record = ModelRecord.model_validate(metadata)
    except ValidationError as error:
        wrong = ", ".join(sorted({str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}))
        raise UnusableModel(f"{name} has a record that makes no sense: {wrong}.") from None
    if (record.cases and CASE not in record.heads) or set(record.cased) - set(record.labels):
        raise UnusableModel(f"{name} has a record that makes no sense: cases.")
    if record.input_side != SIDE:
        raise UnusableModel(f"{name} takes glyphs of {record.input_side} pixels a side; these have {SIDE}.")
    return record
