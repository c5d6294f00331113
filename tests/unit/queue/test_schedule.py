"""Schedules as texts, and the due times they name."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import Invalid
from darkroom.queue import schedule
from darkroom.queue.schedule import Every

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXTS = [
    "* * * * *",
    "*/7 * * * *",
    "17 3 * * *",
    "0 0 1 * *",
    "every 45s",
    "every 10m",
    "every 1d",
]

moments = st.integers(0, 3_000_000).map(lambda seconds: NOON + timedelta(seconds=seconds))


def parsed(text: str) -> schedule.Schedule:
    found = schedule.parse(text)
    assert found is not None
    return found


def test_a_cron_expression_is_in_utc():
    assert parsed("17 3 * * *").after(NOON) == datetime(2026, 3, 2, 3, 17, tzinfo=UTC)


def test_an_interval_counts_from_its_first_due_time():
    every = parsed("every 10m")
    assert every == Every(timedelta(minutes=10))
    assert every.following(NOON, NOON + timedelta(minutes=25)) == NOON + timedelta(minutes=30)


def test_off_is_no_schedule():
    assert schedule.parse(" OFF ") is None


@pytest.mark.parametrize(
    "text",
    ["", "often", "* * * *", "* * * * * *", "61 * * * *", "0 0 30 2 *", "every 0m", "R R * * *"],
)
def test_what_is_no_schedule_is_refused_and_the_setting_named(text: str):
    with pytest.raises(Invalid, match=r"DARKROOM_CRON_X: .* is not a schedule") as caught:
        schedule.parse(text, "DARKROOM_CRON_X")
    assert caught.value.field == "DARKROOM_CRON_X"


@given(st.sampled_from(TEXTS), moments, moments)
def test_the_next_due_time_is_the_first_one_not_counted(text: str, one: datetime, other: datetime):
    found = parsed(text)
    due = found.after(min(one, other))
    now = max(due, one, other)
    times = [due]
    while times[-1] <= now:
        times.append(found.following(times[-1], times[-1]))
    if len(times) - 1 <= schedule.MOST_COUNTED:
        assert found.count(due, now) == len(times) - 1
    assert found.following(due, now) == times[-1]


def test_the_due_times_of_years_are_not_counted_one_by_one():
    found = parsed("* * * * *")
    assert found.count(NOON, NOON + timedelta(days=3650)) == schedule.MOST_COUNTED + 1
