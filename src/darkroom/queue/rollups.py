"""Minute rollups: what ended, minute by minute, so that no dashboard has to read finished attempts.

Workers roll up what ended every few seconds, by turns (see `rescue`); a cron step calls `roll_up`
each minute. Every attempt is counted once: the rows and how far they reach are written in one
transaction. After a pause (no worker ran) a call catches up hour by hour, each in a transaction of
its own; a crash between two of them loses nothing.
"""

from collections.abc import Callable
from datetime import timedelta

from darkroom.db.sessions import Database
from darkroom.db.statements import statement


def roll_up(database: Database, checkpoint: Callable[[], None] | None = None) -> int:
    """Roll up all that ended; answers how many attempts that were.

    Parameters
    ----------
    checkpoint
        Called after each hour that was rolled up; raises to end early.
    """
    rolled = 0
    while found := _roll_up_an_hour(database):
        rolled += found
        if checkpoint is not None:
            checkpoint()
    return rolled


def forget(database: Database, age: timedelta) -> int:
    """Delete the rollups of minutes older than that; answers how many rows."""
    with database.session() as session:
        answer = session.execute(statement("rollups/forget"), {"seconds": age.total_seconds()})
        return int(answer.scalar_one())


def _roll_up_an_hour(database: Database) -> int:
    with database.session() as session:
        return int(session.execute(statement("rollups/roll_up")).scalar_one())
