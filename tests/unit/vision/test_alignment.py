"""Where one picture lies in another is found, or it is said that it does not."""

import cv2
import numpy as np
import pytest
from scenes import anchored

from darkroom.vision.alignment import align, features


def test_a_point_is_found_in_a_picture_of_another_size_and_turn() -> None:
    original = anchored.picture(0)
    turned = anchored.framed(original, zoom=1.1, turn=8)
    found = align(original, np.asarray(cv2.resize(turned, (1920, 1440)), np.uint8))
    assert found is not None
    expected = cv2.getRotationMatrix2D((480, 360), 8, 1.1) @ (300, 200, 1) * 2
    x, y, scale = found.matrix @ (300, 200, 1)
    assert np.hypot(*(np.array((x, y)) / scale - expected)) < 3


@pytest.mark.parametrize("other", [anchored.picture(4), anchored.picture(0)[:, ::-1]])
def test_another_scene_and_a_mirrored_one_are_not_found(other: anchored.Pixels) -> None:
    assert align(anchored.picture(0), np.ascontiguousarray(other)) is None


def test_a_blank_picture_has_no_features_and_lies_nowhere() -> None:
    blank = np.full((300, 400, 3), 120, np.uint8)
    assert features(blank) == 0
    assert align(blank, anchored.picture(0)) is None
    assert align(anchored.picture(0), blank) is None
