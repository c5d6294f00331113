"""Previews: reduced, and marked all over."""

import numpy as np
import pytest

from darkroom.variants import previews


def plain(height: int, width: int, tone: int) -> np.ndarray:
    return np.full((height, width, 3), tone, np.uint8)


def test_a_preview_is_no_larger_than_asked_and_keeps_its_shape() -> None:
    assert previews.preview(plain(1500, 3000, 90), 1024).shape == (512, 1024, 3)
    assert previews.preview(plain(300, 200, 90), 1024).shape == (300, 200, 3)


@pytest.mark.parametrize("tone", [0, 90, 255])
def test_the_mark_is_seen_on_any_ground_and_in_every_part(tone: int) -> None:
    pixels = plain(768, 1024, tone)
    changed = np.abs(previews.marked(pixels).astype(int) - pixels).max(axis=2) > 25
    for rows in np.split(changed, 3):
        for part in np.split(rows, 4, axis=1):
            assert part.mean() > 0.01


def test_the_picture_under_the_mark_is_not_there_any_more() -> None:
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (600, 800, 3), np.uint8)
    marked = previews.marked(pixels)
    assert 0.02 < (marked != pixels).any(axis=2).mean() < 0.6
