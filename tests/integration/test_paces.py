"""Paces: spacing from end to start, a line that is kept, and nobody waited for in vain."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import settings as how
from hypothesis import strategies
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from darkroom.db.sessions import Database
from darkroom.errors import Cancelled, NotNow
from darkroom.queue import settle
from darkroom.queue.gates import breaker, pace, permit, reading
from darkroom.queue.gates.call import calling
from darkroom.queue.gates.permit import Wanted
from darkroom.queue.task import Task
from darkroom.settings import Settings
from tests.engine.floor import BACKOFF, NOON, Floor, after, wanted

PACE = "variants"
SPACING = 1.5


@pytest.fixture
def floor(database: Database, settings: Settings) -> Floor:
    return Floor(database, settings)


def paced() -> Wanted:
    return wanted(pace=PACE)


def begin(floor: Floor, job: int, at: float) -> tuple[Task, Wanted]:
    """A call of the job that may go."""
    task, call = floor.take(job), paced()
    assert floor.enter(task, call, after(at)) is None
    return task, call


def refused(floor: Floor, job: int, at: float) -> NotNow:
    """The job asks and is put back."""
    refusal = floor.enter(floor.take(job), paced(), after(at))
    assert refusal is not None
    return refusal


def end(floor: Floor, began: tuple[Task, Wanted], at: float) -> None:
    """The call is over, and with it the step."""
    assert permit.leave(*began, "succeeded", at=after(at))
    settle.succeed(floor.database, began[0].lease, None)


def usually(floor: Floor, owner: int, seconds: float) -> None:
    """Calls of this pace take so long."""
    job = floor.steps(owner)[0]
    end(floor, begin(floor, job, -200), seconds - 200)


def stores(floor: Floor, task: Task) -> None:
    """The step puts something into the storage."""
    call = wanted("storage", "put")
    assert floor.enter(task, call, NOON) is None
    assert permit.leave(task, call, "succeeded", at=NOON)


def line(floor: Floor) -> list[int]:
    with floor.database.session() as session:
        return [wait.job_id for wait in reading.waits(session, "pace", PACE)]


def test_a_step_that_calls_another_first_keeps_its_place(floor: Floor) -> None:
    owner = floor.owner()
    first, *rest = floor.steps(owner, 3)
    began = begin(floor, first, 0)
    for job in rest:
        refused(floor, job, 0)
    again = floor.take(rest[0])
    stores(floor, again)
    assert line(floor) == rest
    end(floor, began, 1)
    assert floor.enter(again, paced(), after(1 + SPACING)) is None
    assert line(floor) == rest[1:]


def test_spacing_runs_from_the_end_of_a_call_to_the_start_of_the_next(floor: Floor) -> None:
    first, second = floor.steps(floor.owner(), 2)
    end(floor, begin(floor, first, 0), 10)
    refusal = refused(floor, second, 10.1)
    assert (refusal.kind, refusal.on, refusal.until) == ("pace", PACE, after(10 + SPACING))
    begin(floor, second, 10 + SPACING)


def test_while_a_call_is_in_flight_the_others_are_told_when_their_turn_is_expected(
    floor: Floor,
) -> None:
    ana = floor.owner()
    usually(floor, ana, 4)
    jobs = floor.steps(ana, 4)
    begin(floor, jobs[0], 6)
    slots = [refused(floor, job, 7).until for job in jobs[1:]]
    assert slots == [
        after(6 + 4 + SPACING),
        after(6 + 2 * 4 + 2 * SPACING),
        after(6 + 3 * 4 + 3 * SPACING),
    ]


def test_the_end_of_a_call_calls_the_next_in_line_at_once(floor: Floor) -> None:
    ana = floor.owner()
    usually(floor, ana, 60)
    jobs = floor.steps(ana, 3)
    began = begin(floor, jobs[0], 70)
    for job in jobs[1:]:
        refused(floor, job, 71)
    end(floor, began, 72)
    assert floor.due(jobs[1]) == after(72 + SPACING)
    assert floor.due(jobs[2]) == after(70 + 2 * (60 + SPACING))


def test_a_job_that_comes_too_early_keeps_its_place(floor: Floor) -> None:
    jobs = floor.steps(floor.owner(), 4)
    began = begin(floor, jobs[0], 0)
    for job in jobs[1:]:
        refused(floor, job, 1)
    refused(floor, jobs[1], 2)
    refused(floor, jobs[3], 2)
    assert line(floor) == jobs[1:]
    end(floor, began, 3)
    refused(floor, jobs[2], 5)
    begin(floor, jobs[1], 5)


def test_a_cancelled_job_is_not_waited_for(floor: Floor) -> None:
    ana = floor.owner()
    usually(floor, ana, 60)
    jobs = floor.steps(ana, 3)
    began = begin(floor, jobs[0], 70)
    for job in jobs[1:]:
        refused(floor, job, 71)
    end(floor, began, 72)
    floor.do("UPDATE procrastinate_jobs SET status = 'cancelled' WHERE id = :id", id=jobs[1])
    assert pace.pull(floor.database, at=after(72.5)) == 1
    assert floor.due(jobs[2]) == after(72 + SPACING)
    begin(floor, jobs[2], 72 + SPACING)


def test_a_job_that_was_just_put_back_when_it_should_have_been_called_is_called_soon(
    floor: Floor,
) -> None:
    ana = floor.owner()
    usually(floor, ana, 60)
    first, second = floor.steps(ana, 2)
    began = begin(floor, first, 70)
    task = floor.take(second)
    with pytest.raises(NotNow) as refusal:
        permit.enter(task, paced(), at=after(71))
    end(floor, began, 71.1)
    settle.settle_error(floor.database, task.lease, refusal.value, BACKOFF)
    assert floor.due(second) == after(70 + 60 + SPACING)
    assert pace.pull(floor.database, at=after(71.5)) == 1
    assert floor.due(second) == after(71.1 + SPACING)


def test_a_dead_holder_does_not_block_and_its_death_ends_its_call(floor: Floor) -> None:
    ana = floor.owner()
    usually(floor, ana, 60)
    first, second, third = floor.steps(ana, 3)
    holder, _ = begin(floor, first, 70)
    refused(floor, second, 71)
    refused(floor, third, 71)
    floor.kill(holder, after(80))
    assert pace.pull(floor.database, at=after(80.2)) == 1
    assert floor.due(second) == after(80 + SPACING)
    begin(floor, second, 80 + SPACING)


def test_a_frozen_holder_that_comes_back_ends_nothing_of_the_next(floor: Floor) -> None:
    first, second, third = floor.steps(floor.owner(), 3)
    frozen = begin(floor, first, 0)
    floor.kill(frozen[0], after(30))
    begin(floor, second, 40)
    permit.leave(*frozen, "succeeded", at=after(41))
    assert floor.enter(floor.take(third), paced(), after(50)) is not None


def test_a_closed_attempt_may_not_enter(floor: Floor) -> None:
    task = floor.new(floor.owner())
    floor.kill(task)
    with pytest.raises(Cancelled):
        permit.enter(task, paced(), at=after(0))


def test_owners_take_turns_so_that_a_batch_keeps_nobody_waiting(floor: Floor) -> None:
    ana, ben = floor.owner("Ana"), floor.owner("Ben")
    batch, single = floor.steps(ana, 4), floor.steps(ben, 2)
    begin(floor, batch[0], 0)
    for job in batch[1:] + single:
        refused(floor, job, 1)
    assert line(floor) == [batch[1], single[0], batch[2], single[1], batch[3]]


def test_higher_priority_goes_first(floor: Floor) -> None:
    ana = floor.owner()
    plain, urgent = floor.steps(ana, 2), floor.steps(ana, 1, priority=5)
    begin(floor, plain[0], 0)
    refused(floor, plain[1], 1)
    refused(floor, urgent[0], 2)
    assert line(floor) == [urgent[0], plain[1]]


def test_who_misses_its_slot_is_overtaken_but_keeps_its_place(floor: Floor) -> None:
    jobs = floor.steps(floor.owner(), 4)
    end(floor, begin(floor, jobs[0], 0), 1)
    refused(floor, jobs[1], 1)
    refused(floor, jobs[2], 1)
    refused(floor, jobs[2], 6)
    end(floor, begin(floor, jobs[2], 8), 9)
    assert line(floor) == [jobs[1]]
    refused(floor, jobs[3], 9)
    begin(floor, jobs[1], 10.5)


def test_who_is_held_back_by_another_gate_holds_nobody_up(floor: Floor) -> None:
    jobs = floor.steps(floor.owner(), 3)
    began = begin(floor, jobs[0], 0)
    refused(floor, jobs[1], 1)
    refused(floor, jobs[2], 1)
    for _ in range(5):
        breaker.report(
            floor.database,
            floor.gates.breaker,
            "gemini",
            "draw",
            began[1].call_id,
            "failed",
            at=NOON,
        )
    held_back = floor.enter(floor.take(jobs[1]), wanted(operation="draw", pace=PACE), after(1.2))
    assert held_back is not None and held_back.kind == "breaker"
    end(floor, began, 2)
    begin(floor, jobs[2], 3.5)
    assert jobs[1] in line(floor)


def test_two_providers_may_share_a_pace(floor: Floor) -> None:
    first, second = floor.steps(floor.owner(), 2)
    begin(floor, first, 0)
    refusal = floor.enter(floor.take(second), wanted("laozhang", pace=PACE), after(1))
    assert refusal is not None and refusal.on == PACE


def test_a_pace_that_is_not_in_the_settings_is_refused_by_name(floor: Floor) -> None:
    task = floor.new(floor.owner())
    with (
        pytest.raises(ValueError, match="DARKROOM_PACES"),
        calling(task, provider="x", operation="y", pace="nope"),
    ):
        pass


def test_of_many_workers_at_once_one_is_in_flight_and_the_spacing_is_kept(floor: Floor) -> None:
    hasty = floor.with_gates(paces={PACE: 0.03})
    jobs = hasty.steps(hasty.owner(), 24)
    spans: list[tuple[float, float]] = []
    left = threading.Semaphore(0)

    def work(job: int) -> None:
        while True:
            task = hasty.take(job)
            try:
                with calling(task, provider="gemini", operation="edit", pace=PACE):
                    began = time.monotonic()
                    hasty.one("SELECT pg_sleep(0.002)")
                    spans.append((began, time.monotonic()))
            except NotNow as refusal:
                settle.settle_error(hasty.database, task.lease, refusal, BACKOFF)
                hasty.one("SELECT pg_sleep(0.01)")
                continue
            left.release()
            return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, jobs))
    spans.sort()
    assert len(spans) == 24
    gaps = [later[0] - earlier[1] for earlier, later in pairwise(spans)]
    assert min(gaps) >= 0.03


# Any order of events.


@dataclass
class Began:
    task: Task
    call: Wanted
    at: float


class PaceMachine(RuleBasedStateMachine):
    """Jobs of two owners that come when they are due, call, die, or are cancelled."""

    def __init__(self, floor: Floor) -> None:
        super().__init__()
        self.floor = floor

    @initialize()
    def begin(self) -> None:
        for table in ("gate_waits", "paces", "permits", "breakers", "procrastinate_jobs"):
            self.floor.do(f"DELETE FROM {table}")
        self.owners = [self.floor.owner("Ana"), self.floor.owner("Ben")]
        self.at = 0.0
        self.open: dict[int, int] = {}
        self.in_flight: Began | None = None
        self.free_at = -1e9
        self.began: list[int] = []
        self.asked: list[int] = []

    @precondition(lambda self: len(self.open) < 8)
    @rule(owner=strategies.integers(0, 1), count=strategies.integers(1, 4))
    def enqueue(self, owner: int, count: int) -> None:
        for job in self.floor.steps(self.owners[owner], count):
            self.open[job] = owner

    @rule(seconds=strategies.sampled_from([0.2, 1.5, 4, 20]))
    def time_passes(self, seconds: float) -> None:
        self.at = round(self.at + seconds, 3)

    @precondition(lambda self: self.open)
    @rule(pick=strategies.integers(0, 10))
    def come(self, pick: int) -> None:
        due = self._due()
        if due:
            self._ask(due[pick % len(due)])

    @precondition(lambda self: self.in_flight)
    @rule(outcome=strategies.sampled_from(["succeeded", "uncounted"]))
    def end(self, outcome: Any) -> None:
        began, self.in_flight = self.in_flight, None
        assert began is not None
        assert permit.leave(began.task, began.call, outcome, at=after(self.at))
        settle.succeed(self.floor.database, began.task.lease, None)
        self.free_at = self.at + SPACING

    @precondition(lambda self: self.in_flight)
    @rule()
    def die(self) -> None:
        began, self.in_flight = self.in_flight, None
        assert began is not None
        self.floor.kill(began.task, after(self.at))
        self.floor.do(
            "UPDATE procrastinate_jobs SET status = 'failed', scheduled_at = NULL WHERE id = :id",
            id=began.task.lease.job_id,
        )
        self.free_at = self.at + SPACING

    @precondition(lambda self: self.open)
    @rule(pick=strategies.integers(0, 10))
    def cancel(self, pick: int) -> None:
        job = list(self.open)[pick % len(self.open)]
        self.open.pop(job)
        self.floor.do("UPDATE procrastinate_jobs SET status = 'cancelled' WHERE id = :id", id=job)

    @rule()
    def pull(self) -> None:
        pace.pull(self.floor.database, at=after(self.at))

    @invariant()
    def at_most_one_holds_the_pace(self) -> None:
        if not hasattr(self, "open"):
            return
        assert self.floor.one(
            "SELECT count(*) FROM permits p JOIN attempts a ON a.id = p.attempt_id"
            " WHERE a.finished_at IS NULL"
        ) == int(self.in_flight is not None)

    def teardown(self) -> None:
        """Who is left goes one by one, each as soon as the spacing allows."""
        if not hasattr(self, "open"):
            return
        if self.in_flight:
            self.end("succeeded")
        # Whoever missed a slot has had its patience.
        self.at = max(self.at, self.free_at) + 10
        for job in self._due():
            self._ask(job)
        while self.open:
            if self.in_flight:
                self.end("succeeded")
            pace.pull(self.floor.database, at=after(self.at))
            self.at = max(self.at, self.free_at)
            waiting = len(self.open)
            for job in self._due():
                self._ask(job)
            assert len(self.open) == waiting - 1, "a free pace was not taken"

    def _due(self) -> list[int]:
        rows = self.floor.ask(
            "SELECT id FROM procrastinate_jobs WHERE status = 'todo'"
            " AND (scheduled_at IS NULL OR scheduled_at <= :at) ORDER BY id",
            at=after(self.at),
        )
        return [found.id for found in rows if found.id in self.open]

    def _ask(self, job: int) -> None:
        ahead = self._ahead(job)
        task, call = self.floor.take(job), wanted(pace=PACE)
        refusal = self.floor.enter(task, call, after(self.at))
        if refusal is None:
            assert self.in_flight is None, "two calls in flight"
            assert self.at >= self.free_at, "the spacing was not kept"
            assert not ahead, f"{job} went before {ahead}"
            self.open.pop(job)
            self.in_flight = Began(task, call, self.at)
        else:
            assert refusal.until is not None and refusal.until > after(self.at)

    def _ahead(self, job: int) -> list[int]:
        """Those before it in line that are alive and did not miss their slot."""
        rows = self.floor.ask(
            """SELECT w.job_id, w.slot_at FROM gate_waits w
            JOIN procrastinate_jobs j ON j.id = w.job_id AND j.status = 'todo'
            ORDER BY -w.priority, w.turn, w.position"""
        )
        before = []
        for found in rows:
            if found.job_id == job:
                return before
            if found.slot_at > after(self.at - 5):
                before.append(found.job_id)
        return before


def test_in_any_order_of_events_the_pace_is_kept_and_nobody_is_forgotten(floor: Floor) -> None:
    run_state_machine_as_test(
        lambda: PaceMachine(floor), settings=how(max_examples=30, stateful_step_count=40)
    )
