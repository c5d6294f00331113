import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from darkroom.counting import drawing
from darkroom.counting.drawing import Legend, draw_over
from darkroom.counting.geometry import MultiPolygon

NONE = np.zeros((0, 4))
LEGEND = Legend(70, 12, 0.93)


def _photo(height: int = 400, width: int = 600, tone: int = 100) -> NDArray[np.uint8]:
    return np.full((height, width, 3), tone, np.uint8)


def draw(
    photo: NDArray[np.uint8],
    detections: NDArray[np.float64],
    estimates: list[MultiPolygon],
    legend: Legend,
) -> NDArray[np.uint8]:
    """A drawn copy of the photo."""
    picture = photo.copy()
    draw_over(picture, detections, estimates, legend)
    return picture


def _region(*rings: list[tuple[float, float]]) -> MultiPolygon:
    closed = [[list(place) for place in [*ring, ring[0]]] for ring in rings]
    return {"type": "MultiPolygon", "coordinates": [closed]}


def _square(x1: float, y1: float, x2: float, y2: float) -> list[tuple[float, float]]:
    return [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]


def test_a_detection_is_a_cyan_disc_at_three_tenths() -> None:
    picture = draw(_photo(), np.array([[300.0, 200, 340, 220]]), [], LEGEND)
    assert picture[210, 320] == pytest.approx([70, 146, 146], abs=2)
    reddish_lost = (100 - picture[150:, :, 0].astype(float)).sum()
    assert reddish_lost / 30 == pytest.approx(np.pi * 20**2, rel=0.08)


def test_plants_that_overlap_are_no_darker() -> None:
    picture = draw(_photo(), np.array([[300.0, 200, 340, 240], [310, 200, 350, 240]]), [], LEGEND)
    assert (picture[220, 325] == picture[220, 305]).all()


def test_an_estimate_is_blue_in_its_true_polygon_and_nowhere_else() -> None:
    triangle = _region([(300, 200), (400, 200), (300, 300)])
    picture = draw(_photo(), NONE, [triangle], LEGEND)
    assert picture[220, 320] == pytest.approx([80, 80, 131], abs=2)
    assert (picture[290, 390] == 100).all()
    assert (picture[350] == 100).all()


def test_a_hole_in_an_estimate_stays_open() -> None:
    ring = _region(_square(300, 200, 400, 300), _square(330, 230, 370, 270))
    picture = draw(_photo(), NONE, [ring], LEGEND)
    assert (picture[250, 350] == 100).all() and (picture[215, 315] != 100).any()


def test_the_edge_of_an_estimate_is_soft_on_a_large_photo() -> None:
    picture = draw(_photo(2000, 2000), NONE, [_region(_square(900, 900, 1300, 1300))], LEGEND)
    edge = picture[1100, 890:910, 2].astype(int)
    assert len(set(edge)) > 4 and (np.diff(edge) >= 0).all()


def test_bright_and_dark_pixels_do_not_wrap_around() -> None:
    for tone in (0, 255):
        picture = draw(_photo(tone=tone), np.array([[300.0, 200, 340, 240]]), [], LEGEND)
        expected = [tone * 0.7, tone * 0.7 + 76.5, tone * 0.7 + 76.5]
        assert picture[220, 320] == pytest.approx(expected, abs=2)


@pytest.mark.parametrize("size", [(3000, 4000), (900, 1200), (120, 160)])
def test_the_legend_grows_with_the_photo(size: tuple[int, int]) -> None:
    picture = draw(_photo(*size), NONE, [], LEGEND)
    rows, columns = (np.flatnonzero((picture != 100).any(axis=(2, side))) for side in (1, 0))
    assert 0.1 < (rows[-1] - rows[0]) / size[0] < 0.45
    assert 0.1 < (columns[-1] - columns[0]) / size[1] < 0.95


def test_the_legend_names_its_figures_in_any_language() -> None:
    spanish = Legend(70, 12, 0.934, ("Detectadas", "Estimadas", "Confianza"))
    assert LEGEND.lines() == ("Detected: 70", "Estimated: 12", "Confidence: 93%")
    assert spanish.lines() == ("Detectadas: 70", "Estimadas: 12", "Confianza: 93%")
    assert (draw(_photo(), NONE, [], spanish) != draw(_photo(), NONE, [], LEGEND)).any()


SIZES = [
    (240, 320),
    (320, 240),
    (100, 320),
    (900, 1200),
    (320, 8000),
    (8000, 320),
    (3000, 4000),
    (8600, 11_600),
]


@pytest.mark.parametrize("size", SIZES)
def test_the_legend_can_be_read_and_leaves_the_most_of_the_photo(size: tuple[int, int]) -> None:
    plate = drawing._fitting(LEGEND.lines(), size[1], size[0])
    width, height = plate.frame
    assert width <= 0.95 * size[1] and height <= 0.45 * size[0]
    assert width * height < 0.4 * size[0] * size[1]
    # In pixels of the photo itself, and of a screen of 1 200 that shows the whole of it.
    assert plate.size >= 9
    if max(size) / min(size) < 4:
        assert plate.size * min(1, 1200 / max(size)) >= 9


def test_on_a_low_photo_the_figures_stand_in_a_row() -> None:
    low, high = (drawing._fitting(LEGEND.lines(), *size) for size in ((8000, 320), (320, 8000)))
    assert low.is_row and not high.is_row and low.size > 50


def test_strips_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    corners = rng.uniform(100, 800, (40, 2))
    boxes = np.hstack([corners, corners + rng.uniform(20, 90, (40, 2))])
    ring = _region(_square(120, 90, 700, 860), _square(300, 250, 500, 600))
    whole = draw(_photo(900, 950), boxes, [ring], LEGEND)
    monkeypatch.setattr(drawing, "STRIP", 37)
    assert (draw(_photo(900, 950), boxes, [ring], LEGEND) == whole).all()


def test_accented_letters_are_drawn() -> None:
    plain, accented = (
        draw(_photo(), NONE, [], Legend(1, 1, 1, (label, "b", "c"))) for label in ("ano", "año")
    )
    assert (plain != accented).any()


def test_a_tiny_photo_can_be_drawn_on() -> None:
    assert draw(_photo(12, 9), NONE, [], LEGEND).shape == (12, 9, 3)


def test_drawing_makes_no_copy_of_the_photo() -> None:
    photo = _photo(6000, 2000)
    region = _region(_square(0, 0, 2000, 6000))
    tracemalloc.start()
    draw_over(photo, np.array([[300.0, 200, 340, 240]]), [region], LEGEND)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.4 * photo.nbytes
