import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from numpy.typing import NDArray
from scenes.looks import Look, draw

from darkroom.counting.bands import estimate
from darkroom.counting.containers import NOBODY, Container, assign, crops, owners

SHAPE = (100, 120)


def _box(x1: float, y1: float, x2: float, y2: float) -> NDArray[np.float64]:
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], float)


def _container(polygon: NDArray[np.float64]) -> Container:
    return Container(polygon, "box", 0.9)


NOTCHED = np.array([[10, 10], [90, 10], [90, 90], [50, 90], [50, 40], [10, 40]], float)


def test_a_point_belongs_to_the_container_around_it() -> None:
    polygons = [_box(0, 0, 50, 100), _box(50, 0, 120, 100)]
    points = np.array([[20.0, 50], [80, 50], [200, 50]])
    assert owners(points, polygons).tolist() == [0, 1, NOBODY]


def test_a_point_in_the_notch_of_a_concave_container_is_outside_it() -> None:
    points = np.array([[30.0, 70], [70, 70], [30, 20]])
    assert owners(points, [NOTCHED]).tolist() == [NOBODY, 0, 0]


def test_of_containers_within_each_other_the_inner_one_owns() -> None:
    polygons = [_box(0, 0, 120, 100), _box(40, 40, 60, 60)]
    assert owners(np.array([[50.0, 50], [20, 50]]), polygons).tolist() == [1, 0]


@given(some.lists(some.tuples(some.floats(0, 120), some.floats(0, 100)), min_size=1))
def test_no_point_belongs_to_two_containers(places: list[tuple[float, float]]) -> None:
    polygons = [_box(0, 0, 70, 100), _box(60, 0, 120, 100), _box(30, 30, 90, 60)]
    forwards = owners(np.array(places), polygons)
    backwards = owners(np.array(places), polygons[::-1])
    assert (forwards == np.where(backwards == NOBODY, NOBODY, 2 - backwards)).all()


def test_a_crop_is_the_bounding_box_and_its_mask_the_polygon() -> None:
    (crop,) = crops([_container(NOTCHED)], SHAPE)
    assert crop is not None
    assert (crop.x1, crop.y1, crop.x2, crop.y2) == (10, 10, 90, 90)
    assert np.count_nonzero(crop.mask) == pytest.approx(80 * 80 - 40 * 50, rel=0.03)
    assert crop.mask[60, 20] == 0 and crop.mask[60, 60] == 255


def test_a_crop_ends_at_the_photo() -> None:
    (crop,) = crops([_container(_box(-30, -30, 500, 20))], SHAPE)
    assert crop is not None
    assert (crop.x1, crop.y1, crop.x2, crop.y2) == (0, 0, 120, 20)


def test_a_container_outside_the_photo_has_no_crop() -> None:
    outside, covered, covering = (_box(300, 0, 400, 90), _box(0, 0, 51, 50), _box(0, 0, 50, 50))
    found = crops([_container(outside), _container(covered), _container(covering)], SHAPE)
    assert found[0] is None and found[2] is not None


def test_no_pixel_belongs_to_two_containers() -> None:
    polygons = [_box(0, 0, 70, 100), _box(60, 0, 120, 100), _box(30, 30, 90, 60)]
    taken = np.zeros(SHAPE, int)
    for crop in crops([_container(polygon) for polygon in polygons], SHAPE):
        assert crop is not None
        taken[crop.y1 : crop.y2, crop.x1 : crop.x2] += crop.mask > 0
    assert taken.max() == 1 and taken.mean() > 0.98


def test_masks_and_owners_agree() -> None:
    polygons = [_box(0, 0, 70, 100), NOTCHED, _box(30, 30, 90, 60)]
    found = crops([_container(polygon) for polygon in polygons], SHAPE)
    places = np.array([(x + 0.5, y + 0.5) for x in range(2, 118, 7) for y in range(2, 98, 7)])
    for place, owner in zip(places, owners(places, polygons), strict=True):
        holders = [
            number
            for number, crop in enumerate(found)
            if crop is not None
            and crop.x1 <= place[0] < crop.x2
            and crop.y1 <= place[1] < crop.y2
            and crop.mask[int(place[1]) - crop.y1, int(place[0]) - crop.x1]
        ]
        assert holders == ([owner] if owner != NOBODY else [])


def test_boxes_go_to_the_crop_and_come_back() -> None:
    (crop,) = crops([_container(_box(30, 20, 80, 90))], SHAPE)
    assert crop is not None
    boxes = np.array([[40.0, 40, 50, 60]])
    assert crop.local(boxes).tolist() == [[10, 20, 20, 40]]
    assert (crop.abroad(crop.local(boxes)) == boxes).all()
    assert crop.of(np.zeros((*SHAPE, 3), np.uint8)).shape == (70, 50, 3)


def test_a_plant_found_in_two_crops_counts_once() -> None:
    polygons = [_box(0, 0, 60, 100), _box(60, 0, 120, 100)]
    boxes = np.array([[50.0, 40, 69, 60], [51.2, 40, 70.2, 60], [10, 10, 20, 20]])
    found = assign(boxes, np.array([0.6, 0.9, 0.5]), np.array([0, 1, 0]), polygons)
    assert found.tolist() == [NOBODY, 1, 0]


def test_plants_that_overlap_in_one_crop_both_stay() -> None:
    boxes = np.array([[10.0, 10, 30, 30], [13, 10, 33, 30]])
    found = assign(boxes, np.array([0.6, 0.9]), np.array([0, 0]), [_box(0, 0, 60, 100)])
    assert found.tolist() == [0, 0]


def test_a_plant_belongs_to_the_container_of_its_middle_wherever_it_was_found() -> None:
    polygons = [_box(0, 0, 60, 100), _box(60, 0, 120, 100)]
    boxes = np.array([[62.0, 40, 80, 60], [90, 200, 95, 210]])
    found = assign(boxes, np.array([0.6, 0.6]), np.array([0, 0]), polygons)
    assert found.tolist() == [1, NOBODY]


def test_no_detections_have_no_owners() -> None:
    nothing = np.zeros((0, 4))
    assert assign(nothing, np.zeros(0), np.zeros(0, int), [NOTCHED]).tolist() == []


def test_neighbours_whose_bounding_boxes_overlap_count_every_plant_once() -> None:
    scene = draw(Look(cover=1.0))
    # A slanted border between two containers, through the plants.
    polygons = [
        np.array([[13.0, 10], [420, 10], [240, 470], [13, 470]]),
        np.array([[400.0, 10], [627, 10], [627, 470], [220, 470]]),
    ]
    found = crops([_container(polygon) for polygon in polygons], scene.mask.shape)
    homes = owners((scene.boxes[:, :2] + scene.boxes[:, 2:]) / 2, polygons)
    totals = []
    for number, crop in enumerate(found):
        assert crop is not None
        mine, others = scene.boxes[homes == number], scene.boxes[homes != number]
        result = estimate(
            np.ascontiguousarray(crop.of(scene.image)),
            crop.mask,
            crop.local(mine),
            "box",
            others=crop.local(others),
        )
        totals.append(result.total)
    assert sum(totals) == len(scene.boxes)
