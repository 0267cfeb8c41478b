"""The whole loop, from a drawing that is read wrong to one that is read right: `python -m benchmarks.loop --data DIR`.

Simulated people open the page in a real browser, agree that their drawings are kept, draw hooked sevens and slashed
zeros with the mouse, and say of each answer whether it is right or what it should have been. What they have said is
exported, the model learns from it and is judged, and the API, which has never stopped, takes up what passes. Then
others draw the same.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, expect, sync_playwright

from app.client.client import Client
from benchmarks.hooked import SEVEN, ZERO, Hand, written
from tests.browser.drawing import CHROMIUM, draw_stroke
from tests.browser.servers import App
from training import package
from training.progress import console, track

WRITERS, STRANGERS = range(20), range(200, 210)
"""Those who correct, and those who draw before and after."""

EACH = 6
"""Drawings of each of them."""

SECONDS = 60
"""That a machine that trains meanwhile may take for anything."""


_ANSWERED = "document.querySelector('.st-key-answer .answer')?.dataset.request"
"""In the browser, which answer is shown."""


def draw(page: Page, person: int, number: int) -> tuple[str, str]:
    """What somebody draws on an empty pad, and what the page says it is."""
    label = (SEVEN, ZERO)[number % 2]
    rng = np.random.default_rng(1000 * person + number)
    strokes = written(Hand.of(person), label, rng)
    low, high = (f(np.concatenate(strokes), axis=0) for f in (np.min, np.max))
    for stroke in strokes:
        points = (stroke - (low + high) / 2) / (high - low).max() + 0.5
        answered = page.evaluate(_ANSWERED)
        draw_stroke(page, [(x, y) for x, y in points.tolist()], 0.7)
        page.wait_for_function(f"before => ![undefined, before].includes({_ANSWERED})", arg=answered)
    said = page.locator(".st-key-answer .answer-label").inner_text()
    return str(label), said


def wipe(page: Page) -> None:
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("The answer appears here.").wait_for()


def correct(browser: Browser, url: str, person: int) -> int:
    """Draw as somebody who says of each drawing what it is; how many were read wrong."""
    context = browser.new_context()
    context.set_default_timeout(1000 * SECONDS)
    page, wrong = context.new_page(), 0
    page.goto(url)
    page.locator("canvas").last.wait_for()
    for number in range(EACH):
        label, said = draw(page, person, number)
        if number == 0:
            page.get_by_role("button", name="Yes, keep them").click()
        if said == label:
            page.get_by_role("button", name="Right", exact=True).click()
        else:
            wrong += 1
            page.get_by_label("It is…").select_option(label)
        expect(page.get_by_text("Thank you. It is kept.")).to_be_visible(timeout=1000 * SECONDS)
        wipe(page)
    context.close()
    return wrong


def right(browser: Browser, url: str, picture: Path) -> float:
    """The share of strangers' drawings that are read right; the last one is photographed."""
    page = browser.new_page()
    page.set_default_timeout(1000 * SECONDS)
    page.goto(url)
    page.locator("canvas").last.wait_for()
    hits = list[bool]()
    for person in STRANGERS:
        for number in range(EACH):
            if hits:
                wipe(page)
            label, said = draw(page, person, number)
            hits.append(label == said)
    page.screenshot(path=picture)
    page.close()
    return float(np.mean(hits))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.loop", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder with the data sets (%(default)s)")
    parser.add_argument("--database", help="a PostgreSQL's URL; without it samples are kept in a file of SQLite's")
    parser.add_argument("--count", type=int, default=300, help="pictures of each test set to judge by (%(default)s)")
    parser.add_argument("--pictures", type=Path, default=Path("runs/loop"), help="where they go (%(default)s)")
    args = parser.parse_args()
    args.pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder) / "models"
        shutil.copytree(package.installed("digits"), models / "digits")
        told: dict[str, Any] = {
            "DIGITS_MODELS_DIR": str(models),
            "DIGITS_SAMPLES_DATABASE": args.database or f"{folder}/samples.sqlite3",
            "DIGITS_SAMPLES_OUTBOX": f"{folder}/outbox.sqlite3",
            "DIGITS_RATE_PER_ADDRESS": "0",
        }
        with App(**told) as app, sync_playwright() as playwright, Client(app.api_url) as api:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            before = right(browser, app.page_url, args.pictures / "before.png")
            wrong = sum(correct(browser, app.page_url, person) for person in track(WRITERS, "people", len(WRITERS)))
            console.print(f"{before:.0%} right before; {len(WRITERS) * EACH} drawings kept, {wrong} of them corrected.")
            served = api.alphabets()[0].version
            export = f"{folder}/samples.zip"
            _run(["app.samples", "export", export], told)
            learn = ["training.retrain", "--samples", export, "--data", str(args.data), "--count", str(args.count)]
            _run([*learn, "--output", f"{folder}/run", "--install"], told)
            start = time.monotonic()
            while api.alphabets()[0].version == served and time.monotonic() - start < SECONDS:
                time.sleep(0.2)
            after = right(browser, app.page_url, args.pictures / "after.png")
            now = api.alphabets()[0].version
            console.print(f"{before:.0%} right with {served}, {after:.0%} with {now}, of {len(STRANGERS) * EACH}.")
            browser.close()
    if now == served:
        raise SystemExit("Nothing new is served: the gate has refused it, or the API has not taken it up.")


def _run(module: list[str], told: dict[str, str]) -> None:
    console.print("$ python -m", *module[:2])
    subprocess.run([sys.executable, "-m", *module], env=os.environ | told, check=True)


if __name__ == "__main__":
    main()
