import pytest

from darkroom.errors import Invalid
from darkroom.publishing.fields import PostType, edited_gallery, targets

PLANS = PostType("planessemanales", ("foto", "foto_2", "foto_3"), "galeria")


def names(wanted: str | None, n: int) -> list[str]:
    return [target.field for target in targets(PLANS, wanted, n)]


def test_one_picture_goes_to_the_first_field() -> None:
    assert names(None, 1) == ["foto"]


def test_several_go_to_the_fields_that_follow_the_one_asked_for() -> None:
    assert names("foto_2", 2) == ["foto_2", "foto_3"]


def test_more_than_there_are_fields_go_to_the_gallery() -> None:
    found = targets(PLANS, None, 4)
    assert [(each.field, each.in_gallery) for each in found] == [("galeria", True)] * 4


def test_a_gallery_that_is_asked_for_takes_all() -> None:
    assert names("galeria", 2) == ["galeria", "galeria"]


def test_a_field_that_is_not_set_up_takes_one() -> None:
    assert names("portada", 1) == ["portada"]
    with pytest.raises(Invalid, match="has 1 fields"):
        names("portada", 2)


def test_an_edited_picture_takes_the_place_of_its_source() -> None:
    assert edited_gallery([1, 2, 3], [9], 2) == [1, 9, 3]


def test_an_edited_picture_joins_at_the_end() -> None:
    assert edited_gallery([1, 2], [9], None) == [1, 2, 9]


@pytest.mark.parametrize("replaced", [2, None])
def test_the_same_edit_again_changes_nothing(replaced: int | None) -> None:
    once = edited_gallery([1, 2, 3], [9], replaced)
    assert edited_gallery(once, [9], replaced) == once


def test_a_source_that_somebody_took_out_leaves_the_new_one_at_the_end() -> None:
    assert edited_gallery([1, 3], [9], 2) == [1, 3, 9]


def test_a_gallery_may_show_whole_records_or_nothing() -> None:
    assert edited_gallery([{"ID": 1}, {"id": 2}], [9], None) == [1, 2, 9]
    assert edited_gallery(False, [9], None) == [9]
