"""The real tray of `../shared/photos`, seen in training: 19 plants in two trays."""

import cv2
import numpy as np
import pytest

from darkroom.vision.detect import Image, PlantDetector
from darkroom.vision.segment import ContainerSegmenter

from .conftest import ROOT

PICTURE = ROOT.parent / "shared" / "photos" / "tray" / "arabidopsis_tray_A.jpg"


@pytest.fixture(scope="module")
def tray() -> Image:
    if not PICTURE.is_file():
        pytest.skip("no ../shared/photos beside the repository")
    return np.ascontiguousarray(cv2.imread(str(PICTURE))[..., ::-1])


def test_the_real_tray_is_counted(detector: PlantDetector, tray: Image) -> None:
    assert abs(len(detector.detect(tray)) - 19) <= 1


def test_both_trays_are_found_and_hold_every_plant(
    detector: PlantDetector, segmenter: ContainerSegmenter, tray: Image
) -> None:
    found = segmenter.segment(tray)
    boxes = detector.detect(tray, confidence=0.6).boxes
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    assert [item.kind for item in found] == ["plug", "plug"]
    for x, y in centres.tolist():
        assert any(cv2.pointPolygonTest(item.polygon, (x, y), False) >= 0 for item in found)
