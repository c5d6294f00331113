"""The mark: what comes from the sandbox says so, in a corner and in its metadata."""

from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from darkroom.sandbox.pictures.pixels import Pixels

WORD = "SANDBOX"
HEIGHT = 0.026
"""Of the letters, as a share of the picture's shorter side."""
SMALLEST = 11.0
INK = (255, 255, 255, 235)
GROUND = (24, 24, 27, 150)


def marked(pixels: Pixels) -> Pixels:
    """The picture with a small plate in its lower right corner."""
    image = Image.fromarray(pixels).convert("RGBA")
    plate = _plate(max(SMALLEST, HEIGHT * min(image.size)))
    margin = plate.height // 2
    image.alpha_composite(plate, _corner(image, plate, margin))
    return np.asarray(image.convert("RGB"))


def _corner(image: Image.Image, plate: Image.Image, margin: int) -> tuple[int, int]:
    left, top = image.width - plate.width - margin, image.height - plate.height - margin
    return max(left, 0), max(top, 0)


@cache
def _plate(size: float) -> Image.Image:
    font = ImageFont.load_default(size)
    left, top, right, bottom = font.getbbox(WORD)
    edge = size * 0.45
    width, height = int(right - left + 2.4 * edge), int(bottom - top + 2 * edge)
    plate = Image.new("RGBA", (width, height))
    pen = ImageDraw.Draw(plate)
    pen.rounded_rectangle((0, 0, width - 1, height - 1), height / 3, fill=GROUND)
    pen.text((1.2 * edge - left, edge - top), WORD, font=font, fill=INK)
    return plate
