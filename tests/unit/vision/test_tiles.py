"""Tiles cover a picture, overlap enough, and are put together exactly."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from darkroom.vision.tiles import OVERLAP, blended, lay

LENGTHS = st.integers(1, 3000)
LARGEST = st.integers(64, 512)


@given(length=LENGTHS, largest=LARGEST)
def test_tiles_cover_the_side_and_share_what_they_must(length: int, largest: int) -> None:
    axis = lay(length, largest)
    assert axis.side <= largest
    assert axis.starts[0] == 0
    assert axis.starts[-1] + axis.side == length
    steps = np.diff(axis.starts)
    # Starts are whole pixels.
    assert (axis.side - steps >= OVERLAP - 1).all()


@given(length=LENGTHS, largest=LARGEST, factor=st.sampled_from([1, 4]))
def test_the_weights_of_all_tiles_add_up_to_one(length: int, largest: int, factor: int) -> None:
    axis = lay(length, largest)
    total = np.zeros(length * factor)
    for index, start in enumerate(axis.starts):
        total[start * factor : (start + axis.side) * factor] += axis.weights(index, factor)
    np.testing.assert_allclose(total, 1, atol=1e-6)


@given(length=LENGTHS, largest=LARGEST)
def test_the_edge_of_a_tile_counts_nothing_where_it_has_a_neighbour(
    length: int, largest: int
) -> None:
    axis = lay(length, largest)
    for index in range(len(axis)):
        weights = axis.weights(index, 1)
        assert index == 0 or not weights[:4].any()
        assert index == len(axis) - 1 or not weights[-4:].any()


def test_tiles_of_a_picture_make_that_picture_again() -> None:
    picture = np.random.default_rng(2).random((150, 211, 3), np.float32)
    rows, columns = lay(150, 64), lay(211, 80)

    def tile(row: int, column: int) -> np.ndarray:
        top, left = rows.starts[row], columns.starts[column]
        return picture[top : top + rows.side, left : left + columns.side]

    strips = [strip.copy() for strip in blended(rows, columns, 1, tile)]
    assert len(strips) == len(rows)
    np.testing.assert_allclose(np.concatenate(strips), picture, atol=1e-6)
