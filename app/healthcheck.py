"""Ask both servers whether they do their work, `python -m app.healthcheck`: exits with 0 or 1.

The API must recognize a picture and the page must call itself well. Busy is not sick: an API that has too much to do,
or no answer yet, is well as long as it says that its work gets on. To restart it then would only add to the load.
"""

import base64
import sys
import urllib.request

from app import health, settings
from app.client.client import Client
from app.client.errors import ApiError, Later, TimedOut
from app.client.models import Answer
from app.client.retries import NEVER
from app.health import Place
from app.settings import Settings

SECONDS = 4.0
"""For the picture's answer, without which the API may still be well."""

SEVEN = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAACgAAAAoAQAAAACkhYXAAAAAXklEQVR42o3PwQnCUBgD4O/9CPXYERzF7Vyro3SEHgRbEOOhluexEEJICCEt"
    "UM7zirK1UeH58yV5RJIhhWtvZe+Ois+ubz1937tekSxJsVC0v/WZOjBRXJC8knb6xRc1Ih6gFQx5BQAAAABJRU5ErkJggg=="
)
"""A 7, 40x40, as PNG."""


def api_problem(config: Settings) -> str | None:
    """What is wrong with the API, or None."""
    address = f"http://{_reachable(config.api_host)}:{config.api_port}"
    key = config.api_keys[0].get_secret_value() if config.api_keys else None
    try:
        with Client(address, key, connect_seconds=SECONDS, answer_seconds=SECONDS, retries=NEVER) as api:
            answer = api.predict(SEVEN)
    except (Later, TimedOut) as error:
        ready = Place(health.reachable(config.api_host), str(config.api_port), health.API_PATH)
        return None if health.is_well(ready) else f"the API is not ready: {error}"
    except ApiError as error:
        return f"the API is not well: {error}"
    return None if isinstance(answer, Answer) else f"the API cannot read a 7: {answer.error}"


def page_problem(config: Settings) -> str | None:
    """What is wrong with the page, or None."""
    address = f"http://{_reachable(config.ui_host)}:{config.ui_port}{health.PAGE_PATH}"
    try:
        with urllib.request.urlopen(address, timeout=health.SECONDS) as answer:
            return None if answer.status == 200 else f"the page answers with status {answer.status}"
    except OSError as error:
        return f"the page does not answer: {error}"


def _reachable(host: str) -> str:
    address = health.reachable(host)
    return f"[{address}]" if ":" in address else address


def main() -> int:
    config = settings.load()
    problems = [problem for problem in (api_problem(config), page_problem(config)) if problem]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
