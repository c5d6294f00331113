"""`/readyz`: may this process get calls? (`/healthz` only says that it is up.)"""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from psycopg import OperationalError as DriverError
from sqlalchemy.exc import OperationalError

from darkroom.console import dashboards
from darkroom.db import migrate
from darkroom.db.sessions import Database
from darkroom.db.statements import statement
from darkroom.errors import Transient
from darkroom.web.services import services

pages = Blueprint("console_health", __name__)

SCHEMA_SEEN = "darkroom-schema-seen"


@dataclass(frozen=True)
class Reason:
    """Why not: what was looked at, and what is wrong with it."""

    check: str
    message: str


@pages.get("/readyz")
def show() -> ResponseReturnValue:
    """200 when the database answers, has this checkout's schema, and some worker lives; else 503.

    It tells no more than that, so that everybody may ask.
    """
    reasons = list(find_reasons(services().database))
    if not reasons:
        return {"status": "ready", "reasons": []}
    found = [{"check": reason.check, "message": reason.message} for reason in reasons]
    return jsonify({"status": "not ready", "reasons": found}), 503


def find_reasons(database: Database) -> Iterator[Reason]:
    """What stands in the way; nothing when all is well."""
    try:
        yield from _schema(database)
        yield from _workers(database)
    except (OperationalError, DriverError, Transient):
        yield Reason("database", "The database does not answer.")


def _schema(database: Database) -> Iterator[Reason]:
    # Migrations only go forward: once they were all there, they still are.
    if SCHEMA_SEEN in current_app.extensions:
        return
    pending = migrate.status(database.url).pending
    if pending:
        yield Reason("schema", f"{migrate.missing(pending)}: run `darkroom db migrate`.")
    else:
        current_app.extensions[SCHEMA_SEEN] = True


def _workers(database: Database) -> Iterator[Reason]:
    with dashboards.careful(database) as session:
        alive = session.execute(statement("console/some_worker")).scalar_one()
    if not alive:
        yield Reason("workers", "No worker has given a sign of life lately.")
