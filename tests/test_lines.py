"""Rows of ink, cuts between characters, candidates, and the likeliest way through them."""

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageDraw

from app.reading import ctc, cuts, ink, lines, rows
from app.reading.lattice import Lattice, Said
from app.reading.lines import EmptyBox, Page
from app.reading.picture import Picture
from app.reading.rows import FIELD, HEIGHT, Row, TooMuchWriting


def paper(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    picture = Image.new("L", (width, height), 255)
    return picture, ImageDraw.Draw(picture)


def bars(*corners: tuple[int, int], size: tuple[int, int] = (300, 120), tall: int = 40) -> Image.Image:
    """Upright strokes, each from its upper end."""
    picture, pen = paper(*size)
    for x, y in corners:
        pen.line((x, y, x, y + tall), 0, 6)
    return picture


def rows_of(picture: Image.Image) -> list[Row]:
    return rows.find(ink.of(Picture.of(picture)))


def page_of(picture: Image.Image) -> Page:
    page = lines.find(Picture.of(picture), ink.of(Picture.of(picture)))
    assert page is not None
    return page


def test_rows_are_told_apart_from_top_to_bottom() -> None:
    found = rows_of(bars((40, 10), (80, 12), (60, 70), (100, 72), (140, 68)))
    assert [len(set(cuts.parts(row.ink)[1])) for row in found] == [2, 3]
    assert found[0].top < found[1].top


def test_a_row_is_scaled_to_one_height_and_its_boxes_are_the_pictures() -> None:
    (row,) = rows_of(bars((100, 30), (140, 30), tall=60))
    assert row.ink.shape[0] == FIELD
    inked = np.flatnonzero(row.ink.any(axis=1))
    assert np.ptp(inked) == pytest.approx(HEIGHT, abs=2)
    left = np.flatnonzero(row.ink.any(axis=0))[0]
    assert row.box(left, inked[0], left + 3, inked[-1] + 1) == pytest.approx((97, 30, 102, 91), abs=3)


def test_a_sloping_row_is_straightened() -> None:
    picture, pen = paper(420, 200)
    for place in range(6):
        x, y = 40 + 60 * place, 30 + 16 * place
        pen.line((x, y, x, y + 50), 0, 6)
    (row,) = rows_of(picture)
    assert row.slope == pytest.approx(16 / 60, abs=0.03)
    assert np.ptp(np.flatnonzero(row.ink.any(axis=1))) < 1.3 * HEIGHT


@pytest.mark.parametrize("across", [False, True], ids=["under it", "through its feet"])
def test_a_rule_is_left_out_and_what_stands_on_it_is_not(across: bool) -> None:
    picture = bars((60, 20), (120, 20), (180, 20))
    y = 58 if across else 75
    ImageDraw.Draw(picture).line((20, y, 280, y), 0, 2)
    (row,) = rows_of(picture)
    assert len(set(cuts.parts(row.ink)[1])) == 3


@pytest.mark.parametrize("comb", [False, True], ids=["boxes", "comb"])
def test_a_forms_cells_are_left_out(comb: bool) -> None:
    picture, pen = paper(340, 160)
    for place in range(5):
        x = 40 + 60 * place
        pen.line((x, 70 if comb else 40, x, 100), 0, 2)
        if place < 4:
            pen.line((x + 30, 50, x + 30, 90), 0, 6)
    for y in (100,) if comb else (40, 100):
        pen.line((40, y, 280, y), 0, 2)
    (row,) = rows_of(picture)
    assert len(set(cuts.parts(row.ink)[1])) == 4


def test_touching_rings_can_be_taken_apart() -> None:
    picture, pen = paper(200, 100)
    pen.ellipse((30, 20, 80, 80), outline=0, width=6)
    pen.ellipse((76, 20, 126, 80), outline=0, width=6)
    page = page_of(picture)
    left_one = np.abs(page.boxes - (30, 20, 80, 80)).max(axis=1).min()
    right_one = np.abs(page.boxes - (76, 20, 126, 80)).max(axis=1).min()
    assert max(left_one, right_one) < 8
    whole = page.torn == 0
    assert page.boxes[whole] == pytest.approx(np.array([[30, 20, 127, 81]]), abs=3)


def test_a_candidate_shows_its_glyph_its_own_ink_and_what_is_around() -> None:
    page = page_of(bars((100, 30), (140, 30), tall=60))
    first = page.views[(page.spans[:, 1:] == (0, 1)).all(axis=1)][0]
    assert first.shape == (lines.CHANNELS, 28, 28)
    assert first[0].max() == pytest.approx(1)
    assert first[1].sum() == pytest.approx(first[2].sum(), rel=0.1)
    assert first[1][:, 20:].sum() == 0


def test_more_than_a_few_lines_are_refused_at_once() -> None:
    specks = np.zeros((500, 500), np.float32)
    for y, x in itertools.product(range(5), range(2)):
        specks[y + 5 :: 20, x + 5 :: 20] = 1
    with pytest.raises(TooMuchWriting, match="Please send a part of it"):
        lines.find(Picture.of(Image.new("L", (500, 500))), ink.Ink(specks))


def test_more_candidates_than_a_few_lines_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MOST_CANDIDATES", 3)
    assert len(page_of(bars((40, 10))).spans) == 1
    with pytest.raises(TooMuchWriting):
        page_of(bars((40, 10), (80, 12), (120, 10)))


def test_a_stray_dot_is_no_page() -> None:
    picture, pen = paper(280, 280)
    pen.rectangle((100, 100, 103, 103), 0)
    assert lines.find(Picture.of(picture), ink.of(Picture.of(picture))) is None
    pen.line((100, 100, 100, 130), 0, 4)
    assert page_of(picture).spans.tolist() == [[0, 0, 1]]


def test_nothing_drawn_is_no_page() -> None:
    assert lines.find(Picture.of(Image.new("L", (50, 50), 255)), ink.Ink(np.zeros((50, 50), np.float32))) is None


def test_given_boxes_are_candidates_in_their_order_and_lines() -> None:
    picture = bars((40, 10), (80, 12), (30, 70))
    seen = Picture.of(picture)
    boxes = [(70.0, 8.0, 90.0, 56.0), (30.0, 8.0, 50.0, 56.0), (20.0, 66.0, 40.0, 116.0)]
    page = lines.inside(seen, ink.of(seen), boxes)
    assert page.given
    assert page.spans.tolist() == [[0, 0, 1], [0, 1, 2], [1, 0, 1]]
    assert page.boxes.tolist() == [list(box) for box in boxes]
    with pytest.raises(EmptyBox, match="nothing in box 2"):
        lines.inside(seen, ink.of(seen), [boxes[0], (200.0, 10.0, 220.0, 40.0)])
    assert len(lines.inside(seen, ink.of(seen), [(-1e308, -1e308, 1e308, 1e308)]).views) == 1


def ways(spans: list[list[int]], kinds: int, start: int, end: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """All ways from a part on, as pairs of a candidate and its kind."""
    if start == end:
        yield ()
    for place, (first, after) in enumerate(spans):
        if first == start:
            for rest in ways(spans, kinds, after, end):
                yield from (((place, kind), *rest) for kind in range(kinds))


@pytest.mark.parametrize("seed", range(12))
def test_texts_and_their_ways_are_the_best_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts, silent = int(rng.integers(1, 5)), 2
    pairs = itertools.combinations(range(parts + 1), 2)
    spans = [[first, after] for first, after in pairs if after == first + 1 or rng.random() < 0.7]
    rng.shuffle(spans)
    odds = rng.normal(0, 2, (len(spans), 3))
    weights = {way: float(np.exp(sum(odds[place, kind] for place, kind in way))) for way in ways(spans, 3, 0, parts)}
    total, of_texts = sum(weights.values()), dict[Said, float]()
    for way, weight in weights.items():
        text = tuple(kind for _, kind in way if kind != silent)
        of_texts[text] = of_texts.get(text, 0.0) + weight

    lattice = Lattice(np.array(spans), odds, silent)
    likeliest = sorted(of_texts, key=lambda text: -of_texts[text])
    assert lattice.texts(1000)[:8] == likeliest[:8]
    found = lattice.ways([*likeliest, (0,) * (parts + 1)])
    assert found[-1] is None
    for text, one in zip(likeliest, found, strict=False):
        assert one is not None
        assert math.exp(one.share) == pytest.approx(of_texts[text] / total)
        own = tuple(zip(one.candidates, one.kinds, strict=True))
        alike = [weights[way] for way in weights if tuple(kind for _, kind in way if kind != silent) == text]
        assert weights[own] == max(alike)
        assert tuple(kind for kind in one.kinds if kind != silent) == text


def test_a_line_is_shown_whole_with_little_room_around() -> None:
    (row,) = rows_of(bars((100, 30), (140, 30), tall=60))
    strip = ctc.strip_of(row)
    assert strip.shape == (ctc.STRIP_HEIGHT, 2 * (row.ink.shape[1] - 60) // 3)
    inked = np.flatnonzero(strip.max(axis=0) > 0.5)
    assert inked[0] == pytest.approx(8, abs=1)
    assert strip.shape[1] - inked[-1] == pytest.approx(8, abs=2)
    assert np.ptp(np.flatnonzero(strip.max(axis=1) > 0.5)) == pytest.approx(HEIGHT / 2, abs=2)
    page = page_of(bars((40, 10), (80, 12), (60, 70), (100, 72), (140, 68)))
    assert len(page.strips) == 2
    assert page.strips[0].shape[1] < page.strips[1].shape[1]
