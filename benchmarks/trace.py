"""Where the time from the end of a stroke to its answer goes, by marks that browser and page leave on the same clock.

The page is served by `benchmarks.traced_page`; what the API itself takes stands in its metrics.
"""

import re
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Final

import requests

from tests.browser.servers import App

IN_BROWSER: Final = """
window.marks = [];
window.mark = (name, at = performance.now()) => window.marks.push([name, performance.timeOrigin + at]);
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
  mark("sent");
  return send.call(this, data);
};
window.WebSocket = class extends WebSocket {
  constructor(...where) {
    super(...where);
    this.addEventListener("message", () => mark("received"));
  }
};
"""
"""Leaves marks, [name, milliseconds], in `window.marks`; to be run before the page's own scripts."""

STEPS: Final = {
    "sent": "browser: the drawing becomes a PNG and leaves",
    "heard": "websocket, and the page's server reads it",
    "asked": "Streamlit begins a run, which comes to its question",
    "answered": "HTTP to the API, which decodes and recognizes, and back",
    "handed": "the run writes the answer, Streamlit lets it go",
    "received": "websocket, and the browser reads it",
    "shown": "React puts it into the document",
    "painted": "the browser paints a frame with it",
}
"""Marks in the order in which a stroke leaves them, with what lies before each."""

Mark = tuple[str, float]


class Tracer:
    """A running app that leaves marks."""

    def __init__(self, app: App, file: Path) -> None:
        self.url = app.page_url
        self._app, self._file = app, file

    def table(self, marks: Sequence[Mark]) -> str:
        """Markdown, one row for each step; `marks` are the browser's."""
        lines = [line.split() for line in self._file.read_text().splitlines()]
        strokes = _strokes([*marks, *((name, float(at)) for name, at in lines)])
        rows = ["| step | p50 ms | p95 ms |", "|---|--:|--:|"]
        for what, *took in zip(STEPS.values(), *strokes, strict=True):
            p50, p95 = _percentiles(took)
            rows.append(f"| {what} | {p50:.1f} | {p95:.1f} |")
        return "\n".join([*rows, "", f"In the API itself: {self._milliseconds_of_the_api():.1f} ms, mean."])

    def _milliseconds_of_the_api(self) -> float:
        metrics = requests.get(f"{self._app.api_url}/metrics", timeout=10).text
        total, count = (
            float(re.search(rf'digits_request_seconds_{what}{{path="/predict/"}} (\S+)', metrics)[1])  # type: ignore[index]
            for what in ("sum", "count")
        )
        return 1000 * total / count


def told(milliseconds: Sequence[float]) -> str:
    p50, p95 = _percentiles(milliseconds)
    return f"p50 {p50:.0f} ms, p95 {p95:.0f} ms"


def _percentiles(values: Sequence[float]) -> tuple[float, float]:
    return statistics.median(values), statistics.quantiles(values, n=20)[-1]


def _strokes(marks: list[Mark]) -> list[list[float]]:
    """For each stroke that was asked about, what each of the `STEPS` took, in milliseconds."""
    strokes: list[list[float]] = []
    left: list[Mark] = []
    for name, at in sorted(marks, key=lambda mark: mark[1]):
        if name == "lifted":
            left = [(name, at)]
        elif left and len(left) <= len(STEPS) and name == list(STEPS)[len(left) - 1]:
            left.append((name, at))
            if name == "painted":
                strokes.append([after - before for (_name, before), (_next, after) in pairwise(left)])
    return strokes


@contextmanager
def tracer() -> Iterator[Tracer]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "marks")
        with App(page_module="benchmarks.traced_page", MARKS=str(file)) as app:
            yield Tracer(app, file)
