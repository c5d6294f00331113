"""Faces and their points: found where they are, however they lie, and nowhere else."""

import numpy as np
import pytest

from darkroom.vision.landmarks import POINTS, FaceMesh, box
from tests import faces

RIGHT_EYE, LEFT_EYE, CHIN = 33, 263, 152


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> FaceMesh:
    return FaceMesh(faces.weights(tmp_path_factory.mktemp("weights")))


def test_the_points_of_a_face_lie_on_it(mesh: FaceMesh) -> None:
    [face] = mesh.faces(faces.portrait())
    assert face.points.shape == (POINTS, 2) and face.score > 0.9
    for point, place in ((RIGHT_EYE, (207, 198)), (LEFT_EYE, (321, 193)), (CHIN, (265, 333))):
        assert np.hypot(*(face.points[point] - place)) < 12


@pytest.mark.parametrize("turns", [1, 3])
def test_a_face_that_lies_on_its_side_is_found(mesh: FaceMesh, turns: int) -> None:
    [upright] = mesh.faces(faces.portrait())
    [lying] = mesh.faces(np.ascontiguousarray(np.rot90(faces.portrait(), turns)))
    tall, wide = (box(face.points)[2:] - box(face.points)[:2] for face in (upright, lying))
    np.testing.assert_allclose(wide[::-1], tall, rtol=0.1)


def test_faces_come_from_left_to_right(mesh: FaceMesh) -> None:
    one = faces.portrait()
    both = mesh.faces(np.concatenate([one, one], axis=1))
    left, right = (box(face.points) for face in both)
    np.testing.assert_allclose(right - left, [512, 0, 512, 0], atol=6)


def test_a_face_that_is_small_in_its_picture_is_found(mesh: FaceMesh) -> None:
    large = np.full((2400, 3200, 3), 120, np.uint8)
    large[1500:2100, 2400:2912] = faces.portrait()
    [face] = mesh.faces(large)
    x1, y1, x2, y2 = box(face.points)
    assert 2400 + 150 < x1 < x2 < 2400 + 380 and 1500 + 110 < y1 < y2 < 1500 + 350


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (600, 800)])
def test_there_is_no_face_in_noise(mesh: FaceMesh, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (*size, 3)).astype(np.uint8)
    assert mesh.faces(noise) == []
