"""Room on disks."""

import shutil
from pathlib import Path

from darkroom.doctor.findings import Finding, fail, ok, warn

FAILS_BELOW = 512 * 1024**2
WARNS_BELOW = 4 * 1024**3
WARNS_BELOW_PART = 0.05

FIX = "Make room there, or keep things for a shorter time (the DARKROOM_KEEP_… settings)."


def examine(subject: str, folder: Path) -> Finding:
    """How much room the folder's disk has left."""
    usage = shutil.disk_usage(folder)
    return room(subject, folder, usage.free, usage.total)


def room(subject: str, folder: Path, free: int, total: int) -> Finding:
    """What to think of so many bytes left of so many."""
    said = f"{readable(free)} of {readable(total)} are free at {folder}."
    if free < FAILS_BELOW:
        return fail(subject, said, FIX)
    if free < WARNS_BELOW or free < total * WARNS_BELOW_PART:
        return warn(subject, said, FIX)
    return ok(subject, said)


def readable(count: float) -> str:
    """Bytes for people: 3.2 GB."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1024
    return f"{count:.3g} TB"
