"""What the API takes and answers, as its OpenAPI document shows it.

A client of one version must understand an API of the next: fields that it does not know are no error, nor is the
absence of one with a `default_factory`. The API sends these, too, whatever a client makes of it.
"""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

ALPHABET: Final = (
    "Which alphabet to recognize, as GET /alphabets/ lists them; the server's default one where none is named. "
    "It may be named in the query or in the body."
)

Label = Annotated[str, Field(description="The character.", examples=["7"])]
Confidence = Annotated[
    float, Field(ge=0, le=1, description="The model's probability for the label.", examples=[0.9982])
]
RequestId = Annotated[
    str, Field(description="Also in the header X-Request-ID and in the server's log.", examples=["5f0c2a9be1d44c37"])
]
Name = Annotated[
    str | SkipJsonSchema[None],
    Field(description="Of use to a learner. Not there where the label says all.", examples=["one, yī"]),
]
Slug = Annotated[str, Field(pattern="^[a-z_]+$", description="A slug for a program.", examples=["blank_image"])]
DataURL = Annotated[str, Field(pattern=r"^data:image/png;base64,[A-Za-z0-9+/]+=*$")]


def _as_sent(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Tell in the document that the API sends what a client can do without."""
    sent = [name for name, field in model.model_fields.items() if field.is_required() or field.default_factory]
    schema["required"] = sent


def _absent() -> None:
    return None


class Answering(BaseModel):
    model_config = ConfigDict(frozen=True, json_schema_extra=_as_sent)


class Welcome(Answering):
    message: Annotated[str, Field(examples=["Welcome to the Digit Recognition API"])]


class Alternative(Answering):
    label: Label
    name: Name = None
    confidence: Confidence


class ModelName(Answering):
    alphabet: Annotated[str, Field(examples=["digits"])]
    version: Annotated[str, Field(examples=["2026.11.21-16f155b"])]


class Recognized(Answering):
    predicted_digit: Annotated[
        Annotated[int, Field(ge=0, le=9)] | SkipJsonSchema[None],
        Field(description="The digit. Not there where the label is none of 0 to 9.", examples=[7]),
    ] = None
    label: Label
    name: Name = None
    case: Annotated[
        Literal["lower", "upper"] | None,
        Field(description="In an alphabet that has both; null where the two look alike or there is one alone."),
    ] = None
    confidence: Confidence
    sure: Annotated[bool, Field(description="Whether the confidence reaches the model's own threshold, `sure_from`.")]
    alternatives: Annotated[list[Alternative], Field(description="All other labels, the likeliest first.")]
    model: ModelName
    glyph: Annotated[
        DataURL | None, Field(description="The 28x28 picture that the model saw, as PNG. Only with `?glyph=true`.")
    ] = None

    @property
    def confidences(self) -> dict[str, float]:
        """All labels, the likeliest first."""
        return {self.label: self.confidence} | {one.label: one.confidence for one in self.alternatives}


class Answer(Recognized):
    request_id: RequestId = Field(default_factory=str)


class Failed(Answering):
    error: Annotated[
        str,
        Field(description="A sentence for a person.", examples=["Image is blank. Please provide a valid digit."]),
    ]
    code: Slug = Field(default_factory=str)


class Problem(Failed):
    request_id: RequestId = Field(default_factory=str)


class BatchAnswer(Answering):
    results: Annotated[list[Recognized | Failed], Field(description="One for each file, in the order they were sent.")]
    request_id: RequestId = Field(default_factory=str)


Box = Annotated[
    tuple[float, float, float, float],
    Field(description="Left, top, right and bottom limit, in pixels of the picture as sent, upright."),
]


class ReadCharacter(Answering):
    label: Label
    confidence: Confidence
    box: Box


class ReadLine(Answering):
    text: Annotated[str, Field(description="The line's characters, from left to right.", examples=["2026"])]
    confidence: Confidence


class Read(Answering):
    text: Annotated[str, Field(description="Lines separated by a newline.", examples=["2026"])]
    confidence: Annotated[float, Field(ge=0, le=1, description="The probability that all of it is right.")]
    sure: Annotated[bool, Field(description="Whether the confidence reaches the threshold for whole texts.")]
    lines: Annotated[list[ReadLine], Field(description="From top to bottom.")]
    characters: Annotated[list[ReadCharacter], Field(description="Of all lines, in reading order.")]
    model: ModelName


class ReadAnswer(Read):
    request_id: RequestId = Field(default_factory=str)


class ReadBatchAnswer(Answering):
    results: Annotated[list[Read | Failed], Field(description="One for each file, in the order they were sent.")]
    request_id: RequestId = Field(default_factory=str)


class Alphabet(Answering):
    name: Annotated[str, Field(examples=["digits"])]
    title: Annotated[str, Field(description="Its name for people.", examples=["Digits"])] = Field(default_factory=str)
    labels: Annotated[list[str], Field(examples=[["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]])]
    names: Annotated[
        dict[str, str], Field(description="What a learner wants to know of a label.", examples=[{"一": "one, yī"}])
    ] = Field(default_factory=dict)
    cased: Annotated[list[str], Field(description="Labels of which an answer tells the case.")] = Field(
        default_factory=list
    )
    version: Annotated[str, Field(examples=["2026.11.21-16f155b"])]
    sure_from: Annotated[
        Annotated[float, Field(ge=0, le=1)] | SkipJsonSchema[None],
        Field(description="Confidence from which an answer counts as sure."),
    ] = Field(default_factory=_absent)
    lines: Annotated[bool, Field(description="Whether POST /read/ reads lines of it.")] = Field(default_factory=bool)
    figures: Annotated[
        dict[str, Any], Field(description="What the model reached on test data, by name of the data.")
    ] = Field(default_factory=dict)


class Alphabets(Answering):
    alphabets: list[Alphabet]


class Health(Answering):
    status: Annotated[str, Field(examples=["ready"])]


class Picture(BaseModel):
    """A picture in JSON, as a canvas's `toDataURL()` gives it."""

    model_config = ConfigDict(extra="forbid")

    image: Annotated[
        str,
        Field(
            pattern=r"^data:image/[a-z0-9.+-]+;base64,[A-Za-z0-9+/]+={0,2}$",
            description="The file as a base64 data URL.",
            json_schema_extra={"format": "picture-data-url"},
        ),
    ]
    alphabet: Annotated[str | None, Field(description=ALPHABET)] = None


MAX_BOXES: Final = 64

BOXES: Final = (
    f"At most {MAX_BOXES} boxes, in each of which one character is read, in this order; an empty list is as none. "
    "A box is [left, top, right, bottom], in pixels of the picture as sent, upright."
)


def _with_area(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    if left >= right or top >= bottom:
        raise ValueError("left < right and top < bottom")
    return box


_Limit = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_BoxSent = Annotated[tuple[_Limit, _Limit, _Limit, _Limit], AfterValidator(_with_area)]
Boxes = Annotated[list[_BoxSent], Field(max_length=MAX_BOXES)]


class PictureOfLines(Picture):
    """A picture in JSON with several characters."""

    boxes: Annotated[Boxes | None, Field(description=BOXES)] = None


SAMPLE_ID: Final = r"^[A-Za-z0-9_-]{1,64}$"
SOURCE: Final = r"^[a-z0-9_-]{1,32}$"
ONE_LINE: Final = r"^[^\x00-\x1f\x7f]{0,64}$"
VISITOR: Final = r"^[\x21-\x7e]{16,128}$"

NOT_A_CHARACTER_TOO: Final = "One of the alphabet's labels, or an empty text: there is no character on the picture."

NO_IDS: Final = ("export", "mine")
"""Calls at /samples/ have these names, so that a sample with one for an id could not be asked for."""


def _no_call(id: str) -> str:
    """Raises ValueError."""
    if id in NO_IDS:
        raise ValueError(f"it must be none of {', '.join(NO_IDS)}")
    return id


SampleId = Annotated[str, Field(pattern=SAMPLE_ID, examples=["5b1f0c2a9be1d44c"])]


class SampleSent(BaseModel):
    """What a form with a sample says besides the picture and the alphabet."""

    model_config = ConfigDict(frozen=True)

    id: Annotated[
        Annotated[str, AfterValidator(_no_call)] | None,
        Field(
            pattern=SAMPLE_ID,
            description="The caller's own, so that to send it again does no harm; left out, the server makes one. "
            f"None may be {' or '.join(NO_IDS)}.",
        ),
    ] = None
    label: Annotated[
        str | None,
        Field(
            pattern=ONE_LINE,
            description=f"What it really is, where somebody has said so. {NOT_A_CHARACTER_TOO} Sent again with another "
            "label, that one counts.",
        ),
    ] = None
    answer: Annotated[str | None, Field(pattern=ONE_LINE, description="What the model said.")] = None
    confidence: Annotated[float | None, Field(ge=0, le=1, description="How sure it was.")] = None
    model: Annotated[str | None, Field(pattern=ONE_LINE, description="The model's version.")] = None
    source: Annotated[
        str, Field(pattern=SOURCE, description="Where it comes from, such as canvas, upload, camera or number.")
    ] = "api"


class Kept(Answering):
    id: SampleId
    request_id: RequestId = Field(default_factory=str)


class Deleted(Answering):
    deleted: Annotated[int, Field(ge=0, description="How many samples.")]
    request_id: RequestId = Field(default_factory=str)


class SampleFields(Answering):
    """What is known of a sample, without its picture."""

    id: SampleId
    alphabet: Annotated[str, Field(examples=["digits"])]
    label: Annotated[
        str | None, Field(description="What it really is; empty: no character; null: nobody has said.", examples=["7"])
    ] = None
    reviewed: Annotated[bool, Field(description="Whether an admin has given the label.")] = False
    answer: Annotated[str | None, Field(description="What the model said.", examples=["2"])] = None
    confidence: Annotated[float | None, Field(ge=0, le=1, examples=[0.71])] = None
    model: Annotated[str | None, Field(description="Its version.", examples=["2026.11.21-16f155b"])] = None
    source: Annotated[str, Field(examples=["canvas"])] = "api"
    time: Annotated[datetime, Field(description="When it was taken.")]


class SampleShown(SampleFields):
    picture: Annotated[str, Field(description="The file as it was sent, as a base64 data URL.")]


class SamplePage(Answering):
    samples: list[SampleShown]
    next: Annotated[
        str | None, Field(description="What to send as `after` for the next page; null: this is the last one.")
    ] = None
    request_id: RequestId = Field(default_factory=str)


class SampleRow(SampleFields):
    """A line of the export."""

    visitor: Annotated[str | None, Field(description="The SHA-256 of the visitor's token.")] = None
    picture: Annotated[str, Field(description="The file as it was sent, in base64.")]


class Relabelled(Answering):
    sample: SampleFields
    request_id: RequestId = Field(default_factory=str)


class Relabel(BaseModel):
    """An admin's label for a sample."""

    model_config = ConfigDict(extra="forbid")

    label: Annotated[str, Field(pattern=ONE_LINE, description=NOT_A_CHARACTER_TOO, examples=["7"])]


Verdict = Literal["none", "right", "wrong", "not_a_character"]
Order = Literal["doubtful", "newest", "suspect"]
