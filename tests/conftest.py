"""What tests share."""

import os

import pytest


def need(condition: object, reason: str) -> None:
    """Skip a test where the machine lacks something; fail it in CI, where nothing may be lacking."""
    if not condition:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
