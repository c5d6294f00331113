"""Photos of one bench are told from photos of benches that only look alike."""

from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from darkroom.counting import overlap
from darkroom.counting.overlap import Features
from darkroom.settings import ROOT
from scripts.scenes.photo import make_photo

TRAY = ROOT.parent / "shared" / "photos" / "tray" / "arabidopsis_tray_A.jpg"


def reduced(pixels: np.ndarray) -> np.ndarray:
    image = Image.fromarray(pixels)
    image.thumbnail((overlap.SIDE, overlap.SIDE), Image.Resampling.LANCZOS)
    return np.asarray(image)


def seen(pixels: np.ndarray) -> Features:
    return overlap.features(reduced(pixels))


def retaken(pixels: np.ndarray, angle: float, scale: float, light: float) -> np.ndarray:
    """The same view turned, nearer or farther, under other light, with other noise."""
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale)
    moved = cv2.warpAffine(pixels, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    noise = np.random.default_rng(3).normal(0, 5, pixels.shape)
    return np.clip((moved / 255.0) ** light * 255 + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def wide() -> np.ndarray:
    return make_photo(501, (2400, 1200)).image


@pytest.mark.parametrize("shift", [400, 800, 1200])
def test_share_of_shifted_photos_is_that_of_their_frames(wide: np.ndarray, shift: int):
    one, other = wide[:, :1600][:, : 2400 - 800], wide[:, shift - 400 : shift + 800]
    common = 1600 - (shift - 400)
    found = overlap.overlap(seen(one), seen(other))
    assert found is not None
    assert found.share == pytest.approx(min(common, 1200) / 1600, abs=0.03)
    assert found.other_share == pytest.approx(min(common, 1200) / 1200, abs=0.03)


@pytest.mark.parametrize(
    ("angle", "scale", "light"), [(15, 1.0, 1.2), (90, 0.8, 1.0), (180, 1.0, 0.8), (-30, 1.6, 1.3)]
)
def test_a_photo_taken_again_from_elsewhere_is_found(
    wide: np.ndarray, angle: float, scale: float, light: float
):
    view = wide[:, 400:2000]
    found = overlap.overlap(seen(view), seen(retaken(view, angle, scale, light)))
    assert found is not None
    assert max(found.share, found.other_share) > 0.6


def test_the_same_photo_twice_is_all_the_same(wide: np.ndarray):
    found = overlap.overlap(seen(wide), seen(wide))
    assert found is not None and found.share == pytest.approx(1, abs=0.01)


def test_it_is_the_same_the_other_way_round(wide: np.ndarray):
    one, other = seen(wide[:, :1600]), seen(wide[:, 900:])
    there, back = overlap.overlap(one, other), overlap.overlap(other, one)
    assert there is not None and back is not None
    assert there.share == pytest.approx(back.other_share, abs=0.02)


def test_different_benches_raise_no_alarm():
    benches = [seen(make_photo(seed, (1000, 750)).image) for seed in range(1000, 1008)]
    alarms = [pair for pair in combinations(benches, 2) if overlap.overlap(*pair)]
    assert alarms == []


def test_halves_of_a_bench_that_do_not_meet_raise_no_alarm():
    alarms = []
    for seed in range(1501, 1504):
        bench = make_photo(seed, (2000, 1500)).image
        halves = [(bench[:, :990], bench[:, 1010:]), (bench[:740], bench[760:])]
        alarms += [seed for one, other in halves if overlap.overlap(seen(one), seen(other))]
    assert alarms == []


def test_a_grid_that_repeats_is_no_proof():
    """Trays of one make: the same cells, other plants in them."""
    trays = [seen(tray(seed)) for seed in range(4)]
    assert [pair for pair in combinations(trays, 2) if overlap.overlap(*pair)] == []


def tray(seed: int) -> np.ndarray:
    """A grid of dark cells in grey plastic, soil and a plant of its own in each."""
    rng = np.random.default_rng(seed)
    image = np.full((900, 1200, 3), 150, np.uint8)
    for y in range(20, 880, 110):
        for x in range(20, 1180, 116):
            soil = rng.integers(20, 90, (90, 96, 3)).astype(np.uint8)
            image[y : y + 90, x : x + 96] = cv2.GaussianBlur(soil, (0, 0), 2)
            for angle in rng.uniform(0, 360, 7):
                at = (x + 48 + int(rng.integers(-8, 9)), y + 45 + int(rng.integers(-8, 9)))
                green = (int(rng.integers(40, 90)), int(rng.integers(120, 200)), 50)
                cv2.ellipse(image, at, (30, 8), angle, 0, 180, green, -1, cv2.LINE_AA)
    return image


@pytest.mark.parametrize(
    "pixels", [np.zeros((1, 1, 3), np.uint8), np.full((40, 60, 3), 120, np.uint8)]
)
def test_photos_without_anything_to_see_have_nothing_in_common(
    wide: np.ndarray, pixels: np.ndarray
):
    nothing = overlap.features(pixels)
    assert overlap.overlap(nothing, seen(wide)) is None
    assert overlap.overlap(seen(wide), nothing) is None
    assert overlap.overlap(nothing, nothing) is None


@pytest.mark.skipif(not TRAY.exists(), reason=f"the real tray is not here: {TRAY}")
def test_the_real_tray_overlaps_only_with_itself():
    whole = read(TRAY)
    left, right = whole[:, :1280], whole[:, 1312:]
    assert overlap.overlap(seen(left), seen(right)) is None
    found = overlap.overlap(seen(whole[:, :1700]), seen(retaken(whole[:, 900:], 0, 1.0, 1.2)))
    assert found is not None and found.share == pytest.approx(800 / 1700, abs=0.03)


def read(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def test_every_pair_is_compared_once_and_neighbours_first():
    found = list(overlap.pairs(5))
    assert sorted(found) == list(combinations(range(5), 2))
    assert found[:4] == [(0, 1), (1, 2), (2, 3), (3, 4)]


def test_of_very_many_photos_only_those_near_in_turn_are_compared():
    found = list(overlap.pairs(10_000))
    assert len(found) == overlap.MOST_PAIRS
    assert {other - one for one, other in found} == {1}


def test_features_take_little_more_memory_than_a_thumbnail(wide: np.ndarray):
    found = seen(wide)
    size = found.points.nbytes + found.descriptors.nbytes + found.grey.nbytes
    assert size < 500_000
