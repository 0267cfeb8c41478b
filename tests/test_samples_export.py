"""A data set of samples: whole, told from any other by its version, and broken wherever it was changed."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.samples.export import BrokenExport, open_export, record_of, write
from app.samples.sample import hashed
from tests.support.pictures import drawn, encoded
from tests.support.samples import PNG, sample

SAMPLES = [
    sample(id="one", label="5", answer="5", confidence=0.25, model="2026.1", visitor=hashed("v"), reviewed=True),
    sample(id="two", label="", source="upload"),
    sample(id="three", alphabet="chinese", label="五"),
    sample(id="four"),
]


@pytest.fixture(params=["folder", "archive.zip"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / "exports" / str(request.param)


def change(target: Path, name: str, content: bytes) -> None:
    """Another content of a file in a folder or in a .zip."""
    if target.is_dir():
        (target / name).write_bytes(content)
        return
    with zipfile.ZipFile(target) as archive:
        files = {one: archive.read(one) for one in archive.namelist()} | {name: content}
    with zipfile.ZipFile(target, "w") as archive:
        for one, its in files.items():
            archive.writestr(one, its)


def test_what_was_written_is_read(target: Path) -> None:
    manifest = write(SAMPLES, target, shard_rows=3)
    read, samples = open_export(target)
    assert list(samples) == SAMPLES
    assert read == manifest
    assert manifest["count"] == 4
    assert [(shard["file"], shard["rows"]) for shard in manifest["shards"]] == [
        ("samples-00000.parquet", 3),
        ("samples-00001.parquet", 1),
    ]
    assert {"alphabet": "digits", "label": "5", "count": 1} in manifest["counts"]
    assert {"alphabet": "digits", "label": None, "count": 1} in manifest["counts"]
    assert [file.name for file in target.parent.iterdir()] == [target.name]


def test_the_same_samples_have_the_same_version(tmp_path: Path) -> None:
    versions = [write(SAMPLES, tmp_path / "a.zip"), write(reversed(SAMPLES), tmp_path / "b")]
    assert versions[0]["version"] == versions[1]["version"]
    assert len(versions[0]["version"]) == 16
    for number, other in enumerate((SAMPLES[:3], [*SAMPLES[:3], sample(id="four", label="4")])):
        assert write(other, tmp_path / str(number))["version"] != versions[0]["version"]


def test_other_pictures_become_png_as_they_are_read(tmp_path: Path) -> None:
    large = drawn(7).resize((1200, 600)).transpose(Image.Transpose.ROTATE_90)
    jpeg = encoded(large, "JPEG", exif=_lying())
    write([sample(id="jpeg", picture=jpeg), sample(id="bmp", picture=encoded(drawn(3), "BMP"))], tmp_path / "export")
    pictures = {one.id: Image.open(io.BytesIO(one.picture)) for one in open_export(tmp_path / "export").samples}
    assert (pictures["jpeg"].format, pictures["jpeg"].size) == ("PNG", (512, 256))
    assert pictures["bmp"].tobytes() == drawn(3).tobytes()


def _lying() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def test_nothing_is_written_over(target: Path) -> None:
    write(SAMPLES, target)
    with pytest.raises(FileExistsError):
        write(SAMPLES[:1], target)
    assert open_export(target).manifest["count"] == 4


def test_a_failure_leaves_nothing(target: Path) -> None:
    with pytest.raises(ValueError, match="picture"):
        write([sample(), sample(picture=b"no picture")], target)
    assert list(target.parent.iterdir()) == []


def test_no_samples_are_a_data_set_too(target: Path) -> None:
    assert write([], target)["count"] == 0
    assert list(open_export(target).samples) == []


@pytest.mark.parametrize(
    "name", ["samples-00000.parquet", "pictures/two.png", "manifest.json"], ids=["shard", "picture", "manifest"]
)
def test_a_changed_file_is_found(target: Path, name: str) -> None:
    write(SAMPLES, target)
    change(target, name, b"{}" if name == "manifest.json" else PNG + b" ")
    with pytest.raises(BrokenExport):
        list(open_export(target).samples)


def _other_version(manifest: dict[str, Any]) -> None:
    manifest["version"] = "0" * 16


def _other_format(manifest: dict[str, Any]) -> None:
    manifest["format"] = 2


def _outside(manifest: dict[str, Any]) -> None:
    manifest["shards"][0]["file"] = "../samples-00000.parquet"


def _hidden(manifest: dict[str, Any]) -> None:
    manifest["ids_sha256"].pop()


@pytest.mark.parametrize("changed", [_other_version, _other_format, _outside, _hidden])
def test_a_manifest_that_says_something_else_is_found(tmp_path: Path, changed: Any) -> None:
    write(SAMPLES, tmp_path / "export")
    file = tmp_path / "export" / "manifest.json"
    manifest = json.loads(file.read_text())
    changed(manifest)
    file.write_text(json.dumps(manifest))
    with pytest.raises(BrokenExport):
        open_export(tmp_path / "export")


def test_what_is_no_export_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "file.zip").write_bytes(b"nothing")
    for source in (tmp_path, tmp_path / "nowhere", tmp_path / "file.zip"):
        with pytest.raises(BrokenExport, match=str(source)):
            open_export(source)


def test_a_record_tells_which_samples_a_model_has_learned_from(tmp_path: Path) -> None:
    manifest = write(SAMPLES, tmp_path / "export")
    record = record_of(manifest)
    assert record == {
        "version": manifest["version"],
        "count": 4,
        "ids_sha256": sorted(hashed(one.id) for one in SAMPLES),
    }
