"""What GET /health/drift answers, as the OpenAPI document shows it."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from app.client.models import Answering, RequestId

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Index(Answering):
    """A population stability index: 0 where nothing has changed."""

    index: Annotated[float, Field(ge=0, examples=[0.04])]
    by_chance: Annotated[
        float, Field(ge=0, description="What it stays below in 999 of 1,000 cases where nothing has drifted.")
    ]
    drifts: Annotated[bool, Field(description="Whether it is more than chance explains, and 0.2 or more.")]


class Expected(Answering):
    """What the model answered to pictures that it was judged by."""

    pictures: Annotated[str, Field(examples=["drawings"])]
    count: Count
    labels: Annotated[dict[str, Share], Field(description="The share of each label.")]
    confidence: Annotated[list[Share], Field(description="The share of each tenth of confidence, the lowest first.")]


class OfVersion(Answering):
    """What one version of a model has answered since the server's start."""

    version: Annotated[str, Field(examples=["2026.11.21-16f155b"])]
    answers: Count
    unsure: Annotated[int, Field(ge=0, description="Answers that were not sure.")]


class Verdicts(Answering):
    """What people said, on one day, of the answers of one version."""

    day: Annotated[date, Field(description="In UTC.")]
    version: Annotated[str, Field(description="Empty where the sample does not say.", examples=["2026.11.21-16f155b"])]
    right: Count
    wrong: Annotated[int, Field(ge=0, description="Answers that were corrected.")]
    no_character: Annotated[int, Field(ge=0, description="Pictures that are no character.")]


class Watched(Answering):
    """What the model that is served now has answered lately, against its record."""

    alphabet: Annotated[str, Field(examples=["digits"])]
    version: Annotated[str, Field(examples=["2026.11.21-16f155b"])]
    since: Annotated[datetime, Field(description="When the counting began: about a day ago, or at the server's start.")]
    answers: Count
    unsure: Annotated[int, Field(ge=0, description="Answers that were not sure.")]
    labels: Annotated[dict[str, Count], Field(description="Answers by label.")]
    confidence: Annotated[list[Count], Field(description="Answers by tenth of confidence, the lowest first.")]
    expected: Annotated[Expected | None, Field(description="Null where the record does not say.")]
    labels_drift: Annotated[Index | None, Field(description="Null while there are too few answers to tell.")]
    confidence_drift: Annotated[Index | None, Field(description="Likewise.")]
    warning: Annotated[str | None, Field(description="In plain words, where something has drifted.")]
    versions: Annotated[list[OfVersion], Field(description="All that have answered, the one served now first.")]
    verdicts: Annotated[list[Verdicts], Field(description="Of the last 30 days, the earliest first.")]


class Drifts(Answering):
    alphabets: list[Watched]
    request_id: RequestId = Field(default_factory=str)
