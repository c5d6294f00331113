"""`darkroom queue`, `lanes`, `breakers`, `limits`, `cron` and `workers`: the queue on the terminal.

What is shown are the dashboards of `sql/dashboards`; what is done writes the audit, as `cli`.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from darkroom.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from darkroom.console.dashboards import Answer
    from darkroom.db.sessions import Database

FOLDED = 24
"""The width down to which a column of a table may be folded."""

AS_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
MINUTES = click.option(
    "--minutes",
    type=click.IntRange(1, 366 * 1440),
    help="How far to look back; an hour if not said.",
)


@click.group()
def queue() -> None:
    """The queue: its dashboards."""


@queue.command("dashboard")
@click.argument("name", required=False)
@MINUTES
@AS_JSON
@click.pass_obj
def dashboard(settings: Settings, name: str | None, minutes: int | None, as_json: bool) -> None:
    """Show the dashboard NAME; without a name, list them all."""
    if name is None:
        _list(as_json)
    else:
        _show(settings, as_json, name, minutes=minutes)


@click.group()
def lanes() -> None:
    """The lanes: how they are doing, pausing and resuming them."""


@lanes.command("list")
@AS_JSON
@click.pass_obj
def list_lanes(settings: Settings, as_json: bool) -> None:
    """List the lanes."""
    _show(settings, as_json, "lanes")


@lanes.command("pause")
@click.argument("lane")
@click.option("--reason", required=True, help="Why; everybody who looks will read it.")
@AS_JSON
@click.pass_obj
def pause_lane(settings: Settings, lane: str, reason: str, as_json: bool) -> None:
    """Pause LANE: nothing is fetched from it, what runs goes on."""
    from darkroom.accounts.audit import CLI
    from darkroom.console import lanes as acting

    with _database(settings) as database:
        with database.session() as session:
            acting.pause(session, lane, reason, CLI)
        said = f"Lane {lane} is paused. Go on with: darkroom lanes resume {lane}"
        _say(said, database if as_json else None, "lanes", lane=lane)


@lanes.command("resume")
@click.argument("lane")
@AS_JSON
@click.pass_obj
def resume_lane(settings: Settings, lane: str, as_json: bool) -> None:
    """Let LANE go on."""
    from darkroom.accounts.audit import CLI
    from darkroom.console import lanes as acting

    with _database(settings) as database:
        with database.session() as session:
            acting.resume(session, lane, CLI)
        _say(f"Lane {lane} goes on.", database if as_json else None, "lanes", lane=lane)


@click.group()
def breakers() -> None:
    """The circuit breakers: their state, isolating and resetting them."""


@breakers.command("list")
@AS_JSON
@click.pass_obj
def list_breakers(settings: Settings, as_json: bool) -> None:
    """List the breakers that ever heard of a failure."""
    _show(settings, as_json, "breakers")


@breakers.command("isolate")
@click.argument("provider")
@click.argument("operation")
@click.option("--reason", required=True, help="Why; everybody who looks will read it.")
@AS_JSON
@click.pass_obj
def isolate_breaker(
    settings: Settings, provider: str, operation: str, reason: str, as_json: bool
) -> None:
    """Hold the breaker of PROVIDER and OPERATION open until it is reset."""
    from darkroom.accounts.audit import CLI
    from darkroom.console import breakers as acting

    which = {"provider": provider, "operation": operation}
    with _database(settings) as database:
        with database.session() as session:
            known = settings.providers.names
            acting.isolate(session, provider, operation, reason, CLI, known=known)
        said = f"Isolated. Close it with: darkroom breakers reset {provider} {operation}"
        _say(said, database if as_json else None, "breakers", **which)


@breakers.command("reset")
@click.argument("provider")
@click.argument("operation")
@AS_JSON
@click.pass_obj
def reset_breaker(settings: Settings, provider: str, operation: str, as_json: bool) -> None:
    """Close the breaker of PROVIDER and OPERATION and forget its failures."""
    from darkroom.accounts.audit import CLI
    from darkroom.console import breakers as acting

    which = {"provider": provider, "operation": operation}
    with _database(settings) as database:
        with database.session() as session:
            acting.reset(session, provider, operation, CLI)
        _say("Closed.", database if as_json else None, "breakers", **which)


@click.command()
@AS_JSON
@click.pass_obj
def limits(settings: Settings, as_json: bool) -> None:
    """Show the request limits, the paces and the calls in flight."""
    _show(settings, as_json, "limits", "paces", "capacities")


@click.group()
def cron() -> None:
    """The cron jobs: how they are doing, running one now, switching one off."""


@cron.command("list")
@AS_JSON
@click.pass_obj
def list_crons(settings: Settings, as_json: bool) -> None:
    """List the cron jobs."""
    _show(settings, as_json, "crons")


@cron.command("run")
@click.argument("name")
@AS_JSON
@click.pass_obj
def run_cron(settings: Settings, name: str, as_json: bool) -> None:
    """Put the cron job NAME into the queue at once, also one that is off."""
    from darkroom.accounts.audit import CLI
    from darkroom.console import crons as acting

    with _database(settings) as database:
        with database.session() as session:
            job_id = acting.run_now(session, name, CLI)
        said = f"In the queue as job {job_id}."
        _say(said, database if as_json else None, "crons", name=name)


@cron.command("on")
@click.argument("name")
@AS_JSON
@click.pass_obj
def switch_cron_on(settings: Settings, name: str, as_json: bool) -> None:
    """Switch the cron job NAME on."""
    _switch(settings, name, True, as_json)


@cron.command("off")
@click.argument("name")
@AS_JSON
@click.pass_obj
def switch_cron_off(settings: Settings, name: str, as_json: bool) -> None:
    """Switch the cron job NAME off; a run that goes on ends as usual."""
    _switch(settings, name, False, as_json)


@click.command()
@AS_JSON
@click.pass_obj
def workers(settings: Settings, as_json: bool) -> None:
    """Show the workers, what runs on them, and what their models run on."""
    _show(settings, as_json, "workers", "running", "devices")


COMMANDS = (queue, lanes, breakers, limits, cron, workers)


def _switch(settings: Settings, name: str, on: bool, as_json: bool) -> None:
    from darkroom.accounts.audit import CLI
    from darkroom.console import crons as acting

    with _database(settings) as database:
        with database.session() as session:
            acting.switch(session, name, on, CLI)
        said = f"{name} is {'on' if on else 'off'}."
        _say(said, database if as_json else None, "crons", name=name)


def _say(said: str, ask: "Database | None", dashboard: str, **key: str) -> None:
    """Say what was done; or ask the dashboard for the row it was done to, and print it as JSON."""
    from darkroom.console import dashboards

    if ask is None:
        click.echo(said)
        return
    found = dashboards.record_json(dashboards.run(ask, dashboard), **key)
    click.echo(json.dumps(found, indent=2, default=str))


def _list(as_json: bool) -> None:
    from darkroom.console import dashboards

    found = {name: dashboards.load(name).question for name in dashboards.names()}
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for name, question in found.items():
        click.echo(f"{name:<16} {question}")


def _show(settings: Settings, as_json: bool, *names: str, minutes: int | None = None) -> None:
    from darkroom.console import dashboards

    for name in names:
        dashboards.load(name)
    with _database(settings) as database:
        answers = {name: dashboards.run(database, name, minutes) for name in names}
    if as_json:
        told = [dashboards.answer_json(name, answer) for name, answer in answers.items()]
        click.echo(json.dumps(told[0] if len(told) == 1 else told, indent=2, default=str))
        return
    for name, answer in answers.items():
        _print(name if len(names) > 1 else None, answer)


def _print(title: str | None, answer: "Answer") -> None:
    from rich.console import Console

    console = Console(highlight=False)
    if title:
        console.print(title, style="bold")
    table = _table(answer)
    if not answer.rows:
        console.print("Nothing.")
    elif _least_width(console, table) <= console.width:
        console.print(table)
    else:
        _print_one_by_one(console, answer)
    if answer.capped:
        console.print(f"Only the first {len(answer.rows)} rows are shown.")


def _table(answer: "Answer") -> "Table":
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, column in enumerate(answer.columns):
        is_figure = any(isinstance(row[place], int | float) for row in answer.rows)
        longest = max((len(_text(row[place])) for row in answer.rows), default=0)
        table.add_column(
            column,
            justify="right" if is_figure else "left",
            overflow="fold",
            no_wrap=is_figure or column == "lane",
            min_width=max(len(column), min(longest, FOLDED)),
        )
    for row in answer.rows:
        table.add_row(*(escape(_text(value)) for value in row))
    return table


def _least_width(console: "Console", table: "Table") -> int:
    # A measure taken with the terminal's own width is never wider than that.
    return console.measure(table, options=console.options.update(max_width=10_000)).minimum


def _print_one_by_one(console: "Console", answer: "Answer") -> None:
    """Each row as a block of lines, where the table is wider than the terminal."""
    width = max(len(column) for column in answer.columns)
    for row in answer.records:
        for column, value in row.items():
            if value not in (None, ""):
                console.print(f"{column:<{width}}  {_text(value)}", markup=False, soft_wrap=True)
        console.print()


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value, default=str) if isinstance(value, dict | list) else str(value)


@contextmanager
def _database(settings: Settings) -> Iterator["Database"]:
    from darkroom.db.opening import open_database

    with open_database(settings, pool_size=1) as database:
        yield database
