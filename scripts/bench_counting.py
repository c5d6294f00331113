"""Stock SAHI against Darkroom's sliced detection: same run, same photos, same weights.

    python scripts/bench_counting.py --photos 8 --repeat 3

In the first line stock is `sahi.get_sliced_prediction` with 512-pixel slices, 25 % overlap and its
own defaults (one slice at a time, a pass over the whole photo as well, GREEDYNMM on IOS). Both run
at the image size that the weights were trained at, at confidence 0.30, on the same device. The last
photo is one of 12 megapixels with over 800 plants. A box is right when its IOU with a plant's true
box is at least 0.5, each plant once. Seconds are the best of the repeats, after a first run that is
not counted.

The second line is all that counting does with models: containers found, then plants in each crop.
Stock is ultralytics' own segmentation at the same image size and sahi on each box it finds; ours is
the whole counter of the product, estimate included.

The last part sends photos one by one through the product as it runs: storage, queue, embedded
Postgres and a worker process. Overhead is what that takes longer than the same photos' decoding,
counting, drawing and encoding by themselves.
"""

import argparse
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from make_photos import load_shared
from numpy.typing import NDArray
from overhead import overhead
from rich.console import Console
from rich.table import Table
from scenes.photo import make_photo
from scenes.truth import Image, Photo

from darkroom.counting.parameters import Parameters
from darkroom.counting.photo import PhotoCounter
from darkroom.settings import CountingSettings
from darkroom.vision.detect import PlantDetector
from darkroom.vision.merge import overlap
from darkroom.vision.runtime import pick_device, prepare
from darkroom.vision.segment import ContainerSegmenter
from darkroom.vision.weights import bundled, read_facts

ROOT = Path(__file__).resolve().parents[1]
CONFIDENCE, SLICE, OVERLAP = 0.30, 512, 0.25
Boxes = NDArray[np.float32]
Detect = Callable[[Image], Boxes]


@dataclass
class Score:
    """What one way of counting did over all photos."""

    seconds: float = 0.0
    right: int = 0
    found: int = 0
    true: int = 0
    lines: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.right / max(self.found, 1)

    @property
    def recall(self) -> float:
        return self.right / max(self.true, 1)

    @property
    def f1(self) -> float:
        return 2 * self.right / max(self.found + self.true, 1)


def stock(weights: Path, side: int, device: str) -> Detect:
    """SAHI as its documentation calls it."""
    from sahi import AutoDetectionModel
    from sahi.predict import get_sliced_prediction

    model = AutoDetectionModel.from_pretrained(
        model_type="ultralytics", model_path=str(weights), image_size=side,
        confidence_threshold=CONFIDENCE, device=device,
    )  # fmt: skip

    def detect(image: Image) -> Boxes:
        found = get_sliced_prediction(
            image, model, slice_height=SLICE, slice_width=SLICE,
            overlap_height_ratio=OVERLAP, overlap_width_ratio=OVERLAP, verbose=0,
        )  # fmt: skip
        boxes = [thing.bbox.to_xyxy() for thing in found.object_prediction_list]
        return np.array(boxes, np.float32).reshape(-1, 4)

    return detect


def stock_whole(containers: Path, plants: Detect, side: int, device: str) -> Detect:
    """Ultralytics' segmentation, and then `plants` on the box of each container."""
    from ultralytics import YOLO

    model = YOLO(str(containers))

    def detect(image: Image) -> Boxes:
        bgr = np.ascontiguousarray(image[..., ::-1])
        (result,) = model.predict(
            bgr, imgsz=side, conf=CONFIDENCE, iou=0.5, device=device, verbose=False
        )
        found = [np.empty((0, 4), np.float32)]
        for x1, y1, x2, y2 in result.boxes.xyxy.round().int().tolist() or [_whole(image)]:
            crop = np.ascontiguousarray(image[y1:y2, x1:x2])
            found.append(plants(crop) + np.float32([x1, y1, x1, y1]))
        return np.concatenate(found)

    return detect


def _whole(image: Image) -> tuple[int, int, int, int]:
    return 0, 0, image.shape[1], image.shape[0]


def ours_whole(containers: Path, detector: PlantDetector, cache: Path, device: str) -> Detect:
    """The counter of the product."""
    settings = CountingSettings()
    segmenter = ContainerSegmenter(containers, cache_dir=cache, device=device)
    counter = PhotoCounter(segmenter, partial(nullcontext, detector), settings, Parameters())

    def detect(image: Image) -> Boxes:
        found = counter.count(image, lambda *told: None)
        boxes = [part.plants.boxes for part in found]
        return np.concatenate([np.empty((0, 4)), *boxes]).astype(np.float32)

    return detect


def right_boxes(boxes: Boxes, photo: Photo) -> int:
    """How many boxes meet a plant of their own with IOU >= 0.5, best pairs first."""
    truth = np.array([known.box for known in photo.plants], np.float32).reshape(-1, 4)
    if not len(boxes) or not len(truth):
        return 0
    table = np.stack([overlap(box, truth, "IOU") for box in boxes])
    right = 0
    while table.max() >= 0.5:
        row, column = np.unravel_index(table.argmax(), table.shape)
        table[row, :] = table[:, column] = 0
        right += 1
    return right


def measure(detect: Detect, photos: list[Photo], repeat: int) -> Score:
    """Time and score one way of counting over the photos."""
    score = Score()
    detect(photos[0].image)
    for photo in photos:
        times = []
        for _ in range(repeat):
            started = time.perf_counter()
            boxes = detect(photo.image)
            times.append(time.perf_counter() - started)
        right = right_boxes(boxes, photo)
        score.seconds += min(times)
        score.right += right
        score.found += len(boxes)
        score.true += len(photo.plants)
        score.lines.append((f"{min(times):.2f}", str(len(boxes)), str(right)))
    return score


def show(title: str, photos: list[Photo], theirs: Score, ours: Score) -> None:
    """The table, photo by photo and in sum, then the one line for machines."""
    table = Table(title=f"{title}, best of the repeats")
    for column in ("photo", "plants", "stock s", "found", "right", "ours s", "found", "right"):
        table.add_column(column, justify="right")
    for photo, left, right in zip(photos, theirs.lines, ours.lines, strict=True):
        height, width = photo.image.shape[:2]
        table.add_row(f"{width}×{height}", str(len(photo.plants)), *left, *right)
    console = Console()
    console.print(table)
    for name, score in (("stock", theirs), ("ours", ours)):
        console.print(
            f"{name:>5}: {score.seconds:.2f} s, precision {score.precision:.3f}, "
            f"recall {score.recall:.3f}, F1 {score.f1:.3f}",
            highlight=False,
        )
    print(
        f"{title}: speedup {theirs.seconds / ours.seconds:.1f} "
        f"recall_ours {ours.recall:.3f} recall_stock {theirs.recall:.3f} "
        f"f1_ours {ours.f1:.3f} f1_stock {theirs.f1:.3f}"
    )


def main() -> None:
    """Make the photos, run both ways over them, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=6, help="beside the one of 12 megapixels")
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--weights", type=Path, default=bundled("plants"))
    parser.add_argument(
        "--no-overhead", dest="whole", action="store_false", help="leave out the last part"
    )
    parser.add_argument("--cache", type=Path, default=ROOT / ".darkroom" / "cache")
    options = parser.parse_args()
    prepare(options.cache)
    real = load_shared()
    photos = [make_photo(7_500_000 + n, (2000, 1500), real=real) for n in range(options.photos)]
    photos.append(make_photo(7_600_000, (4000, 3000), places=900))
    device = pick_device()
    detector = PlantDetector(options.weights, cache_dir=options.cache, device=device)
    sliced = stock(options.weights, detector.side, device)
    theirs = measure(sliced, photos, options.repeat)
    ours = measure(lambda image: detector.detect(image).boxes, photos, options.repeat)
    show("Sliced detection", photos, theirs, ours)
    segmenter = bundled("containers")
    side = read_facts(segmenter).side
    theirs = measure(stock_whole(segmenter, sliced, side, device), photos, options.repeat)
    ours = measure(ours_whole(segmenter, detector, options.cache, device), photos, options.repeat)
    show("With segmentation", photos, theirs, ours)
    if options.whole:
        for some in (photos[:-1], photos[-1:]):
            print(overhead(some, options.cache, device))


if __name__ == "__main__":
    main()
