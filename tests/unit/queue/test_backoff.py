from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from darkroom.queue.backoff import Backoff

backoffs = st.builds(Backoff, base=st.floats(0.01, 10), cap=st.floats(0.01, 1000))
attempts = st.integers(1, 10_000)
draws = st.floats(0, 1, exclude_max=True)


@given(backoffs, attempts, draws)
def test_a_wait_lies_between_zero_and_its_ceiling(backoff: Backoff, attempt: int, drawn: float):
    wait = backoff.delay(attempt, draw=lambda: drawn).total_seconds()
    assert 0 <= wait <= backoff.ceiling(attempt) + 1e-6


@given(backoffs, attempts)
def test_the_ceiling_doubles_until_it_meets_the_cap(backoff: Backoff, attempt: int):
    this, after = backoff.ceiling(attempt), backoff.ceiling(attempt + 1)
    assert after == backoff.cap or after == 2 * this
    assert this <= after <= backoff.cap


@given(backoffs, attempts, draws, st.floats(0, 10_000))
def test_a_retry_after_is_never_undercut(
    backoff: Backoff, attempt: int, drawn: float, asked: float
):
    retry_after = timedelta(seconds=asked)
    assert backoff.delay(attempt, retry_after, lambda: drawn) >= retry_after
