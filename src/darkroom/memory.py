"""The memory of this machine."""

import os
from pathlib import Path

CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")
KERNELS_WORD = Path("/proc/meminfo")


def total() -> int:
    """Bytes that this machine has, or that its container may take of them."""
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(there, int(CONTAINER_LIMIT.read_text()))
    except (OSError, ValueError):
        return there


def available() -> int | None:
    """Bytes that could still be had; None where the system does not say."""
    try:
        told = dict(line.split(":", 1) for line in KERNELS_WORD.read_text().splitlines())
    except OSError:
        return None
    return min(total(), int(told["MemAvailable"].split()[0]) * 1024)
