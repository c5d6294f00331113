"""A portrait that is always there, and the models that find faces, where they can be had."""

import io
from pathlib import Path

import numpy as np
import pytest
from matplotlib import cbook
from numpy.typing import NDArray
from PIL import Image

from darkroom.errors import Permanent
from darkroom.settings import ROOT
from darkroom.vision import mediapipe

Pixels = NDArray[np.uint8]

FETCHED = ROOT / ".darkroom" / "weights"


def portrait() -> Pixels:
    """Grace Hopper, 512 × 600 (a photo of the US Navy that matplotlib carries)."""
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        return np.asarray(Image.open(file).convert("RGB"))


def encoded(pixels: Pixels, kind: str = "JPEG") -> bytes:
    """The picture as a file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, quality=92)
    return file.getvalue()


def weights(folder: Path) -> Path:
    """A folder with the models: this installation's, else fetched into the given one."""
    if mediapipe.is_here(FETCHED):
        return FETCHED
    try:
        mediapipe.fetch(folder)
    except Permanent as error:
        pytest.skip(f"the models of faces cannot be had here: {error}")
    return folder
