"""What a fetch takes, in which order, and that it reads no more than it must."""

import threading
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings, strategies
from sqlalchemy import text

from darkroom.accounts.models import User
from darkroom.db.sessions import Database
from darkroom.queue import rescue, runs
from darkroom.queue.calls import Call, enqueue
from darkroom.settings import QueueSettings

BACKLOG = 100_000
PAGES = 500
"""So many pages more than without the backlog may be touched; its rows alone fill 1 500."""


@pytest.fixture
def owners(database: Database) -> list[int]:
    """Three people."""
    with database.session() as session:
        people = [User(name=name, role="member") for name in ("Ana", "Ben", "Cleo")]
        session.add_all(people)
        session.flush()
        return [person.id for person in people]


def put(database: Database, owner: int, count: int, *, priority: int = 0, lane: str = "io") -> UUID:
    """A run of an owner with so many steps side by side."""
    with database.session() as session:
        run = runs.create(session, pipeline="test", title="any", owner_id=owner, priority=priority)
        enqueue(session, [Call("test.step", lane)] * count, run_id=run.id, priority=priority)
        run.open_steps = count
        return run.id


def defer(database: Database, jobs: Sequence[dict[str, Any]]) -> list[int]:
    """Jobs as procrastinate's own tools enqueue them."""
    with database.session() as session:
        return [
            session.execute(
                text(
                    "INSERT INTO procrastinate_jobs"
                    " (queue_name, task_name, priority, lock, scheduled_at)"
                    " VALUES (:lane, 'test.step', :priority, :lock,"
                    " CASE WHEN :later THEN now() + interval '1 day' END) RETURNING id"
                ),
                {"lane": "io", "priority": 0, "lock": None, "later": False, **job},
            ).scalar_one()
            for job in jobs
        ]


def put_locked(database: Database, owner: int, *, count: int) -> None:
    """So many jobs of an owner, each with a lock of its own, as deliveries to webhooks have."""
    with database.session() as session:
        session.execute(
            text(
                "WITH jobs AS ("
                " INSERT INTO procrastinate_jobs (queue_name, task_name, lock, owner_id)"
                " SELECT 'io', 'test.step', md5(concat(CAST(:owner AS integer), '/', n)), :owner"
                " FROM generate_series(1, :count) n RETURNING id)"
                " INSERT INTO steps (job_id, owner_id, name, max_attempts)"
                " SELECT id, :owner, 'test.step', 8 FROM jobs"
            ),
            {"owner": owner, "count": count},
        )


def fetch(database: Database, count: int, lane: str = "io") -> list[Any]:
    """Lease jobs, as a worker does."""
    with database.session() as session:
        worker = session.scalar(text("SELECT worker_id FROM procrastinate_register_worker_v1()"))
        fetched = session.execute(
            text("SELECT * FROM darkroom_fetch_steps_v3(:lane, :worker, 'test', :count)"),
            {"lane": lane, "worker": worker, "count": count},
        )
        return list(fetched)


def owners_of(rows: Sequence[Any]) -> list[int]:
    return [row.owner_id for row in rows]


def test_higher_priority_goes_first_whoever_owns_it(database: Database, owners: list[int]) -> None:
    ana, ben, _ = owners
    put(database, ana, 2)
    put(database, ben, 2, priority=5)

    assert [row.priority for row in fetch(database, 3)] == [5, 5, 0]


def test_owners_take_turns_when_one_job_is_fetched_at_a_time(
    database: Database, owners: list[int]
) -> None:
    ana, ben, cleo = owners
    put(database, ana, 100)
    put(database, ben, 3)
    put(database, cleo, 1)

    turns = [owner for _ in range(8) for owner in owners_of(fetch(database, 1))]

    assert turns == [ana, ben, cleo, ana, ben, ana, ben, ana]


def test_owners_take_turns_also_where_some_of_them_have_only_locked_jobs(
    database: Database, owners: list[int]
) -> None:
    ana, ben, cleo = owners
    put_locked(database, ana, count=20)
    put(database, ben, 20)
    put_locked(database, cleo, count=2)

    turns = [owner for _ in range(8) for owner in owners_of(fetch(database, 1))]

    assert turns == [ana, ben, cleo, ana, ben, cleo, ana, ben]


def test_of_one_owner_the_oldest_job_goes_first_whether_it_has_a_lock_or_not(
    database: Database, owners: list[int]
) -> None:
    ana = owners[0]
    put(database, ana, 2)
    put_locked(database, ana, count=2)
    put(database, ana, 2)

    taken = [row.id for _ in range(6) for row in fetch(database, 1)]

    assert len(taken) == 6 and taken == sorted(taken)


def test_a_batch_is_shared_among_the_owners_of_locked_and_other_jobs(
    database: Database, owners: list[int]
) -> None:
    ana, ben, cleo = owners
    put_locked(database, ana, count=25)
    put(database, ben, 60)
    put_locked(database, cleo, count=2)

    shares = owners_of(fetch(database, 16))

    assert len(shares) == 16
    assert shares.count(cleo) == 2
    assert min(shares.count(ana), shares.count(ben)) >= 5


@pytest.mark.parametrize("locks", [100, 129, 130, 131, 195, 300])
def test_no_number_of_locks_keeps_the_others_from_their_turns(
    database: Database, owners: list[int], locks: int
) -> None:
    ana, ben, cleo = owners
    put_locked(database, ana, count=locks)
    put(database, ben, locks)
    put_locked(database, cleo, count=1)

    turns = [owner for _ in range(40) for owner in owners_of(fetch(database, 1))]

    assert cleo in turns
    assert min(turns.count(ana), turns.count(ben)) >= 19


def test_a_batch_is_shared_among_the_owners_and_filled_by_who_has_more(
    database: Database, owners: list[int]
) -> None:
    ana, ben, cleo = owners
    put(database, ana, 100)
    put(database, ben, 100)
    put(database, cleo, 1)

    shares = owners_of(fetch(database, 16))

    assert len(shares) == 16
    assert shares.count(cleo) == 1
    assert min(shares.count(ana), shares.count(ben)) >= 5


def test_a_paused_lane_gives_nothing_and_the_others_go_on(
    database: Database, owners: list[int]
) -> None:
    put(database, owners[0], 1)
    put(database, owners[0], 1, lane="cpu")
    with database.session() as session:
        session.execute(text("UPDATE lanes SET paused_at = now() WHERE name = 'io'"))

    assert fetch(database, 5) == []
    assert len(fetch(database, 5, lane="cpu")) == 1


def test_the_first_fetch_starts_the_run(database: Database, owners: list[int]) -> None:
    run_id = put(database, owners[0], 2)

    fetch(database, 1)

    with database.session() as session:
        run = runs.get(session, run_id)
        assert run is not None and run.status == "running" and run.started_at is not None


def test_of_the_jobs_behind_one_lock_one_runs_at_a_time(database: Database) -> None:
    first, second = defer(database, [{"lock": "bed 7"}, {"lock": "bed 7"}])

    assert [row.id for row in fetch(database, 5)] == [first]
    assert fetch(database, 5) == []
    finish(database, first)
    assert [row.id for row in fetch(database, 5)] == [second]


def test_a_lock_that_is_held_in_another_lane_holds_here(database: Database) -> None:
    defer(database, [{"lock": "bed 7", "lane": "cpu"}, {"lock": "bed 7"}])

    fetch(database, 1, lane="cpu")

    assert fetch(database, 5) == []


def test_a_job_another_transaction_holds_is_passed_over(
    database: Database, database_url: str
) -> None:
    held, free = defer(database, [{}, {}])
    with psycopg.connect(database_url) as other:
        other.execute("SELECT FROM procrastinate_jobs WHERE id = %s FOR UPDATE", [held])

        assert [row.id for row in fetch(database, 1)] == [free]


class Rests(threading.Event):
    """Notes how long each rest would be, and ends after so many."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.asked: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.asked.append(timeout)
        return len(self.asked) == self.most


def test_more_due_jobs_than_are_promoted_at_once_are_promoted_without_a_rest(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescue, "PROMOTE_AT_ONCE", 10)
    defer(database, [{"later": True}] * 25)
    ask(database, "UPDATE procrastinate_jobs SET scheduled_at = now() RETURNING id")
    lifeline = rescue.Lifeline(database, QueueSettings(), tuple, tuple)
    rests = lifeline._stop = Rests(most=5)

    lifeline._loop()

    usual = rescue.PROMOTE_SECONDS
    assert rests.asked == [usual, 0, 0, usual, usual]
    assert len(fetch(database, 30)) == 25


JOBS = strategies.lists(
    strategies.fixed_dictionaries(
        {
            "lane": strategies.sampled_from(["io", "cpu"]),
            "priority": strategies.integers(-1, 1),
            "lock": strategies.sampled_from([None, "", "a", "b", "ü"]),
            "later": strategies.booleans(),
        }
    ),
    max_size=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(jobs=JOBS, count=strategies.integers(1, 5))
def test_a_fetch_takes_only_what_procrastinate_would_and_in_the_end_all_of_it(
    database: Database, jobs: list[dict[str, Any]], count: int
) -> None:
    with database.session() as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))
    defer(database, jobs)

    while allowed := {row.id for row in ask(database, ALLOWED)}:
        taken = [row.id for row in fetch(database, count)]

        assert taken and set(taken) <= allowed
        priorities = priorities_of(database, taken)
        assert priorities == sorted(priorities, reverse=True)
        for job_id in taken:
            finish(database, job_id)
    assert fetch(database, count) == []


ALLOWED = """
    SELECT j.id FROM procrastinate_jobs j
    WHERE j.status = 'todo' AND j.queue_name = 'io' AND j.scheduled_at IS NULL
        AND NOT EXISTS (
            SELECT 1 FROM procrastinate_jobs o
            WHERE j.lock IS NOT NULL AND o.lock = j.lock AND (
                o.status = 'doing' OR o.status = 'todo' AND (
                    o.priority > j.priority OR o.priority = j.priority AND o.id < j.id)))"""
"""Procrastinate's own condition (`procrastinate_fetch_job_v2`)."""


@pytest.mark.parametrize(
    "backlog",
    [
        "'io', 0, NULL, now() + interval '1 day'",
        "'other', 10, NULL, NULL",
        "'io', 10, 'busy', NULL",
    ],
    ids=["scheduled for tomorrow", "of another lane", "behind one busy lock"],
)
@pytest.mark.parametrize("analysed", [True, False], ids=["analysed", "fresh"])
def test_a_fetch_does_not_walk_over_a_backlog(
    database: Database, backlog: str, analysed: bool
) -> None:
    usual = pages_of_a_fetch(database)
    with database.session() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(
            text(
                "INSERT INTO procrastinate_jobs"
                " (task_name, queue_name, priority, lock, scheduled_at)"
                f" SELECT 'test.step', {backlog} FROM generate_series(1, {BACKLOG})"
            )
        )
        session.execute(
            text(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, status)"
                " VALUES ('other', 'test.step', 'busy', 'doing')"
            )
        )
    if analysed:
        with database.connect() as connection:
            connection.execute("ANALYZE procrastinate_jobs")

    assert pages_of_a_fetch(database) < usual + PAGES


def pages_of_a_fetch(database: Database) -> int:
    """Pages that a fetch of 16 jobs touches, the functions it calls included."""
    defer(database, [{}] * 32)
    fetch(database, 16)
    with database.session() as session:
        plan = session.execute(
            text(
                "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)"
                " SELECT count(*) FROM darkroom_fetch_steps_v3('io', 1, 'test', 16)"
            )
        ).scalar_one()[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def finish(database: Database, job_id: int) -> None:
    """End a fetched job."""
    ask(
        database,
        "SELECT darkroom_close_attempt_v1(id, 'succeeded', 'succeeded', NULL, true, NULL, NULL,"
        f" NULL) FROM attempts WHERE job_id = {job_id} AND finished_at IS NULL",
    )


def priorities_of(database: Database, ids: list[int]) -> list[int]:
    rows = ask(database, "SELECT id, priority FROM procrastinate_jobs")
    priorities = {row.id: row.priority for row in rows}
    return [priorities[job_id] for job_id in ids]


def ask(database: Database, query: str) -> list[Any]:
    with database.session() as session:
        return list(session.execute(text(query)).all())
