"""`darkroom jobs`: list jobs, look at one, and do something to all that match."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from darkroom.errors import Invalid
from darkroom.settings import Settings

if TYPE_CHECKING:
    from rich.table import Table

    from darkroom.console.actions import Order
    from darkroom.console.filters import JobFilter
    from darkroom.console.job_views import JobRow, JobView
    from darkroom.console.listing import Listing
    from darkroom.console.search import Count
    from darkroom.db.sessions import Database

Command = Callable[..., None]

PREVIEW_SECONDS = 60.0
STATES = "waiting, scheduled, running, succeeded, failed or cancelled; several with commas."

FILTERS = (
    click.option("--state", help=STATES),
    click.option("--lane", help="io, cpu or gpu."),
    click.option("--task", help="A step's name, such as counting.detect."),
    click.option("--run", help="A run's id."),
    click.option("--owner", help="A user's number or e-mail address."),
    click.option("--error", help="The class of an error, or a part of its message."),
    click.option("--arg", "args", multiple=True, metavar="PATH:VALUE", help="Like photo_id:12."),
    click.option("--created-after", metavar="TIME", help="An ISO time (UTC), or an age like 2h."),
    click.option("--created-before", metavar="TIME"),
    click.option("--finished-after", metavar="TIME"),
    click.option("--finished-before", metavar="TIME"),
    click.option("--text", help="A part of a task, a label or a run's title; or an id."),
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")


def filtered(command: Command) -> Command:
    """Give a command the filters as flags."""
    for option in reversed(FILTERS):
        command = option(command)
    return command


@click.group()
def jobs() -> None:
    """The queue's jobs: list them, look at one, act on all that match."""


@jobs.command("list")
@filtered
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--before", type=click.IntRange(1), help="Go on below this job.")
@AS_JSON
@click.pass_obj
def list_jobs(
    settings: Settings, /, limit: int, before: int | None, as_json: bool, **given: Any
) -> None:
    """List jobs, newest first."""
    from darkroom.console.job_json import listing_json
    from darkroom.console.listing import listing

    with _opened(settings) as database, database.session() as session:
        found = listing(session, _wanted(given), before=before, limit=limit)
    if as_json:
        click.echo(json.dumps(listing_json(found), indent=2))
    else:
        _print(_table(found.rows))
        click.echo(_summary(found))


@jobs.command()
@click.argument("job_id", type=click.IntRange(1))
@AS_JSON
@click.pass_obj
def show(settings: Settings, job_id: int, as_json: bool) -> None:
    """Show one job: arguments, attempts with their logs, timeline, and why it waits."""
    from darkroom.console import job_views
    from darkroom.console.job_json import view_json

    with _opened(settings) as database, database.session() as session:
        view = job_views.one(session, job_id)
    if as_json:
        click.echo(json.dumps(view_json(view), indent=2))
    else:
        _show(view)


@jobs.command()
@click.argument("audit_id", type=click.IntRange(1))
@AS_JSON
@click.pass_obj
def undo(settings: Settings, audit_id: int, as_json: bool) -> None:
    """Take an action back, as far as its jobs have not moved on."""
    from darkroom.accounts.audit import CLI
    from darkroom.console import actions

    with _opened(settings) as database, database.session() as session:
        count = actions.undo(session, audit_id, CLI)
    told = {"audit_id": audit_id, "count": count}
    _say(as_json, told, f"Taken back for {_jobs(count)}.")


def acting(action: str, explained: str) -> None:
    """Add the command of an action."""

    def act(settings: Settings, /, **given: Any) -> None:
        _act(settings, action, given)

    command: Any = act
    command.__doc__ = explained
    for option in reversed(
        (
            click.argument("ids", nargs=-1, metavar="[JOB]..."),
            filtered,
            click.option("--all", "everything", is_flag=True, help="All jobs there are."),
            click.option("--dry-run", is_flag=True, help="Only count what it would be."),
            click.option("--yes", is_flag=True, help="Do not ask."),
            AS_JSON,
            click.pass_obj,
        )
    ):
        command = option(command)
    if action == "reprioritise":
        needed = "--priority"
        command = click.option(needed, type=int, required=True, help="Higher runs first.")(command)
    jobs.command(action)(command)


acting("retry", "Queue jobs again that failed or were cancelled, with all their attempts.")
acting("run-now", "Make jobs due that wait for a time.")
acting("cancel", "Drop jobs that wait; have those that run stop at their next checkpoint.")
acting(
    "discard", "Give up on jobs that wait (they are cancelled) or failed (they are laid to rest)."
)
acting("reprioritise", "Give jobs that wait another priority.")


def _act(settings: Settings, action: str, given: dict[str, Any]) -> None:
    from darkroom.accounts.audit import CLI
    from darkroom.console import actions
    from darkroom.console.job_json import count_json, progress_json

    everything, dry_run = given.pop("everything"), given.pop("dry_run")
    yes, as_json = given.pop("yes"), given.pop("as_json")
    priority = given.pop("priority", None)
    order = actions.Order(action, _insist(_wanted(given), everything), priority)
    with _opened(settings) as database:
        count = _preview(database, order)
        if dry_run:
            _say(as_json, count_json(count), _would(order, count))
            return
        if not yes and count.number:
            click.confirm(f"{_would(order, count)} Go on?", abort=True, err=True)
        done = actions.carry_out(database, order, CLI)
    back = f" Take it back: darkroom jobs undo {done.audit_id}" if done.undoable else ""
    _say(as_json, progress_json(done), f"{action}: {_jobs(done.count)}.{back}")


def _preview(database: "Database", order: "Order") -> "Count":
    from darkroom.console import actions

    with database.session() as session:
        return actions.preview(session, order, PREVIEW_SECONDS)


def _would(order: "Order", count: "Count") -> str:
    number = _jobs(count.number) if count.exact else f"at least {_jobs(count.number)}"
    tasks = ", ".join(f"{task} {jobs}" for task, jobs in sorted(count.by_task.items()))
    return f"{order.action} would touch {number}{f' ({tasks})' if tasks else ''}."


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count} jobs"


def _say(as_json: bool, told: Mapping[str, Any], sentence: str) -> None:
    click.echo(json.dumps(told, indent=2) if as_json else sentence)


def _wanted(given: dict[str, Any]) -> "JobFilter":
    from darkroom.console.filters import JobFilter

    pairs = [("id", job_id) for job_id in given.pop("ids", ())]
    pairs += [("args", pair) for pair in given.pop("args", ())]
    pairs += [(name, value) for name, value in given.items() if value is not None]
    return JobFilter.parse(pairs)


def _insist(wanted: "JobFilter", everything: bool) -> "JobFilter":
    if wanted.is_empty and not everything:
        raise Invalid("Say which jobs: by number, with a filter, or --all.", "filter")
    return wanted


@contextmanager
def _opened(settings: Settings) -> Iterator["Database"]:
    from darkroom.db.opening import open_database

    with open_database(settings, pool_size=1) as database:
        yield database


def _table(rows: "list[JobRow]") -> "Table":
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("job", justify="right", no_wrap=True)
    for title in ("state", "task", "lane", "owner", "asked for", "what"):
        table.add_column(title, overflow="fold", no_wrap=title in ("state", "lane"))
    for row in rows:
        task, at = f"{row.task} {row.label}".rstrip(), _when(row.created_at)
        cells = (row.state, task, row.lane, row.owner or "-", at, _gist(row))
        table.add_row(str(row.id), *(escape(cell) for cell in cells))
    return table


def _gist(row: "JobRow") -> str:
    if row.waits is not None:
        until = f" until {_when(row.waits.until)}" if row.waits.until else ""
        return f"{row.waits.why}{until}"
    if row.state == "running":
        return f"{row.progress:.0%} {row.worker or ''}"
    return f"{row.error_class}: {row.error_message}"[:200] if row.error_message else ""


def _summary(found: "Listing") -> str:
    parts = []
    if found.count is not None:
        exact = found.count.exact
        parts.append(_jobs(found.count.number) if exact else f"{found.count.number}+ jobs")
    if found.cut:
        parts.append(f"looked through as far as job {found.older}")
    if found.older is not None:
        parts.append(f"go on with --before {found.older}")
    return "; ".join(parts) or "No more."


def _show(view: "JobView") -> None:
    row = view.row
    click.echo(f"{row.task} {row.label}".rstrip() + f"  [{row.id}]  {row.state}")
    facts = {
        "run": row.run_id and f"{row.run_id} {row.run_title}",
        "owner": row.owner,
        "lane": f"{row.lane}, priority {row.priority}",
        "tries": f"{row.burned} of {row.max_attempts}",
        "asked for": _when(row.created_at),
        "what": _gist(row),
        "args": json.dumps(view.args, ensure_ascii=False),
    }
    for name, value in facts.items():
        click.echo(f"  {name:<10} {value or '-'}")
    for moment in view.timeline:
        click.echo(f"  {_when(moment.at)}  {moment.kind} {moment.worker or ''}".rstrip())
    for attempt in view.attempts:
        if attempt.traceback:
            click.echo(f"\nAttempt {attempt.number}, {attempt.error_class}:\n{attempt.traceback}")
        if attempt.id in view.logs:
            click.echo(f"\nAttempt {attempt.number} logged:\n{view.logs[attempt.id]}")


def _when(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else "-"


def _print(table: "Table") -> None:
    from rich.console import Console

    Console().print(table)
