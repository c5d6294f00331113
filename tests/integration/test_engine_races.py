"""Transactions of the engine that meet: each gets what it came for, and none is deadlocked."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from darkroom.db.sessions import Database
from darkroom.errors import Conflict, Permanent
from darkroom.queue import bulk, control, rescue, settle
from darkroom.queue.calls import Call
from darkroom.queue.transaction import Transaction
from darkroom.settings import Settings
from tests.engine.floor import BACKOFF, Floor

PATIENCE = 120
WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"""


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
def holding(database: Database, query: str, *values: Any) -> Iterator[None]:
    """Somebody's transaction that holds rows until the block ends."""
    with psycopg.connect(database.url) as connection:
        connection.execute(query, values)
        yield
        connection.rollback()


def wait_for_waiters(database: Database, count: int, *futures: Future[Any]) -> None:
    """Until so many sessions wait for another's rows."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        for _ in range(PATIENCE * 50):
            connection.execute("SELECT pg_sleep(0.02)")
            row = connection.execute(WAITING).fetchone()
            if row is not None and row[0] >= count:
                return
            for future in futures:
                if future.done():
                    future.result()
    raise AssertionError("nobody waits")


def acting(database: Database, act: Callable[[Any], Any]) -> Callable[[], Any]:
    def in_a_transaction() -> Any:
        with database.session() as session:
            return act(session)

    return in_a_transaction


def fetch(floor: Floor, count: int) -> list[Any]:
    """Lease jobs, as a worker does."""
    worker = floor.one("SELECT worker_id FROM procrastinate_register_worker_v1()")
    return floor.ask(
        "SELECT * FROM darkroom_fetch_steps_v3('io', :worker, 'test', :count)",
        worker=worker,
        count=count,
    )


def fanned_out(
    floor: Floor, owner: int, children: int, fan_outs: int = 1
) -> tuple[UUID, list[int]]:
    """A run with fan-outs, and the jobs of all the children."""
    first = floor.new(owner)

    def save(tx: Transaction) -> None:
        for _ in range(fan_outs):
            tx.fan_out([Call("test.step", "io")] * children, then=Call("test.step", "io"))

    settle.succeed(floor.database, first.lease, save)
    rows = floor.ask("SELECT job_id FROM steps WHERE fan_in_id IS NOT NULL ORDER BY job_id")
    return first.run_id, [row.job_id for row in rows]


def test_children_that_end_at_once_in_two_groups_call_back_once(
    floor: Floor, owner: int, aside: ThreadPoolExecutor
) -> None:
    run_id, jobs = fanned_out(floor, owner, 5)
    leases = [floor.take(job).lease for job in jobs]
    with holding(floor.database, "SELECT FROM runs WHERE id = %s FOR NO KEY UPDATE", run_id):
        ends = [
            aside.submit(settle.succeed_together, floor.database, [(one, None) for one in group])
            for group in (leases[:2], leases[2:])
        ]
        wait_for_waiters(floor.database, 2, *ends)
    for end in ends:
        assert set(end.result(PATIENCE).values()) == {"held"}
    assert floor.one("SELECT pending FROM fan_ins") == 0
    assert floor.one("SELECT count(*) FROM steps WHERE callback_of IS NOT NULL") == 1
    assert floor.one("SELECT open_steps FROM runs") == 1


def test_the_last_children_of_several_fan_outs_fail_at_once_in_two_groups(
    floor: Floor, owner: int, aside: ThreadPoolExecutor
) -> None:
    run_id, jobs = fanned_out(floor, owner, 2, fan_outs=2)
    leases = [floor.take(job).lease for job in jobs]
    bad = settle.Failure("Permanent", "no way")
    settle.fail(floor.database, leases[0], bad)
    with holding(floor.database, "SELECT FROM runs WHERE id = %s FOR NO KEY UPDATE", run_id):
        ends: list[Future[Any]] = [
            aside.submit(settle.fail, floor.database, leases[1], bad),
            aside.submit(
                settle.succeed_together, floor.database, [(one, None) for one in leases[2:]]
            ),
        ]
        wait_for_waiters(floor.database, 2, *ends)
    for end in ends:
        end.result(PATIENCE)
    run = floor.ask("SELECT status, open_steps FROM runs")[0]
    assert (run.status, run.open_steps) == ("failed", 0)


def test_a_run_is_cancelled_while_a_step_fails_it(
    floor: Floor, owner: int, aside: ThreadPoolExecutor
) -> None:
    first, _ = floor.steps(owner, 2)
    task = floor.take(first)
    with holding(floor.database, "SELECT FROM runs WHERE id = %s FOR NO KEY UPDATE", task.run_id):
        failed = aside.submit(
            settle.fail, floor.database, task.lease, settle.Failure("Permanent", "no way")
        )
        wait_for_waiters(floor.database, 1, failed)
        cancelled = aside.submit(
            acting(floor.database, lambda session: control.cancel(session, task.run_id))
        )
        wait_for_waiters(floor.database, 2, cancelled, failed)
    failed.result(PATIENCE)
    assert isinstance(cancelled.exception(PATIENCE), Conflict)
    assert floor.one("SELECT open_steps FROM runs") == 0


def test_jobs_are_cancelled_while_a_step_fails_their_run(
    floor: Floor, owner: int, aside: ThreadPoolExecutor
) -> None:
    first, second = floor.steps(owner, 2)
    task = floor.take(first)
    with holding(floor.database, "SELECT FROM runs WHERE id = %s FOR NO KEY UPDATE", task.run_id):
        failed = aside.submit(
            settle.fail, floor.database, task.lease, settle.Failure("Permanent", "no way")
        )
        wait_for_waiters(floor.database, 1, failed)
        dropped = aside.submit(
            acting(floor.database, lambda session: bulk.cancel(session, [second]))
        )
        wait_for_waiters(floor.database, 2, dropped, failed)
    dropped.result(PATIENCE)
    failed.result(PATIENCE)
    assert floor.one("SELECT open_steps FROM runs") == 0


def test_a_run_and_its_step_are_retried_at_once(
    floor: Floor, owner: int, aside: ThreadPoolExecutor
) -> None:
    run_id, (job,) = fanned_out(floor, owner, 1)
    settle.settle_error(floor.database, floor.take(job).lease, Permanent("no way"), BACKOFF)
    with holding(floor.database, "SELECT FROM runs WHERE id = %s FOR NO KEY UPDATE", run_id):
        whole = aside.submit(acting(floor.database, lambda session: control.retry(session, run_id)))
        wait_for_waiters(floor.database, 1, whole)
        single = aside.submit(
            acting(floor.database, lambda session: control.retry_step(session, job))
        )
        wait_for_waiters(floor.database, 2, whole, single)
    whole.result(PATIENCE)
    assert isinstance(single.exception(PATIENCE), Conflict)


def test_a_pending_run_is_cancelled_while_it_is_fetched(
    floor: Floor, owner: int, aside: ThreadPoolExecutor
) -> None:
    floor.steps(owner, 2)
    run_id = floor.one("SELECT id FROM runs")
    with holding(floor.database, "SELECT FROM runs WHERE id = %s FOR NO KEY UPDATE", run_id):
        cancelled = aside.submit(
            acting(floor.database, lambda session: control.cancel(session, run_id))
        )
        wait_for_waiters(floor.database, 1, cancelled)
        fetched = aside.submit(fetch, floor, 4)
    cancelled.result(PATIENCE)
    fetched.result(PATIENCE)
    rescue.reconcile(floor.database)
    assert (
        floor.ask("SELECT 1 FROM runs WHERE status IN ('pending', 'running') AND open_steps = 0")
        == []
    )
    assert floor.ask("SELECT 1 FROM procrastinate_jobs WHERE status = 'todo'") == []


def test_a_step_put_back_by_procrastinates_shell_ends_without_harm(
    floor: Floor, owner: int
) -> None:
    _, jobs = fanned_out(floor, owner, 3)
    first, second, third = jobs
    settle.settle_error(floor.database, floor.take(first).lease, Permanent("no way"), BACKOFF)
    with floor.database.session() as session:
        session.execute(
            text("SELECT procrastinate_retry_job_v2(:id, now(), NULL, NULL, NULL)"), {"id": first}
        )
    settle.succeed(floor.database, floor.take(first).lease, None)
    settle.succeed(floor.database, floor.take(second).lease, None)
    assert floor.one("SELECT count(*) FROM steps WHERE callback_of IS NOT NULL") == 0
    settle.succeed(floor.database, floor.take(third).lease, None)
    assert floor.one("SELECT count(*) FROM steps WHERE callback_of IS NOT NULL") == 1
    assert floor.one("SELECT open_steps FROM runs") == 1


def test_a_step_of_a_failed_run_put_back_by_procrastinates_shell_ends(
    floor: Floor, owner: int
) -> None:
    task = floor.new(owner)
    job = task.lease.job_id
    settle.settle_error(floor.database, task.lease, Permanent("no way"), BACKOFF)
    with floor.database.session() as session:
        session.execute(
            text("SELECT procrastinate_retry_job_v2(:id, now(), NULL, NULL, NULL)"), {"id": job}
        )
    settle.settle_error(floor.database, floor.take(job).lease, Permanent("no way"), BACKOFF)
    assert floor.one("SELECT status FROM procrastinate_jobs") == "failed"
    assert floor.ask("SELECT status, open_steps FROM runs")[0][:] == ("failed", 0)


def test_a_step_asked_to_stop_is_not_tried_again(floor: Floor, owner: int) -> None:
    task = floor.new(owner)
    with floor.database.session() as session:
        bulk.cancel(session, [task.lease.job_id])
    settle.settle_error(floor.database, task.lease, ZeroDivisionError("oh"), BACKOFF)
    assert floor.one("SELECT status FROM procrastinate_jobs") == "aborted"
    assert floor.ask("SELECT status, open_steps FROM runs")[0][:] == ("cancelled", 0)


def test_locked_jobs_fill_what_the_owners_leave_over(floor: Floor, owner: int) -> None:
    floor.steps(owner, 1)
    for lock in range(10):
        floor.do(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, lock)"
            " VALUES ('io', 't', :lock)",
            lock=str(lock),
        )
    assert len(fetch(floor, 8)) == 8


def test_a_locked_job_is_found_behind_many_that_cannot_go(floor: Floor) -> None:
    floor.do(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, scheduled_at)"
        " SELECT 'io', 't', 'a' || n, now() + interval '1 h' FROM generate_series(1, 300) n"
    )
    floor.do("INSERT INTO procrastinate_jobs (queue_name, task_name, lock) VALUES ('io', 't', 'b')")
    assert len(fetch(floor, 8)) == 1
