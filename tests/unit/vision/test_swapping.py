"""Swapped faces: what the source has is where the target has it, and all else stays."""

from pathlib import Path

import numpy as np
import pytest

from darkroom.vision import swapping
from darkroom.vision.swapping import InsightSwapper, MeshSwapper
from tests import faces
from tests.faces import Pixels

CHEEK = 117


@pytest.fixture(scope="module")
def swapper(tmp_path_factory: pytest.TempPathFactory) -> MeshSwapper:
    return MeshSwapper(faces.weights(tmp_path_factory.mktemp("weights")))


def with_spot(swapper: MeshSwapper) -> Pixels:
    """The portrait with a dark spot on a cheek."""
    pixels = faces.portrait().copy()
    [face] = swapper.faces(pixels)
    x, y = face.known[CHEEK].round().astype(int)
    pixels[y - 5 : y + 6, x - 5 : x + 6] = 20
    return pixels


def swap(swapper: MeshSwapper, source: Pixels, target: Pixels) -> Pixels:
    [face], [place] = swapper.faces(source), swapper.faces(target)
    return swapper.swap(source, face, target, place)


@pytest.mark.parametrize("times", [1, 5])
def test_a_spot_on_the_cheek_comes_along_to_the_same_place(
    swapper: MeshSwapper, times: int
) -> None:
    target = faces.portrait()[:, ::-1].repeat(times, axis=0).repeat(times, axis=1)
    made = swap(swapper, with_spot(swapper), np.ascontiguousarray(target))
    [place] = swapper.faces(np.ascontiguousarray(target))
    x, y = place.known[CHEEK].round().astype(int)
    near = slice(y - 2, y + 3), slice(x - 2, x + 3)
    assert made[near].mean() < target[near].mean() - 60


def test_a_large_face_is_swapped_as_a_small_one_is(swapper: MeshSwapper) -> None:
    target = (faces.portrait()[:, ::-1] * 0.7).astype(np.uint8)
    large = target.repeat(5, axis=0).repeat(5, axis=1)
    small = swap(swapper, with_spot(swapper), target).astype(int)
    found = swap(swapper, with_spot(swapper), large)[2::5, 2::5]
    apart = np.abs(found - small)
    assert apart.mean() < 1.2 and np.percentile(apart, 99) < 28


def test_what_is_not_the_face_stays_as_it_is(swapper: MeshSwapper) -> None:
    target = np.ascontiguousarray(faces.portrait()[:, ::-1])
    made = swap(swapper, with_spot(swapper), target)
    [place] = swapper.faces(target)
    x1, y1, x2, y2 = place.box.round().astype(int)
    inside = np.zeros(target.shape[:2], bool)
    inside[y1:y2, x1:x2] = True
    assert (made[~inside] == target[~inside]).all()
    assert np.abs(made[inside].astype(int) - target[inside]).mean() > 5


def test_a_face_at_the_edge_of_its_picture_is_swapped_as_far_as_it_is_seen(
    swapper: MeshSwapper,
) -> None:
    target = np.ascontiguousarray(faces.portrait()[:, 200:])
    made = swap(swapper, with_spot(swapper), target)
    assert made.shape == target.shape and (made != target).any()


def test_a_light_that_differs_leaves_no_seam(swapper: MeshSwapper) -> None:
    dark = (faces.portrait() * 0.5).astype(np.uint8)
    made = swap(swapper, faces.portrait(), dark)
    assert abs(made.mean() - dark.mean()) < 3


PACKAGE = {
    "insightface/__init__.py": "",
    "insightface/app.py": """
from types import SimpleNamespace
class FaceAnalysis:
    def __init__(self, **options): pass
    def prepare(self, ctx_id): pass
    def get(self, pixels):
        assert pixels[0, 0].tolist() == [30, 20, 10]
        return [SimpleNamespace(bbox=[x, 0, x + 60, 60]) for x in (100, 0)]
""",
    "insightface/model_zoo.py": """
class Swapper:
    def get(self, pixels, target, source, paste_back):
        assert paste_back and (target.bbox[0], source.bbox[0]) == (100, 0)
        made = pixels.copy()
        made[0, 0] = 3, 2, 1
        return made
def get_model(path, download):
    return Swapper()
""",
}


def test_inswapper_is_used_as_insightface_wants_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in PACKAGE.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / "models" / "buffalo_l").mkdir(parents=True)
    for name in ("inswapper_128.onnx", "buffalo_l/det_10g.onnx"):
        (tmp_path / "models" / name).touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert swapping.has_inswapper(tmp_path)
    pixels = np.tile(np.uint8([10, 20, 30]), (80, 200, 1))
    swapper = InsightSwapper(tmp_path)
    left, right = swapper.faces(pixels)
    made = swapper.swap(pixels, left, pixels, right)
    assert left.width == 60 and made[0, 0].tolist() == [1, 2, 3]


def test_there_is_no_inswapper_without_its_package_and_its_weights(tmp_path: Path) -> None:
    (tmp_path / "models" / "buffalo_l").mkdir(parents=True)
    (tmp_path / "models" / "inswapper_128.onnx").touch()
    assert not swapping.has_inswapper(tmp_path)
