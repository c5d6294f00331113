"""Circuit breakers as rows: one scenario a test, then any order of events against a model."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

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
from sqlalchemy import text

from darkroom.db.sessions import Database
from darkroom.errors import NotFound
from darkroom.queue.gates import breaker, pace, permit, reading
from darkroom.settings import BreakerSettings, Settings
from tests.engine.floor import Floor, after, wanted

RULES = BreakerSettings(
    failures=3,
    failure_rate=0.5,
    window_seconds=10,
    window_calls=8,
    open_seconds=20,
    growth=2,
    cap_seconds=70,
    dormant_seconds=100,
    probe_seconds=30,
)
ONE = ("gemini", "edit")


@pytest.fixture
def floor(database: Database, settings: Settings) -> Floor:
    return Floor(database, settings).with_gates(breaker=RULES)


def ask(floor: Floor, at: float, call: UUID | None = None, lease: int | None = None) -> str:
    taken = breaker.take(floor.database, RULES, *ONE, call or uuid4(), lease=lease, at=after(at))
    return taken.verdict


def tell(floor: Floor, outcome: Any, at: float, call: UUID | None = None) -> str:
    return breaker.report(
        floor.database, RULES, *ONE, call or uuid4(), outcome, error="boom", at=after(at)
    )


def break_it(floor: Floor, at: float = 0) -> None:
    for _ in range(RULES.failures):
        tell(floor, "failed", at)


def row(floor: Floor) -> reading.BreakerView:
    with floor.database.session() as session:
        (found,) = reading.breakers(session)
    return found


def test_it_opens_after_failures_in_a_row_and_says_until_when(floor: Floor) -> None:
    assert [tell(floor, "failed", n) for n in range(3)] == ["closed", "closed", "open"]
    assert ask(floor, 3) == "open"
    assert row(floor).open_until == after(2 + 20)
    assert row(floor).last_error == "boom"


def test_a_success_between_them_begins_the_count_anew(floor: Floor) -> None:
    outcomes = ["failed", "failed", "succeeded", "failed", "failed"]
    assert [tell(floor, outcome, 0) for outcome in outcomes] == ["closed"] * 5


def test_what_says_nothing_about_the_provider_does_not_count(floor: Floor) -> None:
    for _ in range(10):
        assert tell(floor, "uncounted", 0) == "closed"
    assert row(floor).failures == 0


def test_it_opens_at_a_failure_rate_once_enough_calls_were_made(floor: Floor) -> None:
    outcomes = ["succeeded", "failed"] * 4
    states = [tell(floor, outcome, 0) for outcome in outcomes]
    assert states == ["closed"] * 7 + ["open"]


def test_the_failure_rate_forgets_what_left_its_window(floor: Floor) -> None:
    for _ in range(3):
        tell(floor, "failed", 0)
        tell(floor, "succeeded", 0)
    later = ["succeeded", "failed"]
    assert [tell(floor, outcome, 20) for outcome in later] == ["closed", "closed"]


def test_its_time_over_one_call_tries_it_and_closes_it(floor: Floor) -> None:
    break_it(floor)
    probe = uuid4()
    assert ask(floor, 20, probe) == "probe"
    assert ask(floor, 20) == "half_open"
    assert tell(floor, "succeeded", 25, probe) == "closed"
    assert ask(floor, 25) == "closed"


def test_each_time_it_opens_again_it_stays_open_longer_up_to_the_cap(floor: Floor) -> None:
    break_it(floor)
    opens, lasted = 20.0, []
    for _ in range(4):
        probe = uuid4()
        assert ask(floor, opens, probe) == "probe"
        assert tell(floor, "failed", opens, probe) == "open"
        until = row(floor).open_until
        assert until is not None
        lasted.append((until - after(opens)).total_seconds())
        opens += lasted[-1]
    assert lasted == [40, 70, 70, 70]


def test_quiet_for_long_it_forgets_how_often_it_opened(floor: Floor) -> None:
    break_it(floor)
    probe = uuid4()
    ask(floor, 20, probe)
    tell(floor, "succeeded", 20, probe)
    break_it(floor, 121)
    assert row(floor).open_until == after(121 + 20)


def test_a_probe_ends_with_its_time(floor: Floor) -> None:
    break_it(floor)
    first, second = uuid4(), uuid4()
    assert ask(floor, 20, first) == "probe"
    assert ask(floor, 49, second) == "half_open"
    assert ask(floor, 50, second) == "probe"
    assert tell(floor, "succeeded", 51, first) == "half_open"
    assert tell(floor, "succeeded", 52, second) == "closed"


def test_a_probe_ends_with_its_attempt(floor: Floor) -> None:
    break_it(floor)
    task = floor.new(floor.owner())
    assert ask(floor, 20, lease=task.lease.attempt_id) == "probe"
    assert ask(floor, 21) == "half_open"
    floor.kill(task)
    assert ask(floor, 21) == "probe"


def test_a_probe_without_a_verdict_lets_the_next_one_try(floor: Floor) -> None:
    break_it(floor)
    probe = uuid4()
    ask(floor, 20, probe)
    assert tell(floor, "uncounted", 21, probe) == "open"
    assert ask(floor, 21) == "probe"


def test_a_call_from_before_it_opened_changes_nothing_when_it_reports(floor: Floor) -> None:
    break_it(floor)
    assert tell(floor, "succeeded", 1) == "open"
    assert tell(floor, "failed", 2) == "open"
    assert row(floor).open_until == after(20)


def test_of_many_who_ask_at_once_one_is_the_probe(floor: Floor) -> None:
    break_it(floor)
    with ThreadPoolExecutor(16) as pool:
        said = list(pool.map(lambda _: ask(floor, 20), range(32)))
    assert sorted(set(said)) == ["half_open", "probe"]
    assert said.count("probe") == 1


def test_opening_and_closing_enqueue_an_alert_each_and_a_failed_probe_none(floor: Floor) -> None:
    break_it(floor)
    for at, outcome in ((20, "failed"), (60, "succeeded")):
        probe = uuid4()
        ask(floor, at, probe)
        tell(floor, outcome, at, probe)
    assert floor.alerts() == ["Breaker gemini edit opened", "Breaker gemini edit closed"]


def test_isolated_by_hand_it_lets_nobody_through_until_it_is_reset(floor: Floor) -> None:
    with floor.database.session() as session:
        breaker.isolate(session, *ONE, who="Ana", reason="their keys leaked")
    assert ask(floor, 10_000) == "isolated"
    assert tell(floor, "succeeded", 10_000) == "isolated"
    assert (row(floor).isolated_by, row(floor).isolated_reason) == ("Ana", "their keys leaked")
    with floor.database.session() as session:
        breaker.reset(session, *ONE, who="Ben")
    assert ask(floor, 10_001) == "closed"


def test_only_a_breaker_that_is_known_can_be_reset(floor: Floor) -> None:
    with pytest.raises(NotFound), floor.database.session() as session:
        breaker.reset(session, *ONE, who="Ana")


def test_those_who_wait_come_one_after_the_other(floor: Floor) -> None:
    break_it(floor)
    jobs = floor.steps(floor.owner(), 4)
    for job in jobs:
        refusal = floor.enter(floor.take(job), wanted(*ONE), after(5))
        assert refusal is not None
        assert (refusal.kind, refusal.on) == ("breaker", "gemini edit")
        assert "boom" in refusal.message
    assert [floor.due(job) for job in jobs] == [after(20 + n / 2) for n in range(4)]


def test_when_the_probe_closes_it_those_who_wait_are_called_staggered(floor: Floor) -> None:
    break_it(floor)
    jobs = floor.steps(floor.owner(), 4)
    for job in jobs:
        floor.enter(floor.take(job), wanted(*ONE), after(5))
    probe, call = floor.take(jobs[0]), wanted(*ONE)
    assert floor.enter(probe, call, after(20)) is None
    for job in jobs[1:]:
        assert floor.enter(floor.take(job), wanted(*ONE), after(22)) is not None
    permit.leave(probe, call, "succeeded", at=after(23))
    assert [floor.due(job) for job in jobs[1:]] == [after(23), after(23.5), after(24)]


def test_when_the_first_in_line_is_cancelled_the_next_comes_in_its_place(floor: Floor) -> None:
    break_it(floor)
    jobs = floor.steps(floor.owner(), 3)
    for job in jobs:
        floor.enter(floor.take(job), wanted(*ONE), after(5))
    floor.do("UPDATE procrastinate_jobs SET status = 'cancelled' WHERE id = :id", id=jobs[0])
    pace.pull(floor.database, at=after(6))
    assert floor.due(jobs[1]) == after(20)


def test_when_the_prober_dies_the_next_in_line_is_called(floor: Floor) -> None:
    break_it(floor)
    jobs = floor.steps(floor.owner(), 2)
    for job in jobs:
        floor.enter(floor.take(job), wanted(*ONE), after(5))
    prober = floor.take(jobs[0])
    assert floor.enter(prober, wanted(*ONE), after(20)) is None
    assert floor.enter(floor.take(jobs[1]), wanted(*ONE), after(20.5)) is not None
    floor.kill(prober)
    assert pace.pull(floor.database, at=after(22)) == 1
    assert floor.due(jobs[1]) is None


def test_a_reset_calls_those_who_wait_though_they_were_told_to_come_late(floor: Floor) -> None:
    with floor.database.session() as session:
        breaker.isolate(session, *ONE, who="Ana")
    job = floor.steps(floor.owner())[0]
    floor.enter(floor.take(job), wanted(*ONE))
    with floor.database.session() as session:
        breaker.reset(session, *ONE, who="Ana")
    assert floor.one("SELECT scheduled_at <= now() FROM procrastinate_jobs WHERE id = :id", id=job)


# Any order of events.


@dataclass
class Model:
    """A breaker in plain Python."""

    state: str = "closed"
    failures: int = 0
    opened_times: int = 0
    open_until: float = 0
    probe: UUID | None = None
    probe_until: float = 0
    changed_at: float = 0
    last_failure_at: float = -1e9
    window_at: float | None = None
    now: list[int] = field(default_factory=lambda: [0, 0])
    before: list[int] = field(default_factory=lambda: [0, 0])

    def ask(self, call: UUID, at: float, dead: set[UUID]) -> str:
        if self.state in ("closed", "isolated"):
            return self.state
        if self.state == "open" and at < self.open_until:
            return "open"
        if self.state == "half_open" and at < self.probe_until and self.probe not in dead:
            return "half_open"
        self.state, self.probe, self.probe_until = "half_open", call, at + RULES.probe_seconds
        self.changed_at = at
        return "probe"

    def tell(self, call: UUID, outcome: str, at: float) -> None:
        if self.state == "half_open" and call == self.probe:
            if outcome == "succeeded":
                self.close(at)
            elif outcome == "failed":
                self.open(at)
            else:
                self.state, self.open_until, self.probe, self.changed_at = "open", at, None, at
        elif self.state == "closed" and outcome != "uncounted" and self._count(outcome, at):
            self.open(at)

    def open(self, at: float) -> None:
        lasts = min(RULES.cap_seconds, RULES.open_seconds * RULES.growth**self.opened_times)
        self.state, self.open_until, self.probe = "open", at + lasts, None
        self.opened_times += 1
        self.last_failure_at = self.changed_at = at

    def close(self, at: float) -> None:
        self.state, self.failures, self.window_at, self.probe = "closed", 0, None, None
        self.changed_at = at

    def _count(self, outcome: str, at: float) -> bool:
        bad = outcome == "failed"
        if at >= max(self.last_failure_at, self.changed_at) + RULES.dormant_seconds:
            self.failures = self.opened_times = 0
        if self.window_at is None or at >= self.window_at + 2 * RULES.window_seconds:
            self.window_at, self.now, self.before = at, [0, 0], [0, 0]
        elif at >= self.window_at + RULES.window_seconds:
            self.window_at += RULES.window_seconds
            self.now, self.before = [0, 0], self.now
        self.now = [self.now[0] + 1, self.now[1] + bad]
        self.failures = self.failures + 1 if bad else 0
        if bad:
            self.last_failure_at = at
        weight = 1 - (at - self.window_at) / RULES.window_seconds
        calls, failed = (n + weight * b for n, b in zip(self.now, self.before, strict=True))
        often = calls >= RULES.window_calls and failed / calls >= RULES.failure_rate
        return bad and (self.failures >= RULES.failures or often)


class BreakerMachine(RuleBasedStateMachine):
    """Calls, deaths, people and time, on the rows and on the model."""

    def __init__(self, floor: Floor) -> None:
        super().__init__()
        self.floor = floor

    @initialize()
    def begin(self) -> None:
        self.floor.do("DELETE FROM breakers")
        self.floor.do("DELETE FROM procrastinate_jobs")
        self.owner = self.floor.owner()
        self.model = Model()
        self.at = 0.0
        self.known = False
        self.running: dict[UUID, Any] = {}
        self.dead: set[UUID] = set()

    @rule(seconds=strategies.sampled_from([0.5, 3, 9, 11, 31, 75, 150]))
    def time_passes(self, seconds: float) -> None:
        self.at += seconds

    @precondition(lambda self: len(self.running) < 5)
    @rule()
    def call(self) -> None:
        task, call = self.floor.new(self.owner), uuid4()
        said = breaker.take(
            self.floor.database, RULES, *ONE, call, lease=task.lease.attempt_id, at=after(self.at)
        )
        assert said.verdict == self.model.ask(call, self.at, self.dead)
        if said.passes:
            self.running[call] = task

    @precondition(lambda self: self.running)
    @rule(
        pick=strategies.integers(0, 10),
        outcome=strategies.sampled_from(["failed", "failed", "succeeded", "uncounted"]),
        again=strategies.integers(1, 4),
    )
    def end(self, pick: int, outcome: Any, again: int) -> None:
        call = list(self.running)[pick % len(self.running)]
        self.running.pop(call)
        for _ in range(again):
            if not self.known:
                self.known, self.model.changed_at = True, self.at
            state = tell(self.floor, outcome, self.at, call)
            self.model.tell(call, outcome, self.at)
            assert state == self.model.state

    @precondition(lambda self: self.running)
    @rule(pick=strategies.integers(0, 10))
    def die(self, pick: int) -> None:
        call = list(self.running)[pick % len(self.running)]
        self.floor.kill(self.running.pop(call))
        self.dead.add(call)

    @precondition(lambda self: self.known)
    @rule()
    def reset(self) -> None:
        with self.floor.database.session() as session:
            session.execute(
                text("SELECT darkroom_reset_breaker_v1('gemini', 'edit', 'Ana', :at)"),
                {"at": after(self.at)},
            )
        was = self.model.state
        self.model.opened_times = self.model.failures = 0
        self.model.window_at = None
        if was != "closed":
            self.model.close(self.at)

    @precondition(lambda self: self.known)
    @rule()
    def isolate(self) -> None:
        with self.floor.database.session() as session:
            session.execute(
                text("SELECT darkroom_isolate_breaker_v1('gemini', 'edit', 'Ana', '', :at)"),
                {"at": after(self.at)},
            )
        self.model.state, self.model.probe, self.model.changed_at = "isolated", None, self.at

    @invariant()
    def rows_agree(self) -> None:
        if not getattr(self, "known", False):
            return
        found, model = row(self.floor), self.model
        assert (found.state, found.opened_times) == (model.state, model.opened_times)
        if model.state == "closed":
            assert found.failures == model.failures
        if model.state == "open":
            assert found.open_until is not None
            assert abs(found.open_until - after(model.open_until)) < timedelta(milliseconds=1)


def test_any_order_of_events_agrees_with_the_model(floor: Floor) -> None:
    run_state_machine_as_test(
        lambda: BreakerMachine(floor), settings=how(max_examples=40, stateful_step_count=40)
    )
