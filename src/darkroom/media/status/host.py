"""The machine that the web process runs on, and what is going on in the queue."""

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from darkroom import memory
from darkroom.db.statements import statement

Json = dict[str, Any]


@dataclass(frozen=True)
class Room:
    """Bytes there are, and those that are free."""

    total: int
    free: int

    @property
    def as_json(self) -> Json:
        """As programs see it."""
        used = self.total - self.free
        share = round(100 * used / self.total, 1) if self.total else 0.0
        return {"total": self.total, "used": used, "free": self.free, "percent": share}


@dataclass(frozen=True)
class Host:
    """A machine: its system, its processors, its memory (None where it does not say), its disk."""

    system: str
    release: str
    machine: str
    python: str
    processors: int
    load: float | None
    memory: Room | None
    disk: Room


def here(home: Path) -> Host:
    """This machine; its disk is that of Darkroom's own folder."""
    disk = shutil.disk_usage(home)
    return Host(
        system=platform.system(),
        release=platform.release(),
        machine=platform.machine(),
        python=platform.python_version(),
        processors=os.cpu_count() or 1,
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        memory=_memory(),
        disk=Room(disk.total, disk.free),
    )


def _memory() -> Room | None:
    free = memory.available()
    return None if free is None else Room(memory.total(), free)


@dataclass(frozen=True)
class Work:
    """What goes on: runs and requests of the last day by what they are of, and steps by lane."""

    runs: dict[str, dict[str, int]]
    requests: dict[str, dict[str, int]]
    steps: dict[str, dict[str, int]]


def work(session: Session) -> Work:
    """What goes on now."""
    lanes = session.execute(statement("media/count_steps"))
    return Work(
        runs=_by_status(session, "count_runs"),
        requests=_by_status(session, "count_requests"),
        steps={row.lane: {"waiting": row.waiting, "running": row.running} for row in lanes},
    )


def _by_status(session: Session, query: str) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for name, status, count in session.execute(statement(f"media/{query}")):
        found.setdefault(name, {})[status] = count
    return found
