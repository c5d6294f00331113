"""Pictures brought to the size of a frame."""

from pathlib import Path

from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from darkroom.storage.images import Pixels

_BLUR, _DIMMED = 24, 0.7


def fit(pixels: Pixels, size: tuple[int, int], how: str, target: Path) -> None:
    """Write a picture (H, W, 3) as a PNG of that size: cut to fill it ("cover"), or whole."""
    image = Image.fromarray(pixels)
    filled = ImageOps.fit(image, size, Image.Resampling.LANCZOS)
    if how == "contain":
        whole = ImageOps.contain(image, size, Image.Resampling.LANCZOS)
        filled = ImageEnhance.Brightness(_blurred(filled)).enhance(_DIMMED)
        filled.paste(whole, ((size[0] - whole.width) // 2, (size[1] - whole.height) // 2))
    # It is read once, and gone: small it need not be.
    filled.save(target, "PNG", compress_level=1)


def _blurred(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(_BLUR))
