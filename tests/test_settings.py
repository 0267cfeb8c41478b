"""Settings fail at start with the name of the variable that is wrong."""

import pytest

from app import settings


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    settings.load.cache_clear()
    monkeypatch.setattr("os.environ", {})


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings.load()
    assert (found.api_port, found.ui_port) == (8000, 8501)
    assert found.api_address == "http://127.0.0.1:8000"
    assert not found.api_keys


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "os.environ",
        {"DIGITS_API_KEYS": "q7x-one, q7x-two,", "DIGITS_API_URL": "http://api:9/", "DIGITS_API_PORT": "9000"},
    )
    found = settings.load()
    assert [key.get_secret_value() for key in found.api_keys] == ["q7x-one", "q7x-two"]
    assert found.api_address == "http://api:9"
    assert "q7x" not in repr(found)


@pytest.mark.parametrize(
    ("address", "file", "server"),
    [
        ("samples.db", "samples.db", ""),
        ("/var/lib/digits/samples.db", "/var/lib/digits/samples.db", ""),
        ("sqlite:///samples.db", "samples.db", ""),
        ("sqlite:////var/samples.db", "/var/samples.db", ""),
        ("postgresql://me:s3cret@host/db", "samples-outbox.sqlite3", "postgresql://me:s3cret@host/db"),
        ("postgresql+psycopg://host/db", "samples-outbox.sqlite3", "postgresql+psycopg://host/db"),
    ],
)
def test_where_samples_are_first_written_and_then_kept(
    monkeypatch: pytest.MonkeyPatch, address: str, file: str, server: str
) -> None:
    monkeypatch.setattr("os.environ", {"DIGITS_SAMPLES_DATABASE": address})
    found = settings.load()
    assert (str(found.samples_file), found.samples_server) == (file, server)
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DIGITS_API_PORT", "lots"),
        ("DIGITS_UI_PORT", "70000"),
        ("DIGITS_LOG_LEVEL", "loud"),
        ("DIGITS_WORKERS", "0"),
        ("DIGITS_SAMPLES_DATABASE", "mysql://host/db"),
        ("DIGITS_SAMPLES_IAM_REGION", "nowhere"),
        ("DIGITS_SAMPLES_IAM_REGION", "us-east-1"),  # with a database that is no server's, over TLS
        ("DIGITS_SAMPLES_DAYS", "-1"),
    ],
)
def test_a_wrong_value_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setattr("os.environ", {name: value})
    with pytest.raises(SystemExit) as ended:
        settings.load()
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith(f"{name}: ")
