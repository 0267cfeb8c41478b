"""What the evaluation makes of a running API's answers."""

import base64
import json
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from app.reading.recognizer import ModelRecord, Recognizer
from tests.support.api import ROOT
from tests.support.pictures import encoded
from tests.support.scripted_api import SEVEN, Api, scripted_api
from training import remote

NOBODY = "http://127.0.0.1:1"
RECORD = ModelRecord(alphabet="digits", version="1", labels=["1", "7"], sure_from=0.9, reading_version=1)


@pytest.fixture
def api() -> Iterator[Api]:
    with scripted_api() as api:
        yield api


def test_answers_are_rows(api: Api) -> None:
    white = "data:image/png;base64," + base64.b64encode(encoded(Image.new("L", (28, 28), 255))).decode()
    refused = {"error": "Image is blank.", "code": "blank_image"}
    api.body = json.dumps({"results": [refused, SEVEN | {"glyph": white}], "request_id": "x"})
    glyphs, probabilities, cases = remote.ask(api.url, RECORD, lambda index: b"picture %d" % index, range(5, 7))
    assert api.asked[0].path == "/predict/batch/?glyph=true&alphabet=digits"
    assert api.asked[0].body.index(b"picture 5") < api.asked[0].body.index(b"picture 6")
    assert glyphs.shape == (2, 28, 28)
    assert not glyphs[0].any()
    assert (glyphs[1] == 1).all()
    assert probabilities == pytest.approx(np.array([[0, 0], [0.002, 0.998]]))
    assert cases.dtype == np.int64
    assert cases.tolist() == [-1, -1]


def test_answers_of_another_alphabet_have_their_cases(api: Api) -> None:
    record = RECORD.model_copy(update={"alphabet": "letters", "labels": ["а", "ґ"], "cases": ["lower", "upper"]})
    white = "data:image/png;base64," + base64.b64encode(encoded(Image.new("L", (28, 28), 255))).decode()
    results = [
        {
            "label": "а",
            "case": case,
            "confidence": 0.9,
            "sure": True,
            "alternatives": [{"label": "ґ", "name": "ge", "confidence": 0.1}],
            "model": {"alphabet": "letters", "version": "1"},
            "glyph": white,
        }
        for case in ("upper", None, "lower")
    ]
    api.body = json.dumps({"results": results, "request_id": "x"})
    told = remote.ask(api.url, record, lambda index: b"picture", range(3))
    assert api.asked[0].path == "/predict/batch/?glyph=true&alphabet=letters"
    assert told.probabilities == pytest.approx(np.array([[0.9, 0.1]] * 3))
    assert told.cases.tolist() == [1, -1, 0]


def test_only_the_same_model_is_evaluated(api: Api) -> None:
    record = Recognizer(ROOT / "app/models/digits/model.onnx").record
    entry = {"name": "digits", "labels": record.labels, "version": record.version}
    api.body = json.dumps({"alphabets": [entry]})
    remote.check(api.url, record)
    api.body = json.dumps({"alphabets": [entry | {"version": "1"}]})
    with pytest.raises(remote.NoAnswer, match="Restart it"):
        remote.check(api.url, record)


def test_without_an_answer_the_reason_is_told(api: Api) -> None:
    def ask(url: str) -> None:
        remote.ask(url, RECORD, lambda index: b"picture", range(2), seconds=0.2)

    with pytest.raises(remote.NoAnswer, match=r"ConnectError.*Start it with: python -m app\.api"):
        ask(NOBODY)
    api.status, api.body = 413, json.dumps({"error": "Too large.", "code": "too_large", "request_id": "x"})
    with pytest.raises(remote.NoAnswer, match=r"status 413: Too large\."):
        ask(api.url)
    api.status = 503
    with pytest.raises(remote.NoAnswer, match="status 503"):
        ask(api.url)
    api.wait.clear()
    with pytest.raises(remote.NoAnswer, match="in time"):
        ask(api.url)
