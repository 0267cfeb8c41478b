"""What the function of AWS Lambda is made of: `python bundle.py FOLDER` puts it together as a deployment does.

The packages come from the index by their hashes, as wheels for Lambda's system; no Docker is needed, nor that system.
"""

import compileall
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any, Final

import jsii
from aws_cdk import ILocalBundling

ROOT: Final = Path(__file__).parents[1]
REQUIREMENTS: Final = ROOT / "requirements-function.txt"

PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The version that compiles what is bundled, which no other can use."""

MOST_BYTES: Final = 250 * 1024 * 1024
"""Lambda's limit, unpacked."""

PLACE: Final = "/var/task"
"""Where Lambda unpacks it."""

SYSTEMS: Final = {False: "x86_64-manylinux_2_34", True: "aarch64-manylinux_2_34"}
"""Amazon Linux 2023, by whether it is on ARM."""

OTHERS: Final = {"cli", "ui", "versions"}
"""Folders of the app that its API does without."""

UNUSED: Final = (
    "bin",
    ".lock",
    "fastapi_standalone_docs/static/redoc",
    "onnxruntime/capi/libonnxruntime.so.*",  # once more, for programs in C
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
    "**/tests",
)
"""Of the packages."""


class TooLarge(Exception):
    def __init__(self, size: int) -> None:
        super().__init__(f"The function has {size:,} bytes; Lambda takes {MOST_BYTES:,}.")


def sources() -> list[Path]:
    """The app's files, by their names."""
    app = ROOT / "app"
    files = [file for file in app.rglob("*") if file.suffix in (".py", ".onnx")]
    return sorted(file for file in files if OTHERS.isdisjoint(file.relative_to(app).parts))


def fingerprint(*, arm64: bool) -> str:
    """Changes with whatever the bundle is made of."""
    digest = hashlib.sha256(f"{PYTHON} {SYSTEMS[arm64]}".encode())
    for file in (Path(__file__), REQUIREMENTS, *sources()):
        digest.update(f"\n{file.relative_to(ROOT)} {hashlib.sha256(file.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()


def bundle(folder: Path, *, arm64: bool) -> None:
    """Fill an empty folder. Raises TooLarge, and CalledProcessError where the packages cannot be had."""
    install(folder, REQUIREMENTS, arm64=arm64)
    for unused in (found for pattern in UNUSED for found in list(folder.glob(pattern))):
        shutil.rmtree(unused) if unused.is_dir() else unused.unlink()
    for file in sources():
        target = folder / file.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    compile_all(folder)
    if (size := weight(folder.rglob("*"))) > MOST_BYTES:
        raise TooLarge(size)


def install(folder: Path, requirements: Path, *, arm64: bool) -> None:
    options = ["--target", str(folder), "--python-platform", SYSTEMS[arm64], "--python-version", PYTHON, "--quiet"]
    pinned = ["--only-binary", ":all:", "--require-hashes", "--requirements", str(requirements)]
    subprocess.run([sys.executable, "-m", "uv", "pip", "install", *options, *pinned], check=True)  # noqa: S603 - ours


def compile_all(folder: Path) -> None:
    """Where it is unpacked nothing can be written, and each cold start would compile all that it imports anew."""
    compileall.compile_dir(
        folder, quiet=2, stripdir=folder, prependdir=PLACE, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH
    )


def weight(files: Iterable[Path]) -> int:
    return sum(file.stat().st_size for file in files if file.is_file())


@jsii.implements(ILocalBundling)
class Bundling:
    """Has the CDK make an asset of it, in its own folder."""

    def __init__(self, *, arm64: bool) -> None:
        self._arm64 = arm64

    def try_bundle(self, output_dir: str, *_: Any, **__: Any) -> bool:
        bundle(Path(output_dir), arm64=self._arm64)
        return True


if __name__ == "__main__":
    target = Path(sys.argv[1])
    bundle(target, arm64="--arm64" in sys.argv)
    print(f"{weight(target.rglob('*')) / 1e6:.0f} MB")
