"""The worker processes that run models, as they told last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from darkroom.db.statements import statement

Json = dict[str, Any]


@dataclass(frozen=True)
class Runtime:
    """A process that runs models.

    Attributes
    ----------
    name : its host and number
    device : the name of what its models run on
    facts : what it found there: kind, title, memory (bytes), budget (bytes), packages, weights
    models : what is loaded, the one used longest ago first: name, size (bytes), in_use
    has_turn, held_since : whether it has the lease of its device; a CPU needs none
    is_wanted : whether another process waits for that
    steps : the names of the steps it is at
    """

    id: UUID
    name: str
    device: str
    facts: Json
    models: Sequence[Json]
    started_at: datetime
    beat_at: datetime
    has_turn: bool
    held_since: datetime | None
    is_wanted: bool
    steps: Sequence[str]

    @property
    def memory(self) -> Mapping[str, int | None]:
        """Of the device, in bytes: total, free; on CUDA also what the process holds of it."""
        found: Mapping[str, int | None] = self.facts["memory"]
        return found

    @property
    def loaded(self) -> int:
        """Bytes that the loaded models take."""
        return sum(model["size"] for model in self.models)

    @property
    def is_cuda(self) -> bool:
        """Whether its models run on a graphics card."""
        return bool(self.facts["kind"] == "cuda")


def living(session: Session) -> list[Runtime]:
    """Those that gave a sign of life lately, by device."""
    rows = session.execute(statement("media/live_runtimes")).mappings()
    return [Runtime(**row) for row in rows]


def has_weights(found: Sequence[Runtime], *names: str) -> bool:
    """Whether one of the processes has all these weights."""
    return any(all(each.facts["weights"].get(name) for name in names) for each in found)
