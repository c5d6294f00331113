"""Puts an export of the bundled plant weights in 8-bit integers beside them, for OpenVINO on CPUs.

    python -m pip install nncf==3.4.0
    python scripts/quantise_weights.py

Only this script needs NNCF (Apache-2.0); Darkroom itself does not. Run it whenever `plants.pt` has
changed: an export is found by the SHA-256 of its checkpoint, so that one of older weights is never
used, and it is deleted here. Value ranges are taken from slices of generated photos that neither
training nor any measurement saw. At the end both precisions are compared on further photos.
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from calibrate_weights import SIZES, measure
from make_photos import load_shared, make_photo
from numpy.typing import NDArray
from scenes.real import RealTray
from scenes.truth import Photo

from darkroom.settings import CountingSettings
from darkroom.vision.detect import PlantDetector
from darkroom.vision.network import QUANTISED, exported
from darkroom.vision.runtime import prepare
from darkroom.vision.slice import cut, plan
from darkroom.vision.weights import bundled, sha256_of

if TYPE_CHECKING:
    from openvino import Model

SEEDS = range(7_200_000, 7_200_040)
UNSEEN = range(7_300_000, 7_300_090)
SLICE, OVERLAP, SLICES_A_PHOTO = 512, 0.25, 8

IN_FLOAT = [
    r".*model\.23\.cv[23]\.[012]\.2/.*",
    r".*model\.23\.dfl.*",
    r".*model\.23/.*",
]
"""The head's last convolutions and what makes boxes of them: one scale for coordinates of hundreds
of pixels and scores below one would leave nothing of the scores."""


def quantised(export: Path, tiles: list[NDArray[np.uint8]], side: int) -> "Model":
    """The model of an export with weights and activations as 8-bit integers.

    Weights keep to seven bits, so that processors without VNNI cannot overflow and count the same.
    """
    nncf = _nncf()
    import openvino

    model = openvino.Core().read_model(export / "model.xml")
    model.reshape([-1, 3, side, side])
    return nncf.quantize(
        model,
        nncf.Dataset(tiles, _as_input),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(tiles),
        ignored_scope=nncf.IgnoredScope(patterns=IN_FLOAT),
        advanced_parameters=nncf.AdvancedQuantizationParameters(
            overflow_fix=nncf.OverflowFix.ENABLE
        ),
    )


def _nncf() -> ModuleType:
    os.environ["NNCF_CI"] = "1"  # Or it reports its use to its makers.
    try:
        import nncf
    except ModuleNotFoundError as error:
        if error.name != "nncf":
            raise
        raise SystemExit("Quantising needs NNCF: python -m pip install nncf==3.4.0") from error
    return nncf


def _as_input(tile: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A slice as the export takes it; `darkroom.vision.network` does the same inside the model."""
    return tile.transpose(2, 0, 1)[None] / np.float32(255)


def tiles_of(photos: list[Photo], side: int) -> Iterator[NDArray[np.uint8]]:
    """Some slices of each photo, cut and scaled as the detector does."""
    rng = np.random.default_rng(0)
    for photo in photos:
        height, width = photo.image.shape[:2]
        slicing = plan((width, height), SLICE, OVERLAP)
        for corner in rng.permutation(slicing.corners)[:SLICES_A_PHOTO]:
            yield cut(photo.image, corner, slicing.side, side)


def put(model: "Model", export: Path, target: Path) -> None:
    """Write the quantised model with its export's facts into `target`, all at once."""
    import openvino

    target.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".quantising-") as folder:
        made = Path(folder) / "made"
        made.mkdir()
        openvino.save_model(model, made / "model.xml", compress_to_fp16=True)
        shutil.copyfile(export / "facts.json", made / "facts.json")
        made.rename(target)


def draw(seeds: range, real: RealTray | None) -> list[Photo]:
    """The photos of these seeds, of several sizes."""
    return [make_photo(seed, SIZES[seed % len(SIZES)], real=real) for seed in seeds]


def report(name: str, weights: Path, cache: Path, photos: list[Photo]) -> None:
    """Print how the weights, as they are run now, count the photos."""
    level = CountingSettings().confidence
    found = measure(PlantDetector(weights, cache_dir=cache, device="cpu"), photos)
    kept = int((found.scores >= level).sum())
    print(f"{name}: {kept} of {found.true} plants, F1 {found.f1(level):.4f}", flush=True)


def quantise(weights: Path, cache: Path) -> None:
    """Replace the quantised export of the weights, comparing it with full precision."""
    _nncf()
    prepare(cache)
    real = load_shared()
    photos = draw(UNSEEN, real)
    # Without one beside the weights, the export is the one in full precision.
    shutil.rmtree(QUANTISED, ignore_errors=True)
    full = exported(weights, cache)
    detector = PlantDetector(weights, cache_dir=cache, device="cpu")
    report("full precision", weights, cache, photos)
    tiles = list(tiles_of(draw(SEEDS, real), detector.side))
    put(quantised(full, tiles, detector.side), full, QUANTISED / sha256_of(weights))
    report("8-bit integers", weights, cache, photos)


def main() -> None:
    """Quantise the bundled plant weights."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, default=Path("build") / "quantising")
    quantise(bundled("plants"), parser.parse_args().cache)


if __name__ == "__main__":
    main()
