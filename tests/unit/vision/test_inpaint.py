"""Garbled text comes back from the original, invented text goes, nothing else is touched."""

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scenes import anchored
from scenes.anchored import Pixels

from darkroom.sandbox.pictures import light
from darkroom.vision.inpaint import mend_text
from darkroom.vision.text import TextReader

SEED = 0
RIGHT, WRONG = anchored.TEXTS[SEED][1], anchored.WRONG_TEXTS[SEED][1]
INVENTED = "FRESH SALE"
PLACE = (430, 600)


@pytest.fixture(scope="module")
def reader() -> TextReader:
    return TextReader()


@pytest.fixture(scope="module")
def original() -> Pixels:
    return anchored.picture(SEED)


def retaken(texts: Sequence[str] | None = None) -> Pixels:
    """As a model gives it back: another light, a little nearer, a little turned, softer."""
    pixels = anchored.framed(anchored.picture(SEED, texts), zoom=1.05, turn=1.5)
    return light.toned(anchored.CAREFUL["blurred"](pixels), 1.05, 1.0, 0.85)


def written(pixels: Pixels, text: str = INVENTED, at: tuple[int, int] = PLACE) -> Pixels:
    image = Image.fromarray(pixels)
    font = ImageFont.truetype(str(anchored.FONT), 46)
    ImageDraw.Draw(image).text(at, text, font=font, fill=(250, 240, 40))
    return np.asarray(image)


def words(reader: TextReader, pixels: Pixels) -> set[str]:
    return {region.text for region in reader.read(pixels) if len(region.text) > 1}


def test_a_garbled_label_reads_as_the_original_again(reader: TextReader, original: Pixels) -> None:
    garbled = retaken(anchored.WRONG_TEXTS[SEED])
    assert RIGHT not in words(reader, garbled)
    mended = mend_text(original, garbled, reader)
    assert (mended.restored, mended.removed, mended.kept) == (1, 0, 2)
    assert words(reader, mended.pixels) == set(anchored.TEXTS[SEED])


def test_what_comes_back_has_the_light_of_the_variant(reader: TextReader, original: Pixels) -> None:
    mended = mend_text(original, retaken(anchored.WRONG_TEXTS[SEED]), reader)
    right = retaken()
    changed = (mended.pixels != retaken(anchored.WRONG_TEXTS[SEED])).any(axis=2)
    difference = mended.pixels[changed].mean(axis=0) - right[changed].mean(axis=0)
    assert np.abs(difference).max() < 4


def test_nothing_outside_of_the_garbled_line_is_touched(
    reader: TextReader, original: Pixels
) -> None:
    garbled = retaken(anchored.WRONG_TEXTS[SEED])
    mended = mend_text(original, garbled, reader)
    (polygon,) = (line.polygon for line in reader.read(garbled) if "orqanizo" in line.text)
    reach = 40
    left, top = (polygon.min(axis=0) - reach).astype(int)
    right, bottom = (polygon.max(axis=0) + reach).astype(int)
    outside = np.ones(garbled.shape[:2], bool)
    outside[top:bottom, left:right] = False
    assert (mended.pixels[outside] == garbled[outside]).all()


def test_an_invented_text_is_gone(reader: TextReader, original: Pixels) -> None:
    invented = written(retaken())
    assert INVENTED in words(reader, invented)
    mended = mend_text(original, invented, reader)
    assert (mended.restored, mended.removed, mended.kept) == (0, 1, 3)
    assert words(reader, mended.pixels) == set(anchored.TEXTS[SEED])


def test_a_spared_word_stays(reader: TextReader, original: Pixels) -> None:
    marked = written(retaken())
    mended = mend_text(original, marked, reader, spared=["Fresh sale"])
    assert mended.pixels is marked
    assert mended.kept == 4


def test_where_all_text_agrees_the_variant_itself_comes_back(
    reader: TextReader, original: Pixels
) -> None:
    variant = retaken()
    mended = mend_text(original, variant, reader)
    assert mended.pixels is variant
    assert (mended.restored, mended.removed, mended.kept) == (0, 0, 3)


def test_a_text_that_was_edited_away_stays_away(reader: TextReader, original: Pixels) -> None:
    cleared = retaken(())
    assert mend_text(original, cleared, reader).pixels is cleared


def test_a_picture_of_something_else_is_left_alone_and_that_is_said(
    reader: TextReader, original: Pixels
) -> None:
    other = anchored.picture(SEED + 1)
    mended = mend_text(original, other, reader)
    assert mended.pixels is other
    assert not mended.is_aligned


def test_the_original_may_be_much_larger(reader: TextReader) -> None:
    large = np.asarray(Image.fromarray(anchored.picture(SEED)).resize((2880, 2160)))
    mended = mend_text(large, retaken(anchored.WRONG_TEXTS[SEED]), reader)
    assert mended.restored == 1
    assert words(reader, mended.pixels) == set(anchored.TEXTS[SEED])


def test_the_variant_that_came_in_is_not_changed(reader: TextReader, original: Pixels) -> None:
    garbled = retaken(anchored.WRONG_TEXTS[SEED])
    before = garbled.copy()
    mend_text(original, garbled, reader)
    assert (garbled == before).all()
