"""What people do to circuit breakers, with the audit row of it."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.accounts import audit
from darkroom.accounts.audit import Actor
from darkroom.errors import Invalid
from darkroom.queue.gates import breaker
from darkroom.queue.gates.models import Breaker

LONGEST = 300


def isolate(
    session: Session,
    provider: str,
    operation: str,
    reason: str,
    actor: Actor,
    *,
    known: Collection[str],
) -> None:
    """Hold a breaker open until it is reset; alerts.

    Parameters
    ----------
    known
        The providers there are, beside those that have breakers already.

    Raises
    ------
    Invalid
        When a name or the reason is missing or too long, or there is no such provider.
    """
    provider, operation, reason = _text(provider), _text(operation), reason.strip()
    if not provider or not operation:
        raise Invalid("Name the provider and the operation.", "provider")
    if not 0 < len(reason) <= LONGEST or "\x00" in reason:
        raise Invalid("Say why the breaker is isolated, in at most 300 characters.", "reason")
    _insist(session, provider, known)
    breaker.isolate(session, provider, operation, who=actor.name, reason=reason)
    subject = f"{provider} {operation}"
    audit.write(
        session, actor=actor, action="breaker.isolate", subject=subject, filter={"reason": reason}
    )


def reset(session: Session, provider: str, operation: str, actor: Actor) -> None:
    """Close a breaker and forget its failures; raises `NotFound`."""
    provider, operation = _text(provider), _text(operation)
    breaker.reset(session, provider, operation, who=actor.name)
    audit.write(session, actor=actor, action="breaker.reset", subject=f"{provider} {operation}")


def _insist(session: Session, provider: str, known: Collection[str]) -> None:
    called = session.scalars(select(Breaker.provider).distinct())
    names = sorted({*known, *called})
    if provider not in names:
        listed = ", ".join(names)
        raise Invalid(f"There is no provider {provider!r}. There are: {listed}.", "provider")


def _text(name: str) -> str:
    name = name.strip()
    if len(name) > LONGEST or "\x00" in name:
        raise Invalid("At most 300 characters, and none of them NUL.", "provider")
    return name
