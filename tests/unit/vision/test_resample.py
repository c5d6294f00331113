"""Pictures at another size are the same made in bands as made at once."""

import numpy as np
import pytest

from darkroom.vision import resample


@pytest.mark.parametrize("size", [(40, 333), (200, 1500), (93, 600)])
@pytest.mark.parametrize("kind", [resample.LANCZOS, resample.BICUBIC])
def test_bands_are_the_rows_of_the_whole(size: tuple[int, int], kind: resample.Filter) -> None:
    picture = np.random.default_rng(0).integers(0, 65536, (701, 93, 2)).astype(np.uint16)
    whole = resample.resampled(picture, size, range(size[1]), kind)
    parts = [resample.resampled(picture, size, rows, kind) for rows in resample.bands(size[1])]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=4)


def test_a_picture_at_its_own_size_is_itself() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (300, 20, 3)).astype(np.uint8)
    again = resample.resampled(picture, (20, 300), range(10, 290), resample.LANCZOS)
    assert np.array_equal(again, picture[10:290])
