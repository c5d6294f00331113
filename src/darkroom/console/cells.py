"""How the columns of dashboards are shown: what kind of value each holds, told by its name."""

import json
from datetime import datetime
from typing import Any

from flask import Flask
from flask_babel import format_decimal

from darkroom.console import words
from darkroom.console.dashboards import Answer
from darkroom.web.formats import NOTHING, duration, number
from darkroom.web.reasons import why

HIDDEN = frozenset({"note_values", "enabled", "capped", "waits_on"})
"""Columns that others say already, or that are said beside the table."""
STEPS = frozenset({"job_id", "example_job_id", "running_job_id"})
STATES = frozenset({"state", "health", "outcome", "last_outcome"})
MONEY = frozenset({"today", "week", "month", "reserved", "cost"})
FIGURE_ENDINGS = ("_seconds", "_bytes", "_fraction", "_rows")
FIGURES = frozenset(
    [
        "attempt",
        "attempts",
        "attempts_left",
        "busy",
        "calls",
        "count",
        "ended",
        "entries",
        "failed",
        "failures",
        "given_back",
        "hits",
        "in_flight",
        "max_calls",
        "max_calls_per_owner",
        "missed",
        "misses",
        "opened_times",
        "owner_in_flight",
        "per_minute",
        "progress",
        "quota",
        "refused",
        "remaining",
        "retried",
        "rows",
        "running",
        "scheduled",
        "slots",
        "started",
        "steps",
        "succeeded",
        "tokens_in",
        "tokens_out",
        "used",
        "waiting",
        "window_calls",
        "window_failed",
        "workers",
    ]
)
CODES = frozenset({"task", "worker", "client", "endpoint", "table", "schedule", "subject", "name"})


def register(app: Flask) -> None:
    """Give the templates these filters."""
    app.jinja_env.filters.update(
        cell_kind=kind,
        is_figure=is_figure,
        column_word=lambda column: words.word(words.COLUMNS, column),
        shown_columns=shown,
        short_time=short_time,
        json_line=lambda value: json.dumps(value, ensure_ascii=False, default=str),
        money=money,
        health_word=lambda state: words.word(words.STATES, state),
        health_icon=lambda state: words.ICONS.get(state, "waiting"),
        kind_word=lambda reason: words.word(words.KINDS, reason),
        why_sentence=lambda row: why(row["reason"], row.get("waits_on"), row["why"]),
        dashboard_title=lambda name: words.word(words.TITLES, name),
        dashboard_question=lambda name: words.word(words.QUESTIONS, name),
    )


def shown(answer: Answer) -> list[str]:
    """The columns worth showing, in order."""
    return [column for column in answer.columns if column not in HIDDEN]


def kind(column: str, value: Any) -> str:
    """What a value is: the name of the way it is shown."""
    if value is None or value == "":
        return "nothing"
    named = _kind_of_column(column)
    return named or _kind_of_value(value)


def is_figure(column: str) -> bool:
    """True for columns that are set flush right."""
    return column in FIGURES or column in MONEY or column.endswith(FIGURE_ENDINGS)


def short_time(seconds: float | None) -> str:
    """A length of time, with milliseconds below a second."""
    if seconds is None:
        return NOTHING
    if 0 < seconds < 1:
        return f"{number(seconds * 1000, 1)} ms"
    return f"−{duration(-seconds)}" if seconds < 0 else duration(seconds)


def money(amount: float) -> str:
    """An amount in USD, to the cent, or finer where it is less."""
    return str(format_decimal(amount, "#,##0.00" if abs(amount) >= 1 or not amount else "0.00##"))


def _kind_of_column(column: str) -> str | None:
    for ending, found in (("_seconds", "time"), ("_bytes", "bytes"), ("_fraction", "percent")):
        if column.endswith(ending):
            return found
    for columns, found in ((STEPS, "step"), (STATES, "state"), (MONEY, "money"), (CODES, "code")):
        if column in columns:
            return found
    return column if column in {"run_id", "reason", "why", "progress", "note", "label"} else None


def _kind_of_value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return "when"
    if isinstance(value, int | float):
        return "number"
    return "json" if isinstance(value, dict | list) else "text"
