"""The alphabets that a network can learn: each module of this package describes one, as its `ALPHABET`."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from app.reading.glyphs import DEFAULT_CLEANING, Cleaning
from training.augmentation import Augmentation
from training.datasets import GlyphSet
from training.evaluation_sets import EvaluationSet
from training.strokes import StrokeSet
from training.training_data import TrainingData

NAMES = tuple(module.name for module in pkgutil.iter_modules(__path__))


class DataSettings(Protocol):
    """The hyper-parameters that decide how training data is put together; `Config` in train_model.py explains them."""

    @property
    def seed(self) -> int: ...
    @property
    def validation(self) -> int: ...
    @property
    def least_per_epoch(self) -> int: ...
    @property
    def drawings_per_sample(self) -> int: ...
    @property
    def drawings_per_epoch(self) -> float: ...
    @property
    def damaged_per_epoch(self) -> float: ...
    @property
    def small_per_epoch(self) -> float: ...
    @property
    def no_characters_per_epoch(self) -> float: ...


@dataclass(frozen=True)
class Alphabet:
    """Characters to tell apart, and the data to learn them from."""

    name: str
    """Names the model's files."""
    title: str
    """As people read it."""
    labels: tuple[str, ...]
    """In the order of the network's outputs."""
    files: tuple[str, ...]
    """What is read of a data folder, as glob patterns."""
    load_training: Callable[[Path, DataSettings, int | None], TrainingData]
    """Data folder, settings and a limit to the pictures of each set, or None -> what to learn from."""
    load_test: Callable[[Path], GlyphSet]
    """Data folder -> the test set, which is scored once."""
    test_name: str
    """Under which the record keeps the test set's figures."""
    temperature_from: str
    """The validation set that decides the temperature of the confidence."""
    threshold_from: tuple[str, ...]
    """The validation sets that decide the threshold of being sure."""
    load_evaluation: Callable[[Path], list[EvaluationSet]]
    """Data folder -> what a model is judged by, the test set among it."""
    targets: dict[str, float]
    """The share of each evaluation set that ought to be right."""
    names: dict[str, str] = field(default_factory=dict)
    """What a learner wants to know of a label, where that says not all itself."""
    cases: tuple[str, ...] = ()
    """What the second head tells apart, in the order of its outputs: "lower", "upper"; empty where there is no case."""
    cased: tuple[str, ...] = ()
    """Labels whose case can be told."""
    cleaning: Cleaning = DEFAULT_CLEANING
    """What of the ink is dirt."""
    least_sure: float = 0.5
    """No answer of less confidence is sure, however many of them are given to validation pictures."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    """How far glyphs are changed while a network learns."""
    squeezed: float = 0.0
    """Share of glyphs that are made narrower, wider or more slanting than most people write, where `--refine` goes on
    from the served network. [Of digits, 0.4 from the start, with three teachers that had learned so: of narrow
    validation drawings 1.3 points more right than with it at the end, of damaged digits 0.6 fewer, of MNIST 0.06.]"""
    load_strokes: Callable[[Path], StrokeSet | None] | None = None
    """Data folder -> pen strokes that nothing was learned from, if there: to draw with other brushes, sizes and so on.
    """
    origin: dict[str, Any] = field(default_factory=dict)
    """What the record tells of pictures that come from elsewhere than a data folder."""
    folds: int = 0
    """Into how many parts its own set is cut for cross-validation, where it is too small to spare one."""
    held_out: Callable[[int], "Alphabet"] | None = None
    """Fold, from 1 -> the alphabet whose test is that part, of which nothing is learned."""


def named(name: str, fold: int = 0) -> Alphabet:
    """The alphabet of one of `NAMES`; of those with folds, without one."""
    alphabet: Alphabet = importlib.import_module(f"{__name__}.{name}").ALPHABET
    return alphabet.held_out(fold) if fold and alphabet.held_out else alphabet
