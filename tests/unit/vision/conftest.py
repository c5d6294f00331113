"""The weights, exported once for all tests of this folder, and the scene generator."""

import sys
from pathlib import Path

import pytest
import torch

from darkroom.vision import weights
from darkroom.vision.detect import PlantDetector
from darkroom.vision.segment import ContainerSegmenter

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def detector(model_cache: Path) -> PlantDetector:
    return PlantDetector(weights.bundled("plants"), cache_dir=model_cache, device="cpu")


@pytest.fixture(scope="session")
def segmenter(model_cache: Path) -> ContainerSegmenter:
    return ContainerSegmenter(weights.bundled("containers"), cache_dir=model_cache, device="cpu")


@pytest.fixture(scope="session")
def own_plants(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A person's own checkpoint: the bundled network in a file of other bytes."""
    file = tmp_path_factory.mktemp("own") / "plants.pt"
    checkpoint = weights.load_checked(weights.bundled("plants"))
    torch.save(checkpoint | {"epoch": 1_000}, file)
    return file
