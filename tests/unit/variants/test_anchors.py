"""Smart Anchors are read from JSON with errors that name the field; each has its clause."""

import pytest
from jsonschema import Draft202012Validator

from darkroom.errors import Invalid
from darkroom.variants.anchors import (
    KINDS,
    SCHEMA,
    SCHEMAS,
    Anchor,
    Json,
    Kind,
    clause,
    parse,
    references,
)

ASSET = "6d7ad5a4-9d3c-4f35-9d55-3f7a3fd8f6a1"
EVERY: list[Json] = [
    {"kind": "identity"},
    {"kind": "text", "strictness": 1},
    {"kind": "colours", "strictness": 0},
    {"kind": "composition", "strictness": 0.25},
    {"kind": "reference", "asset_id": ASSET, "strictness": 0.9},
]
WRONG: list[tuple[object, str]] = [
    ({"kind": "text"}, "smart_anchors"),
    (["text"], "smart_anchors[0]"),
    ([{"kind": "text"}, {"kind": "mood"}], "smart_anchors[1].kind"),
    ([{"strictness": 1}], "smart_anchors[0].kind"),
    ([{"kind": ["text"]}], "smart_anchors[0].kind"),
    ([{"kind": "text", "strictness": 1.1}], "smart_anchors[0].strictness"),
    ([{"kind": "text", "strictness": True}], "smart_anchors[0].strictness"),
    ([{"kind": "text", "strictness": "high"}], "smart_anchors[0].strictness"),
    ([{"kind": "text", "strictness": None}], "smart_anchors[0].strictness"),
    ([{"kind": "text", "asset_id": ASSET}], "smart_anchors[0].asset_id"),
    ([{"kind": "text", "colour": "red"}], "smart_anchors[0].colour"),
    ([{"kind": "reference"}], "smart_anchors[0].asset_id"),
    ([{"kind": "reference", "asset_id": "photo"}], "smart_anchors[0].asset_id"),
    ([{"kind": "text"}, {"kind": "text"}], "smart_anchors[1].kind"),
]


def test_every_kind_is_read_and_given_back() -> None:
    anchors = parse(EVERY)
    assert [anchor.kind for anchor in anchors] == list(KINDS)
    assert anchors[0].strictness == 0.5
    assert parse([anchor.as_json for anchor in anchors]) == anchors


def test_no_anchors_are_fine() -> None:
    assert parse([]) == ()


@pytest.mark.parametrize(("given", "field"), WRONG)
def test_an_error_names_the_field(given: object, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(given)
    assert caught.value.field == field
    assert caught.value.message.startswith(field.partition(".")[0])


def test_an_error_names_the_field_of_the_list_that_was_given() -> None:
    with pytest.raises(Invalid) as caught:
        parse([{"kind": "mood"}], "batch_config[2].smart_anchors")
    assert caught.value.field == "batch_config[2].smart_anchors[0].kind"


@pytest.mark.parametrize("given", [given for given, _ in WRONG[:-2]])
def test_the_schema_refuses_what_parsing_refuses(given: object) -> None:
    assert not Draft202012Validator(SCHEMA).is_valid(given)


def test_the_schema_takes_every_kind() -> None:
    assert Draft202012Validator(SCHEMA).is_valid(EVERY)
    assert set(SCHEMAS) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stricter_anchor_asks_for_more(kind: Kind) -> None:
    assert "roughly" in clause(Anchor(kind, 0))
    assert "closely" in clause(Anchor(kind))
    assert "exactly" in clause(Anchor(kind, 1))


def test_only_a_reference_adds_a_picture() -> None:
    assert [str(asset) for asset in references(parse(EVERY))] == [ASSET]
