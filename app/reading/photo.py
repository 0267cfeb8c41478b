"""Ink from a photograph: paper with shadows, grain and printed lines on it.

What stands out from the paper, on the side where most stands out, is ink. Long thin runs are the paper's own ruling and
are taken away, and so is what is faint all over: traces of ruling and shade.

In brackets beside a threshold: what else was tried, on 80 pictures of each of 16 sets of
`training.evaluate --reading`, and what was lost by it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from app.reading import components, frame, paper
from app.reading.components import Mask
from app.reading.frame import Band

Floats = npt.NDArray[np.float32]

_PAPER_SHARES = (0.5, 0.2)
"""The share of a picture that is surely paper, by which its noise is judged; the second if nothing stands out then,
and only if what stands out then is no less, so that ink may well have been what passed for noise. [0.4, 0.7 and 0.1,
0.35: no loss.]"""

_NOISE_FACTOR = 6.0
"""Ink stands out from the paper by at least this many times the paper's own noise. [4: 4 of 80 blank papers a sure
answer, a photograph wrong; 9: no loss.]"""

_LEAST_CONTRAST = 0.06
"""Ink stands out by at least this share of full range, whatever the noise. [0.03, 0.12: no loss.]"""

_FAINT, _FULL = 0.1, 0.7
"""Ink is no fainter than the first; a piece that is nowhere as full as the second is a trace of ruling or shade.
[0.05, 0.2 and 0.5, 0.9: no loss.]"""

_SMALLEST_COPY = 48
"""Pixels on the shorter side of the smallest copy that is looked at for ink under grain."""

_EDGE_OF_SHADOW = 0.01
"""Of the picture's edge, in its heights, so much lies beside the edge of a shadow at least, if there is one."""

_FEWEST = 8
"""Pixels that must stand out. [2: a blank paper is a sure answer; 40: no loss.]"""

_RULED_SHARE = 0.8
"""A printed line is drawn over at least this share of the picture's width or height. [0.6, 0.95: no loss.]"""

_RULED_THICKNESS = 0.02
"""A printed line is no thicker than this share of the picture's width or height. [0.01, 0.05: no loss.]"""


def density(bands: list[Band]) -> Floats:
    """The ink of a photograph's bands, each (height, width) uint8: likewise float32 in [0, 1], 0 all over if none.

    Where none stands out from coarse grain, it may on a smaller copy, on which the grain is averaged away.
    """
    ink = _density(bands)
    height, width = bands[0].shape
    for factor in (2, 4):
        if ink.any() or min(height, width) // factor < _SMALLEST_COPY:
            break
        copies = [np.asarray(Image.fromarray(band).reduce(factor)) for band in bands]
        ink = np.asarray(Image.fromarray(_density(copies)).resize((width, height), Image.Resampling.BILINEAR))
    return ink


def _density(bands: list[Band]) -> Floats:
    even = max((_relief(band) for band in bands), key=lambda relief: relief.stands_out)
    ink = _of_relief(even.pixels)
    at_edge = np.count_nonzero(frame.edge(ink > _FAINT))
    if at_edge < _EDGE_OF_SHADOW * len(ink):  # where it may have come from a shadow's edge
        return ink
    edged = even.with_edges_of_shadow()
    return _of_relief(edged) if _has_edges_of_shadow(ink > _FAINT, edged) else ink


def _has_edges_of_shadow(ink: Mask, edged: Floats) -> bool:
    """Whether ink at the picture's edge is none if shadows may have edges, and there is other ink."""
    strong, floor = _standing_out(edged, _PAPER_SHARES[0])
    if strong.size < _FEWEST:
        return False
    lost = ink & (edged < 0.3 * floor)
    return bool(np.count_nonzero(frame.edge(lost)) >= _EDGE_OF_SHADOW * len(ink))


def _of_relief(relief: Floats) -> Floats:
    usual, least = _PAPER_SHARES
    strong, floor = _standing_out(relief, usual)
    if strong.size < _FEWEST:
        strong, floor = _standing_out(relief, least)
        if strong.size < least * relief.size:
            return np.zeros_like(relief)
    full = float(np.percentile(strong, 75))
    threshold = max(floor, 0.45 * full)
    ink = np.clip((relief - 0.5 * threshold) / (full - 0.5 * threshold), 0, 1).astype(np.float32)
    return _without_faint_pieces(_without_ruling(ink))


def _standing_out(relief: Floats, paper_share: float) -> tuple[Floats, float]:
    """What of a relief is above the floor that keeps paper out, and this floor."""
    floor = max(_LEAST_CONTRAST, _NOISE_FACTOR * paper.noise(np.abs(relief), paper_share))
    return relief[relief > floor], floor


@dataclass(frozen=True)
class _Relief:
    """`pixels`: how far each stands out from the paper under it, relative to that paper's brightness, where the light
    changes slowly; `blurred`: the band, against its grain; `darker`: whether ink is darker than paper."""

    pixels: Floats
    blurred: Band
    darker: bool

    @property
    def stands_out(self) -> float:
        """How far the ink does, from the grain."""
        return float(np.quantile(self.pixels, 1 - paper.SURELY_INK))

    def with_edges_of_shadow(self) -> Floats:
        """The same where shadows have edges and strokes are thin, but nowhere more."""
        closed = paper.closed(self.blurred) if self.darker else ~paper.closed(~self.blurred)
        return np.minimum(self.pixels, _standing(closed.astype(np.float32), self.blurred, self.darker))


def _relief(band: Band) -> _Relief:
    level = paper.under(band)
    blurred = np.asarray(Image.fromarray(band).filter(ImageFilter.GaussianBlur(1)))
    darker = paper.has_darker_ink(paper.density(level, blurred.astype(np.float32)))
    return _Relief(_standing(level, blurred, darker), blurred, darker)


def _standing(level: Floats, pixels: Band, darker: bool) -> Floats:
    relief: Floats = np.divide(level - pixels, np.maximum(level, 64), dtype=np.float32)
    return relief if darker else -relief


def _without_ruling(ink: Floats) -> Floats:
    """Take away horizontal and vertical lines that are thin and cross nearly all of the picture.

    Where such a line crosses a stroke, the stroke's ink above and below it is kept across.
    """
    for axis in (0, 1):
        drawn = (ink > 0.3).mean(axis=1 - axis) > _RULED_SHARE
        edges = np.flatnonzero(np.diff(np.r_[False, drawn, False].astype(np.int8)))
        for start, end in edges.reshape(-1, 2):
            if end - start <= max(3, _RULED_THICKNESS * drawn.size):
                before = ink.take(max(0, start - 1), axis)
                after = ink.take(min(drawn.size - 1, end), axis)
                line = (slice(start, end), slice(None)) if axis == 0 else (slice(None), slice(start, end))
                ink[line] = np.minimum(before, after) if axis == 0 else np.minimum(before, after)[:, None]
    return ink


def _without_faint_pieces(ink: Floats) -> Floats:
    """Keep connected pieces that are full ink somewhere, their faint edges included."""
    block = components.block_of(ink.shape)
    pieces = components.label(components.any_in_blocks(ink > _FAINT, block))
    full = np.unique(pieces[components.any_in_blocks(ink >= _FULL, block)])
    kept = components.of_blocks(np.isin(pieces, full), block, ink.shape)
    return np.where(kept, ink, np.float32(0))
