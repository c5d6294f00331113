"""A variant that kept what an anchor holds fast is told from one that drifted, for each kind."""

from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest
from scenes import anchored
from scenes.anchored import Edit, Pixels

from darkroom.variants import checks
from darkroom.variants.anchors import KINDS, Anchor, Kind
from darkroom.variants.checks import Tools, check, threshold
from darkroom.vision.text import TextReader

SEED = 1
ASSET = UUID(int=7)


@pytest.fixture(scope="module")
def tools() -> Tools:
    return Tools(TextReader(), {ASSET: anchored.product(SEED)})


@pytest.fixture(scope="module")
def original() -> Pixels:
    return anchored.picture(SEED)


def held(kind: Kind, original: Pixels, variant: Pixels, tools: Tools) -> bool | None:
    found = check(Anchor(kind), original, variant, tools)
    assert found.measure is not None and found.threshold is not None
    assert found.kept is (found.measure <= found.threshold)
    return found.kept


@pytest.mark.parametrize("edit", anchored.CAREFUL.values(), ids=anchored.CAREFUL)
def test_careful_edits_keep_colours_and_composition(
    edit: Edit, original: Pixels, tools: Tools
) -> None:
    assert held("colours", original, edit(original), tools)
    assert held("composition", original, edit(original), tools)


@pytest.mark.parametrize("edit", anchored.RECOLOURED.values(), ids=anchored.RECOLOURED)
def test_other_colours_are_noticed(edit: Edit, original: Pixels, tools: Tools) -> None:
    assert held("colours", original, edit(original), tools) is False


@pytest.mark.parametrize("edit", anchored.REFRAMED.values(), ids=anchored.REFRAMED)
def test_another_composition_is_noticed(edit: Edit, original: Pixels, tools: Tools) -> None:
    assert held("composition", original, edit(original), tools) is False


def test_the_same_words_in_a_smaller_softer_picture_are_kept(
    original: Pixels, tools: Tools
) -> None:
    variant = anchored.CAREFUL["smaller"](anchored.compressed(original))
    assert held("text", original, variant, tools)


@pytest.mark.parametrize("texts", [anchored.WRONG_TEXTS[SEED], ()], ids=["garbled", "gone"])
def test_text_that_is_garbled_or_gone_is_noticed(
    texts: tuple[str, ...], original: Pixels, tools: Tools
) -> None:
    assert held("text", original, anchored.picture(SEED, texts), tools) is False


def test_a_photo_without_text_says_that_text_is_not_checked(original: Pixels, tools: Tools) -> None:
    found = check(Anchor("text"), anchored.picture(SEED, ()), original, tools)
    assert (found.kept, found.words) == (None, checks.NO_TEXT)


def test_the_reference_is_found_where_it_is_shown_and_not_where_another_is(
    original: Pixels, tools: Tools
) -> None:
    anchor = Anchor("reference", asset_id=ASSET)
    with_it = anchored.shown(anchored.product(SEED), original, SEED)
    with_another = anchored.shown(anchored.product(SEED + 1), original, SEED)
    assert check(anchor, original, with_it, tools).kept is True
    assert check(anchor, original, with_another, tools).kept is False


def test_a_reference_that_is_gone_or_plain_is_not_checked(original: Pixels, tools: Tools) -> None:
    anchor = Anchor("reference", asset_id=ASSET)
    plain = np.full((200, 200, 3), 80, np.uint8)
    gone = check(anchor, original, original, replace(tools, references={}))
    blank = check(anchor, original, original, replace(tools, references={ASSET: plain}))
    assert (gone.kept, gone.words) == (None, checks.NO_REFERENCE)
    assert (blank.kept, blank.words) == (None, checks.PLAIN_REFERENCE)


def test_identity_is_not_checked_without_a_model_for_faces(original: Pixels, tools: Tools) -> None:
    found = check(Anchor("identity"), original, original, tools)
    assert found.as_json == {
        "kind": "identity", "kept": None, "measure": None, "threshold": None,
        "words": checks.NO_FACE_MODEL,
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_stricter_anchor_allows_less(kind: Kind) -> None:
    allowed = [threshold(Anchor(kind, strictness)) for strictness in (0, 0.5, 1)]
    assert allowed == sorted(allowed, reverse=True)
    assert allowed[0] > allowed[1] > allowed[2] >= 0
