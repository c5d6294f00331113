"""Train the demo weights from scratch: YOLO11n for plants, YOLO11n-seg for containers.

    python scripts/train_demo_weights.py                     # both, into the package
    python scripts/train_demo_weights.py --only plants --without-real --out build/without-real
    python scripts/train_demo_weights.py --data my-photos/data.yaml

`--data` adds a person's own YOLO data set (a data.yaml whose `train` names a folder of images with
labels) to the generated one of the network whose classes it names; what `darkroom counting
export-dataset` writes is one. With `../shared/photos` beside the repository half of the scenes are
made from its real tray; without it every scene is drawn, and the script says so.
"""

import argparse
import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from calibrate_weights import calibrate
from scenes.figures import print_figures
from scenes.photo import make_photo, retake
from scenes.real import RealTray, load_real
from scenes.tiles import cut_tile, pick_corner, pick_side
from scenes.truth import KINDS, Image, Photo

from darkroom.vision.weights import sha256_of

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS = ROOT / "src" / "darkroom" / "vision" / "weights"
SHARED = ROOT.parent / "shared" / "photos"
TILE = 320
TILES_A_PHOTO = 6


@dataclass(frozen=True)
class Source:
    """What scenes are made from: the real tray or None, and how often it is shown as it is."""

    real: RealTray | None
    retakes: float


@dataclass(frozen=True)
class Course:
    """What one set of weights is trained on and how."""

    name: str
    model: str
    classes: tuple[str, ...]
    photos: int
    epochs: int
    write: Callable[[Path, int, Source], None]


def scene(seed: int, source: Source, longest: tuple[int, int]) -> Photo:
    """A generated photo of random size, or now and then the real tray taken again."""
    rng = np.random.default_rng(seed + 10_000_000)
    long = int(rng.integers(*longest))
    short = round(long * rng.choice([0.56, 0.667, 0.75, 1.0]))
    size = (long, short) if rng.random() < 0.7 else (short, long)
    real = source.real
    if real is not None and rng.random() < source.retakes:
        known = real.photo if rng.random() < 0.7 else Photo(real.emptied, (), real.photo.containers)
        # At up to the size that cameras take it: its soil must be learnt from near by as well.
        finer = rng.uniform(1, 2.6)
        return retake(seed, known, (round(size[0] * finer), round(size[1] * finer)))
    return make_photo(seed, size, real=real)


def write_tiles(folder: Path, seed: int, source: Source) -> None:
    """Some training tiles of one photo, with YOLO boxes."""
    rng = np.random.default_rng(seed + 20_000_000)
    photo = scene(seed, source, (700, 1500))
    for index in range(TILES_A_PHOTO):
        side = pick_side(rng, photo, TILE)
        image, rows = cut_tile(photo, pick_corner(rng, photo, side), side, TILE)
        lines = [" ".join(f"{part:.6g}" for part in row) for row in rows]
        write_example(folder, f"{seed:07d}_{index}", image, lines, int(rng.integers(60, 96)))


def write_containers(folder: Path, seed: int, source: Source) -> None:
    """One small photo with its containers' polygons as YOLO segments."""
    photo = scene(seed, source, (560, 900))
    height, width = photo.image.shape[:2]
    ratio = TILE / max(height, width)
    image = cv2.resize(photo.image, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
    lines = []
    for container in photo.containers:
        share = np.clip(container.polygon / (width, height), 0, 1)
        points = " ".join(f"{part:.5f}" for part in share.ravel())
        lines.append(f"{KINDS.index(container.kind)} {points}")
    write_example(folder, f"{seed:07d}", np.asarray(image, np.uint8), lines, 92)


def write_example(folder: Path, name: str, image: Image, lines: list[str], quality: int) -> None:
    """A JPEG and its YOLO label file."""
    picture = str(folder / "images" / f"{name}.jpg")
    cv2.imwrite(picture, image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    (folder / "labels" / f"{name}.txt").write_text("\n".join(lines))


COURSES = (
    Course("plants", "yolo11n.yaml", ("plant",), 800, 10, write_tiles),
    Course("containers", "yolo11n-seg.yaml", KINDS, 1500, 14, write_containers),
)


def write_some(course: Course, folder: Path, retakes: float | None, seeds: range) -> None:
    """The examples of these seeds; run in a process of its own."""
    cv2.setNumThreads(1)
    real = None if retakes is None else load_real(SHARED)
    for seed in seeds:
        course.write(folder, seed, Source(real, retakes or 0))


def write_set(
    course: Course, folder: Path, seeds: range, retakes: float | None, workers: int
) -> None:
    """A folder of images and labels, one photo a seed."""
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    shares = [seeds[start::workers] for start in range(workers)]
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(partial(write_some, course, folder, retakes), shares))


def write_data(course: Course, work: Path, options: argparse.Namespace) -> Path:
    """Generate the course's training and validation sets; returns the data.yaml."""
    shutil.rmtree(work, ignore_errors=True)
    photos = options.photos or course.photos
    first = options.seed * 1_000_000
    retakes = None if options.without_real else options.retakes
    for part, seeds in (
        ("train", range(first, first + photos)),
        ("val", range(first + 900_000, first + 900_000 + max(20, photos // 15))),
    ):
        write_set(course, work / part, seeds, retakes, options.threads)
    train = [str(work / "train" / "images"), *extra_folders(course, options.data)]
    data = {"train": train, "val": str(work / "val" / "images"), "names": list(course.classes)}
    path = work / "data.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


def extra_folders(course: Course, data: Path | None) -> list[str]:
    """The training folders that a person's own data.yaml names, if its classes are the course's."""
    if data is None:
        return []
    told = yaml.safe_load(data.read_text())
    if named_classes(told) != course.classes:
        print(f"{course.name}: {data} is left out, for its classes are others.", flush=True)
        return []
    base = data.parent / told.get("path", "")
    folders = told["train"] if isinstance(told["train"], list) else [told["train"]]
    return [str((base / folder).resolve()) for folder in folders]


def named_classes(told: dict[str, Any]) -> tuple[str, ...]:
    """The classes of a data.yaml in order; they are a list, or numbered."""
    names = told["names"]
    return tuple(names[key] for key in sorted(names)) if isinstance(names, dict) else tuple(names)


def compute_in_bf16(trainer: Any) -> None:
    """Run the forward pass in bfloat16 where that is fast on a CPU: half the time, same result.

    Ultralytics' own mixed precision is for CUDA only. Losses and weights stay in float32.
    """
    import torch

    plain = trainer.model._predict_once

    def forward(*given: Any, **named: Any) -> Any:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return as_float(plain(*given, **named))

    trainer.model._predict_once = forward


def as_float(outputs: Any) -> Any:
    """The same nest of outputs with its tensors in float32."""
    if isinstance(outputs, dict):
        return {name: as_float(part) for name, part in outputs.items()}
    if isinstance(outputs, (list, tuple)):
        return type(outputs)(as_float(part) for part in outputs)
    return outputs.float()


def train(course: Course, data: Path, work: Path, options: argparse.Namespace) -> Path:
    """Train the course's model and return its best checkpoint, stripped to fp16."""
    from darkroom.vision.runtime import prepare

    os.environ["YOLO_VERBOSE"] = "true"
    prepare(work, options.threads)
    from ultralytics import YOLO

    model = YOLO(str(options.start) if options.start else course.model)
    model.add_callback("on_train_start", compute_in_bf16)
    model.train(
        data=str(data), epochs=options.epochs or course.epochs, imgsz=TILE, batch=16,
        device="cpu", workers=0, seed=options.seed, deterministic=True, amp=False, cache=False,
        optimizer="AdamW", lr0=0.002, lrf=0.02, cos_lr=True, warmup_epochs=0.5, mosaic=0.0,
        scale=0.0, translate=0.0, fliplr=0.5, flipud=0.5, hsv_h=0.02, hsv_s=0.4, hsv_v=0.3,
        erasing=0.0, plots=False, project=str(work), name="run", exist_ok=True, verbose=False,
    )  # fmt: skip
    return work / "run" / "weights" / "best.pt"


def publish(best: Path, target: Path) -> None:
    """Put the checkpoint in place with the network and what inference asks of it, no more.

    Ultralytics also keeps dates, folder names and training settings, which say where it was made.
    """
    import torch

    from darkroom.vision.weights import load_checked

    checkpoint = load_checked(best)
    model = (checkpoint.get("ema") or checkpoint["model"]).half()
    told = {"task": checkpoint["train_args"]["task"], "imgsz": TILE}
    model.args = dict(told)
    temporary = target.with_suffix(".tmp")
    torch.save({"model": model, "train_args": told, "license": "AGPL-3.0-only"}, temporary)
    os.replace(temporary, target)


def run_course(course: Course, options: argparse.Namespace) -> None:
    """Generate, train, measure and put the weights in place."""
    started = time.perf_counter()
    work = options.work / f"{course.name}{'-drawn' if options.without_real else ''}"
    data = work / "data.yaml" if options.keep_data else write_data(course, work, options)
    print(f"{course.name}: data in {time.perf_counter() - started:.0f} s", flush=True)
    best = train(course, data, work, options)
    options.out.mkdir(parents=True, exist_ok=True)
    target = options.out / f"{course.name}.pt"
    publish(best, target)
    if course.name == "plants":
        real = None if options.without_real else load_real(SHARED)
        calibrate(target, real, options.work)
    took = time.perf_counter() - started
    print(f"{course.name}: {target} {target.stat().st_size / 1e6:.1f} MB after {took:.0f} s")
    print(f"{course.name}: sha256 {sha256_of(target)}", flush=True)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", choices=[course.name for course in COURSES])
    parser.add_argument("--without-real", action="store_true", help="no pixel of the real tray")
    parser.add_argument("--retakes", type=float, default=0.18, help="share of the tray as it is")
    parser.add_argument("--data", type=Path, help="a YOLO data.yaml to train on as well")
    parser.add_argument("--start", type=Path, help="weights to go on from, instead of from scratch")
    parser.add_argument("--keep-data", action="store_true", help="train on the last run's data")
    parser.add_argument("--photos", type=int, help="generated photos")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "training")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--measure", action="store_true", help="only print the figures of --out")
    return parser.parse_args()


def main() -> None:
    """Train what the command line asks for."""
    options = parse()
    if not options.without_real and not SHARED.is_dir():
        print("No ../shared/photos: every scene is drawn; expect poor counts on real trays.")
        options.without_real = True
    for course in COURSES:
        if options.only in (None, course.name) and not options.measure:
            run_course(course, options)
    print_figures(options.out, load_real(SHARED), options.work)


if __name__ == "__main__":
    main()
