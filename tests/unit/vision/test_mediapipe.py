"""The models of faces: fetched as pinned, whole, and nothing else of their package."""

from pathlib import Path

import pytest

from darkroom.errors import Permanent
from darkroom.vision import mediapipe


def test_three_models_are_fetched_and_nothing_else_stays(tmp_path: Path) -> None:
    try:
        mediapipe.fetch(tmp_path)
    except Permanent as error:
        pytest.skip(f"the models of faces cannot be had here: {error}")
    assert mediapipe.is_here(tmp_path)
    names = {path.name for path in mediapipe.folder(tmp_path).iterdir()}
    assert names == {mediapipe.NEAR, mediapipe.FAR, mediapipe.MESH}


def test_a_model_that_is_cut_short_is_as_good_as_none(tmp_path: Path) -> None:
    home = mediapipe.folder(tmp_path)
    home.mkdir()
    for name in (mediapipe.NEAR, mediapipe.FAR, mediapipe.MESH):
        (home / name).write_bytes(b"cut short")
    assert not mediapipe.is_here(tmp_path)


def test_without_an_index_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(Permanent, match="cannot be downloaded"):
        mediapipe.fetch(tmp_path)
