"""Requests that AWS believes, without its SDK: a task's credentials, and Signature Version 4 made with them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

_ALGORITHM: Final = "AWS4-HMAC-SHA256"

_CONTAINER: Final = "http://169.254.170.2"
"""Where ECS answers every container of a task with the credentials of the task's role."""

_SECONDS: Final = 5.0
"""In which it must answer."""

_BEFORE: Final = timedelta(minutes=5)
"""Before they expire, credentials are asked for anew: what is signed with them has to arrive, too."""


class NoCredentials(RuntimeError):
    """There are none, or the container's endpoint does not give them."""


@dataclass(frozen=True)
class Credentials:
    key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)
    """Of a session; empty for a user's own, lasting key."""
    expires: datetime | None = None


_kept: Credentials | None = None
_alone: Final = threading.Lock()


def credentials() -> Credentials:
    """The environment's (AWS_ACCESS_KEY_ID and its like), else the ECS task's, kept until shortly before their end.

    Raises NoCredentials. May take seconds.
    """
    global _kept
    if key_id := os.environ.get("AWS_ACCESS_KEY_ID"):
        secret, token = os.environ.get("AWS_SECRET_ACCESS_KEY", ""), os.environ.get("AWS_SESSION_TOKEN", "")
        return Credentials(key_id, secret, token)
    path = os.environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    if not path:
        raise NoCredentials("There are no credentials for AWS: neither AWS_ACCESS_KEY_ID nor those of an ECS task.")
    with _alone:
        if _kept is None or _kept.expires is None or datetime.now(UTC) > _kept.expires - _BEFORE:
            _kept = _of_container(_CONTAINER + path)
        return _kept


def _of_container(address: str) -> Credentials:
    import httpx  # 9 MB, which a process that has other credentials, or none, does not need

    try:
        answer = httpx.get(address, timeout=_SECONDS, trust_env=False).raise_for_status().json()
        expires = datetime.fromisoformat(answer["Expiration"])
        return Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["Token"], expires)
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise NoCredentials(f"The ECS task's credentials cannot be had ({type(error).__name__}).") from None


def sign(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes = b"",
    *,
    service: str,
    region: str,
    by: Credentials,
    now: datetime | None = None,
) -> dict[str, str]:
    """Headers that a request is sent with: those given, and what makes AWS believe them.

    Args:
        url: its path is signed as it stands, percent-encoded once, as S3 takes it.
        now: in UTC; None: the present.
    """
    scope, at = _scope(service, region, now)
    digest = hashlib.sha256(body).hexdigest()
    own = {"host": urlsplit(url).netloc, "x-amz-content-sha256": digest, "x-amz-date": at}
    if by.token:
        own["x-amz-security-token"] = by.token
    signed = {name.lower(): " ".join(value.split()) for name, value in headers.items()} | own
    signature = _signature(method, url, parse_qsl(urlsplit(url).query, True), signed, digest, scope, at, by)
    names = ";".join(sorted(signed))
    said = f"{_ALGORITHM} Credential={by.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return signed | {"authorization": said}


def presign(
    method: str,
    url: str,
    seconds: int,
    *,
    service: str,
    region: str,
    by: Credentials,
    now: datetime | None = None,
) -> str:
    """The address with a signature in its query, which is good for so many seconds and for an empty body.

    An IAM token for a database of RDS is one of `https://HOST:PORT/?Action=connect&DBUser=NAME`, service `rds-db`,
    without the scheme.
    """
    scope, at = _scope(service, region, now)
    parts = urlsplit(url)
    query = [
        *parse_qsl(parts.query, True),
        ("X-Amz-Algorithm", _ALGORITHM),
        ("X-Amz-Credential", f"{by.key_id}/{scope}"),
        ("X-Amz-Date", at),
        ("X-Amz-Expires", str(seconds)),
        ("X-Amz-SignedHeaders", "host"),
    ]
    if by.token:
        query.append(("X-Amz-Security-Token", by.token))
    empty = hashlib.sha256(b"").hexdigest()
    signature = _signature(method, url, query, {"host": parts.netloc}, empty, scope, at, by)
    return parts._replace(query=f"{_encoded(query)}&X-Amz-Signature={signature}").geturl()


def _scope(service: str, region: str, now: datetime | None) -> tuple[str, str]:
    """What a signature is good for, and the time in it."""
    at = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    return f"{at[:8]}/{region}/{service}/aws4_request", at


def _signature(
    method: str,
    url: str,
    query: list[tuple[str, str]],
    headers: Mapping[str, str],
    digest: str,
    scope: str,
    at: str,
    by: Credentials,
) -> str:
    lines = [f"{name}:{headers[name]}" for name in sorted(headers)]
    path = urlsplit(url).path or "/"
    request = "\n".join([method, path, _encoded(sorted(query)), *lines, "", ";".join(sorted(headers)), digest])
    text = "\n".join([_ALGORITHM, at, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{by.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _encoded(query: list[tuple[str, str]]) -> str:
    return "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in query)
