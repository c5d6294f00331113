"""The `darkroom` command."""

import importlib
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darkroom import __version__
from darkroom.commands.counting import counting
from darkroom.commands.doctor import doctor
from darkroom.commands.jobs import jobs
from darkroom.commands.providers import providers
from darkroom.commands.queue import COMMANDS as QUEUE_COMMANDS
from darkroom.commands.sandbox import sandbox
from darkroom.commands.upkeep import upkeep
from darkroom.errors import DarkroomError, Invalid
from darkroom.settings import ROOT, Settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from darkroom.accounts.models import User
    from darkroom.vision.weights import WeightFile


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
@click.pass_obj
def up(settings: Settings) -> None:
    """Start everything: database, migrations, and what the Procfile names. Ctrl-C stops it all."""
    from darkroom import supervisor
    from darkroom.db import migrate
    from darkroom.db.opening import database_url

    supervisor.check_address(settings.web)
    with database_url(settings, say=click.echo) as url:
        applied = migrate.migrate(url)
        if applied:
            click.echo(f"Applied {len(applied)} migration{'' if len(applied) == 1 else 's'}.")
        _prepare_models(settings)
        _welcome(settings, url)
        unused = () if settings.providers.sandboxed else ("sandbox",)
        code = supervisor.run(settings, ROOT / "Procfile", database_url=url, without=unused)
    sys.exit(code)


def _prepare_models(settings: Settings) -> None:
    """Export the models before the first photo needs them; in a process that is gone after it."""
    from darkroom.counting.counter import is_prepared

    if not is_prepared(settings):
        click.echo("Preparing the models for this machine (once, some seconds) …")
        command = [sys.executable, "-m", "darkroom.cli", "weights", "prepare"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def _welcome(settings: Settings, url: str) -> None:
    """Say where Darkroom will be, and how the administrator gets in while they have no password."""
    from darkroom.accounts import service
    from darkroom.db.sessions import Database

    database = Database(url, pool_size=1)
    with database.session() as session:
        admin = service.ensure_admin(session)
        link = None
        if admin.password_hash is None:
            link = _sign_in_link(settings, service.make_sign_in_link(session, admin, _now()))
    database.close()
    click.echo(f"Darkroom: {_address(settings)}")
    if link:
        click.echo(f"Sign in as its administrator, once and within 30 minutes: {link}")
    click.echo("Ctrl-C stops everything.")


main.add_command(counting)
main.add_command(doctor)
main.add_command(jobs)
main.add_command(providers)
main.add_command(sandbox)
main.add_command(upkeep)
for _command in QUEUE_COMMANDS:
    main.add_command(_command)


@main.command()
@click.option("--lanes", help="Only these lanes, comma separated (io, cpu, gpu).")
@click.pass_obj
def worker(settings: Settings, lanes: str | None) -> None:
    """Run the steps of the queue until SIGTERM or Ctrl-C."""
    from darkroom.db.opening import open_database
    from darkroom.gated.seats import kept
    from darkroom.queue import cron
    from darkroom.queue.worker import WorkerProcess
    from darkroom.storage import temporary

    chosen = _lanes(settings, lanes)
    temporary.clear_abandoned(settings.temp_dir)
    load_jobs()
    # Said now, not by every round of the worker.
    cron.plan(settings.queue)
    with open_database(settings, pool_size=sum(chosen.values()) + 3) as database:
        process = WorkerProcess(settings, database, chosen)
        with ExitStack() as stack:
            if "gpu" in chosen:
                stack.enter_context(kept(settings, database, process.executor.resources))
            process.run()


def load_jobs() -> None:
    """Import the pipelines of `jobs/`, so that their steps are registered."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    importlib.import_module("jobs")


def _lanes(settings: Settings, named: str | None) -> dict[str, int]:
    lanes = dict(settings.queue.lanes)
    if named is None:
        some = {lane: slots for lane, slots in lanes.items() if slots > 0}
        if not some:
            raise Invalid("Every lane has 0 slots: set DARKROOM_LANE_IO, _CPU or _GPU above 0.")
        return some
    unknown = [lane for lane in named.split(",") if lane not in lanes]
    if unknown:
        raise click.BadParameter(
            f"no lane is called {unknown[0]!r}; choose from {', '.join(lanes)}",
            param_hint="--lanes",
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


@main.group(cls=Group)
def users() -> None:
    """People: list them, add one, give a way in, grant tokens."""


@users.command("list")
@click.pass_obj
def users_list(settings: Settings) -> None:
    """List everybody."""
    from darkroom.accounts import service

    with _session(settings) as session:
        for user in service.list_users(session):
            state = "" if user.is_active else "  (shut out)"
            click.echo(f"{user.id:>5}  {user.role:<7}  {user.email or '-':<30}  {user.name}{state}")


@users.command("add")
@click.argument("email")
@click.option("--name", help="How they are called; the e-mail's first part when left out.")
@click.option("--admin", "role", flag_value="admin", help="Sees and manages everything.")
@click.option("--viewer", "role", flag_value="viewer", help="Sees everything, changes nothing.")
@click.pass_obj
def users_add(settings: Settings, email: str, name: str | None, role: str | None) -> None:
    """Add a person and print the link that signs them in once."""
    from darkroom.accounts import service

    with _session(settings) as session:
        user = service.create_user(
            session, email=email, name=name or email.partition("@")[0], role=role or "member"
        )
        click.echo(_sign_in_link(settings, service.make_sign_in_link(session, user, _now())))


@users.command("link")
@click.argument("email", required=False)
@click.pass_obj
def users_link(settings: Settings, email: str | None) -> None:
    """Print a link that signs a person in once; without an e-mail, the first administrator."""
    from darkroom.accounts import service

    with _session(settings) as session:
        user = service.user_by_email(session, email) if email else service.ensure_admin(session)
        click.echo(_sign_in_link(settings, service.make_sign_in_link(session, user, _now())))


@users.command("password")
@click.argument("email")
@click.option("--new-email", help="Set this e-mail first; EMAIL may then be 'local'.")
@click.password_option(help="Asked for when left out.")
@click.pass_obj
def users_password(settings: Settings, email: str, new_email: str | None, password: str) -> None:
    """Set a person's password; all their sessions end. EMAIL 'local' is the first administrator."""
    from darkroom.accounts import service

    with _session(settings) as session:
        user = _user(session, email)
        if new_email:
            service.set_email(session, user, new_email)
        service.set_password(session, user, password)
    click.echo("The password is set.")


# Or else a number below zero would be taken for an option.
@users.command("grant", context_settings={"ignore_unknown_options": True})
@click.argument("email")
@click.argument("tokens", type=int)
@click.option("--note", default="", help="What for; the person reads it among their charges.")
@click.pass_obj
def users_grant(settings: Settings, email: str, tokens: int, note: str) -> None:
    """Give a person TOKENS, or take some (below 0). EMAIL 'local' is the first administrator."""
    from darkroom.accounts import ledger
    from darkroom.accounts.audit import CLI

    start = settings.tokens.at_start
    with _session(settings) as session:
        user = _user(session, email)
        have = ledger.grant(session, user.id, tokens, actor=CLI, note=note, start=start)
    click.echo(f"{user.name} has {have} tokens now.")


def _user(session: "Session", email: str) -> "User":
    from darkroom.accounts import service

    local = email == "local"
    return service.ensure_admin(session) if local else service.user_by_email(session, email)


@main.group(cls=Group)
def weights() -> None:
    """Model weights: list them, add your own, fetch those that are not bundled."""


@weights.command("list")
@click.pass_obj
def weights_list(settings: Settings) -> None:
    """List the weights that can be named in the settings."""
    from darkroom.vision import runtime
    from darkroom.vision import weights as files

    runtime.prepare(settings.cache_dir)
    for found in files.listing(settings.weights_dir):
        origin = "bundled" if found.is_bundled else "added"
        click.echo(f"{found.name:<20} {origin:<8} {_facts(found)}")


@weights.command("prepare")
@click.pass_obj
def weights_prepare(settings: Settings) -> None:
    """Load the models once; on a machine without a CUDA device that exports them for its CPU."""
    from darkroom.counting import counter

    counter.prepare(settings)
    click.echo("The models are ready.")


@weights.command("fetch")
@click.pass_obj
def weights_fetch(settings: Settings) -> None:
    """Fetch what enlarges pictures (45 MB), hears speech (133 MB) and finds faces (36 MB) early."""
    from darkroom.vision import esrgan, fetching, mediapipe, whisper

    folder = settings.weights_dir
    if not all(esrgan.is_here(model, folder) for model in esrgan.MODELS):
        fetching.fetch(folder, shows_progress=True)
    if not whisper.is_here(folder):
        whisper.fetch(folder, shows_progress=True)
    if not mediapipe.is_here(folder):
        mediapipe.fetch(folder, shows_progress=True)
    click.echo(f"All here: {', '.join(esrgan.MODELS)}, whisper {whisper.BASE}, mediapipe.")


@weights.command("add")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def weights_add(settings: Settings, name: str, file: Path) -> None:
    """Add the YOLO checkpoint FILE (.pt) under NAME.

    It is checked before it is loaded, but a checkpoint is a Python pickle: add only what you trust.
    Use it with DARKROOM_COUNTING_PLANT_WEIGHTS=NAME or DARKROOM_COUNTING_CONTAINER_WEIGHTS=NAME.
    """
    from darkroom.vision import runtime
    from darkroom.vision import weights as files

    runtime.prepare(settings.cache_dir)
    added = files.add(name, file, settings.weights_dir)
    click.echo(f"Added {added.name}: {_facts(added)}")


def _facts(found: "WeightFile") -> str:
    facts = found.facts
    names = ", ".join(facts.names)
    return f"{facts.task:<8} {facts.side} px  {names}  sha256 {found.sha256[:12]}"


@contextmanager
def _session(settings: Settings) -> Iterator["Session"]:
    from darkroom.db.opening import open_database

    with open_database(settings, pool_size=1) as database, database.session() as session:
        yield session


def _sign_in_link(settings: Settings, token: str) -> str:
    return f"{_address(settings)}/sign-in/{token}"


def _address(settings: Settings) -> str:
    host = f"[{settings.web.host}]" if ":" in settings.web.host else settings.web.host
    return f"http://{host}:{settings.web.port}"


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
