"""A server that answers as S3 does: objects of one bucket, conditional reads and writes, a listing; signed requests only."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

NAME = "models"
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-central-1"}


class FakeS3:
    """`objects` is what the bucket holds, `away` makes it answer nothing but 503, `page` is how many keys it lists at once."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.away = False
        self.page = 1000
        told = self
        alone = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if not (path := self._path()):
                    return
                if path == "/":
                    self._list()
                elif path[1:] not in told.objects:
                    self._refuse(404, "NoSuchKey")
                elif self.headers.get("If-None-Match") == etag(told.objects[path[1:]]):
                    self._answer(304)
                else:
                    self._answer(200, told.objects[path[1:]])

            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not (path := self._path(body)):
                    return
                with alone:
                    present = told.objects.get(path[1:])
                    if (present is not None and self.headers.get("If-None-Match") == "*") or (
                        "If-Match" in self.headers and (present is None or self.headers["If-Match"] != etag(present))
                    ):
                        self._refuse(412, "PreconditionFailed")
                    else:
                        told.objects[path[1:]] = body
                        self._answer(200)

            def _path(self, body: bytes = b"") -> str | None:
                """Within the bucket; None where the request was refused."""
                said, digest = self.headers.get("Authorization", ""), self.headers.get("X-Amz-Content-Sha256")
                if told.away:
                    self._refuse(503, "SlowDown")
                elif (
                    not said.startswith("AWS4-HMAC-SHA256 Credential=key/")
                    or digest != hashlib.sha256(body).hexdigest()
                ):
                    self._refuse(403, "AccessDenied")
                elif not self.path.startswith(f"/{NAME}/"):
                    self._refuse(404, "NoSuchBucket")
                else:
                    return urlsplit(self.path).path.removeprefix(f"/{NAME}")
                return None

            def _list(self) -> None:
                query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
                after, prefix = query.get("start-after", ""), query["prefix"]
                keys = [key for key in sorted(told.objects) if key.startswith(prefix) and key > after]
                keys = [key for key in keys if "/" not in key.removeprefix(prefix)]
                entries = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys[: told.page])
                more = str(len(keys) > told.page).lower()
                text = f"<ListBucketResult><IsTruncated>{more}</IsTruncated>{entries}</ListBucketResult>"
                self._answer(200, text.encode())

            def _refuse(self, status: int, code: str) -> None:
                self._answer(status, f"<Error><Code>{code}</Code></Error>".encode())

            def _answer(self, status: int, body: bytes = b"") -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if status == 200:
                    self.send_header("ETag", etag(body))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.environment = ENVIRONMENT | {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{self.server.server_port}"}
        """With which it is found, as `s3://models`."""


def etag(data: bytes) -> str:
    return f'"{hashlib.md5(data).hexdigest()}"'


@contextmanager
def fake_s3() -> Iterator[FakeS3]:
    fake = FakeS3()
    threading.Thread(target=fake.server.serve_forever, args=[0.02], daemon=True).start()
    try:
        yield fake
    finally:
        fake.server.shutdown()
        fake.server.server_close()
