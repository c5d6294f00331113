"""Times, durations, sizes and figures in the reader's language: the filters of the templates."""

from datetime import UTC, datetime, timedelta

from flask import Flask
from flask_babel import (
    format_datetime,
    format_decimal,
    format_percent,
    format_timedelta,
    gettext,
)
from markupsafe import Markup, escape

from darkroom.web.run_views import run_note, run_shape, step_why, time_left
from darkroom.web.words import (
    CLASSES,
    CONTAINERS,
    ENTRIES,
    EVENTS,
    LANES,
    PIPELINES,
    PURPOSES,
    ROLES,
    STATES,
    STEPS,
    say,
    script_words,
    word,
)

NOTHING = "\N{EN DASH}"
MINUTE = 60
HOUR = 3600


def register(app: Flask) -> None:
    """Give the templates these filters, and the words of states and steps."""
    app.jinja_env.filters.update(
        when=when,
        duration=duration,
        filesize=filesize,
        number=number,
        percent=percent,
        distance=distance,
        say=say,
        run_note=run_note,
        time_left=time_left,
        run_shape=run_shape,
        step_why=step_why,
        state_word=lambda key: word(STATES, key),
        step_word=lambda key: word(STEPS, key),
        event_word=lambda key: word(EVENTS, key),
        lane_word=lambda key: word(LANES, key),
        pipeline_word=lambda key: word(PIPELINES, key),
        container_word=lambda key: word(CONTAINERS, key),
        class_word=lambda key: word(CLASSES, key),
        role_word=lambda key: word(ROLES, key),
        purpose_word=lambda key: word(PURPOSES, key),
        entry_word=lambda key: word(ENTRIES, key),
    )
    app.jinja_env.globals.update(script_words=script_words)


def when(moment: datetime | None) -> str:
    """A `<time>`: relative in words, exact on hover (the script puts it in the reader's zone)."""
    if moment is None:
        return NOTHING
    passed = datetime.now(UTC) - moment
    text = (
        gettext("just now")
        if abs(passed) < timedelta(seconds=10)
        else format_timedelta(-passed, add_direction=True)
    )
    exact = f"{format_datetime(moment, 'medium')} UTC"
    iso = moment.astimezone(UTC).isoformat(timespec="seconds")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(iso, exact, text)


def duration(seconds: float | None) -> str:
    """A length of time in two units at most: 0.4 s, 12 s, 3 min 5 s, 2 h 10 min."""
    if seconds is None:
        return NOTHING
    if seconds < 10:
        return f"{number(seconds, 1)} s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    return f"{number(whole // HOUR)} h {whole % HOUR // MINUTE} min"


def filesize(size: float) -> str:
    """Bytes in the unit that people read."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{number(size, 0 if unit == 'B' else 1)} {unit}"
        size /= 1000
    return f"{number(size, 1)} GB"


def number(value: float | None, digits: int = 0) -> str:
    """A figure with the reader's separators, rounded to so many digits after the point."""
    if value is None:
        return NOTHING
    pattern = f"#,##0.{'#' * digits}" if digits else "#,##0"
    # Adding zero turns a rounded -0.0 into 0.0.
    return str(format_decimal(round(value, digits) + 0.0, pattern))


def distance(metres: float) -> str:
    """A distance on the ground: 12 m, 340 m, 5.2 km."""
    return f"{number(metres)} m" if metres < 1000 else f"{number(metres / 1000, 1)} km"


def percent(fraction: float | None) -> str:
    """A fraction as whole percent."""
    return NOTHING if fraction is None else str(escape(format_percent(fraction)))
