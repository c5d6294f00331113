"""Faults as they are ordered and counted."""

import pytest

from darkroom.errors import Invalid
from darkroom.sandbox.faults import MOST, Fault, Faults


def befallen(
    faults: Faults, path: str = "/gemini/x", body: bytes = b"", *, count: int
) -> list[str]:
    found = [faults.take(path, body) for _ in range(count)]
    return ["" if each is None else each.kind for each in found]


def order(**given: object) -> Faults:
    faults = Faults()
    faults.add(Fault.from_json({"route": "/gemini/*", "kind": "error", **given}))
    return faults


def test_a_fault_befalls_one_request_unless_told_otherwise() -> None:
    assert befallen(order(), count=2) == ["error", ""]


def test_a_fault_lets_requests_pass_first() -> None:
    assert befallen(order(after=2, times=2), count=5) == ["", "", "error", "error", ""]


def test_a_fault_may_last_for_ever() -> None:
    assert befallen(order(times=None), count=50) == ["error"] * 50


def test_a_fault_is_for_its_route_only() -> None:
    assert befallen(order(), "/openai/x", count=1) == [""]


def test_a_fault_may_be_for_what_a_request_holds() -> None:
    faults = order(options={"containing": "gpt-image-2"})
    assert befallen(faults, body=b"model: gpt-image-1", count=1) == [""]
    assert befallen(faults, body=b"model: gpt-image-2", count=1) == ["error"]


def test_the_older_of_two_faults_comes_first() -> None:
    faults = order()
    faults.add(Fault("/gemini/*", "limit"))
    assert befallen(faults, count=3) == ["error", "limit", ""]


def test_a_cleared_fault_befalls_nobody() -> None:
    faults = order(times=None)
    assert faults.clear(faults.listing()[0].id) == 1
    assert befallen(faults, count=1) == [""]


def test_faults_that_are_over_make_room_and_others_do_not() -> None:
    faults = Faults()
    for _ in range(MOST):
        faults.add(Fault("/x", "error"))
    with pytest.raises(Invalid):
        faults.add(Fault("/x", "error"))
    befallen(faults, "/x", count=1)
    faults.add(Fault("/x", "error"))
    assert len(faults.listing()) == MOST


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": "nothing"}, "kind"),
        ({"kind": None}, "kind"),
        ({"route": "gemini"}, "route"),
        ({"times": 0}, "times"),
        ({"times": True}, "times"),
        ({"after": "soon"}, "after"),
        ({"options": {"seconds": -1}}, "seconds"),
        ({"options": {"status": 200}}, "status"),
        ({"options": {"portion": 2}}, "portion"),
        ({"options": {"colour": 1}}, "options"),
        ({"what": 1}, "The fault"),
    ],
)
def test_a_wrong_order_names_its_field(given: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        Fault.from_json({"route": "/*", "kind": "error", **given})
    assert caught.value.field == field
