"""LivePortrait's motion: the mouth follows the voice; nothing in a recording may run."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from darkroom.vision import liveportrait
from darkroom.vision.liveportrait import FPS, Wishes

RATE = 16_000


def recorded() -> dict:
    """Ten frames, in each of which the jaw is lower than in the one before."""
    frames = []
    for number in range(10):
        expression = np.zeros((1, 21, 3), np.float32)
        expression[0, 19, 1] = number / 100
        frames.append({"exp": expression, "R": np.eye(3, dtype=np.float32)[None]})
    return {"motion": frames, "n_frames": 10, "output_fps": 20}


def jaws(motion: dict) -> np.ndarray:
    return np.array([frame["exp"][0, 19, 1] for frame in motion["motion"]])


def test_the_mouth_is_open_where_the_voice_is_loud() -> None:
    samples = np.zeros(3 * RATE, np.float32)
    samples[RATE : 2 * RATE] = np.sin(np.arange(RATE) / 5)
    made = liveportrait.motion(recorded(), liveportrait.loudness(samples, RATE))
    assert (made["n_frames"], made["output_fps"], len(made["c_lip_lst"])) == (3 * FPS, FPS, 3 * FPS)
    silent, loud = jaws(made)[: FPS - 2], jaws(made)[FPS + 2 : 2 * FPS - 2]
    assert silent.max() == 0 and loud.min() > 0.06
    assert made["c_lip_lst"][FPS + 5][0, 0] > 0.2 > made["c_lip_lst"][2][0, 0]


def test_silence_moves_nothing_and_eyes_blink() -> None:
    made = liveportrait.motion(
        recorded(), liveportrait.loudness(np.zeros(10 * RATE, np.float32), RATE)
    )
    assert jaws(made).max() == 0
    shut = [eyes[0, 0] < 0.1 for eyes in made["c_eyes_lst"]]
    assert 0 < sum(shut) < len(shut) / 10


def test_the_motion_is_written_from_the_checkout_s_own_recording(tmp_path: Path) -> None:
    talking = tmp_path / "assets/examples/driving/talking.pkl"
    talking.parent.mkdir(parents=True)
    talking.write_bytes(pickle.dumps(recorded()))
    target = tmp_path / "motion.pkl"
    liveportrait.write_motion(tmp_path, np.ones(RATE, np.float32), RATE, target)
    assert pickle.loads(target.read_bytes())["n_frames"] == FPS


def test_a_recording_that_would_run_something_is_refused(tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> tuple:
            return os.mkdir, (str(tmp_path / "harm"),)

    talking = tmp_path / "assets/examples/driving/talking.pkl"
    talking.parent.mkdir(parents=True)
    talking.write_bytes(pickle.dumps({"motion": Harm()}))
    with pytest.raises(pickle.UnpicklingError):
        liveportrait.write_motion(tmp_path, np.ones(9, np.float32), RATE, tmp_path / "motion.pkl")
    assert not (tmp_path / "harm").exists()


def test_the_wishes_become_its_flags(tmp_path: Path) -> None:
    wishes = Wishes(lip_zero=False, eye_retargeting=True, stitching=False)
    command = liveportrait.command(tmp_path, wishes, tmp_path, tmp_path, tmp_path)
    assert {"--no-flag-normalize-lip", "--flag-eye-retargeting", "--no-flag-stitching"} <= set(
        command
    )


def test_what_a_checkout_lacks_is_named(tmp_path: Path) -> None:
    assert liveportrait.missing(tmp_path) == "inference.py"
    (tmp_path / "inference.py").touch()
    assert liveportrait.missing(tmp_path) == "assets/examples/driving/talking.pkl"
