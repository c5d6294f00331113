"""What people do to cron jobs, with the audit row of it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from darkroom.accounts import audit
from darkroom.accounts.audit import Actor
from darkroom.queue import cron


def run_now(
    session: Session, name: str, actor: Actor, args: Mapping[str, Any] | None = None
) -> int:
    """Enqueue a cron job at once; answers the job's id. Raises `NotFound` and `Conflict`.

    `args` are what it is given besides its settings; the audit's filter holds them.
    """
    job_id = cron.run_now(session, name, dict(args or {}))
    audit.write(session, actor=actor, action="cron.run", subject=name, filter=args)
    return job_id


def switch(session: Session, name: str, on: bool, actor: Actor) -> None:
    """Switch a cron job on or off. Raises `NotFound` and `Conflict`."""
    cron.switch(session, name, on)
    audit.write(session, actor=actor, action="cron.on" if on else "cron.off", subject=name)
