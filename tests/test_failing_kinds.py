"""Pictures of every kind that failed once, read by a running server: cut wrongly, shadowed, faint, empty, of two."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.api import Server, serving

PICTURES = sorted((Path(__file__).parent / "data" / "failing").iterdir())


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("api")) as server:
        yield server


@pytest.mark.parametrize("file", PICTURES, ids=lambda file: file.stem)
def test_a_kind_that_failed(api: Server, file: Path) -> None:
    """The name begins with the right answer, with `blank` or with `notsure`."""
    right = file.name.partition("_")[0]
    answer = requests.post(f"{api.url}/predict/", files={"file": file.read_bytes()}, timeout=30)
    if right == "blank":
        assert (answer.status_code, answer.json()["code"]) == (400, "blank_image")
    elif right == "notsure":
        assert answer.status_code == 200
        assert not answer.json()["sure"]
    else:
        assert answer.json()["label"] == right
