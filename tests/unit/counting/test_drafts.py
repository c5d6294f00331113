"""What drafts come to, and what of them is left when a photo is counted anew."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.counting.review.drafts import Changes, Draft, Plant, together
from darkroom.counting.review.rebasing import carried


def plant(x: float = 0.0) -> Plant:
    return Plant(x, 10, 8, 8, 0.9, "plant")


def add(key: str, x: float = 1) -> Draft:
    return Draft(key, "add", None, None, plant(x))


def remove(target: int | str) -> Draft:
    return Draft("r", "remove", target, plant(), None)


def move(target: int | str, x: float) -> Draft:
    return Draft("m", "move", target, plant(), plant(x))


def test_a_plant_added_and_removed_leaves_nothing():
    assert together([add("a"), move("a", 5), remove("a")]) == Changes()


def test_a_plant_added_and_moved_is_added_where_it_ended():
    assert together([add("a"), move("a", 5)]).added == {"a": plant(5)}


def test_a_plant_moved_twice_left_only_where_the_model_saw_it():
    changes = together([move(7, 5), move(7, 9)])
    assert (changes.moved, changes.left) == ({7: plant(9)}, {7: plant(0)})


def test_a_plant_moved_and_removed_is_only_removed():
    changes = together([move(7, 5), remove(7)])
    assert (changes.moved, changes.removed, changes.left) == ({}, {7}, {7: plant(0)})


STEPS = st.sampled_from(["add", "remove", "move"])


@given(st.lists(st.tuples(STEPS, st.integers(0, 5)), max_size=40))
def test_drafts_made_on_what_is_there_give_what_the_page_shows(steps: Sequence[tuple[str, int]]):
    there: dict[int | str, float] = {key: float(key) for key in range(4)}
    drafts = []
    for number, (action, which) in enumerate(steps):
        if action == "add":
            there[f"k{number}"] = number
            drafts.append(add(f"k{number}", number))
        elif there:
            key = list(there)[which % len(there)]
            if action == "remove":
                del there[key]
                drafts.append(remove(key))
            else:
                there[key] = number
                drafts.append(move(key, number))
    changes = together(drafts)
    shown = {key: float(key) for key in range(4) if key not in changes.removed}
    shown |= {key: moved.center_x for key, moved in changes.moved.items()}
    shown |= {key: added.center_x for key, added in changes.added.items()}
    assert shown == there


def boxes(*middles: float) -> np.ndarray:
    return np.array([[x - 4, 0, x + 4, 8] for x in middles], float).reshape(-1, 4)


@pytest.mark.parametrize(
    ("wanted", "unwanted", "found", "add_places", "remove_places"),
    [
        ((10,), (), (), [0], []),
        ((10,), (), (11,), [], []),
        ((), (10,), (11, 50), [], [0]),
        ((), (10,), (50,), [], []),
        ((10,), (10,), (11,), [], []),
        ((10, 90), (50,), (10, 50, 70), [1], [1]),
    ],
)
def test_corrections_are_carried_over_to_other_boxes(
    wanted, unwanted, found, add_places, remove_places
):
    carried_over = carried(boxes(*wanted), boxes(*unwanted), boxes(*found))
    assert carried_over == (add_places, remove_places)
