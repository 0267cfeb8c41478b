"""A sample as a line of JSON, and back."""

import base64
from datetime import UTC
from typing import Any

from app.client.models import SampleFields, SampleRow, SampleShown
from app.samples.sample import Sample, media_type


def fields_of(sample: Sample) -> SampleFields:
    """What is known of it, without picture and visitor."""
    return SampleFields(**_fields(sample))


def shown(sample: Sample) -> SampleShown:
    """With its picture as a data URL."""
    return SampleShown(**_fields(sample), picture=f"data:{media_type(sample.picture)};base64,{_text(sample.picture)}")


def line_of(sample: Sample) -> bytes:
    """With all that there is, and the line's end."""
    row = SampleRow(**_fields(sample), visitor=sample.visitor, picture=_text(sample.picture))
    return row.model_dump_json().encode() + b"\n"


def sample_of(line: bytes) -> Sample:
    """From what `line_of` makes. Raises ValueError where it is not that."""
    row = SampleRow.model_validate_json(line)
    fields = row.model_dump() | {"picture": base64.b64decode(row.picture, validate=True)}
    return Sample(**fields | {"time": row.time.astimezone(UTC)})


def _fields(sample: Sample) -> dict[str, Any]:
    return {name: getattr(sample, name) for name in SampleFields.model_fields}


def _text(picture: bytes) -> str:
    return base64.b64encode(picture).decode()
