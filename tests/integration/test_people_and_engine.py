"""What people do to jobs meets what the engine does: one meaning, no deadlock, nobody forgotten."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from darkroom.db.sessions import Database
from darkroom.errors import Cancelled, Conflict
from darkroom.queue import bulk, control, rescue, retention, settle
from darkroom.queue.calls import Call
from darkroom.queue.execute import Executor
from darkroom.queue.lane import Lane
from darkroom.queue.models import StepRow
from darkroom.queue.retention import Ages
from darkroom.queue.transaction import Transaction
from darkroom.settings import Settings
from tests.engine.floor import BACKOFF, Floor

PATIENCE = 120
WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"""
BAD = settle.Failure("Permanent", "no way")
NOW = Ages(timedelta(), timedelta(), timedelta(days=90), timedelta(days=30))


@pytest.fixture
def floor(database: Database, settings: Settings) -> Floor:
    return Floor(database, settings)


@pytest.fixture
def owner(floor: Floor) -> int:
    return floor.owner()


@pytest.fixture
def aside() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


@contextmanager
def holding(floor: Floor, query: str, *values: Any) -> Iterator[None]:
    """Somebody's transaction that holds rows until the block ends."""
    with psycopg.connect(floor.database.url) as connection:
        connection.execute(query, values)
        yield
        connection.rollback()


def wait_for_waiters(floor: Floor, count: int, *futures: Future[Any]) -> None:
    """Until so many sessions wait for another's rows."""
    with psycopg.connect(floor.database.url, autocommit=True) as connection:
        for _ in range(PATIENCE * 50):
            connection.execute("SELECT pg_sleep(0.02)")
            row = connection.execute(WAITING).fetchone()
            if row is not None and row[0] >= count:
                return
            for future in futures:
                if future.done():
                    future.result()
    raise AssertionError("nobody waits")


def act(floor: Floor, what: Callable[[Any], Any]) -> Any:
    """Do something in a transaction of its own."""
    with floor.database.session() as session:
        return what(session)


def fanned_out(floor: Floor, owner: int, children: int) -> tuple[UUID, list[int]]:
    """A run with a fan-out, and the jobs of its children."""
    first = floor.new(owner)

    def save(tx: Transaction) -> None:
        tx.fan_out([Call("test.step", "io")] * children, then=Call("test.step", "io"))

    settle.succeed(floor.database, first.lease, save)
    rows = floor.ask(
        "SELECT job_id FROM steps WHERE fan_in_id IS NOT NULL AND run_id = :run ORDER BY job_id",
        run=first.run_id,
    )
    assert first.run_id is not None
    return first.run_id, [row.job_id for row in rows]


def states(floor: Floor, jobs: list[int]) -> list[str]:
    """The jobs' states."""
    found = floor.ask("SELECT id, status::text FROM procrastinate_jobs WHERE id = ANY(:j)", j=jobs)
    by_id = {row.id: row.status for row in found}
    return [by_id[job] for job in jobs]


def run_of(floor: Floor, run_id: UUID) -> tuple[str, int]:
    """The run's status and how many of its steps are open."""
    row = floor.ask("SELECT status, open_steps FROM runs WHERE id = :id", id=run_id)[0]
    return row.status, row.open_steps


def a_run_with_a_given_up_child(floor: Floor, owner: int) -> tuple[UUID, list[int]]:
    """Three children: the first given up by a person, the others failed."""
    run_id, jobs = fanned_out(floor, owner, 3)
    act(floor, lambda session: bulk.cancel(session, jobs[:1]))
    for job in jobs[1:]:
        settle.fail(floor.database, floor.take(job).lease, BAD)
    assert run_of(floor, run_id) == ("failed", 0)
    return run_id, jobs


RETRIES: dict[str, Callable[[Any, UUID, list[int]], Any]] = {
    "of the job": lambda session, run_id, jobs: bulk.retry(session, jobs[1:2]),
    "of the step": lambda session, run_id, jobs: control.retry_step(session, jobs[1]),
}


@pytest.mark.parametrize("how", RETRIES)
def test_a_retry_from_either_page_leaves_what_a_person_gave_up(
    floor: Floor, owner: int, how: str
) -> None:
    run_id, jobs = a_run_with_a_given_up_child(floor, owner)
    act(floor, lambda session: RETRIES[how](session, run_id, jobs))
    assert states(floor, jobs) == ["cancelled", "todo", "failed"]
    assert run_of(floor, run_id) == ("running", 1)
    assert floor.one("SELECT pending FROM fan_ins") == 1


def test_a_retry_of_the_run_leaves_what_a_person_gave_up(floor: Floor, owner: int) -> None:
    run_id, jobs = a_run_with_a_given_up_child(floor, owner)
    act(floor, lambda session: control.retry(session, run_id))
    assert states(floor, jobs) == ["cancelled", "todo", "todo"]


def test_a_retry_of_a_run_takes_up_what_a_person_gave_up_if_there_is_nothing_else(
    floor: Floor, owner: int
) -> None:
    run_id, jobs = fanned_out(floor, owner, 2)
    act(floor, lambda session: bulk.cancel(session, jobs))
    act(floor, lambda session: control.retry(session, run_id))
    assert states(floor, jobs) == ["todo", "todo"]
    assert run_of(floor, run_id) == ("running", 2)


def test_the_others_go_on_without_a_running_child_that_is_cancelled(
    floor: Floor, owner: int
) -> None:
    run_id, jobs = fanned_out(floor, owner, 3)
    lease = floor.take(jobs[0]).lease
    act(floor, lambda session: bulk.cancel(session, jobs[:1]))
    settle.settle_error(floor.database, lease, Cancelled("stop"), BACKOFF)
    assert states(floor, jobs) == ["aborted", "todo", "todo"]
    assert run_of(floor, run_id) == ("pending", 2)
    leases = [floor.take(job).lease for job in jobs[1:]]
    settle.succeed_together(floor.database, [(one, None) for one in leases])
    assert floor.one("SELECT count(*) FROM steps WHERE callback_of IS NOT NULL") == 1


def test_the_others_go_on_without_a_cancelled_child_that_fails_instead_of_stopping(
    floor: Floor, owner: int
) -> None:
    run_id, jobs = fanned_out(floor, owner, 3)
    lease = floor.take(jobs[0]).lease
    act(floor, lambda session: bulk.cancel(session, jobs[:1]))
    settle.settle_error(floor.database, lease, ZeroDivisionError("oh"), BACKOFF)
    assert states(floor, jobs) == ["aborted", "todo", "todo"]
    assert run_of(floor, run_id) == ("pending", 2)


def test_a_run_whose_only_step_is_cancelled_is_cancelled(floor: Floor, owner: int) -> None:
    jobs = floor.steps(owner)
    act(floor, lambda session: bulk.cancel(session, jobs))
    assert floor.ask("SELECT status, open_steps FROM runs")[0][:] == ("cancelled", 0)


def test_a_run_whose_only_step_is_cancelled_while_it_runs_is_cancelled(
    floor: Floor, owner: int
) -> None:
    task = floor.new(owner)
    act(floor, lambda session: bulk.cancel(session, [task.lease.job_id]))
    settle.settle_error(floor.database, task.lease, Cancelled("stop"), BACKOFF)
    assert floor.ask("SELECT status, open_steps FROM runs")[0][:] == ("cancelled", 0)


def test_a_run_of_children_that_failed_or_were_cancelled_failed(floor: Floor, owner: int) -> None:
    run_id, jobs = fanned_out(floor, owner, 3)
    settle.fail(floor.database, floor.take(jobs[0]).lease, BAD)
    act(floor, lambda session: bulk.cancel(session, jobs[1:]))
    assert run_of(floor, run_id) == ("failed", 0)
    assert floor.one("SELECT error ->> 'message' FROM runs") == "no way"


def locked(floor: Floor, lock: str, jobs: list[int]) -> None:
    """The jobs share a lock; the first waits for tomorrow and holds up the others."""
    floor.do("UPDATE procrastinate_jobs SET lock = :lock WHERE id = ANY(:j)", lock=lock, j=jobs)
    floor.do(
        "UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 day' WHERE id = :id",
        id=jobs[0],
    )


WAYS_TO_LET_GO: dict[str, Callable[[Any, int, int], Any]] = {
    "cancel the job": lambda session, first, second: bulk.cancel(session, [first]),
    "discard the job": lambda session, first, second: bulk.discard(session, [first]),
    "cancel the run": lambda session, first, second: control.cancel(
        session, session.get(StepRow, first).run_id
    ),
    "lift the second": lambda session, first, second: bulk.reprioritise(session, [second], 5),
}
"""What makes the second job of a lock the first."""


@pytest.mark.parametrize("way", WAYS_TO_LET_GO)
def test_who_comes_first_in_a_lock_by_what_a_person_does_is_fetched_at_once(
    floor: Floor, owner: int, way: str
) -> None:
    first, second = floor.steps(owner)[0], floor.steps(owner)[0]
    locked(floor, "bed 7", [first, second])
    with psycopg.connect(floor.database.url, autocommit=True) as listening:
        listening.execute('LISTEN "procrastinate_queue_v1#io"')
        act(floor, lambda session: WAYS_TO_LET_GO[way](session, first, second))
        assert len(list(listening.notifies(timeout=2, stop_after=1))) == 1
    found = floor.ask(
        "SELECT f.id FROM procrastinate_register_worker_v1() w,"
        " darkroom_fetch_steps_v3('io', w.worker_id, 'w', 4) f"
    )
    assert [row.id for row in found] == [second]


def failed_long_ago(floor: Floor, owner: int) -> tuple[UUID, list[int]]:
    """A run that failed last year, with its children."""
    run_id, jobs = fanned_out(floor, owner, 2)
    for job in jobs:
        settle.fail(floor.database, floor.take(job).lease, BAD)
    floor.do("UPDATE runs SET finished_at = now() - interval '1 year'")
    floor.do("UPDATE steps SET finished_at = now() - interval '1 year'")
    floor.do("UPDATE attempts SET finished_at = now() - interval '1 year'")
    return run_id, jobs


def test_an_old_run_is_cleaned_up_while_somebody_retries_it(
    floor: Floor, owner: int, aside: ThreadPoolExecutor
) -> None:
    run_id, _ = failed_long_ago(floor, owner)
    with holding(floor, "SELECT FROM attempts FOR UPDATE"):
        cleaned = aside.submit(list, retention.delete_finished(floor.database, NOW))
        wait_for_waiters(floor, 1, cleaned)
        retried = aside.submit(act, floor, lambda session: control.retry(session, run_id))
        wait_for_waiters(floor, 2, cleaned, retried)
    cleaned.result(PATIENCE)
    assert isinstance(retried.exception(PATIENCE), Conflict)
    list(retention.delete_finished(floor.database, NOW))
    assert floor.ask("SELECT id FROM runs") == []


CHANGES: dict[str, Callable[[Any, list[int]], Any]] = {
    "reprioritise": lambda session, jobs: bulk.reprioritise(session, jobs, 7),
    "run now": bulk.run_now,
}


def steps_of(floor: Floor, owner: int, run_id: UUID) -> list[int]:
    """Two steps side by side in a run of that id."""
    jobs = floor.steps(owner, 2)
    made = floor.one("SELECT run_id FROM steps WHERE job_id = :job", job=jobs[0])
    floor.do(
        "INSERT INTO runs (id, pipeline, title, owner_id, open_steps)"
        " SELECT :id, pipeline, title, owner_id, open_steps FROM runs WHERE id = :made",
        id=run_id,
        made=made,
    )
    floor.do("UPDATE steps SET run_id = :id WHERE run_id = :made", id=run_id, made=made)
    floor.do("DELETE FROM runs WHERE id = :made", made=made)
    return jobs


@pytest.mark.parametrize("change", CHANGES)
def test_jobs_are_changed_while_their_runs_end(
    floor: Floor, owner: int, aside: ThreadPoolExecutor, change: str
) -> None:
    """One goes by the jobs' order, the other by the runs', which is the reverse here."""
    of_last = steps_of(floor, owner, UUID(int=2**128 - 1))
    [between] = floor.steps(owner)
    of_first = steps_of(floor, owner, UUID(int=1))
    floor.do("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 day'")
    jobs = [of_last[1], between, of_first[1]]
    with holding(floor, "SELECT FROM procrastinate_jobs WHERE id = %s FOR UPDATE", between):
        changed = aside.submit(act, floor, lambda session: CHANGES[change](session, jobs))
        wait_for_waiters(floor, 1, changed)
        cancelled = aside.submit(
            act, floor, lambda session: bulk.cancel(session, [of_last[0], of_first[0]])
        )
        wait_for_waiters(floor, 2, changed, cancelled)
    assert len(changed.result(PATIENCE)) == 3
    assert len(cancelled.result(PATIENCE)) == 2


def test_books_are_looked_through_by_one_process_a_minute(floor: Floor, owner: int) -> None:
    [job] = floor.steps(owner)
    assert rescue.reconcile_in_turn(floor.database) == 0
    floor.do("UPDATE procrastinate_jobs SET status = 'cancelled' WHERE id = :job", job=job)
    assert rescue.reconcile_in_turn(floor.database) == 0
    floor.do("UPDATE chores SET done_at = now() - interval '1 min'")
    with holding(floor, "SELECT FROM chores WHERE name = 'reconcile_runs' FOR UPDATE"):
        assert rescue.reconcile_in_turn(floor.database) == 0
    assert rescue.reconcile_in_turn(floor.database) == 1


def test_a_lane_that_cannot_register_stops_when_it_is_told_to(floor: Floor) -> None:
    floor.do("ALTER FUNCTION procrastinate_register_worker_v1() RENAME TO away")
    lane = Lane("io", 1, floor.database.url, Executor(floor.settings, floor.database))

    async def stop_while_it_tries() -> None:
        running = asyncio.ensure_future(lane.run())
        with psycopg.connect(floor.database.url, autocommit=True) as connection:
            while not tried(connection):
                await asyncio.sleep(0)
        lane.stop()
        await asyncio.wait_for(running, PATIENCE / 4)

    asyncio.run(stop_while_it_tries())


def tried(connection: psycopg.Connection[Any]) -> bool:
    """Whether a worker has asked for its number."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
        " AND query LIKE '%procrastinate_register_worker_v1%' AND pid <> pg_backend_pid())"
    ).fetchone()
    return row is not None and bool(row[0])
