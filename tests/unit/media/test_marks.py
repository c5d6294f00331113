"""The mark of what a machine made, as others read it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darkroom.media import marks, sound
from darkroom.media.marks import Mark

MARK = Mark(marks.GENERATED_IN_PART, "an <engine>")
CODE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


def picture(path: Path, kind: str) -> np.ndarray:
    pixels = np.random.default_rng(1).integers(0, 255, (40, 60, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(path, kind)
    return np.asarray(Image.open(path))


@pytest.mark.parametrize(
    ("kind", "mime", "name"),
    [("JPEG", marks.JPEG, "xmp"), ("PNG", marks.PNG, "XML:com.adobe.xmp")],
)
def test_a_picture_is_marked_and_stays_the_same(
    tmp_path: Path, kind: str, mime: str, name: str
) -> None:
    path = tmp_path / "picture"
    before = picture(path, kind)
    marks.embed(path, mime, MARK)
    with Image.open(path) as image:
        image.load()
        found = image.info[name]
        said = found.decode() if isinstance(found, bytes) else found
        assert CODE in said and "Darkroom (an &lt;engine&gt;)" in said
        assert (np.asarray(image) == before).all()


def test_a_video_is_marked_and_still_plays(make: Callable[..., Path]) -> None:
    path = make()
    before = sound.look_at(path)
    marks.embed(path, marks.MP4, MARK)
    assert sound.look_at(path) == before
    assert CODE.encode() in path.read_bytes()


def test_the_visible_mark_lies_in_the_lower_right_corner() -> None:
    pixels = np.full((400, 600, 3), 90, np.uint8)
    changed = (marks.drawn(pixels) != pixels).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert rows.min() > 360 and columns.min() > 550
    assert marks.drawn(pixels).max() > 240
