"""Whether two pictures show the same thing: on real things, and on what is no thing at all."""

from pathlib import Path

import bench_likeness
import numpy as np
import pytest
from likeness import pairs, takes
from likeness.fitting import Labelled, fitted, rates
from likeness.takes import Thing

from darkroom.catalog import likeness
from darkroom.catalog.likeness import Measures
from darkroom.errors import Invalid
from darkroom.gated.pictures import Wanting
from darkroom.settings import CatalogSettings, Settings
from darkroom.storage.images import Pixels

MOST = CatalogSettings.most_distance
FEW = ("camera_35mm", "wheel_tractor")


@pytest.fixture(scope="module")
def things() -> list[Thing]:
    return takes.load(bench_likeness.HERE / "cutouts")


@pytest.fixture(scope="module")
def made(things: list[Thing]) -> list[pairs.Pair]:
    """All pairs of a few things, which are each other's other subjects."""
    families = {thing.family for thing in things if thing.name in FEW}
    kin = [thing for thing in things if thing.family in families]
    chosen = [thing for thing in kin if thing.name in FEW]
    return [pair for thing in chosen for pair in pairs.of(thing, kin, np.random.default_rng(1))]


@pytest.mark.parametrize("kind", ["edit", "redraw"])
def test_a_thing_on_white_is_still_the_same(made: list[pairs.Pair], kind: str):
    far = [likeness.distance(p.before, p.after) for p in made if p.kind == kind]
    assert far and max(far) <= MOST


@pytest.mark.parametrize("kind", ["colour", "swap", "gone", "other"])
def test_another_thing_and_none_at_all_are_not(made: list[pairs.Pair], kind: str):
    far = [likeness.distance(p.before, p.after) for p in made if p.kind == kind]
    assert far and min(far) > MOST


def test_a_picture_is_like_itself(made: list[pairs.Pair]):
    assert likeness.distance(made[0].before, made[0].before) < 0.1


def test_the_same_pictures_are_always_as_far_from_each_other(made: list[pairs.Pair]):
    one, other = made[1].before, made[1].after
    assert likeness.distance(one, other) == likeness.distance(one, other)


@pytest.mark.parametrize(
    "picture",
    [
        np.full((300, 300, 3), 255, np.uint8),
        np.zeros((3, 900, 3), np.uint8),
        np.zeros((1, 1, 3), np.uint8),
    ],
    ids=["blank", "a line", "a pixel"],
)
def test_a_picture_without_a_thing_is_far_from_one_with(made: list[pairs.Pair], picture: Pixels):
    assert likeness.distance(made[0].before, picture) > MOST
    assert likeness.distance(picture, made[0].before) > MOST


def test_what_is_too_far_is_wanting_in_words(made: list[pairs.Pair]):
    other = next(pair for pair in made if pair.kind == "other")
    with pytest.raises(Wanting, match=r"does not seem to show the same article \(distance 0\.\d\d"):
        likeness.insist(other.before, other.after, MOST)
    assert likeness.insist(other.before, other.after, 1.0) > MOST


def test_rates_on_the_things_that_were_held_out_are_those_that_are_told():
    listed = bench_likeness.read(bench_likeness.LISTED)
    held = rates([pair for pair in listed if pair.is_held_out], MOST)
    assert (held.same, held.different) > (100, 100)
    assert held.rejected <= 0.05
    assert held.accepted <= 0.05


def test_weights_are_those_that_the_other_half_gives():
    listed = bench_likeness.read(bench_likeness.LISTED)
    found = fitted([pair for pair in listed if not pair.is_held_out])
    assert (*likeness.WEIGHTS, likeness.OFFSET) == pytest.approx(found, abs=0.01)


def test_pairs_are_listed_and_read_again(tmp_path: Path):
    pair = Labelled("a", "b", "kin", False, True, Measures(1.5, -0.25, 0.5, 0.125, 1.0))
    bench_likeness.write(tmp_path / "pairs.csv", [pair])
    assert bench_likeness.read(tmp_path / "pairs.csv") == [pair]


def test_how_far_is_too_far_is_a_setting():
    found = Settings.from_env({"DARKROOM_CATALOG_MOST_DISTANCE": "0.8"})
    assert found.catalog.most_distance == 0.8
    with pytest.raises(Invalid, match="DARKROOM_CATALOG_MOST_DISTANCE"):
        Settings.from_env({"DARKROOM_CATALOG_MOST_DISTANCE": "1.2"})
