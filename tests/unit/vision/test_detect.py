"""The bundled weights count drawn photos, large and small, and say how far they are."""

import cv2
import numpy as np
import pytest
from scenes.photo import make_photo

from darkroom.errors import Permanent
from darkroom.vision import weights
from darkroom.vision.detect import PlantDetector
from darkroom.vision.slice import plan


def test_a_drawn_tray_is_counted(detector: PlantDetector) -> None:
    photo = make_photo(8_000_001, (1600, 1200), places=60)
    found = detector.detect(photo.image)
    assert len(found) == pytest.approx(len(photo.plants), rel=0.1)
    assert found.boxes.shape == (len(found), 4)
    assert {found.names[number] for number in found.classes} == {"plant"}
    assert (found.scores >= 0.30).all()


def test_bare_ground_holds_no_plants(detector: PlantDetector) -> None:
    assert len(detector.detect(np.full((700, 900, 3), 90, np.uint8))) == 0


def test_a_photo_smaller_than_a_slice_is_looked_at_directly(detector: PlantDetector) -> None:
    calls: list[tuple[int, int]] = []
    detector.detect(np.full((200, 300, 3), 90, np.uint8), on_slice=lambda *told: calls.append(told))
    assert calls == [(1, 1)]


def test_progress_counts_slices_up_to_the_plan(detector: PlantDetector) -> None:
    calls: list[tuple[int, int]] = []
    detector.detect(
        np.full((1100, 1700, 3), 90, np.uint8), on_slice=lambda *told: calls.append(told)
    )
    assert [done for done, _ in calls] == sorted({done for done, _ in calls})
    assert calls[-1] == (15, 15)


class Stop(Exception):
    """What a caller raises to stop a detection."""


def test_detection_stops_when_the_caller_raises(detector: PlantDetector) -> None:
    def stop(done: int, total: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        detector.detect(np.full((1100, 1700, 3), 90, np.uint8), on_slice=stop)


def test_greedy_merging_is_an_option(detector: PlantDetector) -> None:
    photo = make_photo(8_000_002, (1200, 900), places=30)
    found = detector.detect(photo.image, merge="GREEDYNMM")
    assert len(found) == pytest.approx(len(photo.plants), rel=0.2)


def test_a_plant_wider_than_the_overlap_counts_once(detector: PlantDetector) -> None:
    photo = make_photo(8_000_003, (1600, 1200), places=12)
    assert np.mean([known.box[2] - known.box[0] for known in photo.plants]) > 128
    assert abs(len(detector.detect(photo.image)) - len(photo.plants)) <= 1


def test_only_where_a_large_plant_is_cut_the_photo_is_looked_at_again(
    detector: PlantDetector,
) -> None:
    calls: list[tuple[int, int]] = []
    drawn = make_photo(8_000_003, (1600, 1200), places=12)
    left, top, right, bottom = (round(edge) for edge in drawn.plants[0].box)
    image = np.full((3000, 3000, 3), 90, np.uint8)
    image[300:800, 300:800] = cv2.resize(drawn.image[top:bottom, left:right], (500, 500))
    found = detector.detect(image, on_slice=lambda *told: calls.append(told))
    full, half = plan((3000, 3000), 512, 0.25), plan((1500, 1500), 512, 0.25)
    assert len(found) == 1
    assert len(full) < calls[-1][1] < len(full) + len(half)


def test_container_weights_are_no_plant_detector(model_cache: object, tmp_path: object) -> None:
    with pytest.raises(Permanent, match="plant detector"):
        PlantDetector(weights.bundled("containers"), cache_dir=model_cache, device="cpu")


def test_faint_boxes_come_last_and_change_nothing_about_the_others(
    detector: PlantDetector,
) -> None:
    photo = make_photo(8_000_015, (1600, 1200))
    sure = detector.detect(photo.image)
    both = detector.detect(photo.image, faint=0.1)
    assert np.array_equal(both.boxes[: len(sure)], sure.boxes)
    assert len(both) > len(sure)
    assert ((both.scores[len(sure) :] < 0.3) & (both.scores[len(sure) :] >= 0.1)).all()
