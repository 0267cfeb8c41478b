"""Tokens with which PostgreSQL on RDS lets in whom IAM knows: no password is stored anywhere.

As botocore's `generate_db_auth_token` makes them, which would make the image 14 MB larger.
"""

import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Final
from urllib.parse import quote, urlencode
from urllib.request import urlopen

from app.samples.errors import Unavailable

TOKEN_SECONDS: Final = 900
"""In which a connection must be made with a token; it may last for longer."""

ANEW_BEFORE_END: Final = timedelta(minutes=5)

ECS: Final = "http://169.254.170.2"
"""Who gives a task in ECS the credentials of its role."""

PATIENCE: Final = 3.0
"""Seconds in which that must answer."""

_ALGORITHM: Final = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credentials:
    key: str
    secret: str
    session: str
    until: datetime


class SignIn:
    """Makes tokens for one region with the credentials of the task's role, or of AWS_ACCESS_KEY_ID and its like.

    Safe to share between threads.
    """

    def __init__(self, region: str) -> None:
        self._region = region
        self._credentials: Credentials | None = None
        self._asking = Lock()

    def token(self, host: str, port: int, user: str) -> str:
        """The password of this moment. Raises Unavailable."""
        when = datetime.now(UTC)
        with self._asking:
            if self._credentials is None or self._credentials.until - ANEW_BEFORE_END < when:
                self._credentials = credentials()
            return token(host, port, user, self._region, self._credentials, when)


def credentials() -> Credentials:
    """Those of this process. Raises Unavailable."""
    if key := os.environ.get("AWS_ACCESS_KEY_ID"):
        secret, session = (os.environ.get(f"AWS_{name}", "") for name in ("SECRET_ACCESS_KEY", "SESSION_TOKEN"))
        return Credentials(key, secret, session, datetime.max.replace(tzinfo=UTC))
    path = os.environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    if not path:
        raise Unavailable("There are no credentials of AWS: neither AWS_ACCESS_KEY_ID nor the role of a task in ECS.")
    try:
        with urlopen(ECS + path, timeout=PATIENCE) as answer:  # noqa: S310 - always over HTTP, within the task
            found: dict[str, Any] = json.load(answer)
        until = datetime.fromisoformat(found["Expiration"])
        return Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["Token"], until)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise Unavailable(f"ECS does not give the credentials of the task's role: {type(error).__name__}.") from None


def token(host: str, port: int, user: str, region: str, credentials: Credentials, when: datetime) -> str:
    """A request to connect, signed in its query as Signature Version 4 says; `when` is in UTC."""
    scope = f"{when:%Y%m%d}/{region}/rds-db/aws4_request"
    query = {
        "Action": "connect",
        "DBUser": user,
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{credentials.key}/{scope}",
        "X-Amz-Date": f"{when:%Y%m%dT%H%M%SZ}",
        "X-Amz-Expires": str(TOKEN_SECONDS),
        "X-Amz-SignedHeaders": "host",
    }
    if credentials.session:
        query["X-Amz-Security-Token"] = credentials.session
    asked = urlencode(sorted(query.items()), quote_via=quote, safe="-_.~")
    request = "\n".join(["GET", "/", asked, f"host:{host}:{port}", "", "host", _sha256("")])
    to_sign = "\n".join([_ALGORITHM, query["X-Amz-Date"], scope, _sha256(request)])
    signing = f"AWS4{credentials.secret}".encode()
    for part in scope.split("/"):
        signing = _hmac(signing, part)
    return f"{host}:{port}/?{asked}&X-Amz-Signature={_hmac(signing, to_sign).hex()}"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
