"""LivePortrait, which its owner has checked out and set up: what it needs, and what moves a face.

It knows no sound: it moves a portrait as a recorded face moved. So its own recording of somebody
talking is put together anew, frame by frame: where the voice is loud comes a frame whose mouth is
open, where it is silent one whose mouth is closed.
"""

import pickle
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Json = dict[str, Any]

NAME = "liveportrait"
SIZE = 4 * 1024**3
"""Bytes of the device that it takes (the seed's figure)."""
FPS = 25
PROGRAM = "inference.py"
TALKING = "assets/examples/driving/talking.pkl"
WEIGHTS = (
    "liveportrait/base_models/appearance_feature_extractor.pth",
    "liveportrait/base_models/motion_extractor.pth",
    "liveportrait/base_models/spade_generator.pth",
    "liveportrait/base_models/warping_module.pth",
    "liveportrait/landmark.onnx",
    "liveportrait/retargeting_models/stitching_retargeting_module.pth",
)
_LOWER_LIP, _DOWN = 19, 1
"""The point of its 21 that moves with the jaw, and along which axis."""
_LOUD = 95
"""The percentile of the loudness at which the mouth is wide open."""
_OPEN_LIPS, _OPEN_EYES, _SHUT_EYES = 0.35, 0.35, 0.05
"""How far, as the ratio of height to width."""
_BLINKS_EVERY, _BLINK = 4 * FPS, 4
"""Frames."""


@dataclass(frozen=True)
class Wishes:
    """How a portrait is to be moved, by LivePortrait's names.

    Attributes
    ----------
    lip_zero : the mouth is closed before it begins
    eye_retargeting : eyes and mouth are set to how far they open, and nothing else moves
    stitching : the face is put back into the whole picture
    """

    lip_zero: bool = True
    eye_retargeting: bool = False
    stitching: bool = True


def missing(folder: Path) -> str | None:
    """The first file that the checkout lacks; None where it can be run."""
    weights = (f"pretrained_weights/{name}" for name in WEIGHTS)
    needed = (PROGRAM, TALKING, *weights)
    return next((name for name in needed if not (folder / name).is_file()), None)


def command(folder: Path, wishes: Wishes, source: Path, motion: Path, target: Path) -> list[str]:
    """What makes a video of the source in the target folder, run in the checkout."""
    own = folder / ".venv" / "bin" / "python"
    flags = {
        "normalize-lip": wishes.lip_zero,
        "eye-retargeting": wishes.eye_retargeting,
        "lip-retargeting": wishes.eye_retargeting,
        "stitching": wishes.stitching,
        "pasteback": wishes.stitching,
    }
    return [
        str(own) if own.is_file() else sys.executable,
        PROGRAM,
        *("--source", str(source), "--driving", str(motion), "--output-dir", str(target)),
        *(f"--flag-{name}" if is_on else f"--no-flag-{name}" for name, is_on in flags.items()),
    ]


def write_motion(folder: Path, samples: Floats, rate: int, target: Path) -> None:
    """Write the motion of a face that says what the samples (N,) of so many a second hold."""
    with (folder / TALKING).open("rb") as file:
        recorded = _Plain(file).load()
    with target.open("wb") as file:
        pickle.dump(motion(recorded, loudness(samples, rate)), file)


def loudness(samples: Floats, rate: int) -> Floats:
    """How loud each frame of the video is (M,), from 0 to 1."""
    length = rate // FPS
    count = max(1, -(-len(samples) // length))
    padded = np.zeros(count * length, np.float32)
    padded[: len(samples)] = samples
    heard = np.sqrt(np.square(padded.reshape(count, length)).mean(axis=1))
    # A mouth does not move from frame to frame.
    smooth = np.convolve(heard, np.array([0.25, 0.5, 0.25]), mode="same")
    return np.asarray(
        (smooth / max(float(np.percentile(smooth, _LOUD)), 1e-4)).clip(0, 1), np.float32
    )


def motion(recorded: Json, levels: Floats) -> Json:
    """Frames of a recording, chosen so that the mouth is as open as the voice is loud."""
    frames = recorded["motion"]
    jaw = np.array([frame["exp"][0, _LOWER_LIP, _DOWN] for frame in frames])
    by_opening = np.argsort(np.abs(jaw - jaw[0]), kind="stable")
    chosen = by_opening[(levels * (len(frames) - 1)).round().astype(int)]
    # All frames are counted from the first one.
    chosen[0] = by_opening[0]
    return {
        "n_frames": len(chosen),
        "output_fps": FPS,
        "motion": [frames[index] for index in chosen],
        "c_lip_lst": [np.array([[level * _OPEN_LIPS]], np.float32) for level in levels],
        "c_eyes_lst": [_eyes(frame) for frame in range(len(chosen))],
    }


def _eyes(frame: int) -> Floats:
    is_shut = frame % _BLINKS_EVERY >= _BLINKS_EVERY - _BLINK
    return np.full((1, 2), _SHUT_EYES if is_shut else _OPEN_EYES, np.float32)


_ARRAYS = {("numpy", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype"), ("numpy", "scalar")}


class _Plain(pickle.Unpickler):
    """Reads arrays and nothing that could run."""

    def find_class(self, module: str, name: str) -> Any:
        """What the file may name."""
        if (module.partition(".")[0], name) not in _ARRAYS:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of an array")
        return super().find_class(module, name)
