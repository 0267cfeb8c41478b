"""What a network says of a whole row, frame by frame from left to right: how likely texts are, and which ones may be.

Connectionist temporal classification (Graves et al. 2006, doi:10.1145/1143844.1143891): each frame says a symbol or
nothing; a symbol that is said several times in a row counts once, and twice where nothing is said in between.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from app.reading.rows import FIELD, Floats, Row

Doubles = npt.NDArray[np.float64]

Said = tuple[int, ...]
"""A text: its symbols, from 1, in order; 0 is nothing."""

STRIP_HEIGHT: Final = 32
"""Pixels of what the network is shown of a row."""

_REACH: Final = 32
"""So many of a row's pixels above its middle line, and below, are shown."""

_ROOM: Final = 12
"""and so many before its first ink, and after its last."""


def strip_of(row: Row) -> Floats:
    """(`STRIP_HEIGHT`, columns) in [0, 1]: a row as the network is shown it; an even number of columns, two for three
    pixels of the row.
    """
    width = row.ink.shape[1]
    cut = FIELD // 2 - _ROOM
    box = (cut, FIELD // 2 - _REACH, width - cut, FIELD // 2 + _REACH)
    size = 2 * (width - 2 * cut) // 3, STRIP_HEIGHT
    return np.asarray(Image.fromarray(row.ink).resize(size, Image.Resampling.BOX, box))


_QUIET = 0.9995
"""Where a frame surely says nothing, as the one before it did, it tells nothing more."""

_LEAST: Final = 1e-3
"""A symbol that is less likely than this in a frame is not proposed for it."""


def telling(shares: Doubles) -> Doubles:
    """The frames, of (frames, symbols) probabilities, that tell something: of silence, the first of each."""
    quiet = shares[:, 0] > _QUIET
    return shares[~quiet | np.concatenate(([True], ~quiet[:-1]))]


def texts(shares: Doubles, most: int) -> list[Said]:
    """The likeliest texts, of (frames, symbols) probabilities; the likeliest first.

    A prefix beam search: of each beginning of a text, how likely it is to have been said up to a frame, and that its
    last symbol is just being said.
    """
    beams: dict[Said, tuple[float, float]] = {(): (1.0, 0.0)}  # silent now, speaking now
    for frame in shares.tolist():
        symbols = [symbol for symbol in range(1, len(frame)) if frame[symbol] >= _LEAST]
        following: dict[Said, tuple[float, float]] = {}
        for text, (silent, speaking) in beams.items():
            kept = following.get(text, (0.0, 0.0))
            goes_on = speaking * frame[text[-1]] if text else 0.0
            following[text] = (kept[0] + (silent + speaking) * frame[0], kept[1] + goes_on)
            for symbol in symbols:
                longer = (*text, symbol)
                before = silent if text and text[-1] == symbol else silent + speaking
                kept = following.get(longer, (0.0, 0.0))
                following[longer] = (kept[0], kept[1] + before * frame[symbol])
        best = sorted(following.items(), key=lambda item: -sum(item[1]))[:most]
        whole = sum(best[0][1])
        beams = {text: (silent / whole, speaking / whole) for text, (silent, speaking) in best}
    return list(beams)


def likelihoods(shares: Doubles, texts: Sequence[Said]) -> Doubles:
    """(texts,): the logarithm of how likely each is, of (frames, symbols) probabilities."""
    longest = max(map(len, texts))
    states = np.zeros((len(texts), 2 * longest + 1), np.int64)  # nothing, first symbol, nothing, second ...
    for place, text in enumerate(texts):
        states[place, 1 : 2 * len(text) : 2] = text
    skips = np.zeros(states.shape)
    skips[:, 2:] = (states[:, 2:] > 0) & (states[:, 2:] != states[:, :-2])
    reached = np.zeros((len(texts), states.shape[1] + 2))
    reached[:, 2] = 1.0
    own, one_back, two_back = reached[:, 2:], reached[:, 1:-1], reached[:, :-2]
    scale = np.zeros(len(texts))
    for frame in shares[:, states.ravel()].reshape(-1, *states.shape):
        total = (own + one_back + skips * two_back) * frame
        whole = total.sum(axis=1)
        scale += np.log(np.maximum(whole, 1e-300))
        own[:] = total / np.maximum(whole, 1e-300)[:, None]
    ends = 2 * np.array([len(text) for text in texts])
    rows = np.arange(len(texts))
    said = own[rows, ends] + np.where(ends > 0, own[rows, ends - 1], 0.0)
    logarithms: Doubles = scale + np.log(np.maximum(said, 1e-300))
    return logarithms
