"""What the product is made of tells nobody what it does."""

import os
import subprocess
import sys

import pytest

from tests.support.api import ROOT

LOADED = """
import {first}
import os
from pathlib import Path
from app.reading.recognizer import Recognizer
Recognizer(Path("app/models/digits/model.onnx"))
print(len(os.listdir("/proc/self/task")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Threads are counted in /proc.")
@pytest.mark.parametrize("first", ["app.reading.recognizer", "training.export"])
def test_onnx_runtime_has_no_thread_that_tells_of_the_models(first: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in {"CI", "ORT_DISABLE_TELEMETRY"}}
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    loaded = subprocess.run(
        [sys.executable, "-c", LOADED.format(first=first)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout == "1\n"
