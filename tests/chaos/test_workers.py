"""Workers that die, freeze, or are sent away all the time."""

import signal

from tests.chaos.conftest import STALE_SECONDS
from tests.chaos.trial import Trial


def test_workers_are_killed(trial: Trial) -> None:
    trial.begin(3)
    while trial.go_on(0.1, 1.5):
        victim = trial.victim()
        trial.note(victim)
        trial.fleet.kill(victim)
        trial.fleet.start()
    trial.finish()


def test_workers_freeze_past_their_lease(trial: Trial) -> None:
    trial.begin(3)
    while trial.go_on(0.1, 1.0):
        victim = trial.victim()
        trial.note(victim)
        victim.signal(signal.SIGSTOP)
        trial.go_on(STALE_SECONDS, 2 * STALE_SECONDS)
        victim.signal(signal.SIGCONT)
    trial.finish()


def test_workers_are_sent_away_all_the_time(trial: Trial) -> None:
    trial.begin(2)
    while trial.go_on(0.5, 1.0):
        trial.until(trial.fleet.working, "a worker to work")
        oldest = trial.fleet.workers[0]
        trial.fleet.start()
        trial.note(oldest)
        trial.fleet.leave(oldest)
    trial.finish()
