"""Cron jobs as rows: once a due time, never two at once, nothing unnoticed, over many workers."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from darkroom.db.sessions import Database
from darkroom.errors import Conflict, Invalid, NotFound, NotNow, Permanent
from darkroom.queue import cron, schedule, settle
from darkroom.queue.backoff import Backoff
from darkroom.queue.cron import CronRow, Ticker, scheduled
from darkroom.queue.step import Retry, Save, registry, step
from darkroom.queue.task import Lease, Resources, Task
from darkroom.settings import QueueSettings, Settings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BACKOFF = Backoff(base=60, cap=600)
NAME = "test_cron.tidy"
SETTING = "TEST_CRON_TIDY"
EVERY_TEN_MINUTES = QueueSettings(crons={SETTING: "every 10m"})


def minutes(count: float) -> datetime:
    return NOON + timedelta(minutes=count)


@pytest.fixture(autouse=True)
def tidy() -> Iterator[None]:
    """A cron job that says how often it was told to."""
    known = dict(cron.crons)
    cron.crons.clear()

    @scheduled("*/10 * * * *")
    @step(lane="io", retry=Retry(attempts=2), name=NAME)
    def tidy(task: Task, words: int = 0) -> Save:
        """Tidy up.

        Not part of the purpose.
        """
        return lambda tx: tx.result(words=words)

    yield
    del registry[NAME]
    cron.crons.clear()
    cron.crons.update(known)


@pytest.fixture
def ticker(database: Database) -> Ticker:
    """A worker's share in the crons, whose rows were written at noon."""
    made = Ticker(database, EVERY_TEN_MINUTES)
    made.tick(NOON)
    return made


def row(database: Database) -> CronRow:
    with database.session() as session:
        (found,) = cron.listing(session)
        return found


def jobs(database: Database) -> list[Any]:
    with database.session() as session:
        return list(session.execute(text("SELECT id, status FROM procrastinate_jobs ORDER BY id")))


def fetch(database: Database) -> list[Lease]:
    """Lease what may be fetched, as a worker does."""
    with database.session() as session:
        worker = session.scalar(text("SELECT worker_id FROM procrastinate_register_worker_v1()"))
        rows = session.execute(
            text("SELECT * FROM darkroom_fetch_steps_v3('io', :worker, 'test', 10)"),
            {"worker": worker},
        )
        return [_lease(dict(found)) for found in rows.mappings()]


def _lease(found: dict[str, Any]) -> Lease:
    return Lease(
        job_id=found.pop("id"), lane=found.pop("queue_name"), burned=found.pop("attempts"), **found
    )


def carry_out(database: Database, settings: Settings, lease: Lease) -> None:
    """Run a leased step and settle it, as a worker does."""
    task = Task(lease, settings, database, Resources(settings))
    try:
        settle.succeed(database, lease, registry[lease.task_name](task, **lease.args))
    except Exception as error:
        settle.settle_error(database, lease, error, BACKOFF)


def finish_all(database: Database, settings: Settings) -> None:
    for lease in fetch(database):
        carry_out(database, settings, lease)


def test_a_worker_writes_the_row_of_each_cron_job(database: Database):
    Ticker(database, QueueSettings()).tick(NOON)
    found = row(database)
    assert (found.name, found.purpose, found.lane) == (NAME, "Tidy up.", "io")
    assert (found.schedule, found.enabled, found.next_at) == ("*/10 * * * *", True, minutes(10))


def test_nothing_is_enqueued_before_its_time(database: Database, ticker: Ticker):
    assert ticker.tick(minutes(9.9)) == []
    assert jobs(database) == []


def test_a_due_time_enqueues_one_job_and_moves_the_next(database: Database, ticker: Ticker):
    assert ticker.tick(minutes(10)) == [NAME]
    assert ticker.tick(minutes(10)) == []
    assert len(jobs(database)) == 1
    assert row(database).next_at == minutes(20)
    assert row(database).missed == 0


def test_many_workers_enqueue_a_due_time_once(database: Database, ticker: Ticker):
    workers = [Ticker(database, EVERY_TEN_MINUTES) for _ in range(6)]
    together = threading.Barrier(len(workers))

    def tick(worker: Ticker, now: datetime) -> None:
        together.wait()
        worker.tick(now)

    with ThreadPoolExecutor(len(workers)) as pool:
        for count in range(1, 11):
            list(pool.map(tick, workers, [minutes(10 * count)] * len(workers)))
            assert len(jobs(database)) == count
            with database.session() as session:
                session.execute(text("UPDATE procrastinate_jobs SET status = 'cancelled'"))
    assert row(database).missed == 0


def test_times_that_passed_without_a_worker_get_one_run_and_are_counted(
    database: Database, ticker: Ticker
):
    assert ticker.tick(minutes(45)) == [NAME]
    found = row(database)
    assert len(jobs(database)) == 1
    assert (found.missed, found.last_missed_at, found.next_at) == (3, minutes(45), minutes(50))


def test_a_job_that_still_waits_or_runs_is_not_enqueued_again(database: Database, ticker: Ticker):
    ticker.tick(minutes(10))
    assert ticker.tick(minutes(20)) == []
    (lease,) = fetch(database)
    assert ticker.tick(minutes(30)) == []
    assert lease.task_name == NAME
    assert (len(jobs(database)), row(database).missed) == (1, 2)


def test_the_result_is_written_with_the_end_of_the_step(
    database: Database, ticker: Ticker, settings: Settings
):
    ticker.tick(minutes(10))
    finish_all(database, settings)
    found = row(database)
    assert (found.last_outcome, found.last_result, found.last_error) == (
        "succeeded",
        {"words": 0},
        None,
    )
    assert found.running_job_id is None
    assert found.last_started_at is not None and found.last_finished_at is not None
    assert found.last_started_at <= found.last_finished_at
    assert ticker.tick(minutes(20)) == [NAME]


def test_a_worker_that_lost_its_lease_writes_no_result(
    database: Database, ticker: Ticker, settings: Settings
):
    ticker.tick(minutes(10))
    (lease,) = fetch(database)
    task = Task(lease, settings, database, Resources(settings))
    save = registry[NAME](task)
    settle.lose(database, lease)
    with pytest.raises(settle.LeaseLost):
        settle.succeed(database, lease, save)
    assert row(database).last_outcome is None


def test_a_failure_is_noted_by_the_next_round(
    database: Database, ticker: Ticker, settings: Settings
):
    ticker.tick(minutes(10))
    (lease,) = fetch(database)
    settle.settle_error(database, lease, Permanent("the broom is broken"), BACKOFF)
    assert ticker.tick(minutes(11)) == []
    found = row(database)
    assert (found.last_outcome, found.last_error) == ("failed", "the broom is broken")
    assert found.running_job_id is None and found.last_finished_at is not None


def test_a_cancelled_job_is_noted_by_the_next_round(database: Database, ticker: Ticker):
    ticker.tick(minutes(10))
    with database.session() as session:
        session.execute(
            text("SELECT procrastinate_cancel_job_v1(id, false, false) FROM procrastinate_jobs")
        )
    ticker.tick(minutes(11))
    assert (row(database).last_outcome, row(database).running_job_id) == ("cancelled", None)


def test_a_job_whose_row_is_gone_does_not_block_its_cron(database: Database, ticker: Ticker):
    ticker.tick(minutes(10))
    with database.session() as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))
    assert ticker.tick(minutes(20)) == [NAME]


def test_a_job_retried_by_hand_waits_for_the_one_that_runs(
    database: Database, ticker: Ticker, settings: Settings
):
    ticker.tick(minutes(10))
    (old,) = fetch(database)
    settle.settle_error(database, old, Permanent("no"), BACKOFF)
    ticker.tick(minutes(20))
    (running,) = fetch(database)
    registry[NAME](Task(running, settings, database, Resources(settings)))
    with database.session() as session:
        session.execute(
            text("UPDATE procrastinate_jobs SET status = 'todo' WHERE id = :id"), {"id": old.job_id}
        )
    (again,) = fetch(database)
    with pytest.raises(NotNow, match="another run") as caught:
        registry[NAME](Task(again, settings, database, Resources(settings)))
    assert (caught.value.kind, caught.value.on) == ("cron", NAME)


def test_a_job_can_be_run_now_with_its_own_arguments(
    database: Database, ticker: Ticker, settings: Settings
):
    with database.session() as session:
        job_id = cron.run_now(session, NAME, {"words": 3})
    assert row(database).running_job_id == job_id
    finish_all(database, settings)
    assert row(database).last_result == {"words": 3}
    assert row(database).next_at == minutes(10)


def test_running_now_what_runs_already_is_a_conflict(database: Database, ticker: Ticker):
    with database.session() as session:
        cron.run_now(session, NAME)
    with pytest.raises(Conflict, match="waits or runs already"), database.session() as session:
        cron.run_now(session, NAME)


def test_an_unknown_name_is_answered_with_those_there_are(database: Database, ticker: Ticker):
    with pytest.raises(NotFound, match=NAME), database.session() as session:
        cron.run_now(session, "upkeep.tea")


def test_a_cron_that_is_switched_off_is_never_due_and_misses_nothing(
    database: Database, ticker: Ticker
):
    with database.session() as session:
        cron.switch(session, NAME, False)
    assert ticker.tick(minutes(100)) == []
    with database.session() as session:
        cron.switch(session, NAME, True, minutes(100))
    assert (row(database).next_at, row(database).missed) == (minutes(110), 0)


def test_the_switch_outlives_new_workers_and_schedules(database: Database, ticker: Ticker):
    with database.session() as session:
        cron.switch(session, NAME, False)
    Ticker(database, QueueSettings(crons={SETTING: "every 1m"})).tick(NOON)
    found = row(database)
    assert (found.schedule, found.enabled, found.next_at) == ("every 1m", False, None)


def test_a_setting_can_switch_a_cron_off(database: Database):
    Ticker(database, QueueSettings(crons={SETTING: "off"})).tick(NOON)
    assert row(database).next_at is None
    refused = pytest.raises(Conflict, match="DARKROOM_CRON_TEST_CRON_TIDY")
    with refused, database.session() as session:
        cron.switch(session, NAME, True)


def test_a_new_worker_with_the_same_schedule_leaves_the_due_time_alone(
    database: Database, ticker: Ticker
):
    assert Ticker(database, EVERY_TEN_MINUTES).tick(minutes(25)) == [NAME]
    assert row(database).missed == 1


def test_a_setting_that_names_no_cron_is_refused():
    with pytest.raises(Invalid, match=r"DARKROOM_CRON_TEA names no cron job. Use .*TIDY"):
        cron.plan(QueueSettings(crons={"TEA": "every 1h"}))


def test_a_bad_round_does_not_end_the_lifeline(database: Database):
    Ticker(database, QueueSettings(crons={"TEA": "every 1h"})).round()
    assert jobs(database) == []


class CronMachine(RuleBasedStateMachine):
    """A cron job under any order of down times, rounds of workers, and ends of its runs."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        self.leases: list[Lease] = []
        self.now = NOON
        self.enqueued = 0
        self.due = 0

    @initialize(
        words=st.sampled_from(["*/10 * * * *", "every 10m", "3,4,40 * * * *", "every 7m"]),
        count=st.integers(1, 3),
    )
    def begin(self, words: str, count: int) -> None:
        with self.database.session() as session:
            session.execute(text("TRUNCATE crons, procrastinate_jobs CASCADE"))
        found = schedule.parse(words)
        assert found is not None
        self.schedule, self.next_due = found, found.after(NOON)
        settings_ = QueueSettings(crons={SETTING: words})
        self.workers = [Ticker(self.database, settings_) for _ in range(count)]
        for worker in self.workers:
            worker.tick(self.now)

    @rule(seconds=st.one_of(st.integers(1, 120), st.integers(120, 20_000)), pick=st.integers(0, 9))
    def a_worker_ticks_after_a_while(self, seconds: int, pick: int) -> None:
        """The longer ones are times in which no worker was there."""
        self.now += timedelta(seconds=seconds)
        self.tick(pick)

    @rule(pick=st.integers(0, 9))
    def tick(self, pick: int) -> None:
        worker = self.workers[pick % len(self.workers)]
        while self.next_due <= self.now:
            self.due += 1
            self.next_due = self.schedule.following(self.next_due, self.next_due)
        self.enqueued += len(worker.tick(self.now))

    @rule(pick=st.integers(0, 9))
    def a_worker_starts_anew(self, pick: int) -> None:
        old = self.workers[pick % len(self.workers)]
        self.workers[pick % len(self.workers)] = Ticker(self.database, old._settings)

    @rule()
    def fetch(self) -> None:
        self.leases += fetch(self.database)

    @precondition(lambda self: self.leases)
    @rule(ok=st.booleans())
    def end(self, ok: bool) -> None:
        lease = self.leases.pop()
        if ok:
            settle.succeed(self.database, lease, None)
        else:
            settle.settle_error(self.database, lease, Permanent("no"), BACKOFF)

    @precondition(lambda self: self.leases)
    @rule()
    def lose(self) -> None:
        settle.lose(self.database, self.leases.pop())

    @invariant()
    def never_two_at_once(self) -> None:
        alive = [job for job in jobs(self.database) if job.status in ("todo", "doing")]
        assert len(alive) <= 1

    @invariant()
    def every_due_time_is_run_or_counted(self) -> None:
        missed = sum(found.missed for found in self._rows())
        assert self.enqueued + missed == self.due
        assert self.enqueued == len(jobs(self.database))

    def teardown(self) -> None:
        """Once a run has ended the next due time has a run: none is skipped for ever."""
        if not hasattr(self, "workers"):
            return
        while self.leases:
            self.end(True)
        for lease in fetch(self.database):
            settle.succeed(self.database, lease, None)
        before = self.enqueued
        self.now = max(self.now, self.next_due)
        self.tick(0)
        assert self.enqueued == before + 1

    def _rows(self) -> list[CronRow]:
        with self.database.session() as session:
            return cron.listing(session)


def test_no_due_time_is_lost_or_run_twice_over_any_down_times(database: Database) -> None:
    run_state_machine_as_test(
        lambda: CronMachine(database),
        settings=hypothesis_settings(max_examples=60, stateful_step_count=30),
    )
