"""The words that come from data rather than from a page: states, steps, notes, messages.

Jobs and services speak English: sentences with {places}. Those that people may meet are listed
here, so that they are in the catalogs; `say` translates one that arrives, filled in or not.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from flask_babel import gettext


def N_(text: str) -> str:
    """Mark a text for the catalogs; it is translated where it is shown."""
    return text


STATES = {
    "pending": N_("Waiting"),
    "waiting": N_("Waiting"),
    "scheduled": N_("Scheduled"),
    "running": N_("Running"),
    "processing": N_("Running"),
    "completed": N_("Done"),
    "succeeded": N_("Done"),
    "uploaded": N_("Waiting"),
    "counted": N_("Counted"),
    "drawn": N_("Done"),
    "failed": N_("Failed"),
    "cancelled": N_("Cancelled"),
    "retried": N_("Failed, tried again"),
    "given_back": N_("Given back"),
    "lost": N_("Worker lost"),
    "review": N_("Needs review"),
    "delivered": N_("Delivered"),
    "skipped": N_("Not sent"),
    "active": N_("Active"),
    "paused": N_("Paused"),
    "disabled": N_("Switched off"),
}

PIPELINES = {"counting": N_("Counting")}

STEPS = {
    "counting.ingest": N_("Receive the photos"),
    "counting.detect": N_("Count the plants"),
    "counting.aggregate": N_("Add up"),
    "counting.draw": N_("Draw the result"),
    "notifying.alert": N_("Alert"),
    "notifying.slack": N_("Alert by Slack"),
    "notifying.email": N_("Alert by e-mail"),
    "signalling.deliver": N_("Tell a webhook"),
}

EVENTS = {
    "run.created": N_("A run was asked for"),
    "run.started": N_("It began"),
    "run.succeeded": N_("It succeeded"),
    "run.failed": N_("It failed"),
    "run.cancelled": N_("It was cancelled"),
}

LANES = {
    "io": N_("Lane io (network and files)"),
    "cpu": N_("Lane cpu"),
    "gpu": N_("Lane gpu (models)"),
}

CONTAINERS = {"plug": N_("Plug tray"), "box": N_("Box"), "segment": N_("Segment")}

CLASSES = {"plant": N_("Plant"), "plants": N_("Plants")}

ROLES = {
    "admin": N_("Administrator"),
    "member": N_("Member"),
    "viewer": N_("Viewer"),
}

SENTENCES = (
    N_("cancelling"),
    N_("The run is {status} already; there is nothing to cancel."),
    N_("The run is still going on. Cancel it first, or wait for its end."),
    N_("Some steps of the run are still stopping. Try again in a moment."),
    N_("Every step of this run succeeded; there is nothing to retry."),
    N_("This run's steps were cleaned up; it cannot be retried. Send it again."),
    N_("There is no such run."),
    N_("There is no such step."),
    N_("Only a step that failed or was cancelled can be retried."),
    N_("The run is over."),
    N_("{number} photos"),
    N_("{number} photos at once; at most {limit} are taken."),
    N_("No photo was sent: attach at least one as “{field}”."),
    N_("No file came with the request: send one in the part “{field}”."),
    N_("The file “{name}” is too large: at most {limit} MB are allowed."),
    N_("The file “{name}” is empty."),
    N_("There is no file {name}."),
    N_("“{name}” is damaged or cut short. Copy or download it again, or send another one."),
    N_(
        "“{name}” is a HEIC photo, which is not supported. Save it as JPEG (on an iPhone: "
        "Settings, Camera, Formats, Most Compatible)."
    ),
    N_("“{name}” is not an image, or is damaged. Send a JPEG, PNG or WebP file."),
    N_("“{name}” is a {kind} image. Send one of these types: {wanted}."),
    N_("“{name}” holds a {kind} image. Give it a name that ends in {right}."),
    N_(
        "“{name}” has {width} by {height} pixels. At most {limit} megapixels are allowed: "
        "make it smaller."
    ),
    N_("“{name}” is an animation. Send a still image."),
    N_("“{name}” is built in an unusual way. Save it again as a JPEG."),
    N_("There is vegetation here, but no plant was detected."),
    N_("the breaker {gate} is open; the last error was: {error}"),
    N_("the breaker {gate} is being tried; the last error was: {error}"),
    N_("the breaker {gate} was isolated by hand: {reason}"),
    N_("the budget of {gate} for today is spent: {spent} of {budget} USD"),
    N_("calls in flight have reserved what is left of the budget of {gate}"),
    N_("all {calls} calls in flight that {gate} may have are taken"),
    N_("waiting in line for the pace {gate}, {ahead} before it"),
    N_("There is no such breaker."),
    N_("The endpoint answered 410: it is gone for good."),
    N_("The webhook did not listen."),
    N_("{endpoint} did not answer within {seconds} s."),
    N_("{endpoint} could not be reached: {reason}"),
    N_("{endpoint} answered {status}."),
    N_("The host {host} cannot be found."),
    N_("There is no filter called {name}. There are: {known}."),
    N_("There is no state {value}. There are: {known}."),
    N_("There is no action {value}. There are: {known}."),
    N_("At most {number} characters, and none of them NUL."),
    N_("At most {number} at once."),
    N_("Give {name} only once."),
    N_("The limit must lie between 1 and {number}."),
    N_("{value} is not a number of that kind."),
    N_("{value} is not a run's id."),
    N_("{value} is not a time like 2026-05-01T12:00 (UTC), nor an age like 2h."),
)
"""What jobs and the engine say, as they say it."""

_PLACE = re.compile(r"\\{(\w+)\\}")


def say(text: str, values: Mapping[str, Any] | None = None) -> str:
    """A sentence of ours in the reader's language.

    Parameters
    ----------
    text
        The sentence, with {places} or with them filled in. One that is not known stays as it is.
    values
        What fills the places.
    """
    if not text:
        return ""
    if values:
        return _filled(gettext(text), values)
    translated = gettext(text)
    return translated if translated != text else _recognised(text)


def word(table: Mapping[str, str], key: str) -> str:
    """The reader's word for a key of one of the tables above; unknown keys speak for themselves."""
    return gettext(table[key]) if key in table else key.replace("_", " ").replace(".", " · ")


def _filled(template: str, values: Mapping[str, Any]) -> str:
    try:
        return template.format_map(values)
    except (KeyError, ValueError, IndexError, AttributeError):
        return template


def _recognised(text: str) -> str:
    for template, pattern in _patterns():
        found = pattern.fullmatch(text)
        if found:
            return _filled(gettext(template), found.groupdict())
    return text


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (sentence, re.compile(_PLACE.sub(r"(?P<\1>.+?)", re.escape(sentence)), re.DOTALL))
        for sentence in SENTENCES
        if "{" in sentence
    )


def script_words() -> dict[str, str]:
    """The texts that the pages' scripts show, in the reader's language."""
    return {
        "tooLarge": gettext("is larger than {limit} MB"),
        "notAPhoto": gettext("is not a JPEG, PNG or WebP photo"),
        "empty": gettext("is empty"),
        "tooMany": gettext("At most {limit} photos at once."),
        "remove": gettext("Remove {name}"),
        "ready": gettext("ready"),
        "sending": gettext("sending"),
        "sent": gettext("sent"),
        "onePhoto": gettext("1 photo, {size}"),
        "somePhotos": gettext("{count} photos, {size}"),
        "leftOut": gettext("left out"),
        "countOne": gettext("Count 1 photo"),
        "countSome": gettext("Count {count} photos"),
        "connectionLost": gettext("The connection was lost before everything had arrived."),
        "checking": gettext("Received. Checking the photos…"),
        "copied": gettext("Copied"),
        "live": gettext("Live"),
        "polling": gettext("Updated every few seconds"),
        "offline": gettext("No connection. Trying again…"),
        "fullScreen": gettext("Full screen"),
        "leaveFullScreen": gettext("Leave full screen"),
        "paused": gettext("Waits while rows are selected"),
        "selected": gettext("{count} selected"),
    }
