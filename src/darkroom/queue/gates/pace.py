"""Paces: which one a call keeps to, and calling the next in line where no end of a call did."""

from datetime import datetime

from darkroom.db.sessions import Database
from darkroom.queue.gates.question import ask
from darkroom.settings import GateSettings


def name_of(settings: GateSettings, provider: str, pace: str | None) -> str | None:
    """The pace asked for; else the provider's own, if the settings have one.

    Raises
    ------
    ValueError
        When the settings know no pace of that name.
    """
    if pace is None:
        return provider if provider in settings.paces else None
    if pace not in settings.paces:
        raise ValueError(f"there is no pace {pace!r}: add it to DARKROOM_PACES, like {pace}=1.5")
    return pace


def pull(database: Database, *, at: datetime | None = None) -> int:
    """Call who is next in line; answers how many. For a loop; cheap when nobody waits."""
    row = ask(database, "pull", at=at)
    assert row is not None
    return int(row[0])
