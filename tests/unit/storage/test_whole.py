"""Pictures read and written with all that their files hold."""

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from darkroom.errors import Invalid
from darkroom.storage import whole
from darkroom.storage.images import JPEG, PNG, WEBP

LIMIT = 1_000_000
Pixels = NDArray[Any]


def noise(*shape: int, kind: type = np.uint8) -> Pixels:
    return np.random.default_rng(7).integers(0, np.iinfo(kind).max, shape).astype(kind)


def stored(tmp_path: Path, image: Image.Image, kind: str, **options: Any) -> Path:
    path = tmp_path / "stored"
    image.save(path, kind, **options)
    return path


def reopened(path: Path) -> Pixels:
    return whole.load(path, max_pixels=LIMIT)


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 2), (20, 30, 3), (20, 30, 4)])
def test_a_png_of_eight_bits_comes_back_with_its_channels(tmp_path: Path, shape: Any) -> None:
    pixels = noise(*shape)
    whole.save(pixels, tmp_path / "a", PNG, quality=95)
    found = reopened(tmp_path / "a")
    assert found.dtype == np.uint8 and np.array_equal(found, pixels)


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 3), (20, 30, 4)])
def test_a_png_of_sixteen_bits_comes_back_to_its_last_bit(tmp_path: Path, shape: Any) -> None:
    pixels = noise(*shape, kind=np.uint16)
    whole.save(pixels, tmp_path / "a", PNG, quality=95)
    found = reopened(tmp_path / "a")
    assert found.dtype == np.uint16 and np.array_equal(found, pixels)


def test_sixteen_bits_are_written_as_red_green_blue(tmp_path: Path) -> None:
    red = np.zeros((8, 8, 3), np.uint16)
    red[..., 0] = 65_535
    whole.save(red, tmp_path / "a", PNG, quality=95)
    assert Image.open(tmp_path / "a").convert("RGB").getpixel((0, 0)) == (255, 0, 0)


def test_a_palette_with_transparency_becomes_colours_with_alpha(tmp_path: Path) -> None:
    drawn = Image.new("P", (8, 8), 1)
    drawn.putpalette([0, 0, 0, 200, 40, 10])
    drawn.paste(0, (0, 0, 4, 8))
    found = reopened(stored(tmp_path, drawn, "PNG", transparency=0))
    assert found[0, 0, 3] == 0 and tuple(found[0, 7]) == (200, 40, 10, 255)


def test_a_grey_photo_stays_grey(tmp_path: Path) -> None:
    path = stored(tmp_path, Image.fromarray(noise(20, 30)), "JPEG")
    assert reopened(path).shape == (20, 30)


@pytest.mark.parametrize("turn", range(1, 9))
def test_every_orientation_is_turned_upright(tmp_path: Path, turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    path = stored(tmp_path, Image.fromarray(noise(20, 30, 4)), "PNG", exif=exif)
    with Image.open(path) as image:
        assert np.array_equal(reopened(path), np.asarray(ImageOps.exif_transpose(image)))


def test_a_turned_picture_of_sixteen_bits_is_turned_too(tmp_path: Path) -> None:
    pixels = noise(20, 30, 3, kind=np.uint16)
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.fromarray(noise(2, 2)) as image:
        buffer = io.BytesIO()
        image.save(buffer, "PNG", exif=exif)
    # Pillow writes no such PNG: its EXIF goes into one of OpenCV's, behind the header.
    made = cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()
    start = buffer.getvalue().index(b"eXIf") - 4
    length = int.from_bytes(buffer.getvalue()[start : start + 4], "big") + 12
    path = tmp_path / "turned"
    path.write_bytes(made[:33] + buffer.getvalue()[start : start + length] + made[33:])
    assert np.array_equal(reopened(path), np.rot90(pixels, -1))


def test_more_pixels_than_allowed_are_refused(tmp_path: Path) -> None:
    path = stored(tmp_path, Image.new("RGB", (200, 200)), "PNG")
    with pytest.raises(Invalid) as refused:
        whole.load(path, max_pixels=10_000)
    assert refused.value.code == "too_many_pixels"


def test_a_type_is_kept_unless_it_cannot_hold_so_long_a_side() -> None:
    short, long = np.zeros((4, 16_383), np.uint8), np.zeros((4, 16_384), np.uint8)
    kept = [whole.kept_type(mime, pixels) for mime in (WEBP, JPEG) for pixels in (short, long)]
    assert kept == [WEBP, PNG, JPEG, JPEG]
