"""Ask both servers whether they do their work, `python -m app.healthcheck`: exits with 0 or 1.

The API must recognize a picture and the page must call itself well. An API that answers that it has too much to do
is healthy: to restart it then would only add to the load.
"""

import json
import sys
import urllib.error
import urllib.request

from app import settings
from app.settings import Settings

SECONDS = 4.0

SEVEN = (
    "iVBORw0KGgoAAAANSUhEUgAAACgAAAAoAQAAAACkhYXAAAAAXklEQVR42o3PwQnCUBgD4O/9CPXYERzF7Vyro3SEHgRbEOOhluexEEJICCEt"
    "UM7zirK1UeH58yV5RJIhhWtvZe+Ois+ubz1937tekSxJsVC0v/WZOjBRXJC8knb6xRc1Ih6gFQx5BQAAAABJRU5ErkJggg=="
)
"""A 7, 40x40, as PNG in base64."""


def api_problem(config: Settings) -> str | None:
    """What is wrong with the API, or None."""
    body = json.dumps({"image": f"data:image/png;base64,{SEVEN}"}).encode()
    headers = {"Content-Type": "application/json"}
    if config.api_keys:
        headers["X-API-Key"] = config.api_keys[0].get_secret_value()
    address = f"http://{_reachable(config.api_host)}:{config.api_port}/predict/"
    try:
        with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=SECONDS) as answer:
            return None if "predicted_digit" in json.load(answer) else "the API's answer has no prediction"
    except urllib.error.HTTPError as error:
        return None if error.code in (429, 503) else f"the API answers with status {error.code}"
    except (OSError, ValueError) as error:
        return f"the API does not answer: {error}"


def page_problem(config: Settings) -> str | None:
    """What is wrong with the page, or None."""
    address = f"http://{_reachable(config.ui_host)}:{config.ui_port}/_stcore/health"
    try:
        with urllib.request.urlopen(address, timeout=SECONDS) as answer:
            return None if answer.status == 200 else f"the page answers with status {answer.status}"
    except OSError as error:
        return f"the page does not answer: {error}"


def _reachable(host: str) -> str:
    """An address to call for one to listen on."""
    loopback = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"[{loopback}]" if ":" in loopback else loopback


def main() -> int:
    config = settings.load()
    problems = [problem for problem in (api_problem(config), page_problem(config)) if problem]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
