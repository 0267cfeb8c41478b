"""The API in a function of AWS Lambda, which calls `handler` with one request at a time.

Everything that a start takes is done as Lambda imports this module, once for all requests that the process will get;
between two of them it stands still. Connections, their limits and their protocol are Lambda's.
"""

import asyncio
import json
import logging
import logging.config
import os
import sys
import urllib.request
from contextlib import AsyncExitStack
from typing import Final

from mangum import Mangum

from app import aws, settings
from app.api import logs
from app.api.main import served_app

SECRET: Final = "DIGITS_API_KEYS_SECRET"  # noqa: S105 - the name of a variable
"""The ARN of a secret in Secrets Manager: what it holds is `api_keys`, of which nothing stands in the environment."""

DEFAULTS: Final = {
    "DIGITS_SAMPLES_DATABASE": "",  # no file that is written here stays
    "DIGITS_MODEL_SECONDS": "0",  # nor does one change
    "DIGITS_WORKERS": "1",
    "DIGITS_MAX_BODY_BYTES": "4500000",  # Lambda passes 6 MiB on, in base64
}
"""Settings that fit a function, where the environment has no others."""

_SECONDS: Final = 5.0
"""In which Secrets Manager must answer."""


def secret(arn: str) -> str:
    """What a secret holds. Ends the process with a sentence where that cannot be had, or is nothing."""
    region = arn.split(":")[3]
    address = os.environ.get("AWS_ENDPOINT_URL_SECRETS_MANAGER", f"https://secretsmanager.{region}.amazonaws.com")
    body = json.dumps({"SecretId": arn}).encode()
    asked = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "secretsmanager.GetSecretValue"}
    try:
        headers = aws.sign("POST", address, asked, body, service="secretsmanager", region=region, by=aws.credentials())
        request = urllib.request.Request(address, body, headers)  # noqa: S310 - https, or a test's own server
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            held: str = json.load(answer)["SecretString"]
    except (aws.NoCredentials, OSError, ValueError, KeyError) as error:
        raise SystemExit(f"{SECRET}: the secret cannot be read: {error}") from None
    if not held.strip(" ,"):
        raise SystemExit(f"{SECRET}: the secret holds no key, and without one everybody could call.")
    return held


def _log_to_lambda() -> None:
    """Each line at once, as Lambda takes it; a thread that gathers lines would stand still with the last of them."""
    configuration = logs.configuration(settings.load().log_level)
    configuration["handlers"]["out"] |= {"()": logging.StreamHandler, "stream": sys.stdout}
    logging.config.dictConfig(configuration)
    logging.getLogger("mangum").setLevel(logging.WARNING)  # each request has its line already


def _started() -> Mangum:
    os.environ.update(DEFAULTS | os.environ)
    if arn := os.environ.get(SECRET):
        os.environ["DIGITS_API_KEYS"] = secret(arn)
    _log_to_lambda()
    asyncio.set_event_loop(loop := asyncio.new_event_loop())
    app = served_app()
    loop.run_until_complete(_life.enter_async_context(app.router.lifespan_context(app)))
    return Mangum(app, lifespan="off")  # else it would start and end with every request


_life: Final = AsyncExitStack()
"""Of the application: never ended, for Lambda says no goodbye."""

handler: Final = _started()
