import pytest

from darkroom.counting.parameters import Parameters, default_plant_area


def test_default_areas_are_square_centimetres() -> None:
    known = Parameters(ground_sample_cm=0.1)
    assert default_plant_area("plug", 1e6, known) == pytest.approx(50 * 100)
    assert default_plant_area("box", 1e6, known) == pytest.approx(200 * 100)
    assert default_plant_area("segment", 1e6, known) == pytest.approx(500 * 100)


def test_without_a_ground_sample_distance_the_container_is_the_ruler() -> None:
    assert default_plant_area("box", 75_000, Parameters()) == pytest.approx(1000)


def test_the_default_grows_with_the_resolution_of_the_photo() -> None:
    small, large = (default_plant_area("box", area, Parameters()) for area in (1e5, 4e5))
    assert large == pytest.approx(4 * small)


def test_a_container_type_s_own_capacity_is_the_ruler() -> None:
    roomy = Parameters(capacity={"plug": 10, "box": 150, "segment": 10})
    assert default_plant_area("box", 75_000, roomy) == pytest.approx(500)
