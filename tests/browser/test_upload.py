"""Other ways in: files, the camera, the gallery."""

import csv
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import opened, pictures_of
from tests.browser.servers import App


def choose(page: Page, files: list[Path]) -> None:
    page.locator("input[type=file]").set_input_files(files)


def test_one_picture(context: BrowserContext, app: App) -> None:
    page = opened(context, app, "upload")
    choose(page, pictures_of("4"))
    expect(page.locator(".st-key-answer .answer-label")).to_have_text("4")
    expect(page.locator(".pictures img")).to_have_count(2)


def test_many_pictures_as_a_table_and_as_csv(context: BrowserContext, app: App, tmp_path: Path) -> None:
    no_picture = tmp_path / "notes.png"
    no_picture.write_text("no picture")
    digits = "01234567890123456789"
    files = [tmp_path / f"{number:02}.png" for number in range(len(digits))]
    for file, picture in zip(files, pictures_of(digits), strict=True):
        file.write_bytes(picture.read_bytes())
    page = opened(context, app, "upload")
    choose(page, [*files, no_picture])
    expect(page.locator("tbody tr")).to_have_count(21)
    expect(page.locator("tbody tr").nth(7)).to_contain_text("07.png")
    assert page.locator("tbody tr td:nth-child(2) b").all_inner_texts() == list(digits)
    expect(page.locator("tbody tr").last).to_contain_text("not a picture")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    rows = list(csv.DictReader(download.value.path().read_text().splitlines()))
    assert [row["label"] for row in rows] == [*digits, ""]
    assert rows[0]["file"] == "00.png"
    assert rows[-1]["error"]


def test_dropped_on_the_page(context: BrowserContext, app: App) -> None:
    page = opened(context, app, "upload")
    data = page.evaluate_handle(
        """bytes => { const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], "dropped.png", { type: "image/png" })); return data; }""",
        list(pictures_of("9")[0].read_bytes()),
    )
    page.locator("[data-testid=stFileUploaderDropzone]").dispatch_event("drop", {"dataTransfer": data})
    expect(page.locator(".st-key-answer .answer-label")).to_have_text("9")


def test_the_camera(context: BrowserContext, app: App) -> None:
    page = opened(context, app, "upload")
    page.get_by_role("radio", name="Camera").click()
    page.wait_for_function("() => document.querySelector('video')?.currentTime > 0")
    page.get_by_role("button", name="Take Photo").click()
    expect(page.locator(".st-key-answer .answer-label")).to_have_text("3")


def test_an_example_of_the_gallery(context: BrowserContext, app: App) -> None:
    page = opened(context, app, "upload")
    page.get_by_role("radio", name="Examples").click()
    for digit in "70":
        page.get_by_role("button", name=f"Handwritten {digit}").first.click()
        expect(page.locator(".st-key-answer .answer-label")).to_have_text(digit)
