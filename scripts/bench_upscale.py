"""RealESRGANer against Darkroom's upscaling: same weights, same picture, same machine.

    python scripts/bench_upscale.py
    python scripts/bench_upscale.py --eightk

RealESRGANer's package imports no more, so its way is repeated here step by step: torch in full
precision on the CPU (half on CUDA), tiles of 256 pixels with 10 around them, the picture mirrored
by 10 at its right and lower edge. Ours is the whole of `Upscaler.upscale`, its check and the
result's file included. Seconds are of one run each, once the networks are loaded; with ours that
leaves their compilation for the size of the tiles inside. Processor seconds tell more on a machine
that does other things as well. PSNR is between both results, cells what the check of results sees.

`--eightk` makes one picture of 1920×1440 to 7680×5760, in a process of its own.
"""

import argparse
import math
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table

from darkroom.settings import VariantSettings
from darkroom.vision import esrgan, fetching
from darkroom.vision.esrgan import FACTOR
from darkroom.vision.fidelity import insist_alike
from darkroom.vision.runtime import pick_device
from darkroom.vision.upscale import Upscaler

ROOT = Path(__file__).resolve().parents[1]
PHOTO = ROOT.parent / "shared" / "faces" / "astronaut.png"
TILE, TILE_PAD, PRE_PAD = 256, 10, 10
SIZES = {
    "RealESRGAN_x4plus": (232, 340),
    "RealESRGAN_x4plus_anime_6B": (232, 340),
    "realesr-animevideov3": (512, 512),
}
"""Widths and heights: what takes long gets less."""
FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Run:
    """One way of enlarging a picture, timed."""

    pixels: NDArray[Any]
    seconds: float
    processor: float


class RealESRGANer:
    """What the class of this name does with a picture, in its order (realesrgan 0.3.0)."""

    def __init__(self, weights_dir: Path, model: str, device: str) -> None:
        import torch

        self.kind = torch.float16 if device == "cuda" else torch.float32
        network = esrgan.torch_model(esrgan.layers(model, weights_dir))
        self.model, self.device = network.to(device, self.kind).eval(), device

    def enhance(self, pixels: Pixels) -> Pixels:
        import torch

        picture = torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)[None]
        padded = torch.nn.functional.pad(picture, (0, PRE_PAD, 0, PRE_PAD), "reflect")
        with torch.no_grad():
            made = self.tiles(padded.to(self.device, self.kind))
        height, width = (FACTOR * length for length in pixels.shape[:2])
        made = made[0, :, :height, :width].float().cpu().clamp_(0, 1)
        return np.asarray((made.permute(1, 2, 0).numpy() * 255).round(), np.uint8)

    def tiles(self, picture: Any) -> Any:
        """Tile after tile with what lies around it, each put where it belongs."""
        _, colours, height, width = picture.shape
        made = picture.new_zeros((1, colours, FACTOR * height, FACTOR * width))
        for row in range(math.ceil(height / TILE)):
            for column in range(math.ceil(width / TILE)):
                top, left = row * TILE, column * TILE
                bottom, right = min(top + TILE, height), min(left + TILE, width)
                above, before = max(top - TILE_PAD, 0), max(left - TILE_PAD, 0)
                below, behind = min(bottom + TILE_PAD, height), min(right + TILE_PAD, width)
                tile = self.model(picture[:, :, above:below, before:behind])
                rows = slice((top - above) * FACTOR, (bottom - above) * FACTOR)
                columns = slice((left - before) * FACTOR, (right - before) * FACTOR)
                made[
                    :, :, top * FACTOR : bottom * FACTOR, left * FACTOR : right * FACTOR
                ] = tile[:, :, rows, columns]  # fmt: skip
        return made


def timed(enlarge: Callable[[Pixels], NDArray[Any]], picture: Pixels) -> Run:
    """One run."""
    started, processor = time.perf_counter(), time.process_time()
    made = enlarge(picture)
    return Run(made, time.perf_counter() - started, time.process_time() - processor)


def ours(weights_dir: Path, folder: Path, model: str) -> Callable[[Pixels], NDArray[Any]]:
    """The upscaler of the product, its network loaded."""
    upscaler = Upscaler(weights_dir)
    upscaler.upscale(np.zeros((8, 8, 3), np.uint8), folder=folder, model=model, scale=4)
    return lambda picture: upscaler.upscale(picture, folder=folder, model=model, scale=4).pixels


def psnr(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Decibels, of 8-bit pictures."""
    error = np.square(one.astype(np.float64) - other).mean()
    return float(10 * np.log10(255**2 / max(error, 1e-10)))


def compare(models: list[str], photo: Pixels, weights_dir: Path, folder: Path) -> None:
    """The table, model by model, then the one line for machines."""
    table = Table(title="Enlarged four times")
    for column in ("model", "picture", "RealESRGANer s", "CPU s", "ours s", "CPU s", "speedup",
                   "CPU", "PSNR", "cells"):  # fmt: skip
        table.add_column(column, justify="right")
    before, after, lowest = 0.0, 0.0, math.inf
    for model in models:
        width, height = SIZES[model]
        picture = np.ascontiguousarray(photo[:height, 100 : 100 + width] if width < 400 else photo)
        theirs = timed(RealESRGANer(weights_dir, model, pick_device()).enhance, picture)
        mine = timed(ours(weights_dir, folder, model), picture)
        between, cells = psnr(theirs.pixels, mine.pixels), insist_alike(picture, mine.pixels)
        before, after = before + theirs.seconds, after + mine.seconds
        lowest = min(lowest, between)
        table.add_row(
            model, f"{picture.shape[1]}×{picture.shape[0]}",
            f"{theirs.seconds:.1f}", f"{theirs.processor:.1f}",
            f"{mine.seconds:.1f}", f"{mine.processor:.1f}",
            f"{theirs.seconds / mine.seconds:.2f}", f"{theirs.processor / mine.processor:.2f}",
            f"{between:.1f}", f"{cells:.1f}",
        )  # fmt: skip
    Console(width=140).print(table)
    print(f"speedup {before / after:.2f} psnr {lowest:.1f}")


def eightk(model: str, photo: Pixels, weights_dir: Path, folder: Path) -> None:
    """One whole picture of 7680 pixels, with its time and the most memory that it took."""
    source = np.asarray(Image.fromarray(photo).resize((1920, 1440), Image.Resampling.LANCZOS))
    upscaler = Upscaler(weights_dir)
    shown = time.monotonic()

    def told(done: int, tiles: int) -> None:
        nonlocal shown
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            print(f"{done} of {tiles} tiles")

    processor = time.process_time()
    made = upscaler.upscale(source, folder=folder, model=model, long_side=7680, told=told)
    processor = time.process_time() - processor
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    height, width = made.pixels.shape[:2]
    print(f"{model}: {width}×{height} in {made.tiles} tiles, {processor:.0f} s of processor time")
    print(f"eightk seconds {made.seconds:.0f} peak_mb {memory:.0f}")


def flags() -> str:
    """What this processor can, of what matters here."""
    try:
        told = Path("/proc/cpuinfo").read_text().split("flags", 1)[-1].splitlines()[0].split()
    except OSError:
        return "unknown"
    return " ".join(flag for flag in FLAGS if flag in told)


def main() -> None:
    """Fetch the weights where they are not here, run, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", choices=SIZES, help="only this one")
    parser.add_argument("--photo", type=Path, default=PHOTO, help="of 512 pixels or more")
    parser.add_argument("--eightk", action="store_true", help="one whole picture of 7680 pixels")
    parser.add_argument("--weights", type=Path, default=ROOT / ".darkroom" / "weights")
    options = parser.parse_args()
    if not all(esrgan.is_here(model, options.weights) for model in SIZES):
        fetching.fetch(options.weights, shows_progress=True)
    if not options.photo.is_file():
        parser.error(f"there is no {options.photo}: name a photo with --photo")
    photo = np.asarray(Image.open(options.photo).convert("RGB"))[:512, :512]
    print(f"device {pick_device()}, CPU: {flags()}")
    with tempfile.TemporaryDirectory() as folder:
        if options.eightk:
            model = options.model or VariantSettings().model
            eightk(model, photo, options.weights, Path(folder))
        else:
            models = [options.model] if options.model else list(SIZES)
            compare(models, photo, options.weights, Path(folder))


if __name__ == "__main__":
    main()
