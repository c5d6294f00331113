"""An enlarged picture that is not the one that was given is found out."""

import numpy as np
import pytest
from numpy.typing import NDArray

from darkroom.errors import Permanent
from darkroom.vision.fidelity import insist_alike

Pixels = NDArray[np.uint8]


def picture() -> Pixels:
    """Soft blobs of all colours, 160 by 128."""
    from PIL import Image

    small = np.random.default_rng(3).integers(0, 256, (8, 10, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(small).resize((160, 128)))


def enlarged(pixels: Pixels) -> Pixels:
    return pixels.repeat(4, axis=0).repeat(4, axis=1)


def test_an_enlarged_picture_passes() -> None:
    assert insist_alike(picture(), enlarged(picture())) > 60


def test_a_flat_result_is_refused() -> None:
    with pytest.raises(Permanent, match="flat"):
        insist_alike(picture(), np.full((512, 640, 3), 128, np.uint8))


def test_a_flat_picture_may_stay_flat() -> None:
    flat = np.full((20, 20, 3), 7, np.uint8)
    assert insist_alike(flat, enlarged(flat)) > 60


def test_noise_that_nobody_sees_may_become_flat() -> None:
    faint = np.random.default_rng(3).integers(0, 3, (40, 40, 3)).astype(np.uint8)
    assert insist_alike(faint, np.ones((160, 160, 3), np.uint8)) > 40


def test_a_lone_light_may_not_become_flat() -> None:
    dark = np.zeros((40, 40, 3), np.uint8)
    dark[20, 20] = 255
    with pytest.raises(Permanent, match="flat"):
        insist_alike(dark, np.zeros((160, 160, 3), np.uint8))


def test_a_tile_that_was_repeated_in_another_place_is_refused() -> None:
    wrong = enlarged(picture())
    wrong[128:256, 128:256] = wrong[:128, 256:384]
    with pytest.raises(Permanent, match="not the one"):
        insist_alike(picture(), wrong)


def test_colours_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(Permanent, match="not the one"):
        insist_alike(picture(), enlarged(picture()[..., ::-1]))
