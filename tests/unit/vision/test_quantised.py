"""The bundled plants run in 8-bit integers and count as before; others run in full precision."""

import json
import platform
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from scenes.photo import make_photo

from darkroom.vision import weights
from darkroom.vision.detect import PlantDetector
from darkroom.vision.merge import overlap
from darkroom.vision.network import QUANTISED, export_of, exported

PLANTS = weights.bundled("plants")
on_x86 = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"), reason="another kind of processor"
)


def is_quantised(export: Path) -> bool:
    return "FakeQuantize" in next(export.glob("*.xml")).read_text()


def test_every_quantised_export_belongs_to_bundled_weights() -> None:
    assert [folder.name for folder in QUANTISED.iterdir()] == [weights.sha256_of(PLANTS)]


def test_a_quantised_export_says_the_same_as_its_checkpoint() -> None:
    told = json.loads((QUANTISED / weights.sha256_of(PLANTS) / "facts.json").read_text())
    assert told == json.loads(json.dumps(asdict(weights.read_facts(PLANTS))))


@on_x86
def test_bundled_plants_need_no_export_of_their_own(tmp_path: Path) -> None:
    assert is_quantised(exported(PLANTS, tmp_path))
    assert not list(tmp_path.iterdir())


def test_own_weights_run_in_full_precision(own_plants: Path, model_cache: Path) -> None:
    assert not is_quantised(exported(own_plants, model_cache))


def test_another_kind_of_processor_runs_in_full_precision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert export_of(PLANTS, tmp_path).parent == tmp_path / "openvino"


@on_x86
@pytest.mark.parametrize("seed", range(8_200_000, 8_200_003))
def test_both_precisions_find_the_same_plants(
    seed: int, detector: PlantDetector, own_plants: Path, model_cache: Path
) -> None:
    image = make_photo(seed, (1600, 1200), places=60).image
    full = PlantDetector(own_plants, cache_dir=model_cache, device="cpu").detect(image)
    ours = detector.detect(image)
    assert len(ours) == pytest.approx(len(full), rel=0.05)
    again = [overlap(box, ours.boxes, "IOU").max() > 0.8 for box in full.boxes]
    assert np.mean(again) > 0.95
