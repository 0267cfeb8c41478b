"""docs/scale.md says what its benchmark has found."""

import json
import re
from pathlib import Path

import pytest

from benchmarks import scale_report

ROOT = Path(__file__).parents[1]
RECORD = json.loads((ROOT / "benchmarks/scale.json").read_text())
DOCUMENT = ROOT / "docs/scale.md"


def test_the_tables_are_the_record_s(tmp_path: Path) -> None:
    """So they are written again, with the chart."""
    for folder in ("benchmarks", "docs", "images"):
        (tmp_path / folder).mkdir()
    torn = re.sub(r"(<!-- (?!end)\w+ -->\n).*?(<!-- end -->)", r"\1\2", DOCUMENT.read_text(), flags=re.DOTALL)
    (tmp_path / "docs/scale.md").write_text(torn)
    scale_report.write(RECORD, tmp_path)
    for name in ("docs/scale.md", "benchmarks/scale.md"):
        assert (tmp_path / name).read_text() == (ROOT / name).read_text()
    assert (tmp_path / "images/scale.png").read_bytes().startswith(b"\x89PNG")


def test_every_table_has_its_place() -> None:
    assert set(re.findall(r"<!-- (?!end)(\w+) -->", DOCUMENT.read_text())) == set(scale_report.blocks(RECORD))


def test_the_simulation_holds_against_what_was_measured() -> None:
    """By answers a second, also where they get fewer: within a twentieth, and where some are refused within a fifth."""
    measured, simulated = RECORD["measured"]["curve"], RECORD["simulated"]["curve"]
    for seen, told in zip(measured, simulated, strict=True):
        assert told["answered"] == pytest.approx(seen["answered"], rel=0.2 if seen["load"] > 1 else 0.05), seen


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)]+)\)", DOCUMENT.read_text())
    assert links
    assert not [link for link in links if not (DOCUMENT.parent / link.partition("#")[0]).exists()]
