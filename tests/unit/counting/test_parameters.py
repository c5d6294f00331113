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


def test_kinds_without_a_default_use_the_density_of_the_product() -> None:
    own = Parameters(ground_sample_cm=0.5, plant_area_cm2={}, product_area_cm2=20)
    assert default_plant_area("plug", 1e6, own) == pytest.approx(80)
