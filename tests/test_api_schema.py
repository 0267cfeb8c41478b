"""The OpenAPI document, and the API held against it by schemathesis."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser

from app.api.errors import CODES
from tests.conftest import need
from tests.support.api import ROOT, Server, serving

KEY = "a-key-for-tests"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("api")
    database = folder / "samples.sqlite3"
    with serving(folder, api_keys=KEY, admin_keys=KEY, samples_database=database) as server:
        yield server


@pytest.fixture(scope="module")
def document(api: Server) -> Any:
    return requests.get(api.url + "/openapi.json", timeout=9).json()


def test_schemathesis_finds_nothing(api: Server, tmp_path: Path) -> None:
    tool = Path(sys.executable).with_name("st")
    need(tool.exists() or shutil.which("st"), "schemathesis is not installed")
    settings = str(ROOT / "tests/schemathesis.toml")
    command = [str(tool), "--config-file", settings, "run", api.url + "/openapi.json"]
    options = ["-c", "all", "-H", f"X-API-Key: {KEY}", "-n", "15", "--continue-on-failure", "--no-color"]
    run = subprocess.run(
        [*command, *options], capture_output=True, text=True, cwd=tmp_path, env=os.environ, timeout=300
    )
    assert run.returncode == 0, run.stdout[-6000:]
    tested = re.search(r"Tested: (\d+)", run.stdout)
    assert tested, run.stdout
    assert int(tested[1]) == 16


def test_no_call_has_an_untyped_body_or_answer(document: Any) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            bodies = [operation["requestBody"]] if "requestBody" in operation else []
            for status, answer in operation["responses"].items():
                assert answer.get("content"), (path, method, status)
                bodies.append(answer)
            for body in bodies:
                for media in body["content"].values():
                    schema = media["schema"]
                    assert schema.get("$ref") or schema.get("type"), (path, method)


OF_NO_CALL = {"bad_request", "headers_too_large", "not_found", "method_not_allowed", "internal_error"}
"""Codes that belong to no call of their own: met before a call is found, or never meant to be met."""


def test_every_error_of_the_table_has_an_example(document: Any) -> None:
    shown = {
        (int(status), code)
        for operations in document["paths"].values()
        for operation in operations.values()
        for status, answer in operation["responses"].items()
        for code in answer["content"].get("application/json", {}).get("examples", {})
    }
    assert shown == {kind for kind in CODES.values() if kind.code not in OF_NO_CALL}


def test_examples_in_answers_and_requests(document: Any) -> None:
    for name in ("Answer", "BatchAnswer", "ReadAnswer", "ReadBatchAnswer", "Problem", "Alphabets"):
        assert name in document["components"]["schemas"]
    content = document["paths"]["/predict/"]["post"]["requestBody"]["content"]
    example = next(iter(content["application/json"]["examples"].values()))
    assert example["value"]["image"].startswith("data:image/png;base64,")


def test_the_documents_own_example_is_recognized(api: Server, document: Any) -> None:
    examples = document["paths"]["/predict/"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    example = next(iter(examples.values()))["value"]
    answer = requests.post(api.url + "/predict/", json=example, headers={"X-API-Key": KEY}, timeout=9)
    assert answer.json()["label"] == "7"


def test_the_docs_page_may_load_what_it_needs_and_nothing_else(api: Server) -> None:
    page = requests.get(api.url + "/docs", timeout=9)
    policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert "'unsafe-inline'" not in policy["script-src"]
    assert "https://" not in page.headers["Content-Security-Policy"]


def test_the_docs_page_shows_the_document_without_the_internet(api: Server, browser: Browser) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        complaints: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(api.url + "/docs")
        page.get_by_text("Predict Batch").wait_for()
        page.wait_for_load_state("networkidle")
    assert complaints == []
    assert {url.partition(":")[0] for url in asked if not url.startswith(api.url + "/")} <= {"data"}
