"""Text is read from pictures, offline, whatever their size."""

import socket
import threading
from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from scenes import anchored
from scenes.anchored import Pixels

from darkroom.vision.text import TextReader, TextRegion

LABEL = {"Jardín Botánico", "Abono orgánico 250 g", "Lote 4711"}


@pytest.fixture(scope="module")
def reader() -> TextReader:
    return TextReader()


def words(regions: Sequence[TextRegion]) -> set[str]:
    return {region.text for region in regions if region.score > 0.8 and len(region.text) > 1}


def test_a_label_with_accents_is_read_letter_for_letter(reader: TextReader) -> None:
    assert words(reader.read(anchored.picture(0))) == LABEL


def test_a_tilde_is_not_lost(reader: TextReader) -> None:
    assert "Piñón & Cía" in words(reader.read(anchored.picture(1)))


def test_regions_lie_where_the_text_is(reader: TextReader) -> None:
    pixels = np.full((500, 900, 3), 230, np.uint8)
    cv2.putText(pixels, "HELLO", (400, 300), cv2.FONT_HERSHEY_SIMPLEX, 2, (20, 20, 20), 5)
    (region,) = reader.read(pixels)
    left, top, right, bottom = *region.polygon.min(axis=0), *region.polygon.max(axis=0)
    assert 370 < left < 410 and 570 < right < 640 and 230 < top < 262 and 298 < bottom < 330


def test_regions_of_a_picture_of_8k_are_in_its_own_pixels(reader: TextReader) -> None:
    large = cv2.resize(anchored.picture(0), (7680, 5760), interpolation=cv2.INTER_CUBIC)
    small = {region.text: region.polygon for region in reader.read(anchored.picture(0))}
    found = {region.text: region.polygon for region in reader.read(np.asarray(large, np.uint8))}
    assert found.keys() >= LABEL
    for text in LABEL:
        assert np.abs(found[text] / 8 - small[text]).max() < 20


def test_text_that_runs_upwards_is_read(reader: TextReader) -> None:
    turned = np.ascontiguousarray(np.rot90(anchored.picture(0)))
    assert "Jardín Botánico" in words(reader.read(turned))


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 400, 3), (400, 3, 3)])
def test_a_picture_without_room_for_text_has_none(
    reader: TextReader, shape: tuple[int, int, int]
) -> None:
    assert reader.read(np.full(shape, 90, np.uint8)) == []


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("it went online")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert words(TextReader().read(anchored.picture(0))) == LABEL


def test_threads_share_a_reader(reader: TextReader) -> None:
    pictures: list[Pixels] = [anchored.picture(seed) for seed in range(3)]
    alone = [words(reader.read(pixels)) for pixels in pictures]
    found: dict[int, set[str]] = {}

    def read(place: int) -> None:
        found[place] = words(reader.read(pictures[place]))

    threads = [threading.Thread(target=read, args=(place,)) for place in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[place] for place in range(3)] == alone
