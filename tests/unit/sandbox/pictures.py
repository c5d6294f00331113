"""Pictures to send, whose subjects are known."""

import io

import numpy as np
from PIL import Image, ImageDraw

from darkroom.providers.pictures import Picture
from darkroom.sandbox.pictures import figures, scenes
from darkroom.sandbox.pictures.pixels import Mask, Pixels


def product(scene: str = "wood", side: int = 480, seed: int = 1) -> tuple[Pixels, Mask]:
    """A bottle on some ground, and where exactly it is."""
    rng = np.random.default_rng(seed)
    drawn = figures.figure("product", round(side * 0.8), rng, [(60, 130, 70)])
    image = Image.fromarray(scenes.scene(scene, side, side, rng)).convert("RGBA")
    place = (round(side * 0.1), round(side * 0.1))
    image.alpha_composite(drawn, place)
    mask = Image.new("L", image.size)
    mask.paste(drawn.getchannel("A"), place)
    return np.asarray(image.convert("RGB")), np.asarray(mask, np.float32) / 255


def grained(pixels: Pixels, strength: float = 14) -> Pixels:
    """With the grain of a bad camera."""
    noise = np.random.default_rng(7).normal(0, strength, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def photo(pixels: Pixels | None = None, kind: str = "JPEG") -> Picture:
    """A file of the pixels; of a small bottle by default."""
    file = io.BytesIO()
    Image.fromarray(product(side=160)[0] if pixels is None else pixels).save(file, kind)
    return Picture(file.getvalue(), f"image/{kind.lower()}")


def hole(size: tuple[int, int], box: tuple[int, int, int, int]) -> Picture:
    """A mask that is transparent inside of a box."""
    image = Image.new("RGBA", size, "black")
    ImageDraw.Draw(image).rectangle(box, fill=(0, 0, 0, 0))
    file = io.BytesIO()
    image.save(file, "PNG")
    return Picture(file.getvalue(), "image/png")


def read(picture: Picture) -> Pixels:
    """Its pixels."""
    with Image.open(io.BytesIO(picture.data)) as image:
        return np.asarray(image.convert("RGB"))


def size_of(picture: Picture) -> tuple[int, int]:
    """Its width and height."""
    with Image.open(io.BytesIO(picture.data)) as image:
        return image.size
