"""A database that dies, throws everybody out, or falls silent."""

from sqlalchemy import text
from sqlalchemy.engine import make_url

from tests.chaos.conftest import STALE_SECONDS, MakeTrial, impatient
from tests.chaos.proxy import proxying
from tests.chaos.server import Server
from tests.chaos.trial import Trial

LONG_OUTAGES = 0.2
DEATHS = 0.1


def test_postgres_is_killed(make_trial: MakeTrial, own_server: Server) -> None:
    trial = make_trial(own_server.url)
    trial.begin(3)
    while trial.go_on(0.5, 2.5):
        trial.note()
        own_server.kill()
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
        address = impatient(through.render_as_string(hide_password=False))
        trial.begin(2)
        cut_off = trial.fleet.start(DATABASE_URL=address)
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


def _end_all_sessions(trial: Trial) -> None:
    with trial.database.session() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
