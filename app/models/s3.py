"""A bucket of S3's, by its REST calls."""

import os
import re
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

import httpx

from app import aws
from app.models.bucket import BucketError, Changed, Missing, Object, TooLarge

_TIMEOUT: Final = httpx.Timeout(10.0, connect=3.0)

_WRITTEN: Final = (HTTPStatus.PRECONDITION_FAILED, HTTPStatus.CONFLICT)
"""The answers to a conditional write that came after, or together with, another one."""

_LISTED: Final = 4 * 1024 * 1024
"""Bytes of one answer with a thousand keys, at most."""


class S3Bucket:
    """Of the region in AWS_REGION, by the credentials of `app.aws`. AWS_ENDPOINT_URL_S3 names a server of one's own."""

    def __init__(self, name: str) -> None:
        self._region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION", "")
        server = os.environ.get("AWS_ENDPOINT_URL_S3", "").rstrip("/")
        self._address = f"{server}/{name}" if server else f"https://{name}.s3.{self._region}.amazonaws.com"
        self._name = name
        self._client = httpx.Client(timeout=_TIMEOUT)

    def get(self, key: str, most: int, known: str = "") -> Object | None:
        return self._asked("GET", f"/{key}", {"If-None-Match": known} if known else {}, most=most)

    def put(self, key: str, data: bytes, etag: str | None = None) -> None:
        self._asked("PUT", f"/{key}", {"If-None-Match": "*"} if etag is None else {"If-Match": etag}, data)

    def keys(self, folder: str) -> list[str]:
        found: list[str] = []
        query = {"list-type": "2", "prefix": folder, "delimiter": "/"}
        while True:
            listed = self._asked("GET", f"/?{urlencode(query)}", {}, most=_LISTED)
            assert listed is not None
            keys = re.findall(r"<Key>([^<]+)</Key>", listed.data.decode())
            found += keys
            if not keys or b"<IsTruncated>true<" not in listed.data:
                return found
            query["start-after"] = keys[-1]

    def _asked(
        self, method: str, path: str, headers: dict[str, str], data: bytes = b"", most: int = 0
    ) -> Object | None:
        if not self._region:
            raise BucketError("Name the bucket's region in AWS_REGION.")
        url = self._address + path
        try:
            signed = aws.sign(method, url, headers, data, service="s3", region=self._region, by=aws.credentials())
            with self._client.stream(method, url, headers=signed, content=data or None) as answer:
                if answer.status_code == HTTPStatus.NOT_MODIFIED:
                    return None
                if not answer.is_success:
                    raise self._refused(path, answer)
                return Object(_body(answer, path, most), answer.headers.get("ETag", ""))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise BucketError(f"The bucket {self._name} does not answer ({type(error).__name__}).") from None
        except aws.NoCredentials as error:
            raise BucketError(str(error)) from None

    def _refused(self, path: str, answer: httpx.Response) -> BucketError:
        code = re.search(rb"<Code>(\w+)</Code>", _body(answer, path, _LISTED))
        reason = code[1].decode() if code else HTTPStatus(answer.status_code).phrase
        what = f"The bucket {self._name} answers {answer.status_code} for {path}: {reason}."
        if answer.status_code in _WRITTEN:
            return Changed(what)
        return (Missing if reason == "NoSuchKey" else BucketError)(what)


def _body(answer: httpx.Response, path: str, most: int) -> bytes:
    data = b""
    for piece in answer.iter_bytes():
        data += piece
        if len(data) > most > 0:
            raise TooLarge(f"{path} has more than {most} bytes.")
    return data
