"""Calls to the outside: all gates or none, nothing held by the dead, money on record once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from darkroom.db.sessions import Database
from darkroom.errors import Cancelled, Invalid, NotNow, Permanent, Refused, Transient
from darkroom.queue import settle
from darkroom.queue.gates import breaker, money, pace, permit, reading
from darkroom.queue.gates.call import calling
from darkroom.queue.gates.money import Charge
from darkroom.queue.task import Task
from darkroom.settings import Settings
from tests.engine.floor import BACKOFF, NOON, Floor, after, wanted

CENTS = Decimal("0.04")


@pytest.fixture
def floor(database: Database, settings: Settings) -> Floor:
    return Floor(database, settings)


def state(floor: Floor) -> tuple[str, int]:
    with floor.database.session() as session:
        (found,) = reading.breakers(session)
    return found.state, found.failures


def in_flight(floor: Floor) -> int:
    with floor.database.session() as session:
        return len(reading.permits(session))


def cost(task: Task, floor: Floor) -> Decimal:
    found: Decimal = floor.one("SELECT cost FROM runs WHERE id = :id", id=task.run_id)
    return found


def spent(floor: Floor) -> Decimal:
    found: Decimal = floor.one("SELECT coalesce(sum(amount), 0) FROM spending")
    return found


def charge(amount: str) -> Charge:
    return Charge(uuid4(), 1, "gemini", "edit", Decimal(amount))


# What `calling` reports.


def test_a_call_that_goes_well_leaves_nothing_in_flight(floor: Floor) -> None:
    task = floor.new(floor.owner())
    with calling(task, provider="gemini", operation="edit"):
        assert in_flight(floor) == 1
    assert in_flight(floor) == 0
    assert state(floor) == ("closed", 0)


@pytest.mark.parametrize("error", [Transient("x"), Permanent("x"), ZeroDivisionError("x")])
def test_an_error_counts_against_the_breaker(floor: Floor, error: Exception) -> None:
    task = floor.new(floor.owner())
    with pytest.raises(type(error)), calling(task, provider="gemini", operation="edit"):
        raise error
    assert state(floor) == ("closed", 1)
    assert in_flight(floor) == 0


@pytest.mark.parametrize(
    "error", [Invalid("x"), Refused("unsafe"), NotNow("x"), Cancelled("x"), KeyboardInterrupt()]
)
def test_what_is_not_the_providers_fault_does_not_count(floor: Floor, error: BaseException) -> None:
    task = floor.new(floor.owner())
    with pytest.raises(type(error)), calling(task, provider="gemini", operation="edit"):
        raise error
    assert state(floor) == ("closed", 0)
    assert in_flight(floor) == 0


def test_an_error_that_no_row_can_hold_is_kept_as_far_as_it_can(floor: Floor) -> None:
    task = floor.new(floor.owner())
    with pytest.raises(Transient), calling(task, provider="gemini", operation="edit"):
        raise Transient("a\0b\ud800" + "c" * 10_000)
    assert state(floor) == ("closed", 1)


def test_a_closed_gate_says_which_why_and_until_when(floor: Floor) -> None:
    with floor.database.session() as session:
        breaker.isolate(session, "gemini", "edit", who="Ana", reason="quota is gone")
    task = floor.new(floor.owner())
    with (
        pytest.raises(NotNow) as refusal,
        calling(task, provider="gemini", operation="edit"),
    ):
        pass
    assert (refusal.value.kind, refusal.value.on) == ("breaker", "gemini edit")
    assert refusal.value.message == "the breaker gemini edit was isolated by hand: quota is gone"
    assert refusal.value.until is not None


def test_entering_twice_for_one_call_takes_once(floor: Floor) -> None:
    hurried = floor.with_gates(max_calls={"gemini": 1}, paces={"gemini": 1.5})
    task, call = hurried.new(hurried.owner()), wanted(pace="gemini")
    permit.enter(task, call)
    permit.enter(task, call)
    assert in_flight(hurried) == 1


def test_leaving_twice_reports_once(floor: Floor) -> None:
    task, call = floor.new(floor.owner()), wanted()
    permit.enter(task, call)
    assert [permit.leave(task, call, "failed"), permit.leave(task, call, "failed")] == [True, False]
    assert state(floor) == ("closed", 1)


# All or none.


def test_a_call_that_one_gate_refuses_takes_nothing_of_the_others(floor: Floor) -> None:
    gated = floor.with_gates(max_calls={"gemini": 5}, budget_per_day={"gemini": Decimal(1)})
    ana = gated.owner()
    for _ in range(5):
        breaker.report(
            gated.database, gated.gates.breaker, "gemini", "edit", uuid4(), "failed", at=NOON
        )
    first = gated.new(ana), wanted("laozhang", pace="variants")
    permit.enter(*first, at=after(300))
    refusal = gated.enter(gated.new(ana), wanted(pace="variants", estimate="0.5"), after(301))
    assert refusal is not None and refusal.kind == "pace"
    with gated.database.session() as session:
        assert [found.provider for found in reading.permits(session)] == ["laozhang"]
    assert state(gated)[0] == "open"


# Concurrency.


def test_no_more_calls_are_in_flight_than_the_provider_may_have(floor: Floor) -> None:
    capped = floor.with_gates(max_calls={"gemini": 2})
    ana, ben = capped.owner("Ana"), capped.owner("Ben")
    assert capped.enter(capped.new(ana), wanted()) is None
    assert capped.enter(capped.new(ben), wanted()) is None
    refusal = capped.enter(capped.new(ana), wanted())
    assert refusal is not None
    assert (refusal.kind, refusal.on) == ("concurrency", "gemini")
    assert capped.enter(capped.new(ana), wanted("other")) is None


def test_one_owner_cannot_take_all_calls_in_flight(floor: Floor) -> None:
    capped = floor.with_gates(max_calls={"gemini": 3}, max_calls_per_owner={"gemini": 1})
    ana, ben = capped.owner("Ana"), capped.owner("Ben")
    assert capped.enter(capped.new(ana), wanted()) is None
    refusal = capped.enter(capped.new(ana), wanted())
    assert refusal is not None
    assert (refusal.kind, refusal.on) == ("concurrency", f"gemini owner {ana}")
    assert capped.enter(capped.new(ben), wanted()) is None


def test_the_end_of_a_call_calls_the_next_who_waits_for_a_place(floor: Floor) -> None:
    capped = floor.with_gates(max_calls={"gemini": 1})
    ana = capped.owner()
    holder, call = capped.new(ana), wanted()
    jobs = capped.steps(ana, 2)
    permit.enter(holder, call, at=after(0))
    permit.leave(holder, call, "succeeded", at=after(60))
    permit.enter(holder, call, at=after(60))
    for job in jobs:
        capped.enter(capped.take(job), wanted(), after(61))
    permit.leave(holder, call, "succeeded", at=after(62))
    assert capped.due(jobs[0]) is None
    assert capped.due(jobs[1]) == after(61 + 2 * 60)
    late = capped.enter(capped.new(ana), wanted(), after(62.1))
    assert late is not None, "a newcomer went before those in line"
    assert capped.enter(capped.take(jobs[0]), wanted(), after(62.2)) is None


def test_a_dead_worker_holds_no_place(floor: Floor) -> None:
    capped = floor.with_gates(max_calls={"gemini": 1})
    ana = capped.owner()
    dead = capped.new(ana)
    assert capped.enter(dead, wanted()) is None
    waiting = capped.steps(ana)[0]
    assert capped.enter(capped.take(waiting), wanted()) is not None
    capped.kill(dead)
    pace.pull(capped.database)
    assert capped.enter(capped.take(waiting), wanted()) is None


def test_of_many_at_once_never_more_are_in_flight_than_may_be(floor: Floor) -> None:
    capped = floor.with_gates(max_calls={"gemini": 3})
    jobs = capped.steps(capped.owner(), 30)
    lock, now, most, done = threading.Lock(), [0], [0], [0]

    def work(job: int) -> None:
        while True:
            task = capped.take(job)
            try:
                with calling(task, provider="gemini", operation="edit"):
                    with lock:
                        now[0] += 1
                        most[0] = max(most[0], now[0])
                    capped.one("SELECT pg_sleep(0.005)")
                    with lock:
                        now[0] -= 1
                        done[0] += 1
                return
            except NotNow as refusal:
                settle.settle_error(capped.database, task.lease, refusal, BACKOFF)
                capped.one("SELECT pg_sleep(0.01)")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, jobs))
    assert (most[0], done[0]) == (3, 30)


# Budgets.


def test_a_day_s_budget_is_kept_counting_what_calls_in_flight_may_cost(floor: Floor) -> None:
    poor = floor.with_gates(budget_per_day={"gemini": Decimal("0.10")})
    ana = poor.owner()
    first, call = poor.new(ana), wanted(estimate="0.06")
    assert poor.enter(first, call, after(0)) is None
    refusal = poor.enter(poor.new(ana), wanted(estimate="0.06"), after(1))
    assert refusal is not None and refusal.until is not None
    assert (refusal.kind, refusal.on) == ("budget", "gemini")
    assert refusal.until < after(60)
    permit.leave(first, call, "failed", at=after(2))
    assert poor.enter(poor.new(ana), wanted(estimate="0.06"), after(3)) is None


def test_a_spent_budget_is_back_at_midnight(floor: Floor) -> None:
    poor = floor.with_gates(budget_per_day={"gemini": Decimal("0.10")})
    task = poor.new(poor.owner())
    money.record(task, charge("0.07"), at=after(0))
    refusal = poor.enter(task, wanted(estimate="0.04"), after(1))
    assert refusal is not None and refusal.until is not None
    midnight = NOON + timedelta(hours=12)
    assert midnight <= refusal.until < midnight + timedelta(seconds=30)
    assert "0.07 of 0.1 USD" in refusal.message
    tomorrow = poor.new(poor.owner("Ben"))
    assert poor.enter(tomorrow, wanted(estimate="0.04"), midnight) is None


def test_an_owner_s_budget_counts_all_providers_and_is_nobody_else_s(floor: Floor) -> None:
    poor = floor.with_gates(budget_per_owner=Decimal("0.10"))
    ana, ben = poor.owner("Ana"), poor.owner("Ben")
    money.record(poor.new(ana), charge("0.07"), at=after(0))
    refusal = poor.enter(poor.new(ana), wanted("laozhang", estimate="0.04"), after(1))
    assert refusal is not None and (refusal.kind, refusal.on) == ("budget", f"owner {ana}")
    assert poor.enter(poor.new(ben), wanted("laozhang", estimate="0.04"), after(1)) is None


def test_of_many_at_once_none_passes_what_the_budget_has_left(floor: Floor) -> None:
    poor = floor.with_gates(budget_per_owner=Decimal("0.20"))
    ana = poor.owner()
    tasks = [poor.take(job) for job in poor.steps(ana, 16)]

    def work(task: Task) -> bool:
        provider = f"p{task.lease.job_id % 3}"
        return poor.enter(task, wanted(provider, estimate="0.04")) is None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, tasks)) == 5


def test_an_estimate_beyond_a_whole_day_s_budget_fails_and_names_the_setting(floor: Floor) -> None:
    poor = floor.with_gates(budget_per_day={"gemini": Decimal("0.01")})
    task = poor.new(poor.owner())
    with (
        pytest.raises(Permanent, match="DARKROOM_BUDGET_PER_DAY"),
        calling(task, provider="gemini", operation="edit", estimate=CENTS),
    ):
        pass


# Money.


def test_a_charge_is_on_record_before_the_call_is_left_and_though_it_fails(floor: Floor) -> None:
    task = floor.new(floor.owner())
    with (
        pytest.raises(Transient),
        calling(task, provider="gemini", operation="edit", estimate=CENTS) as call,
    ):
        call.charge(Decimal("0.05"))
        assert (cost(task, floor), spent(floor)) == (Decimal("0.05"), Decimal("0.05"))
        raise Transient("the step fails afterwards")
    pace.pull(floor.database)
    assert (cost(task, floor), spent(floor)) == (Decimal("0.05"), Decimal("0.05"))


def test_a_charge_said_twice_is_recorded_once(floor: Floor) -> None:
    task, once = floor.new(floor.owner()), charge("0.05")
    assert [money.record(task, once), money.record(task, once)] == [True, False]
    assert cost(task, floor) == Decimal("0.05")


def test_a_charge_whose_connection_is_lost_is_said_again_and_recorded_once(floor: Floor) -> None:
    task = floor.new(floor.owner())
    with ThreadPoolExecutor(1) as pool, floor.database.connect() as other:
        with other.transaction():
            other.execute("SELECT FROM runs FOR UPDATE")
            said = pool.submit(money.record, task, charge("0.05"))
            cut = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            while not other.execute(cut).fetchall():
                pass
        assert said.result(timeout=20)
    assert (cost(task, floor), spent(floor)) == (Decimal("0.05"), Decimal("0.05"))


def test_a_run_costs_the_sum_of_its_charges(floor: Floor) -> None:
    task = floor.new(floor.owner())
    with calling(task, provider="gemini", operation="edit") as call:
        call.charge(Decimal("0.05"))
        call.charge(Decimal("0.02"))
    with calling(task, provider="laozhang", operation="draw") as call:
        call.charge(Decimal("0.000001"))
    assert cost(task, floor) == Decimal("0.070001")
    with floor.database.session() as session:
        assert sum(each.amount for each in reading.charges(session, task.run_id)) == Decimal(
            "0.070001"
        )


def test_a_call_whose_end_nobody_heard_is_presumed_to_have_cost_its_estimate(floor: Floor) -> None:
    task, call = floor.new(floor.owner()), wanted(estimate="0.04")
    permit.enter(task, call)
    floor.kill(task)
    pace.pull(floor.database)
    pace.pull(floor.database)
    assert (cost(task, floor), spent(floor)) == (CENTS, CENTS)


def test_should_it_report_after_all_the_presumption_is_taken_back(floor: Floor) -> None:
    task, call = floor.new(floor.owner()), wanted(estimate="0.04")
    permit.enter(task, call)
    floor.kill(task)
    pace.pull(floor.database)
    late = Charge(call.call_id, 1, "gemini", "edit", Decimal("0.03"))
    assert money.record(task, late)
    assert (cost(task, floor), spent(floor)) == (Decimal("0.03"), Decimal("0.03"))
    with floor.database.session() as session:
        found = reading.charges(session, task.run_id)
    assert [(each.part, each.amount) for each in found] == [
        (0, CENTS),
        (-1, -CENTS),
        (1, Decimal("0.03")),
    ]


def test_a_call_that_was_charged_and_died_then_is_charged_no_more(floor: Floor) -> None:
    task, call = floor.new(floor.owner()), wanted(estimate="0.04")
    permit.enter(task, call)
    money.record(task, Charge(call.call_id, 1, "gemini", "edit", Decimal("0.03")))
    floor.kill(task)
    pace.pull(floor.database)
    assert spent(floor) == Decimal("0.03")


def test_a_busy_run_does_not_hold_up_the_sweep_and_is_charged_later(floor: Floor) -> None:
    task, call = floor.new(floor.owner()), wanted(estimate="0.04")
    permit.enter(task, call)
    floor.kill(task)
    with floor.database.connect() as frozen, frozen.transaction():
        frozen.execute("SELECT FROM runs FOR UPDATE")
        pace.pull(floor.database)
        assert floor.one("SELECT count(*) FROM permits") == 1
    pace.pull(floor.database)
    assert cost(task, floor) == CENTS


@pytest.mark.parametrize("amount", [Decimal("-0.01"), Decimal("NaN"), Decimal("Infinity")])
def test_an_amount_that_cannot_be_paid_is_refused(floor: Floor, amount: Decimal) -> None:
    task = floor.new(floor.owner())
    with (
        pytest.raises(ValueError, match="amount of money"),
        calling(task, provider="gemini", operation="edit") as call,
    ):
        call.charge(amount)


# Reading.


def test_what_the_gates_hold_can_be_read(floor: Floor) -> None:
    gated = floor.with_gates(max_calls={"gemini": 1})
    ana = gated.owner()
    task = gated.new(ana)
    assert gated.enter(task, wanted(pace="variants", estimate="0.04")) is None
    assert gated.enter(gated.new(ana), wanted()) is not None
    assert gated.enter(gated.new(ana), wanted("laozhang", pace="variants")) is not None
    with gated.database.session() as session:
        (held,) = reading.permits(session)
        assert (held.provider, held.pace, held.owner_id) == ("gemini", "variants", ana)
        (line,) = reading.paces(session)
        assert (line.name, line.in_flight, line.waiting) == ("variants", True, 1)
        gemini, _ = reading.capacities(session)
        assert (gemini.in_flight, gemini.max_calls, gemini.waiting) == (1, 1, 1)
        (first,) = reading.waits(session, "pace", "variants")
        assert (first.place, first.owner_id) == (1, ana)
    money.record(task, charge("0.04"))
    with gated.database.session() as session:
        (day,) = reading.spending(session, NOON.date().replace(year=2020))
    assert (day.provider, day.owner_id, day.amount) == ("gemini", ana, CENTS)
