"""Request limits: never more than the quota in any period, whoever asks at once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as how

from darkroom.db.sessions import Database
from darkroom.queue.gates import limit, reading
from darkroom.queue.gates.limit import Window
from darkroom.settings import Quota
from tests.engine.floor import after

TEN = Quota(10, 60)


def hit(database: Database, at: float, quota: Quota = TEN, client: str = "user 1") -> Window:
    return limit.hit(database, client, "/generate-image", quota, at=after(at))


def test_the_eleventh_call_within_a_minute_is_refused(database: Database) -> None:
    said = [hit(database, n) for n in range(11)]
    assert [window.allowed for window in said] == [True] * 10 + [False]
    assert [window.remaining for window in said] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]
    assert said[-1].retry_seconds == 50
    assert said[-1].reset_at == after(60)


def test_a_call_may_go_when_the_oldest_has_left_the_window(database: Database) -> None:
    for _ in range(10):
        hit(database, 0)
    assert not hit(database, 59.9).allowed
    assert hit(database, 60).allowed


def test_refused_calls_do_not_count(database: Database) -> None:
    for n in range(30):
        hit(database, n)
    assert hit(database, 60).allowed


def test_clients_and_endpoints_are_counted_apart(database: Database) -> None:
    one = Quota(1, 60)
    assert hit(database, 0, one, "user 1").allowed
    assert hit(database, 0, one, "user 2").allowed
    assert limit.hit(database, "user 1", "/face-swap", one, at=after(0)).allowed
    assert not hit(database, 0, one, "user 1").allowed


def test_a_smaller_quota_counts_at_once(database: Database) -> None:
    for n in range(10):
        hit(database, n)
    said = hit(database, 10, Quota(3, 60))
    assert (said.allowed, said.remaining, said.retry_seconds) == (False, 0, 57)


def test_of_many_callers_at_once_exactly_the_quota_goes_through(database: Database) -> None:
    with ThreadPoolExecutor(16) as pool:
        said = list(pool.map(lambda _: limit.hit(database, "user 1", "/x", TEN), range(60)))
    assert sum(window.allowed for window in said) == 10


@how(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    gaps=strategies.lists(strategies.sampled_from([0, 0, 0.5, 1, 2.5, 7, 30]), max_size=30),
    quota=strategies.builds(
        Quota, strategies.integers(1, 5), strategies.sampled_from([0.75, 3.0, 10.0])
    ),
)
def test_no_period_ever_holds_more_than_the_quota_and_none_is_refused_in_vain(
    database: Database, gaps: Sequence[float], quota: Quota
) -> None:
    at, taken = 0.0, list[float]()
    _forget(database)
    for gap in gaps:
        at += gap
        counted = [then for then in taken if then > at - quota.seconds]
        said = hit(database, at, quota)
        assert said.allowed == (len(counted) < quota.calls)
        if said.allowed:
            taken.append(at)
        else:
            assert abs(said.retry_seconds - (counted[0] + quota.seconds - at)) < 1e-3
        assert said.remaining == max(quota.calls - len(counted) - said.allowed, 0)


def test_what_clients_used_can_be_read(database: Database) -> None:
    for _ in range(3):
        limit.hit(database, "user 1", "/face-swap", Quota(2, 60))
    with database.session() as session:
        (found,) = reading.limits(session)
    assert (found.client, found.used, found.quota, found.refused) == ("user 1", 2, 2, 1)
    assert found.last_refused_at is not None
    assert found.expires_at - found.last_refused_at < timedelta(seconds=60)


def _forget(database: Database) -> None:
    with database.session() as session:
        session.connection().exec_driver_sql("DELETE FROM limits_used")
