from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as some

from darkroom.counting.classes import sums


@dataclass(frozen=True)
class Row:
    id: int
    container_type: str
    total_estimated: int
    class_name: str
    plants: int
    confidence: float


def test_each_class_gets_its_plants_and_its_share_of_the_estimated() -> None:
    rows = [
        Row(1, "plug", 3, "fern", 20, 0.9),
        Row(1, "plug", 3, "moss", 10, 0.6),
        Row(2, "plug", 1, "fern", 5, 0.5),
    ]
    found = sums(rows)
    fern, moss = found["fern", "plug"], found["moss", "plug"]
    assert (fern.detected, fern.estimated) == (25, 3)
    assert (moss.detected, moss.estimated) == (10, 1)
    assert round(fern.confidence, 3) == 0.82 and round(moss.confidence, 3) == 0.6


def test_kinds_of_containers_are_kept_apart() -> None:
    rows = [Row(1, "plug", 0, "fern", 2, 0.9), Row(2, "box", 4, "fern", 3, 0.7)]
    found = sums(rows)
    assert (found["fern", "plug"].estimated, found["fern", "box"].estimated) == (0, 4)


def test_without_detections_there_are_no_classes() -> None:
    assert sums([]) == {}


@given(some.lists(some.integers(1, 50), min_size=1, max_size=5), some.integers(0, 200))
def test_all_estimated_plants_are_of_some_class(plants: list[int], estimated: int) -> None:
    rows = [Row(1, "box", estimated, str(n), count, 0.5) for n, count in enumerate(plants)]
    found = sums(rows).values()
    assert sum(one.estimated for one in found) == estimated
    assert sum(one.detected for one in found) == sum(plants)
