"""Other ways in: files, the camera, the gallery."""

import base64
import csv
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.conftest import opened, pictures_of, visitor
from tests.browser.servers import App

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SIDEWAYS = PHONE | {"viewport": {"width": 844, "height": 390}}


def choose(page: Page, files: list[Path]) -> None:
    page.locator("input[type=file]").set_input_files(files)


def answer(page: Page) -> Locator:
    return page.locator(".st-key-answer .answer-label")


def test_one_picture(context: BrowserContext, app: App) -> None:
    page = opened(context, app, "upload")
    choose(page, pictures_of("4"))
    expect(answer(page)).to_have_text("4")
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
    expect(answer(page)).to_have_text("9")


def test_the_camera(context: BrowserContext, app: App) -> None:
    page = opened(context, app, "upload")
    page.get_by_role("radio", name="Camera").click()
    page.wait_for_function("() => document.querySelector('video')?.currentTime > 0")
    page.get_by_role("button", name="Take Photo").click()
    expect(answer(page)).to_have_text("3")


def test_an_example_of_the_gallery(context: BrowserContext, app: App) -> None:
    page = opened(context, app, "upload")
    page.get_by_role("radio", name="Examples").click()
    for digit in "70":
        page.get_by_role("button", name=f"Handwritten {digit}").first.click()
        expect(answer(page)).to_have_text(digit)


@pytest.mark.parametrize("screen", [PHONE, SIDEWAYS], ids=["upright", "sideways"])
def test_the_answer_to_an_example_is_in_sight_on_a_phone(browser: Browser, app: App, screen: dict[str, object]) -> None:
    context = visitor(browser, **screen)
    page = opened(context, app, "upload")
    page.get_by_role("radio", name="Examples").click()
    for digit in "19":
        page.get_by_role("button", name=f"Handwritten {digit}").first.click()
        expect(answer(page)).to_have_text(digit)
        expect(answer(page)).to_be_in_viewport(ratio=1)
    context.close()


def test_many_pictures_on_a_phone(browser: Browser, app: App, tmp_path: Path) -> None:
    context = visitor(browser, **PHONE)
    page = opened(context, app, "upload")
    no_picture, long_name = tmp_path / "notes.png", tmp_path / f"IMG_{'0123456789' * 8}.png"
    no_picture.write_text("no picture")
    long_name.write_bytes(pictures_of("3")[0].read_bytes())
    choose(page, [*pictures_of("78"), long_name, no_picture])
    expect(page.locator("tbody tr")).to_have_count(4)
    expect(page.get_by_role("button", name="Download as CSV")).to_be_in_viewport()
    for part in ("table", "tbody tr"):
        box = page.locator(part).last.bounding_box()
        assert box
        assert box["x"] + box["width"] <= 390
    page.get_by_text("Doubtful ones first").click()
    expect(page.locator("tbody tr").first).to_contain_text("notes.png")
    expect(page.locator("tbody tr").first).to_have_class("unread")
    context.close()


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("paper.pdf", b"%PDF-1.7", "not a picture"),
        ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "not a picture"),
        ("photo.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC is not read; please send JPEG"),
        ("scan.tif", bytes(11 * 2**20), "scan.tif has 11.0 MB. At most 10 MB are read"),
    ],
)
def test_what_is_not_read_says_why_in_sight(
    context: BrowserContext, app: App, tmp_path: Path, name: str, data: bytes, why: str
) -> None:
    (tmp_path / name).write_bytes(data)
    page = opened(context, app, "upload")
    choose(page, [tmp_path / name])
    expect(page.get_by_text(why)).to_be_in_viewport()


def test_a_picture_that_is_too_large_is_shrunk_by_the_browser(
    context: BrowserContext, app: App, tmp_path: Path
) -> None:
    with Image.open(pictures_of("7")[0]) as digit:
        digit.convert("RGB").resize((2000, 2000)).save(tmp_path / "bytes.png", compress_level=0)
        digit.resize((5200, 5200)).save(tmp_path / "pixels.jpg", quality=98)
    assert (tmp_path / "bytes.png").stat().st_size > 10 * 2**20
    page = opened(context, app, "upload")
    choose(page, [tmp_path / "bytes.png", tmp_path / "pixels.jpg"])
    expect(page.locator("tbody tr td:nth-child(2) b")).to_have_text(["7", "7"])


def test_files_stay_while_one_looks_at_another_page(context: BrowserContext, app: App) -> None:
    page = opened(context, app, "upload")
    choose(page, pictures_of("4"))
    expect(answer(page)).to_have_text("4")
    for name in ("API", "Draw"):
        page.get_by_role("link", name=name).first.click()
        page.locator("h1").filter(has_text="Upload").wait_for(state="detached")
        expect(page.get_by_test_id("stFileUploader")).to_be_hidden()
    page.get_by_role("link", name="Upload").click()
    expect(answer(page)).to_have_text("4")
    page.get_by_role("button", name="Remove 4").click()
    expect(page.get_by_text("The answer appears here.")).to_be_visible()


def test_pasted_from_the_clipboard(context: BrowserContext, app: App) -> None:
    page = opened(context, app, "upload")
    page.get_by_test_id("stFileUploader").wait_for()
    page.evaluate(
        """async picture => {
        const clipboardData = new DataTransfer();
        const bytes = await (await fetch(picture)).blob();
        clipboardData.items.add(new File([bytes], "image.png", { type: "image/png" }));
        document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
        }""",
        f"data:image/png;base64,{base64.b64encode(pictures_of('9')[0].read_bytes()).decode()}",
    )
    expect(answer(page)).to_have_text("9")


def test_the_phone_s_own_camera(browser: Browser, app: App) -> None:
    """It needs no secure page, as the camera in the page does."""
    context = visitor(browser, **PHONE)
    page = opened(context, app, "upload")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Take a photo").click()
    chooser.value.set_files(pictures_of("3"))
    expect(answer(page)).to_have_text("3")
    context.close()


def test_the_answer_is_announced(context: BrowserContext, app: App) -> None:
    page = opened(context, app, "upload")
    choose(page, pictures_of("6"))
    expect(answer(page)).to_have_text("6")
    expect(page.get_by_role("status").and_(page.locator(".st-key-answer"))).to_have_count(1)
