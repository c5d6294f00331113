"""The database server: its version, its clock, its disk."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from sqlalchemy.engine import make_url

from darkroom.db.statements import raw
from darkroom.doctor import disk
from darkroom.doctor.findings import Finding, fail, ok, warn

SKEW_WARNS = timedelta(seconds=2)
SKEW_FAILS = timedelta(seconds=60)
HERE = {"127.0.0.1", "::1", "localhost", None, ""}

CLOCK_FIX = "Have both machines set their clocks by NTP (`timedatectl set-ntp true`)."


def examine(url: str) -> list[Finding]:
    """How the server is."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        before = datetime.now(UTC)
        row: dict[str, Any] | None = connection.execute(raw("doctor/server")).fetchone()
        after = datetime.now(UTC)
    assert row is not None
    size = f"Postgres {row['version'].split()[0]}, {disk.readable(row['bytes'])}."
    return [
        ok("database", size),
        clock(row["clock"], before, after),
        *_disk(make_url(url).host, row["folder"]),
    ]


def clock(theirs: datetime, before: datetime, after: datetime) -> Finding:
    """The server's clock, read between two readings of ours."""
    apart = theirs - (before + (after - before) / 2)
    # How long the question took is not known to better than this.
    skew = max(abs(apart) - (after - before) / 2, timedelta())
    said = f"The database's clock is {apart.total_seconds():+.1f} s off this machine's."
    if skew >= SKEW_FAILS:
        return fail("clock", said, CLOCK_FIX)
    if skew >= SKEW_WARNS:
        return warn("clock", said, CLOCK_FIX)
    return ok("clock", "The clocks of this machine and the database agree.")


def _disk(host: str | None, folder: str | None) -> list[Finding]:
    if host not in HERE or folder is None or not Path(folder).exists():
        return []
    return [disk.examine("database disk", Path(folder))]
