"""What a session's photos are counted with: its own settings, its product, the installation."""

from typing import Any

import numpy as np
import pytest
from scenes.looks import Look, Scene, draw

from darkroom.counting.bands import estimate
from darkroom.counting.containers import Container
from darkroom.counting.expected import learnt, parameters_of, remember
from darkroom.counting.models import Photo
from darkroom.counting.parameters import Parameters
from darkroom.counting.photo import CountedContainer, Plants
from darkroom.counting.places.models import ContainerType, DensityParameter, Product
from darkroom.counting.review.models import ConfidenceScale
from darkroom.counting.vegetation import ColourRange, Reference, reference_of
from darkroom.db.sessions import Database
from darkroom.settings import CountingSettings
from tests.integration.stocked import Nursery, counted, nursery

USUAL = CountingSettings()


@pytest.fixture
def place(database: Database) -> Nursery:
    return nursery(database)


def parameters(
    database: Database, place: Nursery, chosen: CountingSettings = USUAL, **more: Any
) -> Parameters:
    with database.session() as session:
        key = counted(session, place, 0, 0, **more)
    return parameters_of(database, Photo(session_id=key), chosen)


def with_product(database: Database, place: Nursery, **columns: Any) -> None:
    with database.session() as session:
        product = session.get_one(Product, place.product)
        for name, value in columns.items():
            setattr(product, name, value)


def with_density(database: Database, place: Nursery, kind: str | None, **columns: Any) -> None:
    with database.session() as session:
        found = session.query(ContainerType).filter_by(code=kind).one_or_none()
        key = found.id if found else None
        session.add(DensityParameter(product_id=place.product, container_type_id=key, **columns))


def test_a_product_s_colours_are_those_of_its_leaves(database: Database, place: Nursery) -> None:
    with_product(database, place, hsv_low=[160, 60, 40], hsv_high=[4, 255, 255])
    assert parameters(database, place).colours == ColourRange((160, 60, 40), (4, 255, 255))


def test_a_session_s_own_colours_come_before_the_product_s(
    database: Database, place: Nursery
) -> None:
    with_product(database, place, hsv_low=[160, 60, 40], hsv_high=[4, 255, 255])
    own = CountingSettings(hsv_low=(20, 30, 40))
    found = parameters(database, place, own, settings={"hsv_low": [20, 30, 40]})
    assert found.colours == ColourRange((20, 30, 40), USUAL.hsv_high)


def test_without_a_product_the_installation_s_settings_stand(
    database: Database, place: Nursery
) -> None:
    found = parameters(database, place, expected_product_id=None)
    assert found.colours == ColourRange(USUAL.hsv_low, USUAL.hsv_high)
    assert (found.reference, found.alpha, found.figure) == (None, 0.9, "buffered")
    assert found.plant_area_cm2 == {"plug": 50, "box": 200, "segment": 500}


def test_a_product_s_reference_bounds_the_threshold(database: Database, place: Nursery) -> None:
    with_product(database, place, colour_reference={"floor": 60, "ceiling": 95.5})
    assert parameters(database, place).reference == Reference(60, 95.5)


@pytest.mark.parametrize("stored", [{"floor": 60}, {"floor": 200, "ceiling": 20}, {"floor": "?"}])
def test_a_reference_that_makes_no_sense_is_none(
    database: Database, place: Nursery, stored: dict[str, Any]
) -> None:
    with_product(database, place, colour_reference=stored)
    assert parameters(database, place).reference is None


def test_a_product_s_density_says_how_large_its_plants_are(
    database: Database, place: Nursery
) -> None:
    with_density(database, place, None, plants_per_m2=400.0)
    with_density(database, place, "box", avg_area_per_plant_cm2=90.0)
    assert parameters(database, place).plant_area_cm2 == {"plug": 25, "box": 90, "segment": 25}


def test_the_container_that_is_expected_is_the_ruler(database: Database, place: Nursery) -> None:
    with database.session() as session:
        tray = ContainerType(code="T104", name="104", kind="plug", capacity_min=104)
        tray.capacity_max = 104
        session.add(tray)
        session.flush()
        key = tray.id
    found = parameters(database, place, expected_container_type_id=key)
    assert (found.expected_kind, found.capacity["plug"], found.capacity["box"]) == ("plug", 104, 75)


def test_the_ground_sample_distance_is_a_setting(database: Database, place: Nursery) -> None:
    settings = CountingSettings(ground_sample_cm=0.05)
    assert parameters(database, place, settings).ground_sample_cm == 0.05


def test_the_newest_fit_from_corrections_scales_the_error(
    database: Database, place: Nursery
) -> None:
    assert parameters(database, place).error_scale == 1
    with database.session() as session:
        session.add_all([ConfidenceScale(error_scale=s, containers=30) for s in (1.5, 1.25)])
    assert parameters(database, place).error_scale == 1.25


def test_a_product_without_a_reference_keeps_the_first_that_it_is_given(
    database: Database, place: Nursery
) -> None:
    assert parameters(database, place).wants_reference
    with database.session() as session:
        photo = Photo(session_id=counted(session, place, 0, 0))
        for reference in (Reference(61, 92), None, Reference(70, 99)):
            remember(session, photo, reference)
    found = parameters(database, place)
    assert (found.reference, found.wants_reference) == (Reference(61, 92), False)


def test_a_count_made_again_asks_for_no_reference(database: Database, place: Nursery) -> None:
    with database.session() as session:
        first = counted(session, place, 0, 0)
    assert not parameters(database, place, rerun_of_id=first).wants_reference


def test_many_sure_plants_say_what_colours_their_product_has() -> None:
    scene = draw(Look(seed=1))
    sure, few = (_container(scene, number) for number in (40, 10))
    asked = Parameters(wants_reference=True)
    assert learnt(scene.image, [sure], asked) == reference_of(
        scene.image, scene.boxes[:40], asked.colours
    )
    assert learnt(scene.image, [few], asked) is None
    assert learnt(scene.image, [sure], Parameters()) is None


def _container(scene: Scene, number: int) -> CountedContainer:
    height, width = scene.mask.shape
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    boxes = scene.boxes[:number]
    plants = Plants(boxes, np.full(number, 0.8), ("plant",) * number)
    none = Plants(np.zeros((0, 4)), np.zeros(0), ())
    result = estimate(scene.image, scene.mask, boxes, "box")
    return CountedContainer(Container(frame, "box", 0.9), True, plants, none, result)
