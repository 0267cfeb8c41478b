"""A test may need what a user's machine lacks: there it is skipped with a reason, in CI it fails."""

import os

import pytest


def need(condition: bool, reason: str) -> None:
    if condition:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and in CI it has to be there")
    pytest.skip(reason, allow_module_level=True)
