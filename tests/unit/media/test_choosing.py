"""Which face is meant: the only one, or the one that is named; refusals say what to do."""

from dataclasses import dataclass

import pytest

from darkroom.errors import Invalid
from darkroom.media.faces.choosing import chosen


@dataclass(frozen=True)
class Face:
    name: str
    width: float = 100


ONE, OTHER, TINY = Face("one"), Face("other"), Face("tiny", 20)


def test_the_only_face_is_meant() -> None:
    assert chosen([ONE], "source", None) == ONE


def test_tiny_faces_beside_it_do_not_count() -> None:
    assert chosen([TINY, ONE, TINY], "source", None) == ONE


def test_a_face_is_named_by_its_number_from_the_left() -> None:
    assert chosen([ONE, TINY, OTHER], "target", 1) == OTHER


@pytest.mark.parametrize(
    ("found", "number", "field", "code", "said"),
    [
        ([], None, "target", "no_face", "no face in target"),
        ([TINY], None, "target", "tiny_face", "20 pixels wide"),
        ([ONE, OTHER], None, "target_face", "several_faces", "There are 2 faces in target"),
        ([ONE, OTHER], 2, "target_face", "invalid", "no face 2"),
    ],
)
def test_refusals_name_the_field_and_the_fix(
    found: list[Face], number: int | None, field: str, code: str, said: str
) -> None:
    with pytest.raises(Invalid, match=said) as refusal:
        chosen(found, "target", number)
    assert (refusal.value.field, refusal.value.code) == (field, code)
