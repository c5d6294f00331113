"""Opening images: small real files, good, odd and hostile."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from darkroom.errors import Invalid
from darkroom.storage import images
from darkroom.storage.images import (
    AVIF,
    JPEG,
    PNG,
    WEBP,
    ImageInfo,
    Pixels,
    inspect,
    load,
    save,
    thumbnail,
)

LIMIT = 1_000_000
Look = Callable[..., ImageInfo]
Opened = Callable[[bytes], Pixels]
ORIENTATION, GPS, MAKE = 0x0112, 0x8825, 0x010F


def picture(width: int = 64, height: int = 48) -> Image.Image:
    """A smooth picture whose four corners differ: red, green, blue and black."""
    x = np.linspace(255, 0, width)[None, :]
    y = np.linspace(1, 0, height)[:, None]
    planes = [x * y, (255 - x) * y, x * (1 - y)]
    return Image.fromarray(np.stack(planes, axis=2).astype(np.uint8))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Inspect bytes under a name."""

    def inspected(content: bytes, name: str, **options: object) -> ImageInfo:
        path = tmp_path / "upload"
        path.write_bytes(content)
        return inspect(path, name, **{"max_pixels": LIMIT, "field": "photo", **options})

    return inspected


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """Load bytes."""

    def loaded(content: bytes) -> Pixels:
        path = tmp_path / "upload"
        path.write_bytes(content)
        return load(path, max_pixels=LIMIT)

    return loaded


def chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def bomb(width: int, height: int) -> bytes:
    """A PNG of some hundred bytes that claims to be huge."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("kind", "name", "mime"),
    [
        ("JPEG", "a.jpg", JPEG),
        ("JPEG", "A.JPEG", JPEG),
        ("JPEG", "jungla niño.jfif", JPEG),
        ("PNG", "a.png", PNG),
        ("WEBP", "a.webp", WEBP),
        ("JPEG", "blob", JPEG),
    ],
)
def test_photos_of_the_usual_types_pass(look: Look, kind: str, name: str, mime: str) -> None:
    found = look(encoded(picture(), kind), name)
    assert (found.mime, found.width, found.height) == (mime, 64, 48)


@pytest.mark.parametrize(
    ("content", "name", "code", "words"),
    [
        (b"", "empty.jpg", "not_an_image", "not an image"),
        (b"Dear sir, " * 50, "letter.jpg", "not_an_image", "Send a JPEG, PNG or WebP"),
        (encoded(picture(), "PNG"), "photo.jpg", "wrong_name", "holds a PNG .* ends in .png"),
        (encoded(picture(), "JPEG"), "photo.txt", "wrong_name", "holds a JPEG .* ends in .jpg"),
        (encoded(picture(), "AVIF"), "photo.avif", "wrong_type", "JPEG, PNG, WebP"),
        (encoded(picture(), "GIF"), "photo.gif", "not_an_image", "not an image"),
        (b"\0\0\0\x18ftypheic" + bytes(99), "IMG_1.HEIC", "wrong_type", "Most Compatible"),
        (bomb(60_000, 60_000), "bomb.png", "too_many_pixels", "60000 by 60000 .* 1 megapixels"),
        (bomb(1001, 1000), "big.png", "too_many_pixels", "make it smaller"),
        (bomb(100, 100), "short.png", "damaged", "cut short"),
    ],
)
def test_bad_files_are_refused_in_words(
    look: Look, content: bytes, name: str, code: str, words: str
) -> None:
    with pytest.raises(Invalid, match=words) as caught:
        look(content, name)
    assert (caught.value.code, caught.value.field, caught.value.status) == (code, "photo", 400)
    assert name in caught.value.message


def test_types_beyond_photos_pass_where_they_are_asked_for(look: Look) -> None:
    assert look(encoded(picture(), "AVIF"), "a.avif", allowed={AVIF}).mime == AVIF


def test_limit_may_be_set_above_pillows_own(look: Look) -> None:
    with pytest.raises(Invalid, match="damaged"):
        look(bomb(20_000, 20_000), "big.png", max_pixels=500_000_000)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animations_are_refused(look: Look, kind: str) -> None:
    frames = [picture(), picture().rotate(180)]
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    with pytest.raises(Invalid, match="Send a still image"):
        look(content, f"moving.{kind.lower()}")


def test_phone_photo_with_a_second_picture_behind_it_is_a_jpeg(look: Look, opened: Opened) -> None:
    second = Image.new("RGB", (32, 24), "white")
    content = encoded(picture(), "MPO", save_all=True, append_images=[second])
    assert Image.open(io.BytesIO(content)).format == "MPO"
    found = look(content, "phone.jpg")
    assert (found.mime, found.width, found.height) == (JPEG, 64, 48)
    assert opened(content).shape == (48, 64, 3)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
@pytest.mark.parametrize("lost", [1, 2, 100, 700])
def test_truncated_jpeg_is_refused_however_little_is_lost(
    look: Look, options: dict[str, object], lost: int
) -> None:
    content = encoded(picture(200, 120), "JPEG", **options)
    with pytest.raises(Invalid, match="cut short"):
        look(content[:-lost], "cut.jpg")


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
def test_half_a_file_is_refused(look: Look, kind: str) -> None:
    content = encoded(picture(300, 200), kind)
    with pytest.raises(Invalid):
        look(content[: len(content) // 2], f"half.{kind.lower()}")


def test_jpeg_of_thousands_of_scans_is_refused_before_decoding(look: Look) -> None:
    content = encoded(picture(), "JPEG", progressive=True)
    end = content.rindex(b"\xff\xda")
    with pytest.raises(Invalid, match="unusual"):
        look(content[:end] + content[end:-2] * 5000 + b"\xff\xd9", "slow.jpg")


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kind=st.sampled_from(["JPEG", "PNG", "WEBP"]),
    places=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_broken_bytes_never_raise_anything_but_invalid(
    look: Look, kind: str, places: list[tuple[float, int]]
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKE] = 6, "Camera"
    content = bytearray(encoded(picture(), kind, exif=exif))
    for place, value in places:
        content[int(place * len(content))] = value
    try:
        found = look(bytes(content), "fuzz")
    except Invalid:
        return
    assert found.width > 0


# EXIF's own definition: which side of the upright picture the first stored row and column are.
STORED = {
    1: lambda upright: upright,  # top, left
    2: lambda upright: upright[:, ::-1],  # top, right
    3: lambda upright: upright[::-1, ::-1],  # bottom, right
    4: lambda upright: upright[::-1],  # bottom, left
    5: lambda upright: upright.swapaxes(0, 1),  # left, top
    6: lambda upright: upright.swapaxes(0, 1)[::-1],  # right, top
    7: lambda upright: upright.swapaxes(0, 1)[::-1, ::-1],  # right, bottom
    8: lambda upright: upright.swapaxes(0, 1)[:, ::-1],  # left, bottom
}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_to_size_and_pixels(
    look: Look, opened: Opened, orientation: int
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    upright = np.asarray(picture())
    stored = np.ascontiguousarray(STORED[orientation](upright))
    content = encoded(Image.fromarray(stored), "PNG", exif=exif)
    found = look(content, "turned.png")
    assert (found.width, found.height) == (64, 48)
    assert np.array_equal(opened(content), upright)


def test_orientation_of_a_jpeg_is_applied_too(look: Look) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    found = look(encoded(picture(64, 48), "JPEG", exif=exif), "phone.jpg")
    assert (found.width, found.height) == (48, 64)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_broken_exif_leaves_the_picture_usable(look: Look) -> None:
    content = encoded(picture(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xffgarbage")
    assert look(content, "odd.jpg").width == 64


def test_exif_can_be_read_after_inspecting(look: Look) -> None:
    exif = Image.Exif()
    exif[GPS] = {1: "S", 2: (33.0, 27.0, 0.0), 3: "W", 4: (70.0, 40.0, 0.0)}
    found = look(encoded(picture(), "JPEG", exif=exif), "here.jpg")
    assert found.exif.get_ifd(GPS)[1] == "S"


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("L", "JPEG"), ("CMYK", "JPEG"), ("1", "PNG"), ("L", "PNG"), ("LA", "PNG"), ("P", "PNG")],
)
def test_every_mode_comes_out_as_rgb(look: Look, opened: Opened, mode: str, kind: str) -> None:
    content = encoded(picture().convert(mode), kind)
    assert look(content, "x").width == 64
    pixels = opened(content)
    assert (pixels.shape, pixels.dtype) == ((48, 64, 3), np.uint8)


def test_cmyk_jpeg_keeps_its_colours(opened: Opened) -> None:
    red = Image.new("RGB", (16, 16), (220, 30, 30)).convert("CMYK")
    red_part, green_part, _ = opened(encoded(red, "JPEG", quality=95))[8, 8]
    assert red_part > 180 and green_part < 80


def test_grey_of_16_bits_is_scaled_to_8(opened: Opened) -> None:
    ramp = np.linspace(0, 65535, 64).astype(np.uint16)[None, :].repeat(4, axis=0)
    pixels = opened(encoded(Image.fromarray(ramp), "PNG"))
    assert pixels[0, 0, 0] == 0 and pixels[0, -1, 0] == 255 and 120 < pixels[0, 32, 0] < 136


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_becomes_white(opened: Opened, mode: str) -> None:
    clear = Image.new("RGBA", (8, 8), (10, 10, 10, 0))
    image = clear.quantize(4) if mode == "P" else clear.convert(mode)
    assert (opened(encoded(image, "PNG")) == 255).all()


def test_transparent_colour_of_a_png_without_alpha_becomes_white(opened: Opened) -> None:
    image = Image.new("RGB", (8, 8), (1, 2, 3))
    assert (opened(encoded(image, "PNG", transparency=(1, 2, 3))) == 255).all()


def test_loaded_pixels_can_be_drawn_on(opened: Opened) -> None:
    pixels = opened(encoded(picture(), "JPEG"))
    pixels[:] = 0
    assert pixels.sum() == 0


def test_load_refuses_bombs_without_decoding(opened: Opened) -> None:
    with pytest.raises(Invalid, match="megapixels"):
        opened(bomb(60_000, 60_000))


@pytest.mark.parametrize("mime", [JPEG, PNG, WEBP, AVIF])
def test_saved_derivatives_carry_nothing_but_pixels(tmp_path: Path, mime: str) -> None:
    exif = Image.Exif()
    exif[MAKE], exif[GPS] = "Camera", {1: "S"}
    original = tmp_path / "original.jpg"
    picture().save(original, exif=exif, comment=b"private", icc_profile=b"profile")
    derivative = tmp_path / "derivative"
    save(load(original, max_pixels=LIMIT), derivative, mime, quality=85)
    with Image.open(derivative) as image:
        assert Image.MIME[image.format or ""] == mime
        assert not image.getexif()
        assert not {"exif", "comment", "icc_profile", "xmp"} & set(image.info)


@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
def test_a_thumbnail_keeps_the_shape_and_never_enlarges(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"photo.{kind}"
    picture(640, 480).save(path)
    for side, shape in ((300, (225, 300, 3)), (1000, (480, 640, 3))):
        assert thumbnail(path, side, max_pixels=LIMIT)[0].shape == shape


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_thumbnail_stands_upright_and_comes_with_the_exif(
    tmp_path: Path, orientation: int
) -> None:
    path, exif = tmp_path / "photo.jpg", Image.Exif()
    exif[ORIENTATION], exif[MAKE] = orientation, "Camera"
    picture(640, 480).save(path, exif=exif, quality=95)
    small, found = thumbnail(path, 64, max_pixels=LIMIT)
    upright = Image.fromarray(load(path, max_pixels=LIMIT)).resize(small.shape[1::-1])
    assert np.abs(small.astype(int) - np.asarray(upright)).mean() < 6
    assert found[MAKE] == "Camera"


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "CMYK", "1"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_kind_of_picture_is_turned_as_pillow_turns_it(
    tmp_path: Path, mode: str, orientation: int
) -> None:
    path, exif = tmp_path / ("photo.jpg" if mode == "CMYK" else "photo.png"), Image.Exif()
    exif[ORIENTATION] = orientation
    noise = np.random.default_rng(0).integers(0, 256, (600, 31, 3), dtype=np.uint8)
    Image.fromarray(noise).convert(mode).save(path, exif=exif)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    assert (load(path, max_pixels=LIMIT) == expected).all()


@pytest.mark.parametrize("size", [(4200, 4100), (4201, 4099)])
def test_a_picture_too_large_for_one_frame_is_a_grid_of_its_own_size(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    path = tmp_path / "large.avif"
    pixels = np.asarray(picture(*size))
    save(pixels, path, AVIF, quality=85, avif_speed=10)
    with Image.open(path) as image:
        image.load()
        assert image.size == size
        assert np.abs(np.asarray(image).astype(int) - pixels).mean() < 3
    assert b"grid" in path.read_bytes()[:1000]


def test_only_the_decoders_of_our_types_are_tried(look: Look) -> None:
    assert set(images._MIMES.values()) == {JPEG, PNG, WEBP, AVIF}
    with pytest.raises(Invalid):
        look(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "x.eps")
