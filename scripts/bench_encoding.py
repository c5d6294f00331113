"""AVIF against a JPEG of equal likeness: bytes, likeness and seconds of a drawn count.

    python scripts/bench_encoding.py --photos 3

Each picture is a generated photo with its count drawn over it, as the pipeline stores it. It is
encoded as AVIF with the pipeline's own settings, and then as JPEG (progressive, optimised
tables, subsampled chroma: as small as JPEG gets here) at the lowest quality whose likeness is at
least the AVIF's. Likeness is the mean structural similarity (SSIM) of the luma after Wang et al.
(2004), with their Gaussian window of 11 pixels.
"""

import argparse
import io
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table
from scenes.photo import make_photo

from darkroom.counting.drawing import Legend, draw_over
from darkroom.settings import CountingSettings
from darkroom.storage import images

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

SIZES = ((1200, 900), (4000, 3000), (2600, 1950), (3200, 2400))
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


@dataclass(frozen=True)
class Encoded:
    """A picture as a file: its size in bytes, its likeness (-1 to 1) and the seconds it took."""

    size: int
    ssim: float
    seconds: float
    quality: int


def ssim(one: Bytes, other: Bytes) -> float:
    """Mean structural similarity of the luma of two RGB pictures (H, W, 3)."""
    x, y = (
        cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) for picture in (one, other)
    )
    mean_x, mean_y = _blurred(x), _blurred(y)
    spread_x = _blurred(x * x) - mean_x**2
    spread_y = _blurred(y * y) - mean_y**2
    common = _blurred(x * y) - mean_x * mean_y
    likeness = (2 * mean_x * mean_y + C1) * (2 * common + C2)
    return float((likeness / ((mean_x**2 + mean_y**2 + C1) * (spread_x + spread_y + C2))).mean())


def _blurred(values: Floats) -> Floats:
    return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5), np.float32)


def drawn(seed: int, size: tuple[int, int]) -> Bytes:
    """A generated photo with its true count drawn over it."""
    photo = make_photo(seed, size)
    picture = np.ascontiguousarray(photo.image)
    boxes = np.array([plant.box for plant in photo.plants], float).reshape(-1, 4)
    draw_over(picture, boxes, [], Legend(len(boxes), 0, 0.9))
    return picture


def as_avif(picture: Bytes, quality: int, speed: int, folder: Path) -> Encoded:
    """The picture as the pipeline stores it."""
    path = folder / "picture.avif"
    began = time.perf_counter()
    images.save(picture, path, images.AVIF, quality=quality, avif_speed=speed)
    seconds = time.perf_counter() - began
    with Image.open(path) as image:
        back = np.asarray(image.convert("RGB"))
    return Encoded(path.stat().st_size, ssim(picture, back), seconds, quality)


def as_jpeg(picture: Bytes, quality: int) -> Encoded:
    """The picture as a small JPEG."""
    file = io.BytesIO()
    began = time.perf_counter()
    Image.fromarray(picture).save(
        file, "JPEG", quality=quality, optimize=True, progressive=True, subsampling="4:2:0"
    )
    seconds = time.perf_counter() - began
    back = np.asarray(Image.open(file).convert("RGB"))
    return Encoded(file.tell(), ssim(picture, back), seconds, quality)


def equal(encode: Callable[[int], Encoded], likeness: float) -> Encoded:
    """The file of the lowest quality (1 to 100) that is at least so alike."""
    low, high = 1, 100
    while low < high:
        middle = (low + high) // 2
        if encode(middle).ssim >= likeness:
            high = middle
        else:
            low = middle + 1
    return encode(low)


def line(name: str, encoded: Encoded) -> tuple[str, ...]:
    """A row of the table."""
    size, likeness = f"{encoded.size:,}", f"{encoded.ssim:.4f}"
    return name, str(encoded.quality), size, likeness, f"{encoded.seconds:.2f}"


def main() -> None:
    """Make the pictures, encode them both ways, print."""
    chosen = CountingSettings()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=3)
    parser.add_argument("--quality", type=int, default=chosen.image_quality)
    parser.add_argument("--speed", type=int, default=chosen.avif_speed)
    options = parser.parse_args()
    table = Table(title="A drawn count as AVIF, and as a JPEG that is as alike")
    for column in ("picture", "format", "quality", "bytes", "SSIM", "s"):
        table.add_column(column, justify="right")
    pairs: list[tuple[Encoded, Encoded]] = []
    with TemporaryDirectory() as folder:
        for number in range(options.photos):
            size = SIZES[number % len(SIZES)]
            picture = drawn(7_800_000 + number, size)
            avif = as_avif(picture, options.quality, options.speed, Path(folder))
            jpeg = equal(lambda quality, picture=picture: as_jpeg(picture, quality), avif.ssim)
            pairs.append((avif, jpeg))
            table.add_row(f"{size[0]}×{size[1]}", *line("AVIF", avif))
            table.add_row("", *line("JPEG", jpeg))
    Console(file=sys.stdout).print(table)
    ours, theirs = (sum(pair[way].size for pair in pairs) for way in (0, 1))
    alike = [np.mean([pair[way].ssim for pair in pairs]) for way in (0, 1)]
    seconds = [sum(pair[way].seconds for pair in pairs) for way in (0, 1)]
    print(
        f"avif_bytes {ours} jpeg_bytes {theirs} avif_share {ours / theirs:.2f} "
        f"avif_ssim {alike[0]:.4f} jpeg_ssim {alike[1]:.4f} "
        f"avif_s {seconds[0]:.2f} jpeg_s {seconds[1]:.2f}"
    )


if __name__ == "__main__":
    main()
