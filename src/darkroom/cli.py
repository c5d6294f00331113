"""The `darkroom` command."""

import importlib
import logging
import os
import sys

import click

from darkroom import __version__
from darkroom.errors import DarkroomError
from darkroom.settings import ROOT, Settings


class Group(click.Group):
    """A group whose commands say what went wrong in a sentence instead of a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; errors made for people become click's own."""
        try:
            return super().invoke(ctx)
        except DarkroomError as error:
            raise click.ClickException(error.message) from error


@click.group(cls=Group)
@click.version_option(__version__)
@click.pass_context
def main(ctx: click.Context) -> None:
    """Darkroom: a self-hosted media job server on one Postgres."""
    logging.basicConfig(
        level=os.environ.get("DARKROOM_LOG_LEVEL", "INFO").upper(),
        format="%(levelname)s %(name)s: %(message)s",
    )
    # Procrastinate logs every job twice at INFO; the rows tell the same.
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    logging.getLogger("yoyo").setLevel(logging.WARNING)
    ctx.obj = Settings.from_env(os.environ)


@main.command()
@click.option("--lanes", help="Only these lanes, comma separated (io, cpu, gpu).")
@click.pass_obj
def worker(settings: Settings, lanes: str | None) -> None:
    """Run the steps of the queue until SIGTERM or Ctrl-C."""
    from darkroom.db.opening import open_database
    from darkroom.queue.worker import WorkerProcess

    chosen = _lanes(settings, lanes)
    load_jobs()
    with open_database(settings, pool_size=sum(chosen.values()) + 2) as database:
        WorkerProcess(settings, database, chosen).run()


def load_jobs() -> None:
    """Import the pipelines of `jobs/`, so that their steps are registered."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    importlib.import_module("jobs")


def _lanes(settings: Settings, named: str | None) -> dict[str, int]:
    lanes = dict(settings.queue.lanes)
    if named is None:
        return {lane: slots for lane, slots in lanes.items() if slots > 0}
    unknown = [lane for lane in named.split(",") if lane not in lanes]
    if unknown:
        raise click.BadParameter(
            f"no lane is called {unknown[0]!r}; choose from {', '.join(lanes)}", param_hint="--lanes"
        )
    return {lane: max(lanes[lane], 1) for lane in named.split(",")}


@main.group(cls=Group)
def db() -> None:
    """The database: migrate it, see where it stands."""


@db.command("migrate")
@click.pass_obj
def db_migrate(settings: Settings) -> None:
    """Apply the migrations that are missing."""
    from darkroom.db import migrate
    from darkroom.db.opening import database_url

    with database_url(settings, say=click.echo) as url:
        applied = migrate.migrate(url)
    click.echo(f"Applied {len(applied)}: {', '.join(applied)}" if applied else "Up to date.")


@db.command("status")
@click.pass_obj
def db_status(settings: Settings) -> None:
    """List the migrations applied and pending; exit code 1 when some are pending."""
    from darkroom.db import migrate
    from darkroom.db.opening import database_url

    with database_url(settings, say=click.echo) as url:
        found = migrate.status(url)
    for name in found.applied:
        click.echo(f"applied  {name}")
    for name in found.pending:
        click.echo(f"pending  {name}")
    if found.pending:
        sys.exit(1)


@db.command("url")
@click.pass_obj
def db_url(settings: Settings) -> None:
    """Print the libpq URL of the database (for psql), while it runs."""
    from darkroom.db.opening import database_url

    with database_url(settings, say=click.echo) as url:
        click.echo(url)


