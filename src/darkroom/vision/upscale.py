"""Pictures made larger by Real-ESRGAN's networks.

A picture goes through the network in overlapping tiles, and what they make goes row by row to a
file: neither has to be in memory, or on the device, as a whole. The networks make it four times as
large; what is wanted beside that is Lanczos'. Alpha is enlarged by Lanczos alone. The result is
checked before it is given.
"""

import gc
import logging
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from darkroom.errors import Invalid, Permanent
from darkroom.vision import esrgan, fetching, resample
from darkroom.vision.enlarging import Enlargement, Stop, Told
from darkroom.vision.esrgan import FACTOR, Network
from darkroom.vision.fidelity import insist_alike

Pixels = NDArray[Any]
Floats = NDArray[np.float32]

log = logging.getLogger(__name__)

NETWORK, BICUBIC, NONE = "real-esrgan", "bicubic", "none"
"""What enlarges: a network; without its weights a formula; nothing where there is no need."""


@dataclass(frozen=True, eq=False)
class Upscaled:
    """An enlarged picture.

    Attributes
    ----------
    pixels : with the channels and the type of the picture that was given; read from a file that
        goes when they do
    engine : "real-esrgan"; "bicubic" where the weights cannot be had; "none" where the picture was
        as large already
    model : the network that was asked for
    seconds : that it took
    tiles : that went through the network
    """

    pixels: Pixels
    engine: str
    model: str
    seconds: float
    tiles: int


class Upscaler:
    """Enlarges pictures. Not thread-safe; keeps the network that it used last.

    Parameters
    ----------
    weights_dir : where weights lie; those of the networks are fetched when they are first needed
    device : "cpu", "cuda" or None for the best there is
    """

    def __init__(self, weights_dir: Path, *, device: str | None = None) -> None:
        self._weights_dir = weights_dir
        self._device = device
        self._network: Network | None = None
        self._loaded: tuple[str, bool] | None = None
        self._may_fetch = True

    def upscale(
        self,
        pixels: Pixels,
        *,
        folder: Path,
        model: str,
        scale: float | None = None,
        long_side: int | None = None,
        told: Told = lambda done, tiles: None,
        stop: Stop = lambda: None,
    ) -> Upscaled:
        """Enlarge a picture (H, W) or (H, W, C): grey or RGB, with or without alpha, 8 or 16 bits.

        Parameters
        ----------
        folder : where the pixels' file is written, without a name that anybody sees
        model : one of `esrgan.MODELS`
        scale, long_side : one of them: how many times as large (1 to 4), or the longer side in
            pixels; what that is beyond four times as large is Lanczos'
        told : called with (tiles done, tiles planned) after each
        stop : called before each tile; raises to stop

        Raises
        ------
        Invalid
            When the picture, the size or the model cannot be.
        Permanent
            When what came out is not the picture that was given.
        Transient
            When the device's memory does not hold even the smallest tile.
        """
        started = time.monotonic()
        given = _with_channels(pixels)
        size = _size(given, scale, long_side)
        if long_side is not None and size == _frame(given):
            return Upscaled(pixels, NONE, model, time.monotonic() - started, 0)
        network = self._load(model, exact=given.dtype == np.uint16)
        if network is None:
            engine, tiles, made = BICUBIC, 0, _resized(given, size, folder)
        else:
            work = Enlargement(network, _colours(given), told, stop)
            engine, made = NETWORK, _enlarged(work, given, size, folder)
            tiles = work.tiles
        insist_alike(given, made)
        shaped = made.reshape(*made.shape[:2], *pixels.shape[2:])
        return Upscaled(shaped, engine, model, time.monotonic() - started, tiles)

    def _load(self, model: str, *, exact: bool) -> Network | None:
        """The network; None where its weights cannot be had."""
        if self._loaded != (model, exact):
            self._network = self._loaded = None
            # Before another takes as much.
            gc.collect()
            if not self._has_weights(model):
                return None
            found = esrgan.layers(model, self._weights_dir)
            self._network = esrgan.load(found, exact=exact, device=self._device)
            self._loaded = model, exact
        return self._network

    def _has_weights(self, model: str) -> bool:
        if not esrgan.is_here(model, self._weights_dir) and self._may_fetch:
            # Once: on a machine that cannot fetch, every picture would wait for it.
            self._may_fetch = False
            try:
                fetching.fetch(self._weights_dir)
            except Permanent as error:
                log.warning("Pictures are enlarged without a network: %s", error.message)
        return esrgan.is_here(model, self._weights_dir)


def _with_channels(pixels: Pixels) -> Pixels:
    """The picture as (H, W, C)."""
    shaped = pixels[..., None] if pixels.ndim == 2 else pixels
    if shaped.ndim != 3 or shaped.shape[2] not in (1, 2, 3, 4) or not shaped.size:
        raise Invalid("A picture to enlarge is grey or RGB, with or without alpha.", "image")
    if shaped.dtype not in (np.uint8, np.uint16):
        raise Invalid("A picture to enlarge has 8 or 16 bits a channel.", "image")
    return shaped


def _size(pixels: Pixels, scale: float | None, long_side: int | None) -> tuple[int, int]:
    """The width and height that are wanted."""
    frame = _frame(pixels)
    if scale is not None and long_side is None:
        if not 1 <= scale <= FACTOR:
            raise Invalid(f"A picture is enlarged 1 to {FACTOR} times, not {scale:g}.", "scale")
        times = scale
    elif long_side is not None and scale is None:
        times = max(1.0, long_side / max(frame))
    else:
        raise Invalid("Say either how many times as large, or how long the longer side.", "scale")
    return round(frame[0] * times), round(frame[1] * times)


def _frame(pixels: Pixels) -> tuple[int, int]:
    return pixels.shape[1], pixels.shape[0]


def _colours(pixels: Pixels) -> Pixels:
    """Without alpha."""
    return pixels[..., :3] if pixels.shape[2] >= 3 else pixels[..., :1]


def _alpha(pixels: Pixels) -> Pixels:
    """Alpha alone (H, W, 1); (H, W, 0) where there is none."""
    return pixels[..., _colours(pixels).shape[2] :]


def _resized(pixels: Pixels, size: tuple[int, int], folder: Path) -> Pixels:
    rows = resample.bands(size[1])
    parts = (resample.resampled(pixels, size, part, resample.BICUBIC) for part in rows)
    return _written(parts, (size[1], size[0], pixels.shape[2]), pixels.dtype, folder)


def _enlarged(work: Enlargement, given: Pixels, size: tuple[int, int], folder: Path) -> Pixels:
    """What the network makes, at the size and with the channels that are wanted."""
    width, height = (FACTOR * length for length in _frame(given))
    peak = np.float32(np.iinfo(given.dtype).max)
    strips = (strip * peak for strip in work.strips())
    whole = _written(strips, (height, width, 3), given.dtype, folder)
    if size == (width, height) and given.shape[2] == 3:
        return whole
    parts = (_finished(whole, given, size, rows) for rows in resample.bands(size[1]))
    return _written(parts, (size[1], size[0], given.shape[2]), given.dtype, folder)


def _finished(whole: Pixels, given: Pixels, size: tuple[int, int], rows: range) -> Floats:
    colours = resample.resampled(whole, size, rows, resample.LANCZOS)
    if _colours(given).shape[2] == 1:
        colours = colours.mean(axis=2, keepdims=True)
    alpha = _alpha(given)
    if not alpha.size:
        return colours
    return np.dstack([colours, resample.resampled(alpha, size, rows, resample.LANCZOS)])


def _written(
    parts: Iterable[Floats], shape: tuple[int, int, int], kind: np.dtype[Any], folder: Path
) -> Pixels:
    """Rows rounded to whole numbers, in a nameless file: whatever happens, it leaves nothing."""
    peak = np.iinfo(kind).max
    with tempfile.TemporaryFile(dir=folder) as file:
        for part in parts:
            np.rint(part, out=part)
            file.write(part.clip(0, peak).astype(kind).tobytes())
        file.flush()
        return np.memmap(file, kind, "r", shape=shape)
