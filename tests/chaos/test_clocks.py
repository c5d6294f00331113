"""Workers whose clocks are wrong: all times that count are the database's."""

from pathlib import Path

import pytest

from tests.chaos import books
from tests.chaos.trial import Trial

SKEWS = ("-1h", "+1h", "+0s")
# What worker processes say of themselves is off by their clock; no row may be.
FAR_OFF = """
    SELECT t.* FROM (
        SELECT unnest(ARRAY[started_at, finished_at]) AS at FROM attempts
        UNION ALL SELECT unnest(ARRAY[created_at, started_at, finished_at]) FROM runs
        UNION ALL SELECT unnest(ARRAY[created_at, finished_at]) FROM steps
        UNION ALL SELECT at FROM procrastinate_events
        UNION ALL SELECT scheduled_at FROM procrastinate_jobs
    ) t
    WHERE t.at NOT BETWEEN now() - interval '50 minutes' AND now() + interval '50 minutes'"""


def faketime() -> str:
    """The library that makes a process believe in another time."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        pytest.skip("libfaketime is missing: apt install libfaketime")
    return str(found[0])


def test_the_clocks_of_workers_differ(trial: Trial) -> None:
    library = faketime()
    clocks = {
        skew: {"LD_PRELOAD": library, "FAKETIME": skew, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        for skew in SKEWS
    }
    for skew in SKEWS[1:]:
        trial.fleet.start(**clocks[skew])
    trial.begin(1, **clocks[SKEWS[0]])
    while trial.go_on(0.1, 1.5):
        # One that dies, whichever its clock, is found out by others, whatever theirs.
        victim = trial.victim()
        trial.note(victim)
        trial.fleet.kill(victim)
        trial.fleet.start(**clocks[trial.random.choice(SKEWS)])
    trial.finish()
    assert not books.ask(trial.database, FAR_OFF)
