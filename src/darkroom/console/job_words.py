"""The words of the pages of jobs: actions, timelines, and what goes wrong."""

import json
from collections.abc import Callable
from typing import Any

from flask_babel import gettext, ngettext

from darkroom.accounts.audit import AuditRow
from darkroom.console.job_views import Reason
from darkroom.web.reasons import why
from darkroom.web.words import N_

TIMELINE = {
    "deferred": N_("asked for"),
    "cancelled": N_("cancelled"),
    "abort_requested": N_("asked to stop"),
    "retried": N_("queued again by a person"),
    "started": N_("begun"),
    "succeeded": N_("done"),
    "failed": N_("failed"),
    "given_back": N_("given back"),
    "lost": N_("its worker was lost"),
    "tried_again": N_("failed, to be tried again"),
}

ACTIONS = {
    "retry": N_("Retry"),
    "run-now": N_("Run now"),
    "cancel": N_("Cancel"),
    "discard": N_("Discard"),
    "reprioritise": N_("Set priority"),
}

EXPLAINED = {
    "retry": N_(
        "Those that failed or were cancelled go back into the queue with all their attempts, and "
        "with them what was dropped when their runs ended. What succeeded is kept."
    ),
    "run-now": N_(
        "Those that wait for a time are due at once. A gate that is closed stays closed."
    ),
    "cancel": N_(
        "Those that wait are dropped; those that run stop at their next checkpoint. A run that "
        "cannot go on without them fails; of a fan-out the others go on."
    ),
    "discard": N_(
        "Those that wait are cancelled; those that failed are laid to rest. Their attempts and "
        "errors are kept, and nothing that runs is touched."
    ),
    "reprioritise": N_("Those that wait get the new priority; higher runs first in its lane."),
}

REFUSALS = (
    N_("There is no such job."),
    N_("There is no such action."),
    N_("This was taken back already."),
    N_("This cannot be taken back."),
    N_("A priority belongs to reprioritise, and only to it."),
    N_("The priority must lie between -1000 and 1000."),
    N_("Name a path and its value, like photo_id:12."),
    N_("An operator cancelled this step."),
    N_("An operator discarded this step."),
)
"""What other modules say, as they say it."""


def reason_words(reason: Reason | None) -> str:
    """Why a job waits, in the reader's language."""
    return "" if reason is None else why(reason.reason, reason.waits_on, reason.why)


def moment_word(kind: str) -> str:
    """What happened to a job."""
    return str(gettext(TIMELINE[kind])) if kind in TIMELINE else kind.replace("_", " ")


def action_word(action: str) -> str:
    """The name of an action, as its button says it."""
    return str(gettext(ACTIONS[action]))


def explained(action: str) -> str:
    """What an action does."""
    return str(gettext(EXPLAINED[action]))


def as_json(value: Any) -> str:
    """Arguments and results as people read them."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def done_words(row: AuditRow) -> str:
    """What an action did."""
    sentence: str = ngettext(
        "%(action)s: %(num)s job.",
        "%(action)s: %(num)s jobs.",
        row.count,
        action=action_word(row.action.removeprefix("jobs.").replace("_", "-")),
    )
    return sentence


FILTERS: dict[str, Callable[..., Any]] = {
    "reason_words": reason_words,
    "moment_word": moment_word,
    "action_word": action_word,
    "explained": explained,
    "done_words": done_words,
    "as_json": as_json,
}
