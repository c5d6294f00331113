"""Gates in front of real worker processes."""

import time
from itertools import pairwise
from pathlib import Path

from darkroom.queue import control
from darkroom.queue.gates import breaker
from tests.engine import steps
from tests.integration.conftest import Engine
from tests.integration.test_engine import outcomes

QUICK = {"DARKROOM_BREAKER_FAILURES": "2", "DARKROOM_BREAKER_OPEN_SECONDS": "3"}


def waiting(engine: Engine) -> tuple[str | None, str | None, str | None, int]:
    """Why the one step waits: kind, gate, sentence; and how many of its attempts are burned."""
    with engine.database.connect() as connection:
        row = connection.execute(
            "SELECT waiting_kind, waiting_on, waiting_for, j.attempts"
            " FROM steps s JOIN procrastinate_jobs j ON j.id = s.job_id WHERE run_id IS NOT NULL"
        ).fetchone()
    assert row is not None
    return row


def spans(engine: Engine) -> list[tuple[float, float]]:
    """When the calls began and ended, in order."""
    found = [mark.split()[1:] for mark in engine.marks()]
    return sorted((float(began), float(ended)) for began, ended in found)


def test_a_step_behind_a_closed_breaker_waits_says_why_and_goes_on_when_it_is_reset(
    engine: Engine, tmp_path: Path
) -> None:
    with engine.database.session() as session:
        breaker.isolate(session, "gemini", "edit", who="Ana", reason="their key leaked")
    engine.start_worker("io")
    run_id = engine.start_run(steps.call_outside.call(word="on", mended=str(tmp_path)))
    engine.until(lambda: waiting(engine)[0] == "breaker")
    assert waiting(engine) == (
        "breaker",
        "gemini edit",
        "the breaker gemini edit was isolated by hand: their key leaked",
        0,
    )
    with engine.database.session() as session:
        breaker.reset(session, "gemini", "edit", who="Ana")
    run = engine.ended(run_id)
    assert run.status == "completed"
    assert outcomes(engine, run_id) == ["given_back", "succeeded"]
    assert waiting(engine) == (None, None, None, 1)
    assert str(run.cost) == "0.040000"


def test_a_broken_provider_opens_the_breaker_and_the_step_waits_until_it_is_mended(
    engine: Engine, tmp_path: Path
) -> None:
    mended = tmp_path / "mended"
    engine.start_worker("io", **QUICK)
    run_id = engine.start_run(steps.call_outside.call(word="on", mended=str(mended)))
    engine.until(lambda: outcomes(engine, run_id).count("given_back") >= 1)
    mended.touch()
    assert engine.ended(run_id).status == "completed"
    tried = outcomes(engine, run_id)
    assert tried.count("retried") == 2 and tried[-1] == "succeeded"


def test_paced_calls_of_two_workers_keep_their_distance_and_do_not_dawdle(
    engine: Engine, tmp_path: Path
) -> None:
    paced = {"DARKROOM_PACES": "variants=0.3"}
    runs = [
        engine.start_run(steps.call_outside.call(word="on", mended=str(tmp_path), pace="variants"))
        for _ in range(6)
    ]
    engine.start_worker("io", **paced)
    engine.start_worker("io", **paced)
    for run_id in runs:
        assert engine.ended(run_id).status == "completed"
    gaps = [later[0] - earlier[1] for earlier, later in pairwise(spans(engine))]
    assert min(gaps) >= 0.3
    assert sum(gaps) / len(gaps) < 2


def test_a_killed_worker_s_place_at_the_pace_goes_to_the_next(
    engine: Engine, tmp_path: Path
) -> None:
    doomed = engine.start_worker("gpu")
    first = engine.start_run(steps.hold_pace.call(path=str(tmp_path / "go")))
    engine.until((tmp_path / "go.begun").exists)
    second = engine.start_run(
        steps.call_outside.call(word="on", mended=str(tmp_path), pace="variants")
    )
    engine.start_worker("io")
    engine.until(lambda: outcomes(engine, second).count("given_back") >= 1)
    doomed.kill()
    assert engine.ended(second).status == "completed"
    with engine.database.session() as session:
        control.cancel(session, first)


def test_a_cancelled_step_s_place_at_the_pace_goes_to_the_next_within_moments(
    engine: Engine, tmp_path: Path
) -> None:
    engine.start_worker("gpu")
    holder = engine.start_run(steps.hold_pace.call(path=str(tmp_path / "go")))
    engine.until((tmp_path / "go.begun").exists)
    engine.start_worker("io")
    cancelled = engine.start_run(
        steps.call_outside.call(word="no", mended=str(tmp_path), pace="variants")
    )
    engine.until(lambda: outcomes(engine, cancelled).count("given_back") >= 1)
    third = engine.start_run(
        steps.call_outside.call(word="on", mended=str(tmp_path), pace="variants")
    )
    engine.until(lambda: outcomes(engine, third).count("given_back") >= 1)
    with engine.database.session() as session:
        control.cancel(session, cancelled)
    (tmp_path / "go").touch()
    engine.ended(holder)
    ended = time.monotonic()
    assert engine.ended(third).status == "completed"
    assert time.monotonic() - ended < 1.5 + 3
