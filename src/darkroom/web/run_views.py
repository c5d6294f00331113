"""Runs as the pages show them: whose, how far, and their state as JSON for the scripts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext
from sqlalchemy.orm import Session

from darkroom.errors import NotFound
from darkroom.queue import runs
from darkroom.queue.models import Run
from darkroom.queue.runs import StepView
from darkroom.web.auth import check_owner
from darkroom.web.reasons import why
from darkroom.web.words import STATES, say, word

Json = dict[str, Any]

NO_RUN = "There is no such run."
SHOWN_STEPS = 200


@dataclass(frozen=True)
class Card:
    """A run with what its pipeline shows of it: where its result is, a picture, a line of text."""

    run: Run
    url: str | None = None
    thumbnail_url: str | None = None
    summary: str = ""
    needs_review: bool = False
    needs_location: bool = False

    @property
    def state(self) -> str:
        """The state that a person wants to know first."""
        if self.needs_location and not self.run.is_over:
            return "needs_location"
        return "review" if self.needs_review else self.run.status


def visible_run(session: Session, run_id: UUID) -> Run:
    """The run, if it is the present user's to see; `NotFound` otherwise."""
    [run] = visible_runs(session, [run_id])
    return run


def visible_runs(session: Session, run_ids: Sequence[UUID]) -> list[Run]:
    """The runs in this order, if all are the present user's to see; `NotFound` otherwise."""
    found = {run.id: run for run in runs.many(session, run_ids)}
    for run_id in run_ids:
        if run_id not in found:
            raise NotFound(NO_RUN)
        check_owner(found[run_id].owner_id, NO_RUN)
    return [found[run_id] for run_id in run_ids]


def shown_steps(session: Session, run_id: UUID) -> tuple[list[StepView], dict[str, int]]:
    """The steps that are shown of a run; when not all are, also how many are in each state."""
    steps = runs.steps_of(session, run_id, SHOWN_STEPS)
    states = runs.step_states(session, run_id) if len(steps) == SHOWN_STEPS else {}
    return steps, states if sum(states.values()) > len(steps) else {}


def elapsed(run: Run) -> float:
    """Seconds since the run was asked for, or that it took."""
    return ((run.finished_at or datetime.now(UTC)) - run.created_at).total_seconds()


def run_note(run: Run, steps: Sequence[StepView] = ()) -> str:
    """What the run does now, why it waits, or why it ended, in the reader's language."""
    if run.status == "failed" and run.error:
        return say(str(run.error.get("message", "")))
    if run.is_over:
        return ""
    return _held_up(run, steps) or say(run.note, run.note_values)


def time_left(run: Run, steps: Sequence[StepView] = ()) -> str:
    """A guess from the progress so far, once it says anything; empty before, and while it waits."""
    if run.status != "running" or run.started_at is None or run.progress < 0.05:
        return ""
    if _held_up(run, steps):
        return ""
    spent = (datetime.now(UTC) - run.started_at).total_seconds()
    # Spelled out: the extraction of texts stumbles over a call within a call.
    guess = rough(spent / run.progress - spent)
    left: str = gettext("about %(time)s left", time=guess)
    return left


def rough(seconds: float) -> str:
    """A guessed length of time, to no more precision than a guess has."""
    if seconds < 60:
        return f"{max(5, round(seconds / 5) * 5)} s"
    return f"{round(seconds / 60)} min"


def run_state(
    run: Run, steps: Sequence[StepView] = (), states: Mapping[str, int] | None = None
) -> Json:
    """The state for the page's script; `step_states` where `steps` are not all there are."""
    return {
        "id": str(run.id),
        "title": run.title,
        "status": run.status,
        "word": word(STATES, run.status),
        "progress": round(run.progress, 4),
        "note": run_note(run, steps),
        "left": time_left(run, steps),
        "finished": run.is_over,
        "cancelling": run.cancel_requested_at is not None and not run.is_over,
        "created_at": _iso(run.created_at),
        "started_at": _iso(run.started_at),
        "finished_at": _iso(run.finished_at),
        "shape": run_shape(run, steps),
        "steps": [_step_state(step) for step in steps],
        "step_states": states or {},
    }


def run_shape(run: Run, steps: Sequence[StepView] = ()) -> str:
    """A text that changes when a page of the run has more to show than progress."""
    ending = "cancelling" if run.cancel_requested_at else ""
    return " ".join([run.status, ending, *(f"{s.job_id}:{s.state}:{s.tries}" for s in steps)])


def step_why(step: StepView) -> str:
    """Why the step waits, in the reader's language; empty when it does not."""
    return why(step.why.reason, step.why.waits_on, step.why.why) if step.why else ""


def _held_up(run: Run, steps: Sequence[StepView]) -> str:
    """Why nothing of the run goes on; what it said last would be out of date."""
    if run.cancel_requested_at is not None or any(step.state == "running" for step in steps):
        return ""
    waiting = (step for step in steps if step.why is not None and step.why.reason != "next")
    return next(map(step_why, waiting), "")


def _step_state(step: StepView) -> Json:
    return {
        "job_id": step.job_id,
        "name": step.name,
        "label": step.label,
        "state": step.state,
        "word": word(STATES, step.state),
        "progress": round(step.progress, 4),
        "note": say(step.note, step.note_values) if step.state == "running" else "",
        "waiting_for": step_why(step),
        "error": step.error,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds") if moment else None
