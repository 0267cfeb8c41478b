"""What the models have answered lately, held against their records.

The counts are the metrics', of all processes together. What they were an hour ago, and two, and so on for a day, each
process remembers: the difference is what has been answered since.
"""

import asyncio
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple

from app import drift
from app.api import metrics
from app.client.watching import Expected, Index, OfVersion, Verdicts, Watched
from app.reading.recognizer import ModelRecord, Prediction
from app.samples.sample import NOT_A_CHARACTER, Sample

STARTED: Final = "DIGITS_API_STARTED"
"""The variable in which the server tells its processes when it started, in seconds since 1970."""

LOOKS_EVERY: Final = 3600.0
"""Seconds between two looks at the counts."""

LOOKS: Final = 25
"""So many are remembered: a day's."""


class Model(NamedTuple):
    alphabet: str
    version: str


@dataclass
class Counts:
    """Of one model's answers."""

    labels: Counter[str] = field(default_factory=Counter)
    up_to: Counter[int] = field(default_factory=Counter)
    """Answers whose confidence is in a tenth or in one below it, by the tenth."""
    unsure: int = 0

    @property
    def answers(self) -> int:
        return self.labels.total()

    @property
    def tenths(self) -> list[int]:
        return [self.up_to[tenth] - self.up_to[tenth - 1] for tenth in range(drift.BINS)]

    def since(self, before: "Counts") -> "Counts":
        return Counts(self.labels - before.labels, self.up_to - before.up_to, self.unsure - before.unsure)


def count(record: ModelRecord, prediction: Prediction) -> None:
    """Count an answer that somebody wants to know."""
    model = Model(record.alphabet, record.version)
    metrics.ANSWERS.labels(*model, prediction.label).inc()
    metrics.TENTHS.labels(*model).observe(prediction.confidence)
    metrics.UNSURE.labels(*model).inc(not prediction.sure)


def count_verdict(sample: Sample, known: Collection[tuple[str, str]]) -> None:
    """Count what somebody has said of an answer; said again, it counts again.

    A version counts as none unless it is among those that are known, with their alphabets: anybody may send any text.
    """
    if sample.label is None or sample.answer is None:
        return
    right = "right" if sample.label == sample.answer else "wrong"
    verdict = "no_character" if sample.label == NOT_A_CHARACTER else right
    version = sample.model if (sample.alphabet, sample.model) in known else None
    metrics.VERDICTS.labels(sample.alphabet, version or "", verdict).inc()


def counts() -> dict[Model, Counts]:
    """Since the server's start, by model."""
    found: dict[Model, Counts] = {}
    for family in metrics.of_all_processes().collect():
        for sample in family.samples:
            of = found.setdefault(Model(sample.labels.get("alphabet", ""), sample.labels.get("version", "")), Counts())
            match sample.name:
                case "digits_answers_total":
                    of.labels[sample.labels["label"]] += int(sample.value)
                case "digits_confidence_tenths_bucket" if sample.labels["le"] != "+Inf":
                    of.up_to[drift.bin_of(float(sample.labels["le"]))] += int(sample.value)
                case "digits_unsure_total":
                    of.unsure += int(sample.value)
    return {model: of for model, of in found.items() if of.answers}


class Watch:
    """Remembers what the counts were: at the server's start nothing, though this process may be a later one of it."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        started = float(os.environ.get(STARTED, now()))
        self._looks: deque[tuple[float, dict[Model, Counts]]] = deque([(started, {})], maxlen=LOOKS)

    def look(self) -> None:
        self._looks.append((self._now(), counts()))

    async def go_on(self) -> None:
        """Look again and again, until it is cancelled."""
        while True:
            await asyncio.sleep(LOOKS_EVERY)
            self.look()

    def watched(self, record: ModelRecord, all_of_them: dict[Model, Counts], verdicts: list[Verdicts]) -> Watched:
        """What the model of a record has answered, against that record.

        Args:
            record: of a model that is served.
            all_of_them: `counts`.
            verdicts: those of its alphabet.
        """
        since, before = self._looks[0]
        model = Model(record.alphabet, record.version)
        lately = all_of_them.get(model, Counts()).since(before.get(model, Counts()))
        reference = record.reference
        of_labels = drift.of_labels(reference, lately.labels) if reference else None
        of_confidence = drift.of_confidence(reference, lately.tenths) if reference else None
        return Watched(
            alphabet=record.alphabet,
            version=record.version,
            since=datetime.fromtimestamp(since, UTC),
            answers=lately.answers,
            unsure=lately.unsure,
            labels=dict(lately.labels),
            confidence=lately.tenths,
            expected=Expected.model_validate(reference.model_dump()) if reference else None,
            labels_drift=_index(of_labels),
            confidence_drift=_index(of_confidence),
            warning=_warning(of_labels, of_confidence),
            versions=[
                OfVersion(version=one.version, answers=of.answers, unsure=of.unsure)
                for one, of in sorted(all_of_them.items(), key=lambda entry: entry[0] != model)
                if one.alphabet == record.alphabet
            ],
            verdicts=verdicts,
        )

    def tell(self, record: ModelRecord, all_of_them: dict[Model, Counts]) -> None:
        """Put the indices among the metrics."""
        watched = self.watched(record, all_of_them, [])
        for of, found in (("labels", watched.labels_drift), ("confidence", watched.confidence_drift)):
            if found:
                metrics.DRIFT.labels(record.alphabet, of).set(found.index)


def _index(found: drift.Drift | None) -> Index | None:
    if found is None:
        return None
    return Index(index=round(found.index, 4), by_chance=round(found.by_chance, 4), drifts=found.matters)


def _warning(of_labels: drift.Drift | None, of_confidence: drift.Drift | None) -> str | None:
    """What has drifted, for a person; None where nothing has."""
    if of_confidence and of_confidence.matters:
        return (
            "The model's confidence is not what it was when it was judged: what people send may have become another "
            "kind of picture. Look at samples, and retrain it on them."
        )
    if of_labels and of_labels.matters:
        return (
            "Some labels are answered far more or far less often than when the model was judged. People may draw other "
            "characters than before, or the model may take one for another: look at samples of these labels."
        )
    return None
