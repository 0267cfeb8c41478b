"""What the image leaves out is missing for the page under test, and for nobody else."""

import importlib
import os
import subprocess
import sys

import pytest
from streamlit.testing.v1 import AppTest

from tests.support import left_out
from tests.support.left_out import PACKAGES

IMPORT_ALL = """
import importlib, pkgutil, app
for module in pkgutil.walk_packages(app.__path__, "app."):
    if not module.name.endswith(("__main__", "ui.page", "api.function")):
        importlib.import_module(module.name)
"""


def python(program: str) -> subprocess.CompletedProcess[str]:
    """A process such as the servers of the browser tests are."""
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=left_out.ROOT,
        env=os.environ | left_out.ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_list_is_read() -> None:
    assert {"pandas", "pyarrow"} <= PACKAGES
    assert all(name.isidentifier() for name in PACKAGES)


def page() -> None:
    import importlib

    importlib.import_module("pandas")


def test_a_page_in_this_process_cannot_import_them(packages_of_the_image: None) -> None:
    (error,) = AppTest.from_function(page).run().exception
    assert "No module named 'pandas'" in error.message


def test_they_are_back_afterwards() -> None:
    pandas = importlib.import_module("pandas")
    with left_out.left_out(), pytest.raises(ModuleNotFoundError):
        importlib.import_module("pandas")
    assert importlib.import_module("pandas") is pandas


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_a_page_in_a_process_of_its_own_cannot_import_them(package: str) -> None:
    assert f"No module named '{package}'" in python(f"import {package}").stderr


def test_no_module_of_the_app_imports_them() -> None:
    imported = python(IMPORT_ALL)
    assert imported.returncode == 0, imported.stderr
