"""Signatures, against those that AWS's own library makes of the same; and where credentials come from."""

import hashlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from awscrt import auth, http

from app import aws
from app.aws import Credentials, NoCredentials, presign, sign

NOW = datetime(2026, 11, 27, 23, 59, 58, tzinfo=UTC)
LASTING = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
OF_A_SESSION = Credentials(LASTING.key_id, LASTING.secret, "a/token+with=all&of%them")
BY = pytest.mark.parametrize("by", [LASTING, OF_A_SESSION], ids=["lasting", "session"])


def signed_by_aws(
    method: str, url: str, headers: dict[str, str], body: bytes, by: Credentials, **options: Any
) -> http.HttpRequest:
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    request = http.HttpRequest(method, path, http.HttpHeaders([("host", parts.netloc), *headers.items()]))
    provider = auth.AwsCredentialsProvider.new_static(by.key_id, by.secret, by.token or None)
    config = auth.AwsSigningConfig(
        credentials_provider=provider,
        date=NOW,
        signed_body_value=hashlib.sha256(body).hexdigest(),
        use_double_uri_encode=False,
        should_normalize_uri_path=False,
        **options,
    )
    auth.aws_sign_request(request, config).result(10)
    return request


@BY
@pytest.mark.parametrize(
    ("method", "url", "headers", "body"),
    [
        ("GET", "https://models.s3.eu-central-1.amazonaws.com/current.json", {"If-None-Match": '"abc"'}, b""),
        ("PUT", "https://models.s3.amazonaws.com/models/0a.onnx", {"If-Match": '"0"', "X-Amz-Meta-A": "a  b"}, b"\0\1"),
        ("GET", "https://models.s3.amazonaws.com/a%20b%2Bc~?prefix=models%2F&list-type=2&empty=", {}, b""),
        ("GET", "http://127.0.0.1:9000/models/%D1%97?b=2&a=1&a=0", {}, b""),
    ],
)
def test_a_request_is_signed_as_aws_signs_it(
    method: str, url: str, headers: dict[str, str], body: bytes, by: Credentials
) -> None:
    said = sign(method, url, headers, body, service="s3", region="eu-central-1", by=by, now=NOW)
    kind = auth.AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256
    theirs = signed_by_aws(
        method, url, headers, body, by, service="s3", region="eu-central-1", signed_body_header_type=kind
    )
    expected = {name.lower(): " ".join(value.split()) for name, value in theirs.headers}
    assert said == expected


@BY
def test_a_database_s_token_is_an_address_signed_as_aws_signs_it(by: Credentials) -> None:
    url = "https://digits.abc.eu-central-1.rds.amazonaws.com:5432/?Action=connect&DBUser=digits_app"
    said = urlsplit(presign("GET", url, 900, service="rds-db", region="eu-central-1", by=by, now=NOW))
    theirs = signed_by_aws(
        "GET",
        url,
        {},
        b"",
        by,
        service="rds-db",
        region="eu-central-1",
        signature_type=auth.AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS,
        expiration_in_seconds=900,
    )
    assert dict(parse_qsl(said.query)) == dict(parse_qsl(urlsplit(theirs.path).query))
    assert said.netloc == urlsplit(url).netloc


class Container:
    """What ECS answers a task: credentials, which end `lifetime` from now, with a number for each time."""

    def __init__(self) -> None:
        self.lifetime = timedelta(hours=6)
        self.asked = 0
        self.status = 200
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                told.asked += 1
                end = (datetime.now(UTC) + told.lifetime).strftime("%Y-%m-%dT%H:%M:%SZ")
                key = {"AccessKeyId": f"key {told.asked}", "SecretAccessKey": "secret", "Token": "t", "Expiration": end}
                self.send_response(told.status if self.path == "/v2/credentials/task" else 404)
                self.end_headers()
                self.wfile.write(json.dumps(key).encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch) -> Iterator[Container]:
    container = Container()
    thread = threading.Thread(target=container.server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/task")
    monkeypatch.setattr(aws, "_CONTAINER", f"http://127.0.0.1:{container.server.server_port}")
    monkeypatch.setattr(aws, "_kept", None)
    yield container
    container.server.shutdown()
    container.server.server_close()


def test_a_task_s_credentials_are_kept_until_shortly_before_their_end(container: Container) -> None:
    assert [aws.credentials().key_id for _ in range(3)] == ["key 1"] * 3
    assert aws.credentials().token == "t"
    assert "secret" not in repr(aws.credentials())
    container.lifetime = timedelta(minutes=4)
    aws._kept = None
    assert [aws.credentials().key_id for _ in range(2)] == ["key 2", "key 3"]


def test_a_container_that_gives_none_is_named(container: Container) -> None:
    container.status = 500
    with pytest.raises(NoCredentials, match=r"The ECS task's credentials cannot be had \(HTTPStatusError\)\."):
        aws.credentials()


def test_the_environment_s_come_first(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "own")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    assert aws.credentials() == Credentials("own", "secret")
    assert container.asked == 0


def test_where_there_are_none_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.delenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", raising=False)
    with pytest.raises(NoCredentials, match="neither AWS_ACCESS_KEY_ID nor those of an ECS task"):
        aws.credentials()
