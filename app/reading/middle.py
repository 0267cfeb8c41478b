"""The character in the middle of a crop, by a network that is shown all that was cut out with it.

Where a character was cut out of writing, remains of its neighbours, full stops and rules touch it or lie across it, and
`neighbours` cannot always tell them from it. One file beside an alphabet's model.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime
from PIL import Image
from pydantic import BaseModel, ConfigDict

Floats = npt.NDArray[np.float32]

SIDE: Final = 32
"""Pixels of what is shown of a crop."""

MIDDLE_FILE: Final = "middle.onnx"
"""As it is called in the folder of its alphabet; an alphabet can do without."""

VIEWS: Final = ((1.0, 0.0), (0.85, 0.0), (1.12, 0.0), (1.0, 0.2), (1.0, -0.2))
"""In which a crop is shown: how much of its sides, and how far aslant, as a tangent. Their mean is the answer."""


_LEAST = np.float32(1e-3)
"""Added to each probability before two are weighed."""


class MiddleRecord(BaseModel):
    """What the file says of itself: all that serving needs. More is kept, for people to read."""

    model_config = ConfigDict(extra="allow", frozen=True)

    alphabet: str
    labels: list[str]
    version: str
    reading_version: int
    asked_below: float
    """It is asked where the alphabet's own network is less confident than this in what was cut out."""
    say: float = 0.5
    """Its share of the say then, from 0 to 1; the alphabet's own network has the rest."""


def field(density: Floats) -> Floats:
    """Ink, (height, width) -> (`SIDE`, `SIDE`) in [0, 1]: all of it, as large as it can be, in the middle."""
    scale = SIDE / max(density.shape)
    height, width = (max(1, round(side * scale)) for side in density.shape)
    how = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    seen = np.asarray(Image.fromarray(density).resize((width, height), how))
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    whole = np.zeros((SIDE, SIDE), np.float32)
    whole[top : top + height, left : left + width] = seen / max(float(seen.max()), 1e-3)
    return whole


class Middle:
    """Tells the characters in the middle of crops. Safe to call from several threads."""

    def __init__(self, session: onnxruntime.InferenceSession, record: MiddleRecord) -> None:
        self._session = session
        self.record = record

    def probabilities(self, crops: Floats) -> Floats:
        """(n, 32, 32) crops -> (n, labels) probabilities."""
        shown = np.concatenate([_views(crop) for crop in crops])[:, np.newaxis]
        said = self._session.run(None, {"crops": shown})[0].reshape(len(crops), len(VIEWS), -1)
        mean = np.exp(np.log(np.maximum(said, 1e-4)).mean(axis=1))
        probabilities: Floats = mean / mean.sum(axis=1, keepdims=True)
        return probabilities

    def weighed(self, of_character: Floats, of_crop: Floats) -> Floats:
        """What the alphabet's own network says, (..., labels), and what this one does -> what both say together.

        The geometric mean, in which neither rules a label out.
        """
        mean = (of_character + _LEAST) ** (1 - self.record.say) * (of_crop + _LEAST) ** self.record.say
        both: Floats = mean / mean.sum(axis=-1, keepdims=True)
        return both


def _views(crop: Floats) -> Floats:
    """(views, 32, 32) of a crop."""
    picture, middle = Image.fromarray(crop), SIDE / 2
    return np.stack(
        [
            np.asarray(
                picture.transform(
                    (SIDE, SIDE),
                    Image.Transform.AFFINE,
                    (share, aslant, middle * (1 - share - aslant), 0, share, middle * (1 - share)),
                    Image.Resampling.BILINEAR,
                )
            )
            for share, aslant in VIEWS
        ]
    )
