"""The function of AWS Lambda: how it is deployed, and what it is made of."""

import marshal
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

import bundle
from bundle import REQUIREMENTS, Bundling, TooLarge
from synth import serverless, synthesize


def test_it_runs_the_api_on_a_whole_processor_for_as_many_as_may_call_at_once() -> None:
    function = serverless().the("Lambda::Function")
    assert (function["Handler"], function["MemorySize"]) == ("app.api.function.handler", 1769)
    assert function["Runtime"] == f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert function["Architectures"] == ["x86_64"]
    assert synthesize(serverless="true", arm64="true").the("Lambda::Function")["Architectures"] == ["arm64"]
    assert function["ReservedConcurrentExecutions"] == 10
    unreserved = synthesize(serverless="true", max_concurrency="0").the("Lambda::Function")
    assert "ReservedConcurrentExecutions" not in unreserved


def test_anybody_may_ask_through_its_address_alone_and_the_api_wants_its_key() -> None:
    assert serverless().the("Lambda::Url")["AuthType"] == "NONE"
    permissions = {p["Action"]: p for p in serverless().of("Lambda::Permission")}
    assert permissions["lambda:InvokeFunctionUrl"]["FunctionUrlAuthType"] == "NONE"
    assert permissions["lambda:InvokeFunction"]["InvokedViaFunctionUrl"] is True
    (secret,) = [name for name, r in serverless().template["Resources"].items() if r["Type"].endswith("::Secret")]
    settings = serverless().the("Lambda::Function")["Environment"]["Variables"]
    assert settings == {"DIGITS_API_KEYS_SECRET": {"Ref": secret}, "OPENBLAS_NUM_THREADS": "1"}


def test_it_may_write_its_log_and_read_its_keys_and_nothing_else() -> None:
    statements = serverless().the("IAM::Policy")["PolicyDocument"]["Statement"]
    allowed = {action for statement in statements for action in statement["Action"]}
    assert {action.partition(":")[0] for action in allowed} == {"logs", "secretsmanager"}
    assert all(statement["Resource"] != "*" for statement in statements)
    assert "ManagedPolicyArns" not in serverless().the("IAM::Role")
    assert serverless().the("Logs::LogGroup")["RetentionInDays"] == 30


def test_it_has_no_network_that_would_cost_while_nobody_calls() -> None:
    kinds = {resource["Type"] for resource in serverless().template["Resources"].values()}
    assert not [kind for kind in kinds if "::EC2::" in kind or "::ECS::" in kind or "::ElasticLoad" in kind]
    assert "VpcConfig" not in serverless().the("Lambda::Function")


def test_nobody_to_tell_means_no_alarms() -> None:
    assert len(serverless().of("CloudWatch::Alarm")) == 2
    assert synthesize(serverless="true").of("CloudWatch::Alarm") == []


@pytest.fixture
def requirements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One package instead of all, from a file instead of the index."""
    wheel = tmp_path / "small-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("small/__init__.py", "")
        archive.writestr("small/tests/test_small.py", "")
        archive.writestr("small-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: small\nVersion: 1.0\n")
        archive.writestr("small-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("small-1.0.dist-info/RECORD", "")
    file = tmp_path / "requirements.txt"
    file.write_text(f"small @ file://{wheel} --hash=sha256:{sha256(wheel.read_bytes()).hexdigest()}\n")
    monkeypatch.setattr(bundle, "REQUIREMENTS", file)
    monkeypatch.setenv("UV_OFFLINE", "1")
    return file


def test_the_bundle_is_packages_and_api_compiled(tmp_path: Path, requirements: Path) -> None:
    folder = tmp_path / "bundle"
    assert Bundling(arm64=False).try_bundle(str(folder), image=None)
    assert (folder / "small/__init__.py").exists()
    assert (folder / "app/models/digits/model.onnx").exists()
    assert not list(folder.glob("**/tests"))
    assert not (folder / "app/ui").exists()
    sources = list(folder.rglob("*.py"))
    assert len(sources) > 50
    compiled = {file.name.partition(".")[0] for file in folder.rglob("__pycache__/*.pyc")}
    assert compiled == {file.stem for file in sources}
    (handler,) = folder.glob("app/api/__pycache__/function.*.pyc")
    assert marshal.loads(handler.read_bytes()[16:]).co_filename == "/var/task/app/api/function.py"


def test_what_has_not_its_hash_is_refused(tmp_path: Path, requirements: Path) -> None:
    requirements.write_text(requirements.read_text().replace("sha256:", "sha256:00")[:-3] + "\n")
    with pytest.raises(subprocess.CalledProcessError):
        bundle.bundle(tmp_path / "bundle", arm64=False)


def test_what_lambda_would_refuse_is_refused_before(
    tmp_path: Path, requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "MOST_BYTES", 1024)
    with pytest.raises(TooLarge, match=r"Lambda takes 1,024\."):
        bundle.bundle(tmp_path / "bundle", arm64=False)


def test_it_is_deployed_anew_when_what_it_is_made_of_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    was = bundle.fingerprint(arm64=False)
    assert was == bundle.fingerprint(arm64=False) != bundle.fingerprint(arm64=True)
    monkeypatch.setattr(bundle, "PYTHON", "3.99")
    assert was != bundle.fingerprint(arm64=False)


def test_the_packages_are_those_of_the_image() -> None:
    def pins(file: Path) -> set[str]:
        return {line.removesuffix(" \\") for line in file.read_text().splitlines() if line[:1].isalpha()}

    (own,) = pins(REQUIREMENTS) - pins(bundle.ROOT / "requirements.txt")
    assert own.startswith("mangum==")
