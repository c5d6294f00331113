"""The one place where images are opened.

`inspect` says whether a file that came in is an image we take, before anything else touches it;
`load` gives its pixels; `save` writes pixels and nothing but pixels, so that no derivative carries
EXIF, GPS or anything else of the original.

What is refused, each with a text that says what to do: a file that is no image, or an image whose
type is not asked for; a name that tells another type than the content; more pixels than allowed
(read from the header, before a pixel is decoded); animations, because one of their frames would
have to be picked; and files that are cut short or damaged.
"""

import struct
import threading
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from darkroom.errors import Invalid
from darkroom.storage import avif

Pixels = NDArray[np.uint8]
"""An image as shown: height x width x 3, RGB, 0 to 255."""

JPEG, PNG, WEBP, AVIF = "image/jpeg", "image/png", "image/webp", "image/avif"
PHOTOS = frozenset({JPEG, PNG, WEBP})

# Our own limit is checked before decoding and may be set higher than Pillow's.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True)
class _Format:
    name: str
    suffixes: frozenset[str]


_FORMATS = {
    JPEG: _Format("JPEG", frozenset({".jpg", ".jpeg", ".jpe", ".jfif"})),
    PNG: _Format("PNG", frozenset({".png"})),
    WEBP: _Format("WebP", frozenset({".webp"})),
    AVIF: _Format("AVIF", frozenset({".avif"})),
}

# Pillow's names. MPO is a JPEG with more pictures behind it (gain maps, stereo): phones make
# them, and the first picture is the photo.
_MIMES = {"JPEG": JPEG, "MPO": JPEG, "PNG": PNG, "WEBP": WEBP, "AVIF": AVIF}

_DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
)
"""What Pillow's decoders raise on broken files."""

_ORIENTATION = 0x0112
_ON_ITS_SIDE = {5, 6, 7, 8}
_AHEAD, _BACK = slice(None), slice(None, None, -1)
_ROWS = {2: _AHEAD, 3: _BACK, 4: _BACK, 6: _AHEAD, 7: _BACK, 8: _BACK}
_COLUMNS = {2: _BACK, 3: _BACK, 4: _AHEAD, 6: _BACK, 7: _BACK, 8: _AHEAD}

_STRIP = 256
"""Rows that are brought to RGB at a time."""
_SHRINKABLE = {"L", "RGB", "RGBA", "LA", "CMYK"}

_MOST_SCANS = 100
_STARTS = (b"\xff\xd8\xff", b"\x89PNG")
_AVIF = {b"avif", b"avis"}
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}

# A whole picture in memory may take hundreds of megabytes: not in every thread at once.
_decoding = threading.BoundedSemaphore(2)


@dataclass(frozen=True, eq=False)
class ImageInfo:
    """What a file says of itself: type, pixels as shown (orientation applied), and its EXIF."""

    mime: str
    width: int
    height: int
    exif: Image.Exif


def inspect(
    path: Path,
    filename: str,
    *,
    allowed: Collection[str] = PHOTOS,
    max_pixels: int,
    field: str = "file",
) -> ImageInfo:
    """Check a file that came in, down to its last byte, without keeping its pixels.

    Parameters
    ----------
    filename
        The sender's name; a suffix in it must fit the content. No suffix is fine.
    allowed
        Mime types out of `JPEG`, `PNG`, `WEBP`, `AVIF`.
    max_pixels
        The most that width times height may be.
    field
        The name of the part or field, for the errors.

    Raises
    ------
    Invalid
        With the codes `not_an_image`, `wrong_type`, `wrong_name`, `too_many_pixels`, `animated`
        and `damaged`.
    """
    refusal = _Refusal(filename, field)
    with _opened(path, refusal) as image:
        mime = _MIMES[image.format or ""]
        _check_type(mime, allowed, refusal)
        _check_header(image, max_pixels, refusal)
        exif = _exif(image)
        width, height = image.size
        if mime == JPEG:
            _check_scans(path, refusal)
            # Decodes every byte, at an eighth of the size.
            image.draft(None, (width // 8, height // 8))
        with _decoding:
            image.load()
    if _orientation(exif) in _ON_ITS_SIDE:
        width, height = height, width
    return ImageInfo(mime, width, height, exif)


def is_begun(start: bytes) -> bool:
    """Whether a file that begins with these bytes, 12 or more, is to be looked at as an image."""
    if start[4:8] == b"ftyp":
        return start[8:12] in _HEIC | _AVIF
    is_webp = start[:4] == b"RIFF" and start[8:12] == b"WEBP"
    return is_webp or start.startswith(_STARTS)


def load(path: Path, *, max_pixels: int) -> Pixels:
    """The pixels as shown: upright, RGB, transparency on white, 16 bits brought to 8.

    At its peak this holds the picture not quite two and a half times (Pillow takes four bytes a
    pixel), afterwards once.

    Raises
    ------
    Invalid
        As `inspect` does, but for the name.
    """
    refusal = _Refusal(path.name, None)
    with _opened(path, refusal) as image:
        _check_header(image, max_pixels, refusal)
        turn = _orientation(_exif(image))
        image.load()
        return _upright(image, turn)


def thumbnail(path: Path, side: int, *, max_pixels: int) -> tuple[Pixels, Image.Exif]:
    """The picture as shown with its longer side at most `side` pixels, and the file's EXIF.

    Of a JPEG no more is decoded than that needs.

    Raises
    ------
    Invalid
        As `load` does.
    """
    refusal = _Refusal(path.name, None)
    with _opened(path, refusal) as image:
        _check_header(image, max_pixels, refusal)
        exif = _exif(image)
        image.draft(None, (2 * side, 2 * side))
        small = image if image.mode in _SHRINKABLE else _rgb(image)
        small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
        return _upright(small, _orientation(exif)), exif


def upright(stored: NDArray[Any], exif: Image.Exif) -> NDArray[Any]:
    """Pixels (H, W) or (H, W, C) as they are shown, of those that a file with this EXIF stores."""
    turn = _orientation(exif)
    seen = stored.swapaxes(0, 1) if turn in _ON_ITS_SIDE else stored
    shown = seen[_ROWS[turn], _COLUMNS[turn]] if turn in _ROWS else seen
    return np.ascontiguousarray(shown)


def save(pixels: Pixels, to: Path, mime: str, *, quality: int, avif_speed: int = 8) -> None:
    """Write pixels as an image file without any metadata.

    Parameters
    ----------
    quality
        0 to 100, for all types but PNG.
    avif_speed
        Of the encoder, 0 (smallest file) to 10.
    """
    height, width = pixels.shape[:2]
    if mime == AVIF and width * height > avif.LARGEST_FRAME:
        return avif.save_grid(pixels, to, quality=quality, speed=avif_speed)
    image = Image.fromarray(pixels)
    options = {PNG: {}, AVIF: {"quality": quality, "speed": avif_speed}}
    image.save(to, format=_FORMATS[mime].name, **options.get(mime, {"quality": quality}))


@dataclass(frozen=True)
class _Refusal:
    """Makes the errors about one file."""

    filename: str
    field: str | None

    def because(self, code: str, what: str) -> Invalid:
        return Invalid(f"“{self.filename}” {what}", self.field, code=code)

    @property
    def suffix(self) -> str:
        return PurePath(self.filename).suffix.lower()


@contextmanager
def _opened(path: Path, refusal: _Refusal) -> Iterator[Image.Image]:
    """The image with its header read; what Pillow raises in the block becomes `Invalid`."""
    try:
        with _identified(path, refusal) as image:
            yield image
    except _DAMAGED as error:
        raise refusal.because(
            "damaged", "is damaged or cut short. Copy or download it again, or send another one."
        ) from error


def _identified(path: Path, refusal: _Refusal) -> Image.Image:
    try:
        # Only these decoders: Pillow knows many more, some of which run other programs.
        return Image.open(path, formats=sorted(set(_MIMES) - {"MPO"}))
    except (UnidentifiedImageError, ModuleNotFoundError) as error:
        # Ultralytics, where it is loaded, makes `Image.open` ask for a HEIC reader after a refusal.
        raise _unidentified(path, refusal) from error


def _unidentified(path: Path, refusal: _Refusal) -> Invalid:
    with path.open("rb") as file:
        start = file.read(12)
    if start[4:8] == b"ftyp" and start[8:12] in _HEIC:
        return refusal.because(
            "wrong_type",
            "is a HEIC photo, which is not supported. Save it as JPEG (on an iPhone: Settings, "
            "Camera, Formats, Most Compatible).",
        )
    return refusal.because(
        "not_an_image", "is not an image, or is damaged. Send a JPEG, PNG or WebP file."
    )


def _check_type(mime: str, allowed: Collection[str], refusal: _Refusal) -> None:
    kind = _FORMATS[mime]
    if mime not in allowed:
        wanted = ", ".join(_FORMATS[other].name for other in _FORMATS if other in allowed)
        raise refusal.because(
            "wrong_type", f"is a {kind.name} image. Send one of these types: {wanted}."
        )
    if refusal.suffix and refusal.suffix not in kind.suffixes:
        right = min(kind.suffixes, key=lambda suffix: (len(suffix), suffix != ".jpg"))
        raise refusal.because(
            "wrong_name", f"holds a {kind.name} image. Give it a name that ends in {right}."
        )


def _check_header(image: Image.Image, max_pixels: int, refusal: _Refusal) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise refusal.because(
            "too_many_pixels",
            f"has {width} by {height} pixels. At most {max_pixels / 1e6:.3g} megapixels are "
            "allowed: make it smaller.",
        )
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise refusal.because("animated", "is an animation. Send a still image.")


def _check_scans(path: Path, refusal: _Refusal) -> None:
    """Refuse progressive JPEGs of thousands of scans, each of which goes over all pixels."""
    scans = 0
    with path.open("rb") as file:
        # A marker cut in two by a chunk's end is missed, which does no harm.
        while chunk := file.read(1024 * 1024):
            scans += chunk.count(b"\xff\xda")
    if scans > _MOST_SCANS:
        raise refusal.because("damaged", "is built in an unusual way. Save it again as a JPEG.")


def _exif(image: Image.Image) -> Image.Exif:
    """The image's EXIF; unreadable EXIF counts as none, since the picture may well be fine."""
    try:
        return image.getexif()
    except _DAMAGED:
        return Image.Exif()


def _orientation(exif: Image.Exif) -> int:
    try:
        # Values are read when they are asked for.
        return int(exif.get(_ORIENTATION, 1))
    except _DAMAGED:
        return 1


def _upright(image: Image.Image, turn: int) -> Pixels:
    """The pixels of a decoded image, turned as its orientation (1 to 8) says.

    Strip by strip: no second copy of the whole is made.
    """
    width, height = image.size
    shown = (width, height, 3) if turn in _ON_ITS_SIDE else (height, width, 3)
    pixels = np.empty(shown, np.uint8)
    stored = _as_stored(pixels, turn)
    for top in range(0, height, _STRIP):
        bottom = min(top + _STRIP, height)
        stored[top:bottom] = np.asarray(_rgb(image.crop((0, top, width, bottom))))
    return pixels


def _as_stored(shown: Pixels, turn: int) -> Pixels:
    """A view of the shown pixels in the order that the file stores them in."""
    seen = shown[_ROWS[turn], _COLUMNS[turn]] if turn in _ROWS else shown
    return seen.transpose(1, 0, 2) if turn in _ON_ITS_SIDE else seen


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and not image.has_transparency_data:
        image.load()
        return image
    if image.mode.startswith("I"):
        return Image.fromarray(_eight_bits(image)).convert("RGB")
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        white = Image.new("RGBA", clear.size, "white")
        return Image.alpha_composite(white, clear).convert("RGB")
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Pixels:
    """Grey of 16 bits as 8: Pillow's own conversion cuts off instead of scaling."""
    return (np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)
