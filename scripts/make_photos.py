"""Draw nursery photos whose plants and containers are known.

    python scripts/make_photos.py --out build/photos --count 10 --seed 7

writes `photo_0000000.jpg` … (the number is the photo's seed) and `truth.json`, a list with, for
each photo, its file, the count of its plants, each plant's centre and box, and the containers'
kinds and polygons, all in pixels. The same arguments write the same scenes. With `../shared/photos`
beside the repository half of the scenes show real plants; without it all are drawn, and that is
said.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from PIL import Image as Picture
from scenes.photo import make_photo
from scenes.real import RealTray, load_real
from scenes.truth import Photo

SHARED = Path(__file__).resolve().parents[2] / "shared" / "photos"

__all__ = ["Photo", "load_shared", "make_photo", "truth_of", "write_photos"]


def load_shared() -> RealTray | None:
    """The real tray and cut-outs beside the repository; where they are missing, says so: None."""
    real = load_real(SHARED)
    if real is None:
        print("No ../shared/photos: every plant is drawn, none is real.")
    return real


def truth_of(photo: Photo, file: str) -> dict[str, object]:
    """The photo's truth as `truth.json` holds it."""
    return {
        "file": file,
        "plants": len(photo.plants),
        "plants_list": [
            {"centre": _rounded(known.centre), "box": _rounded(known.box)} for known in photo.plants
        ],
        "containers": [
            {"kind": container.kind, "polygon": [_rounded(p) for p in container.polygon.tolist()]}
            for container in photo.containers
        ],
    }


def _rounded(numbers: tuple[float, ...] | list[float]) -> list[float]:
    return [round(number, 1) for number in numbers]


def write_photos(
    out: Path, count: int, seed: int, size: tuple[int, int], places: int | None = None
) -> Iterator[dict[str, object]]:
    """Draw `count` photos into `out`, yielding each one's truth; `truth.json` comes last."""
    out.mkdir(parents=True, exist_ok=True)
    real = load_shared()
    truths = []
    for number in range(seed, seed + count):
        photo = make_photo(number, size, real=real, places=places)
        file = f"photo_{number:07d}.jpg"
        Picture.fromarray(photo.image).save(out / file, quality=90)
        truths.append(truth_of(photo, file))
        yield truths[-1]
    (out / "truth.json").write_text(json.dumps(truths, indent=1))


def parse_size(text: str) -> tuple[int, int]:
    """ "1600x1200" as (1600, 1200)."""
    width, height = (int(part) for part in text.lower().split("x"))
    return width, height


def main() -> None:
    """Draw what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", type=int, default=5_000_000, help="of the first photo")
    parser.add_argument("--size", type=parse_size, default=(1600, 1200), metavar="WxH")
    parser.add_argument("--places", type=int, help="one full block with about this many plants")
    options = parser.parse_args()
    for truth in write_photos(
        options.out, options.count, options.seed, options.size, options.places
    ):
        print(f"{truth['file']}: {truth['plants']} plants")


if __name__ == "__main__":
    main()
