"""A database and workers for each scenario; at the end of the report, what they measured."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from darkroom.db import migrate
from darkroom.db.sessions import Database
from tests.chaos import figures
from tests.chaos.desk import Desk
from tests.chaos.fleet import Fleet
from tests.chaos.outside import listening
from tests.chaos.plans import CAPPED, PACED
from tests.chaos.server import Server, serving
from tests.chaos.trial import Trial
from tests.conftest import database_of

SIZE = int(os.environ.get("CHAOS_RUNS", "8"))
SEED = os.environ.get("CHAOS_SEED") or secrets.token_hex(4)

STALE_SECONDS = 2.5
ENGINE = {
    "DARKROOM_POLL_SECONDS": "1",
    "DARKROOM_HEARTBEAT_SECONDS": "0.5",
    "DARKROOM_STALE_SECONDS": str(STALE_SECONDS),
    "DARKROOM_RESCUE_SECONDS": "0.5",
    "DARKROOM_GRACE_SECONDS": "1",
    "DARKROOM_BACKOFF_SECONDS": "0.05",
    "DARKROOM_BACKOFF_CAP_SECONDS": "0.5",
    "DARKROOM_LANE_CPU": "2",
    "DARKROOM_PACES": f"{PACED}=0.05",
    "DARKROOM_MAX_CALLS": f"{CAPPED}=2",
    "DARKROOM_BREAKER_FAILURES": "3",
    "DARKROOM_BREAKER_OPEN_SECONDS": "0.5",
    "DARKROOM_BREAKER_OPEN_SECONDS_OF": "storage=0.5",
    "DARKROOM_BREAKER_CAP_SECONDS": "1",
}
IMPATIENT = (
    "connect_timeout=2&tcp_user_timeout=2000&options=-c%20idle_in_transaction_session_timeout%3D2s"
)

MakeTrial = Callable[..., Trial]


def impatient(url: str) -> str:
    """The database for workers that must notice its silence, and it theirs, sooner than in life."""
    return f"{url}{'&' if '?' in url else '?'}{IMPATIENT}"


@pytest.fixture
def make_trial(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeTrial]:
    """Makes the test's scenario on a migrated (or older) database."""
    with ExitStack() as stack:

        def make(url: str, **options: object) -> Trial:
            name = request.node.name.removeprefix("test_")
            outside = stack.enter_context(listening())
            database = Database(url)
            stack.callback(database.close)
            environ = {
                **ENGINE,
                "DATABASE_URL": impatient(url),
                "DARKROOM_HOME": str(tmp_path / "home"),
                "CHAOS_OUTSIDE": outside.url,
            }
            fleet = Fleet(tmp_path, environ)
            stack.callback(fleet.end)
            _prepare(database)
            given = {"desk": Desk(database), "size": SIZE, **options}
            return Trial(name, database, fleet, outside, seed=f"{SEED} {name}", **given)

        yield make


def _prepare(database: Database) -> None:
    with database.session() as session:
        session.execute(
            text(
                "CREATE TABLE effects (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
                "key text NOT NULL, attempt_id bigint NOT NULL, receipt text NOT NULL)"
            )
        )


@pytest.fixture
def trial(make_trial: MakeTrial, database_url: str) -> Trial:
    """A scenario on the tests' own server."""
    return make_trial(database_url)


@pytest.fixture
def empty_url(server_url: str) -> Iterator[str]:
    """A database of the tests' own server without a schema."""
    name = f"darkroom_chaos_{os.getpid()}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        yield database_of(server_url, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that the test may kill, with a migrated database."""
    with serving() as server:
        migrate.migrate(server.url)
        yield server


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table of the scenarios, and the seed that repeats them."""
    if not figures.REPORTS:
        return
    terminalreporter.section(f"chaos, CHAOS_SEED={SEED}: recovery times in seconds")
    terminalreporter.line(figures.heading())
    for report in figures.REPORTS:
        terminalreporter.line(report.line())
