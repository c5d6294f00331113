"""What the services ask for: one picture for a prompt, of the right size, marked."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from darkroom.sandbox.pictures import editing, making, wishes
from darkroom.sandbox.pictures.marking import marked
from darkroom.sandbox.pictures.pixels import Mask, Pixels, opened, padded, resized

Size = tuple[int, int]
"""Width and height."""


def picture(
    prompt: str,
    files: Sequence[bytes],
    size: Size,
    seed: int | None,
    mask: Mask | None = None,
) -> Pixels:
    """A picture made of a prompt, or the first of the files edited after it.

    Parameters
    ----------
    seed
        None is a seed, too: the same request has the same answer.
    mask
        Where an edit may change something; of the first file's size.

    Raises
    ------
    Unreadable
        When a file is no picture.
    """
    number = wishes.seed_of(prompt, seed, *files)
    if not files:
        return marked(making.made(prompt, *size, number))
    pictures = [_within(opened(each), size) for each in files]
    edited = editing.edited(prompt, pictures, number)
    if mask is not None:
        edited = editing.painted_where(pictures[0], edited, _fitted(mask, pictures[0]))
    return marked(_shaped(edited, prompt, size))


def like(file: bytes, pixels: int) -> Size:
    """The size with a file's shape and about so many pixels. Raises `Unreadable`."""
    height, width = opened(file).shape[:2]
    scale = (pixels / (width * height)) ** 0.5
    return max(16, round(width * scale / 16) * 16), max(16, round(height * scale / 16) * 16)


def _within(pixels: Pixels, size: Size) -> Pixels:
    """No larger than what is asked for, in its own shape."""
    image = Image.fromarray(pixels)
    image.thumbnail((max(size), max(size)), Image.Resampling.LANCZOS)
    return np.asarray(image)


def _shaped(pixels: Pixels, prompt: str, size: Size) -> Pixels:
    """Of the size: widened on a plain ground, cut to shape on any other."""
    ground = wishes.read(prompt).ground
    if ground in wishes.COLOURS:
        return padded(pixels, *size, wishes.colour(ground))
    return resized(pixels, *size)


def _fitted(mask: Mask, pixels: Pixels) -> Mask:
    height, width = pixels.shape[:2]
    image = Image.fromarray((mask * 255).astype(np.uint8)).resize((width, height))
    return np.asarray(image, np.float32) / 255
