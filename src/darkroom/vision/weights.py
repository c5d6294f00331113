"""Weight files: the bundled demo weights, and those that people add by name.

A `.pt` checkpoint is a Python pickle, and loading a pickle can run code. Before anything is loaded,
the names that a file would import are read from it without running it; files that name anything
but the classes of torch and ultralytics networks are refused.
"""

import hashlib
import importlib
import os
import pickle
import re
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from darkroom.errors import Invalid

BUNDLED = Path(__file__).with_name("weights")
TASKS = {"plants": "detect", "containers": "segment"}
"""The bundled weights and what each is for; a file added under such a name must do the same."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_NETWORKS = ("torch.nn.modules.", "ultralytics.nn.", "ultralytics.utils.loss.")
_PLAIN = {
    "builtins.set",
    "builtins.slice",
    "numpy.dtype",
    "numpy.dtypes.Float64DType",
    "numpy._core.multiarray.scalar",
    "numpy.core.multiarray.scalar",
    "ultralytics.utils.IterableSimpleNamespace",
}


@dataclass(frozen=True)
class Facts:
    """What a checkpoint says about itself: its task, class names, and training image side (px)."""

    task: str
    names: tuple[str, ...]
    side: int


@dataclass(frozen=True)
class WeightFile:
    """A weight file that can be used by name."""

    name: str
    path: Path
    sha256: str
    facts: Facts
    is_bundled: bool


def bundled(name: str) -> Path:
    """The demo weights of this name; `Invalid` where there are none."""
    path = BUNDLED / f"{name}.pt"
    if name not in TASKS or not path.is_file():
        raise Invalid(f"There are no bundled weights named {name!r}.", "weights")
    return path


def resolve(name: str, weights_dir: Path) -> Path:
    """The file behind a name: one that was added, else a bundled one; else `Invalid`."""
    _check_name(name)
    added = weights_dir / f"{name}.pt"
    return added if added.is_file() else bundled(name)


def listing(weights_dir: Path) -> list[WeightFile]:
    """Every usable weight file, by name; added ones hide bundled ones of the same name."""
    found = {path.stem: path for path in sorted(BUNDLED.glob("*.pt"))}
    found |= {path.stem: path for path in sorted(weights_dir.glob("*.pt"))}
    return [
        WeightFile(name, path, sha256_of(path), read_facts(path), path.parent == BUNDLED)
        for name, path in sorted(found.items())
    ]


def add(name: str, file: Path, weights_dir: Path) -> WeightFile:
    """Copy a YOLO checkpoint into `weights_dir` under `name`, replacing one that was there.

    A checkpoint is a pickle: it is checked before it is loaded, and loaded without running code of
    its own. Add only files whose source you trust all the same.

    Raises
    ------
    Invalid
        The name is unusable, or the file is not a YOLO checkpoint of the task that name is for.
    """
    _check_name(name)
    if not file.is_file():
        raise Invalid(f"There is no file {file}.", "file")
    facts = read_facts(file)
    _check_task(name, facts)
    weights_dir.mkdir(parents=True, exist_ok=True)
    target = weights_dir / f"{name}.pt"
    handle, temporary = tempfile.mkstemp(dir=weights_dir, prefix=".adding-")
    os.close(handle)
    try:
        shutil.copyfile(file, temporary)
        digest = sha256_of(Path(temporary))
        os.replace(temporary, target)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return WeightFile(name, target, digest, facts, is_bundled=False)


def sha256_of(path: Path) -> str:
    """The file's SHA-256, hexadecimal; read again only when the file has changed."""
    told = path.stat()
    return _digest(path, told.st_ino, told.st_mtime_ns, told.st_size)


@lru_cache(maxsize=64)
def _digest(path: Path, *version: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_facts(path: Path) -> Facts:
    """What a YOLO checkpoint says about itself; `Invalid` where it is none."""
    checkpoint = load_checked(path)
    model = checkpoint.get("ema") or checkpoint.get("model")
    names = getattr(model, "names", None)
    if not names:
        raise Invalid(f"{path.name} is not a YOLO checkpoint: it holds no network.", "file")
    told = checkpoint.get("train_args") or {}
    ordered = names if isinstance(names, (list, tuple)) else [names[key] for key in sorted(names)]
    task = str(told.get("task") or getattr(model, "task", "detect"))
    return Facts(task, tuple(str(label) for label in ordered), int(told.get("imgsz", 640)))


def load_checked(path: Path) -> dict[str, Any]:
    """The checkpoint's dictionary, loaded without running any code that it brings.

    Raises
    ------
    Invalid
        The file is not a torch checkpoint, or it names classes other than a network's.
    """
    import torch

    from darkroom.vision.runtime import mend_torchvision

    mend_torchvision()
    try:
        with torch.serialization.safe_globals(_trusted(path)):
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, zipfile.BadZipFile) as error:
        raise Invalid(f"{path.name} is not a checkpoint that can be read.", "file") from error
    if not isinstance(checkpoint, dict):
        raise Invalid(f"{path.name} is not a YOLO checkpoint.", "file")
    return checkpoint


def _trusted(path: Path) -> list[Any]:
    """What the pickle would import; it is refused where one is not a network or plain."""
    import torch

    if not zipfile.is_zipfile(path):
        raise Invalid(f"{path.name} is not a torch checkpoint.", "file")
    found = []
    for name in torch.serialization.get_unsafe_globals_in_checkpoint(path):
        part = _part(name)
        if part is None:
            raise Invalid(f"{path.name} would run foreign code ({name}) and is refused.", "file")
        found.append(part)
    return found


def _part(name: str) -> Any | None:
    """What the dotted name stands for where it is harmless to call, else None."""
    module, _, label = name.rpartition(".")
    if name in _PLAIN:
        return getattr(importlib.import_module(module), label, None)
    if not name.startswith(_NETWORKS):
        return None
    found = getattr(importlib.import_module(module), label, None)
    return found if isinstance(found, type) else None


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise Invalid("A name of weights is lower-case letters, digits, - and _.", "name")


def _check_task(name: str, facts: Facts) -> None:
    wanted = TASKS.get(name)
    if facts.task not in TASKS.values() or (wanted and facts.task != wanted):
        raise Invalid(
            f"This file can {facts.task}; {name!r} needs one to {wanted or 'detect or segment'}.",
            "file",
        )
