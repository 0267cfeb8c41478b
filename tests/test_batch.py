"""Shards, and a Ray cluster that answers them: the same answers, whatever dies on the way."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result

import batch
from app.cli.__main__ import IMPOSSIBLE, INTERRUPTED, SOME_BROKEN, main
from tests.conftest import need
from tests.support.pictures import drawn, encoded
from tests.support.ray_cluster import Machines, machines

ROOT = Path(__file__).parent.parent

PICTURES, BROKEN_EVERY, SHARDS = 2000, 200, 12


def digits(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


def started(*arguments: object, address: str = "") -> subprocess.Popen[str]:
    environment = os.environ | ({"RAY_ADDRESS": address} if address else {})
    return subprocess.Popen(
        [sys.executable, "-m", "app.cli", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def table(folder: Path) -> Any:
    """What all shards of a folder say, in order."""
    return pyarrow.concat_tables([pyarrow.parquet.read_table(file) for file in sorted(folder.glob("*.parquet"))])


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    """As long as a process runs."""
    for _ in range(30_000):
        if condition():
            return
        assert process is None or process.poll() is None, process and process.communicate()
        time.sleep(0.01)
    raise AssertionError("it does not come about")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits, some of them broken."""
    folder = tmp_path_factory.mktemp("loose") / "pictures"
    folder.mkdir()
    good = [encoded(drawn(place % 10, side=600, extent=300 + 10 * place, brush=36)) for place in range(20)]
    for place in range(PICTURES):
        picture = good[place % len(good)]
        (folder / f"{place:05}.png").write_bytes(picture if place % BROKEN_EVERY else picture[:100])
    return folder


@pytest.fixture(scope="module")
def shards(pictures: Path) -> Path:
    folder = pictures.with_name("shards")
    assert digits("pack", pictures, "-o", folder, "--shard-megabytes", 1, "--quiet").exit_code == 0
    assert len(list(folder.iterdir())) == SHARDS
    return folder


@pytest.fixture(scope="module")
def by_this_machine(shards: Path) -> Any:
    """What the local engine answers to the folder of shards."""
    output = shards.with_name("answers.parquet")
    assert digits("predict", shards, "-o", output, "--quiet").exit_code == SOME_BROKEN
    return pyarrow.parquet.read_table(output)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Machines]:
    need(importlib.util.find_spec("ray"), "Ray is not installed (pip install '.[ray]')")
    with machines(2) as cluster:
        yield cluster


def test_two_machines_answer_as_one_does_and_a_killed_actor_loses_and_doubles_nothing(
    cluster: Machines, shards: Path, by_this_machine: Any, tmp_path: Path
) -> None:
    output = tmp_path / "answers"
    process = started("predict", shards, "-o", output, "--engine", "ray", address=cluster.address)

    def both_are_at_work() -> bool:
        """Stopped in the middle of a shard each, after the first is done; else they go on."""
        readers = cluster.readers()
        for reader in readers:
            os.kill(reader.number, signal.SIGSTOP)
        if len(list(output.glob(".*.part"))) == len(readers) == 2 and any(output.glob("*.parquet")):
            return True
        for reader in readers:
            os.kill(reader.number, signal.SIGCONT)
        return False

    wait_until(both_are_at_work, process)
    one, other = cluster.readers()
    assert {one.parent, other.parent} == set(cluster.raylets)
    os.kill(one.number, signal.SIGKILL)
    os.kill(other.number, signal.SIGCONT)
    _, said = process.communicate()
    assert process.returncode == SOME_BROKEN, said
    assert f"Ray cluster {cluster.address}: 2 machines, 2 cores, for 12 shards." in said
    assert f"2,000 pictures, in {output}." in said
    assert "A process of the cluster has died; its shard is begun again." in said
    assert "Without an answer: 10 pictures." in said
    assert "00000.png': The picture is damaged" in said
    assert [file.name for file in sorted(output.iterdir())] == [file.name for file in sorted(shards.iterdir())]
    assert table(output).equals(by_this_machine)


def test_a_driver_that_is_killed_goes_on_behind_the_shards_that_are_there(
    cluster: Machines, shards: Path, by_this_machine: Any, tmp_path: Path
) -> None:
    """Killed on the cluster, interrupted there, and ended by a cluster of this machine alone; by URL, as buckets are."""
    output = tmp_path / "answers"
    command = ("predict", shards, "-o", f"fsspec+file://{output}", "--engine", "ray")

    def there() -> dict[str, int]:
        return {file.name: file.stat().st_mtime_ns for file in output.glob("*.parquet")}

    process = started(*command, address=cluster.address)
    wait_until(lambda: bool(there()), process)
    process.kill()
    process.communicate()
    wait_until(lambda: not cluster.readers())
    first = there()
    assert 0 < len(first) < SHARDS

    process = started(*command, address=cluster.address)
    wait_until(lambda: len(there()) > len(first), process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == INTERRUPTED, said
    assert "The same command goes on from there." in said
    assert "Traceback" not in said
    second = there()
    assert len(second) < SHARDS

    (output / ".00007.parquet.left.part").touch()
    process = started(*command)
    _, said = process.communicate()
    assert process.returncode == SOME_BROKEN, said
    assert "RAY_ADDRESS is not set: Ray runs on this machine alone" in said
    assert "of them by an earlier run" in said
    assert "Without an answer: 10 pictures." in said
    assert {name: time for name, time in there().items() if name in second} == second
    assert sorted(file.name for file in output.iterdir()) == sorted(file.name for file in shards.iterdir())
    assert table(output).equals(by_this_machine)


def test_nothing_is_mixed(shards: Path, tmp_path: Path) -> None:
    """What is there is of the same shards and the same model, or nothing is done; all is there: no cluster is needed."""
    need(importlib.util.find_spec("ray"), "Ray is not installed (pip install '.[ray]')")
    output = tmp_path / "answers"
    output.mkdir()
    (output / "00000.parquet").write_bytes((shards / "00000.parquet").read_bytes())
    result = digits("predict", shards, "-o", output, "--engine", "ray")
    assert result.exit_code == IMPOSSIBLE
    assert "00000.parquet is of other shards, of another model or of a run that was asked" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["predict", "shards", "--engine", "ray"], "shards of shards"),
        (["predict", "a", "b", "-o", "out", "--engine", "ray"], "shards of shards"),
        (["predict", "empty", "-o", "out", "--engine", "ray"], "There is no Parquet table in empty. To make some"),
        (["predict", "s5://bucket/folder", "-o", "out", "--engine", "ray"], "s5://bucket/folder: Unrecognized"),
        (["predict", "shards", "-o", "out", "--engine", "ray", "--alphabet", "klingon"], "no alphabet klingon"),
        (["predict", "shards", "-o", "out", "--engine", "ray", "--column", "three"], "has no column three"),
        (["predict", "shards", "-o", "out", "--engine", "ray"], "no Ray cluster at 127.0.0.1:1"),
        (["predict", "shards", "-o", "shards/", "--engine", "ray", "--anew"], "in the folder that is to be written to"),
        (["pack", "shards/00000.parquet", "-o", "shards", "--anew"], "in the folder that is to be written to"),
        (["pack", "nowhere", "-o", "out"], "There is no file or folder nowhere."),
    ],
)
def test_what_cannot_be_done_is_said(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    need(importlib.util.find_spec("ray"), "Ray is not installed (pip install '.[ray]')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    (tmp_path / "empty").mkdir()
    (tmp_path / "shards").symlink_to(shards)
    result = digits(*arguments)
    assert result.exit_code == IMPOSSIBLE
    assert said in result.stderr
    assert result.stdout == ""


def test_without_ray_it_says_what_to_install(shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    for name in ("job", "cluster"):
        monkeypatch.delitem(sys.modules, f"batch.{name}", raising=False)
        monkeypatch.delattr(batch, name, raising=False)
    result = digits("predict", shards, "-o", tmp_path / "out", "--engine", "ray")
    assert result.exit_code == IMPOSSIBLE
    assert "ray is missing. Shards and clusters need: pip install '.[ray]'" in result.stderr


def test_loose_files_an_archive_and_shards_are_packed_alike(pictures: Path, shards: Path, tmp_path: Path) -> None:
    """In the same order, with the same bytes, in shards of the size that was asked for."""
    loose = table(shards)
    assert loose["picture"].to_pylist() == [file.read_bytes() for file in sorted(pictures.iterdir())]
    assert loose["name"].to_pylist() == [str(file) for file in sorted(pictures.iterdir())]
    sizes = [sum(map(len, table_of(file)["picture"].to_pylist())) for file in sorted(shards.iterdir())]
    assert all(1_040_000 < size <= 1024 * 1024 for size in sizes[:-1])

    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in sorted(pictures.iterdir()):
            archive.write(file, file.name)
    for source in (tmp_path / "all.zip", shards):
        output = tmp_path / f"of-{source.name}"
        assert digits("pack", source, "-o", output).exit_code == 0
        (shard,) = output.iterdir()
        assert table_of(shard)["picture"].equals(loose["picture"])


def table_of(shard: Path) -> Any:
    return pyarrow.parquet.read_table(shard)


def test_a_table_among_other_files_is_no_shard(shards: Path, tmp_path: Path) -> None:
    """An unpacked export has the same pictures in a table and loose: none is to be answered twice."""
    (tmp_path / "7.png").write_bytes(encoded(drawn(7)))
    (tmp_path / "pictures.parquet").symlink_to(shards / "00000.parquet")
    result = digits("predict", tmp_path, "--format", "jsonl")
    assert result.stdout.count("\n") == 1
    assert "1 other file" in result.stderr


def test_packing_goes_on_behind_the_shards_that_are_there(pictures: Path, shards: Path, tmp_path: Path) -> None:
    output = tmp_path / "shards"
    command = ("pack", pictures, "-o", output, "--shard-megabytes", 1)
    process = started(*command)
    wait_until(lambda: any(output.glob("*.parquet")), process)
    process.kill()
    process.communicate()
    for late in sorted(output.glob("*.parquet"))[3:]:
        late.unlink()
    there = len(list(output.glob("*.parquet")))
    (output / ".00003.parquet.left.part").touch()
    result = digits(*command)
    assert result.exit_code == 0, result.stderr
    assert "of them by an earlier run" in result.stderr
    assert 0 < there < SHARDS
    for file in sorted(shards.iterdir()):
        assert (output / file.name).read_bytes() == file.read_bytes()
    assert len(list(output.iterdir())) == SHARDS

    other = digits("pack", pictures, "-o", output)
    assert other.exit_code == IMPOSSIBLE
    assert "shards of other pictures, or of another size. To begin anew: --anew" in other.stderr
    assert digits("pack", pictures, "-o", output, "--anew").exit_code == 0
    assert [file.name for file in output.iterdir()] == ["00000.parquet"]


def test_a_file_that_cannot_be_read_is_packed_as_a_row_without_a_picture(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("0.png", b"one")
        packed.writestr("1.png", b"damaged")
        packed.writestr("2.png", b"two")
    archive.write_bytes(archive.read_bytes().replace(b"damaged", b"changed"))
    result = digits("pack", archive, "-o", tmp_path / "shards")
    assert result.exit_code == SOME_BROKEN
    assert "Not readable: 1 picture.\n" in result.stderr
    assert "a.zip/1.png': It cannot be taken out of the archive: it is damaged." in result.stderr
    assert table(tmp_path / "shards")["picture"].to_pylist() == [b"one", None, b"two"]
