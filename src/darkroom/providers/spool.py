"""Answers that were paid for, as files: one line of facts, then the body as it came.

The file lies on this machine's disk before anything else is done with an answer, and then in the
store. Each knows all that is to be written about it, so whoever finds one needs nothing else.
"""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, Self
from uuid import UUID

from darkroom.errors import Transient
from darkroom.providers.pictures import Reply

LONGEST_FACTS = 1024 * 1024
ROOM = 256 * 1024 * 1024
MIME = "application/octet-stream"


@dataclass(frozen=True)
class Kept:
    """An answer, what it cost, and the call that brought it."""

    answer_key: str
    provider: str
    operation: str
    model: str
    reply: Reply
    cost: Decimal
    is_sandbox: bool
    call_id: UUID
    seconds: float

    def written(self) -> bytes:
        """The file."""
        reply = self.reply
        facts = {
            "answer_key": self.answer_key,
            "provider": self.provider,
            "operation": self.operation,
            "model": self.model,
            "mime": reply.mime,
            "images": reply.images,
            "tokens_in": reply.tokens_in,
            "tokens_out": reply.tokens_out,
            "facts": reply.facts,
            "cost": str(self.cost),
            "is_sandbox": self.is_sandbox,
            "call_id": str(self.call_id),
            "seconds": self.seconds,
        }
        return json.dumps(facts).encode() + b"\n" + reply.body

    @classmethod
    def read(cls, file: BinaryIO) -> Self:
        """What a file says; ValueError when it is none."""
        said = json.loads(file.readline(LONGEST_FACTS))
        reply = Reply(
            file.read(),
            said["mime"],
            said["images"],
            said["tokens_in"],
            said["tokens_out"],
            said["facts"],
        )
        return cls(
            said["answer_key"],
            said["provider"],
            said["operation"],
            said["model"],
            reply,
            Decimal(said["cost"]),
            said["is_sandbox"],
            UUID(said["call_id"]),
            said["seconds"],
        )


@dataclass(frozen=True)
class Place:
    """Where the answer of a key lies. Each installation has places of its own.

    Parameters
    ----------
    installation
        What tells its database from all others: keys begin anew in a new one.
    """

    installation: str
    answer_key: str

    @property
    def storage_key(self) -> str:
        """In the store."""
        return f"{prefix(self.installation)}{self._name[:2]}/{self._name}"

    def file(self, folder: Path) -> Path:
        """On this machine, until it is in the store."""
        return folder / f"{self.installation}-{self._name}"

    @property
    def _name(self) -> str:
        return hashlib.sha256(self.answer_key.encode()).hexdigest()


def prefix(installation: str) -> str:
    """Where an installation's answers lie in the store."""
    return f"answers/{installation}/"


def insist_on_room(folder: Path) -> None:
    """Raise `Transient` when an answer might not fit on the disk: before anything is bought."""
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < ROOM:
        raise Transient(f"The disk of {folder} is all but full, so nothing is bought.")


def write(folder: Path, place: Place, kept: Kept) -> None:
    """Put an answer on the disk, whole or not at all; it is there when this returns."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(prefix=".new-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(kept.written())
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, place.file(folder))
    except BaseException:
        os.unlink(aside)
        raise
    _sync(folder)


def find(folder: Path, place: Place) -> Kept | None:
    """The answer of a place that a killed worker left on this machine, if it did."""
    try:
        with place.file(folder).open("rb") as file:
            return Kept.read(file)
    except FileNotFoundError:
        return None


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
