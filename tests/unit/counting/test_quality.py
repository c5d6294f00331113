from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scenes.looks import Look, Scene, draw

from darkroom.counting.bands import estimate
from darkroom.counting.containers import Container
from darkroom.counting.photo import CountedContainer, Plants
from darkroom.counting.quality import Measures, measure, out_of_bounds, reasons

Pixels = NDArray[np.uint8]
GOOD = Measures(sharpness=20, light=60, burnt=0, size=40, share=5)


def _plants(boxes: NDArray[np.float64]) -> Plants:
    return Plants(boxes, np.full(len(boxes), 0.8), ("plant",) * len(boxes))


def _counted(scene: Scene, found: NDArray[np.float64]) -> list[CountedContainer]:
    height, width = scene.mask.shape
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    result = estimate(scene.image, scene.mask, found, "box")
    none = _plants(np.zeros((0, 4)))
    return [CountedContainer(Container(frame, "box", 0.9), True, _plants(found), none, result)]


@pytest.fixture(scope="module")
def scene() -> Scene:
    return draw(Look(seed=1))


def _codes(scene: Scene, change: Callable[[Pixels], Pixels] | None = None) -> list[str]:
    photo = change(scene.image) if change else scene.image
    return [reason.code for reason in reasons(photo, _counted(scene, scene.boxes), 512)]


def _lit(gain: float) -> Callable[[Pixels], Pixels]:
    return lambda image: np.clip(image.astype(np.float32) * gain, 0, 255).astype(np.uint8)


def test_a_good_photo_has_no_reason_to_be_looked_at(scene: Scene) -> None:
    assert _codes(scene) == []


@pytest.mark.parametrize("factor", [0.4, 2.5])
def test_nor_has_it_at_another_resolution(scene: Scene, factor: float) -> None:
    assert _codes(scene.scaled(factor)) == []


def test_a_blurred_photo_is_to_be_looked_at(scene: Scene) -> None:
    side = float(np.median(scene.boxes[:, 2] - scene.boxes[:, 0]))
    blurred = _codes(scene, lambda image: np.asarray(cv2.GaussianBlur(image, (0, 0), side / 5)))
    assert blurred == ["blurred"]


def test_what_blurs_a_large_photo_may_not_blur_its_plants(scene: Scene) -> None:
    large = scene.scaled(4)
    assert _codes(large, lambda image: np.asarray(cv2.GaussianBlur(image, (0, 0), 3))) == []


def test_a_dark_photo_is_to_be_looked_at(scene: Scene) -> None:
    assert _codes(scene, _lit(0.2)) == ["dark"]


def test_a_photo_burnt_out_is_to_be_looked_at(scene: Scene) -> None:
    assert _codes(scene, _lit(4)) == ["overexposed"]


def test_light_is_judged_inside_the_containers(scene: Scene) -> None:
    bench = np.full((900, 1200, 3), 255, np.uint8)
    bench[200:680, 300:940] = scene.image
    part = _counted(scene, scene.boxes)[0]
    moved = replace(part.container, polygon=part.container.polygon + (300, 200))
    inside = [replace(part, container=moved)]
    assert measure(bench, inside, 512).burnt < 5


def test_a_photo_of_neither_containers_nor_plants_is_to_be_looked_at() -> None:
    bare = draw(Look(missing_cells=1))
    whole = [replace(part, is_segmented=False) for part in _counted(bare, np.zeros((0, 4)))]
    assert [reason.code for reason in reasons(bare.image, whole, 512)] == ["nothing"]


def test_an_empty_container_is_none_of_the_photo_s_business() -> None:
    bare = draw(Look(missing_cells=1))
    assert reasons(bare.image, _counted(bare, np.zeros((0, 4))), 512) == []


def test_a_photo_outside_of_which_no_container_lies_is_measured_all_the_same(scene: Scene) -> None:
    assert measure(scene.image, [], 512).sharpness == 0


@pytest.mark.parametrize(
    ("measured", "code"),
    [
        (replace(GOOD, sharpness=3.9), "blurred"),
        (replace(GOOD, light=20), "dark"),
        (replace(GOOD, burnt=50), "overexposed"),
        (replace(GOOD, size=5), "small"),
        (replace(GOOD, share=90), "large"),
    ],
)
def test_each_measure_has_its_bound(measured: Measures, code: str) -> None:
    (reason,) = out_of_bounds(measured)
    assert reason.code == code
    said = reason.text.format(**reason.values)
    assert "{" not in said and f"{reason.values['measured']}" in said


def test_measures_within_their_bounds_are_no_reason() -> None:
    assert out_of_bounds(GOOD) == []
    assert out_of_bounds(replace(GOOD, size=None, share=None)) == []
