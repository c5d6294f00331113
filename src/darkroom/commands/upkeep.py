"""`darkroom upkeep`: run a cron job by hand, or see what it would delete."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from darkroom.errors import Invalid
from darkroom.settings import Settings

if TYPE_CHECKING:
    from darkroom.db.sessions import Database

POLL_SECONDS = 0.5
ENDED = {"succeeded", "failed", "cancelled", "aborted"}

Counts = Mapping[str, int]
Preview = Callable[[Settings, "Database", float | None], Counts]


@click.group()
def upkeep() -> None:
    """Keeping house: run a cron job now, or see what it would delete."""


@upkeep.command("run")
@click.argument("name")
@click.option("--days", "--dias", type=click.FloatRange(0), help="Delete what is older than that.")
@click.option("--dry-run", is_flag=True, help="Only count what would go; needs no worker.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@click.pass_obj
def run(settings: Settings, name: str, days: float | None, dry_run: bool, as_json: bool) -> None:
    """Run the cron job NAME (“delete_finished”, or “upkeep.delete_finished”) and wait for its end.

    A worker runs it; Ctrl-C only stops the waiting.
    """
    from darkroom.cli import load_jobs
    from darkroom.db.opening import open_database

    load_jobs()
    full_name = _full_name(name, days)
    with open_database(settings, pool_size=2) as database:
        if dry_run:
            _preview(settings, database, full_name, days, as_json)
        else:
            _run(database, full_name, {} if days is None else {"days": days}, as_json)


def _full_name(name: str, days: float | None) -> str:
    from darkroom.queue.cron import crons

    found = name if name in crons else f"upkeep.{name}"
    if found not in crons:
        raise Invalid(f"There is no cron job {name!r}. There are: {', '.join(sorted(crons))}.")
    if days is not None and found not in WITH_DAYS:
        raise Invalid(f"{found} takes no --days; these do: {', '.join(sorted(WITH_DAYS))}.")
    return found


def _preview(
    settings: Settings, database: "Database", name: str, days: float | None, as_json: bool
) -> None:
    if name not in PREVIEWS:
        raise Invalid(f"{name} deletes nothing that could be counted before.", "--dry-run")
    counted = PREVIEWS[name](settings, database, days)
    if as_json:
        click.echo(json.dumps({"name": name, "would_delete": dict(counted)}, indent=2))
        return
    click.echo(f"{name} would delete:")
    _print(counted)


def _run(database: "Database", name: str, args: dict[str, Any], as_json: bool) -> None:
    from darkroom.accounts.audit import CLI
    from darkroom.console import crons as acting
    from darkroom.queue import cron

    with database.session() as session:
        job_id = acting.run_now(session, name, CLI, args)
        lane, manned = cron.crons[name].step.lane, cron.is_manned(session, name)
    say = _silent if as_json else click.echo
    say(f"Queued as job {job_id}.")
    row = _ended(database, job_id, say) if manned else _job(database, job_id)
    failed = row["status"] in ENDED - {"succeeded"}
    if as_json:
        click.echo(json.dumps({"name": name, "job_id": job_id, **_told(row)}, indent=2))
        sys.exit(int(failed))
    if failed:
        raise click.ClickException(f"It {row['status']}: {row['error'] or 'no error was kept'}")
    if not manned:
        click.echo(f"No worker is there for the lane {lane}; it runs once there is one.")
        return
    _print(row["result"] or {})


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("status", "result", "error")}


def _silent(_said: str) -> None:
    """Nothing beside the JSON."""


def _ended(database: "Database", job_id: int, say: Callable[[str], None]) -> Mapping[str, Any]:
    said = ""
    while True:
        found = _job(database, job_id)
        note = found["note"].format_map(found["note_values"])
        if note and note != said:
            say(note)
            said = note
        if found["status"] in ENDED:
            return found
        time.sleep(POLL_SECONDS)


def _job(database: "Database", job_id: int) -> Mapping[str, Any]:
    from darkroom.db.statements import statement

    with database.session() as session:
        found = session.execute(statement("cron/job"), {"job_id": job_id}).mappings().first()
    if found is None:
        raise click.ClickException(f"Job {job_id} is gone.")
    return dict(found)


def _print(counted: Mapping[str, Any]) -> None:
    shown = {name: value for name, value in counted.items() if isinstance(value, int) and value}
    for name, value in shown.items():
        click.echo(f"{value:>12,}  {name.replace('_', ' ')}")
    for hint in counted.get("hints", []):
        click.echo(hint)
    if not shown and not counted.get("hints"):
        click.echo("Nothing.")


def _finished(settings: Settings, database: "Database", days: float | None) -> Counts:
    from darkroom.queue import retention

    return retention.count_finished(database, retention.Ages.of(settings.upkeep, days))


def _expired(settings: Settings, database: "Database", days: float | None) -> Counts:
    from darkroom.queue import retention

    return retention.count_expired(database, retention.Ages.of(settings.upkeep))


def _orphans(settings: Settings, database: "Database", days: float | None) -> Counts:
    from darkroom.storage import sweeping
    from darkroom.storage.store import open_store

    grace = timedelta(days=settings.upkeep.orphan_days if days is None else days)
    return sweeping.count(database, open_store(settings), grace)


def _temp_files(settings: Settings, database: "Database", days: float | None) -> Counts:
    from darkroom.storage import sweeping

    hours = timedelta(hours=settings.upkeep.temp_hours)
    return sweeping.count_temp_files(settings.temp_dir, hours)


def _versions(settings: Settings, database: "Database", days: float | None) -> Counts:
    from darkroom.catalog import removing

    age = timedelta(days=settings.upkeep.version_days if days is None else days)
    return {"versions": removing.count(database, age)}


def _variants(settings: Settings, database: "Database", days: float | None) -> Counts:
    from darkroom.variants import purging

    age = timedelta(days=settings.variants.discarded_days if days is None else days)
    return {"variants": purging.count(database, age)}


def _pictures(settings: Settings, database: "Database", days: float | None) -> Counts:
    from darkroom.media.generation import cache

    age = timedelta(days=settings.media.cache_days if days is None else days)
    with database.session() as session:
        return {"pictures": cache.count_old(session, age)}


PREVIEWS: dict[str, Preview] = {
    "upkeep.delete_finished": _finished,
    "upkeep.delete_expired": _expired,
    "upkeep.delete_orphans": _orphans,
    "upkeep.delete_temp_files": _temp_files,
    "upkeep.remove_versions": _versions,
    "upkeep.purge_variants": _variants,
    "upkeep.clear_pictures": _pictures,
}
WITH_DAYS = {
    "upkeep.delete_finished",
    "upkeep.delete_orphans",
    "upkeep.remove_versions",
    "upkeep.purge_variants",
    "upkeep.clear_pictures",
}
