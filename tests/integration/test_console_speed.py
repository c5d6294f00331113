"""The console's questions among many jobs: none reads a large table, whatever the backlog is."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from darkroom.console import dashboards, search
from darkroom.console.filters import JobFilter
from darkroom.db.sessions import Database, driver
from darkroom.queue import rollups
from darkroom.settings import ROOT

JOBS = 100_000
CROWD = ROOT / "tests" / "engine" / "crowd.sql"
LARGE = {"procrastinate_jobs", "procrastinate_events", "steps", "attempts", "runs"}
MINUTES = (60, 10_080)

AS_IT_IS = ""
LOPSIDED = """
    UPDATE procrastinate_jobs
    SET status = 'todo', queue_name = 'gpu', scheduled_at = now() + id * interval '1 s'
    WHERE id <= 40000;
    UPDATE procrastinate_jobs SET status = 'todo', queue_name = 'gpu', lock = 'bed ' || id % 2000
    WHERE id BETWEEN 40001 AND 70000;
    UPDATE steps SET finished_at = NULL, error = NULL WHERE job_id <= 70000"""
BACKLOGS = {"a tenth waits": AS_IT_IS, "one lane is full of what must wait": LOPSIDED}
NOT_VACUUMED = """
    UPDATE pg_class SET relallvisible = 0 WHERE relname IN ('procrastinate_jobs', 'attempts')"""


@pytest.fixture(scope="module")
def crowd(make_database: Callable[[], Any]) -> Iterator[Database]:
    """A week of jobs, rolled up but for the last moment."""
    with make_database() as url:
        database = Database(url, pool_size=1)
        with database.connect() as connection:
            connection.execute(f"SET darkroom.jobs = {JOBS}")
            connection.execute(CROWD.read_bytes())
        rollups.roll_up(database)
        yield database
        database.close()


@pytest.fixture(scope="module", params=BACKLOGS)
def backlog(crowd: Database, request: pytest.FixtureRequest) -> Database:
    """The same with a backlog of some kind."""
    with crowd.connect() as connection:
        if BACKLOGS[request.param]:
            connection.execute(BACKLOGS[request.param].encode())
        connection.execute("VACUUM ANALYZE")
    return crowd


def explained(session: Session, statement: str) -> dict[str, Any]:
    """The plan of a statement without parameters."""
    row = driver(session).execute(f"EXPLAIN (FORMAT JSON) {statement}".encode()).fetchone()
    assert row is not None
    plan: dict[str, Any] = row[0][0]["Plan"]
    return plan


def read_whole(plan: dict[str, Any]) -> set[str]:
    """The large tables that a plan reads from their beginning to their end."""
    own = {plan["Relation Name"]} if plan["Node Type"] == "Seq Scan" else set()
    return (own & LARGE).union(*(read_whole(part) for part in plan.get("Plans", [])))


@pytest.mark.parametrize("name", dashboards.names())
def test_no_dashboard_reads_a_large_table(backlog: Database, name: str) -> None:
    dashboard = dashboards.load(name)
    for minutes in MINUTES if dashboard.has_period else MINUTES[:1]:
        for before in ("", NOT_VACUUMED):
            with backlog.session() as session:
                session.execute(text(before or "SELECT 1"))
                session.execute(text(f"SET LOCAL darkroom.minutes = {minutes}"))
                session.execute(text("SET LOCAL max_parallel_workers_per_gather = 0"))
                plan = explained(session, dashboard.statement)
                assert read_whole(plan) == set(), (minutes, before)
                session.rollback()


def plans_of(database: Database, ask: Callable[[Session], object]) -> list[dict[str, Any]]:
    """The plans of the statements that look for jobs, in the order they are asked."""
    plans = []

    def explain(_conn: Any, cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        if "procrastinate_jobs.id >= " in statement:
            beside = cursor.connection.cursor()
            beside.execute(f"EXPLAIN (FORMAT JSON) {statement}", values)
            plans.append(beside.fetchone()[0][0]["Plan"])

    event.listen(database.engine, "before_cursor_execute", explain)
    try:
        with database.session() as session:
            search.be_careful(session)
            ask(session)
    finally:
        event.remove(database.engine, "before_cursor_execute", explain)
    return plans


def indexes_of(plan: dict[str, Any]) -> set[str]:
    """The indexes that a plan uses."""
    own = {plan["Index Name"]} if "Index Name" in plan else set()
    return own.union(*(indexes_of(part) for part in plan.get("Plans", [])))


def wanted(query: str) -> JobFilter:
    return JobFilter.parse([("text", query)])


@pytest.mark.parametrize(
    "query",
    [
        "",
        "state:failed",
        "state:scheduled",
        "state:running",
        "lane:gpu",
        "error:Permanent",
        "owner:7",
        "finished_after:1d",
        "created_before:6d",
        "args.photo_id:12",
    ],
)
def test_a_page_of_jobs_is_found_without_reading_a_large_table(
    backlog: Database, query: str
) -> None:
    asked = wanted(query)
    plans = plans_of(backlog, lambda db: search.page(db, asked, seconds=60, clock=lambda: 0))
    assert plans
    for plan in plans:
        assert read_whole(plan) == set()


def test_what_failed_lately_is_found_by_an_index_over_time(backlog: Database) -> None:
    asked = wanted("state:failed finished_after:2h")
    plans = plans_of(backlog, lambda db: search.count(db, asked, seconds=60, clock=lambda: 0))
    for plan in plans:
        assert indexes_of(plan) & {"attempts_wrong_idx", "attempts_finished_idx"}
