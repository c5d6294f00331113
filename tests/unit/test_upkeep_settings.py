"""How long things are kept and when cron jobs run, as the environment says it."""

import pytest

from darkroom.errors import Invalid
from darkroom.settings import Settings, UpkeepSettings


def test_without_settings_finished_work_stays_a_week_and_what_failed_a_month():
    kept = Settings.from_env({}).upkeep
    assert kept == UpkeepSettings()
    assert (kept.finished_days, kept.failed_days) == (7, 30)


def test_ages_may_be_parts_of_a_day():
    kept = Settings.from_env({"DARKROOM_KEEP_FINISHED_DAYS": "0.5"}).upkeep
    assert kept.finished_days == 0.5


@pytest.mark.parametrize("text", ["-1", "inf", "nan", "a week"])
def test_an_age_that_is_none_is_refused_and_its_variable_named(text: str):
    with pytest.raises(Invalid, match="DARKROOM_KEEP_FAILED_DAYS"):
        Settings.from_env({"DARKROOM_KEEP_FAILED_DAYS": text})


def test_schedules_are_taken_from_the_variables_that_are_not_empty():
    found = Settings.from_env({"DARKROOM_CRON_A_B": "every 1h", "DARKROOM_CRON_C": " "})
    assert found.queue.crons == {"A_B": "every 1h"}
