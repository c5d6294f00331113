"""Slices cover every pixel, are equal, and overlap as asked."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sahi.slicing import get_slice_bboxes

from darkroom.vision.slice import GREY, cut, plan, starts

SIDES = st.integers(16, 700)
LENGTHS = st.integers(1, 3000)
OVERLAPS = st.floats(0, 0.9)


@given(LENGTHS, SIDES, OVERLAPS)
def test_slices_cover_every_pixel(length: int, side: int, overlap: float) -> None:
    seen = np.zeros(length, bool)
    for start in starts(length, side, overlap):
        seen[start : start + side] = True
    assert seen.all()


@given(LENGTHS, SIDES, OVERLAPS)
def test_neighbours_share_at_least_the_overlap(length: int, side: int, overlap: float) -> None:
    begins = starts(length, side, overlap)
    assert all(a + side - b >= int(overlap * side) for a, b in itertools.pairwise(begins))


@given(LENGTHS, SIDES)
def test_slices_stay_inside_a_frame_that_holds_them(length: int, side: int) -> None:
    begins = starts(length, side, 0.25)
    assert begins[0] == 0
    assert begins[-1] == max(length - side, 0)
    assert begins == sorted(set(begins))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 900), st.integers(1, 900), st.integers(32, 400))
def test_every_slice_of_a_photo_has_one_shape(width: int, height: int, side: int) -> None:
    image = np.zeros((height, width, 3), np.uint8)
    slicing = plan((width, height), side, 0.25)
    shapes = {cut(image, corner, slicing.side, 64).shape for corner in slicing.corners}
    assert shapes == {(64, 64, 3)}


@given(st.integers(512, 5000), st.integers(512, 5000))
def test_slices_lie_where_sahi_lays_them(width: int, height: int) -> None:
    theirs = {
        tuple(box[:2]) for box in get_slice_bboxes(height, width, 512, 512, False, 0.25, 0.25)
    }
    ours = {(int(x), int(y)) for x, y in plan((width, height), 512, 0.25).corners}
    assert ours == theirs


def test_a_photo_smaller_than_a_slice_is_one_slice() -> None:
    slicing = plan((300, 200), 512, 0.25)
    assert slicing.corners.tolist() == [[0, 0]]
    assert slicing.side == 300


def test_what_lies_beyond_the_photo_is_grey() -> None:
    tile = cut(np.zeros((100, 200, 3), np.uint8), np.array([0, 0]), 200, 200)
    assert (tile[100:] == GREY).all()
    assert (tile[:100] == 0).all()


def test_only_slices_that_meet_a_box_are_kept() -> None:
    slicing = plan((1000, 500), 500, 0.0)
    boxes = np.array([[600, 10, 700, 40], [500, 0, 520, 500]], np.float32)
    assert slicing.meeting(boxes).corners.tolist() == [[500, 0]]


def test_a_box_across_two_slices_keeps_both() -> None:
    slicing = plan((1000, 1000), 500, 0.0)
    kept = slicing.meeting(np.array([[450, 10, 550, 40]], np.float32))
    assert kept.corners.tolist() == [[0, 0], [500, 0]]
    assert (kept.side, kept.frame) == (slicing.side, slicing.frame)


@pytest.mark.parametrize("overlap", [-0.1, 1.0])
def test_an_impossible_overlap_is_refused(overlap: float) -> None:
    with pytest.raises(ValueError, match="overlap"):
        plan((100, 100), 50, overlap)
