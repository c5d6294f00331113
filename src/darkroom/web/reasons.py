"""Why a step waits or stands still, as the pages say it."""

from flask_babel import gettext

from darkroom.web.words import N_

SENTENCES = {
    "lane_paused": N_("lane %(on)s is paused"),
    "no_worker": N_("no worker takes lane %(on)s"),
    "isolated": N_("breaker %(on)s is held open until somebody resets it"),
    "breaker": N_("breaker %(on)s is open"),
    "pace": N_("paced by %(on)s"),
    "limit": N_("limit %(on)s is reached"),
    "concurrency": N_("all calls %(on)s may have are in flight"),
    "budget": N_("budget %(on)s is spent"),
    "device": N_("another worker process has its turn at %(on)s"),
    "location": N_("waits for a location to be chosen"),
    "paused": N_("paused by %(on)s"),
    "picture": N_("the same picture is being made already"),
    "cron": N_("another run of %(on)s goes on"),
    "order": N_("what was asked for earlier goes first"),
    "retry": N_("it went wrong and is tried again"),
    "unknown_step": N_("the last worker that took it does not know this step"),
    "stopped": N_("its worker stopped"),
    "scheduled": N_("asked for a later time"),
    "lock": N_("another step with the lock %(on)s goes first"),
    "turn": N_("the owners in lane %(on)s take turns"),
    "lane_full": N_("all places of lane %(on)s are taken"),
    "next": N_("a worker takes it next"),
    "worker_gone": N_("its worker is gone"),
    "worker_silent": N_("its worker is silent"),
    "no_attempt": N_("it is marked as running, but has no attempt"),
    "not_promoted": N_("it is due, but nobody made it fetchable (does a worker run?)"),
    "no_steps": N_("the run is open, but none of its steps is"),
}


EXPLAINED = frozenset({"lane_paused", "isolated"})
"""What people do and give a reason for: it follows the sentence, as they wrote it."""


def why(reason: str, on: str | None, said: str) -> str:
    """Why a step waits or stands still, in the reader's language; `said` where it is not known."""
    if reason == "children" and on:
        return _children(on)
    if reason not in SENTENCES:
        return said
    sentence: str = gettext(SENTENCES[reason]) % {"on": on or ""}
    given = said.partition(": ")[2] if reason in EXPLAINED else ""
    return ": ".join(filter(None, (" ".join(sentence.split()), given)))


def _children(on: str) -> str:
    pending, _, children = on.partition(" of ")
    sentence: str = gettext(
        "waits for %(pending)s of %(children)s steps", pending=pending, children=children
    )
    return sentence
