"""A database that dies, throws everybody out, or falls silent."""

import os
import signal
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url

from darkroom.db.embedded import EmbeddedPostgres
from tests.chaos.conftest import IMPATIENT, STALE_SECONDS, MakeTrial
from tests.chaos.proxy import proxying
from tests.chaos.trial import Trial

LONG_OUTAGES = 0.2
DEATHS = 0.1


def test_postgres_is_killed(make_trial: MakeTrial, own_server: EmbeddedPostgres) -> None:
    trial = make_trial(own_server.start())
    trial.begin(3)
    while trial.go_on(0.5, 2.5):
        trial.note()
        for pid in _server_processes(own_server):
            os.kill(pid, signal.SIGKILL)
        if trial.random.random() < LONG_OUTAGES:
            trial.go_on(STALE_SECONDS, 2 * STALE_SECONDS)
        own_server.start()
    trial.finish()


def test_all_sessions_are_ended_every_second(trial: Trial) -> None:
    trial.begin(3)
    while trial.go_on(1.0, 1.0):
        trial.note()
        _end_all_sessions(trial)
        if trial.random.random() < DEATHS and len(trial.fleet.working()) > 1:
            # What it held must be rescued although nobody keeps a connection for long.
            trial.fleet.kill(trial.fleet.working()[0])
            trial.fleet.start()
    trial.finish()


def test_the_network_falls_silent(trial: Trial) -> None:
    url = make_url(trial.database.url)
    with proxying(url.port) as proxy:
        through = url.set(host="127.0.0.1", port=proxy.port)
        address = through.render_as_string(hide_password=False)
        trial.begin(2)
        cut_off = trial.fleet.start(DATABASE_URL=f"{address}?{IMPATIENT}")
        while trial.go_on(0.5, 2.5):
            trial.until(lambda: cut_off in trial.busy(), "the worker behind the proxy")
            trial.note(cut_off)
            stalled = proxy.stall()
            trial.go_on(STALE_SECONDS, 2 * STALE_SECONDS)
            # Half of the time what was lost on the way arrives after all.
            if trial.random.random() < 0.5:
                for pipe in stalled:
                    pipe.flows.set()
        trial.finish()


def _server_processes(server: EmbeddedPostgres) -> list[int]:
    """The postmaster and all its children, the postmaster first."""
    data = server._folder / "data"
    postmaster = int((data / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return [postmaster, *map(int, children)]


def _end_all_sessions(trial: Trial) -> None:
    with trial.database.session() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
