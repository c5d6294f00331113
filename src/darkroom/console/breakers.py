"""What people do to circuit breakers, with the audit row of it."""

from sqlalchemy.orm import Session

from darkroom.accounts import audit
from darkroom.accounts.audit import Actor
from darkroom.errors import Invalid
from darkroom.queue.gates import breaker

LONGEST = 300


def isolate(session: Session, provider: str, operation: str, reason: str, actor: Actor) -> None:
    """Hold a breaker open until it is reset; alerts.

    Raises
    ------
    Invalid
        When a name or the reason is missing or too long.
    """
    provider, operation, reason = _text(provider), _text(operation), reason.strip()
    if not provider or not operation:
        raise Invalid("Name the provider and the operation.", "provider")
    if not 0 < len(reason) <= LONGEST or "\x00" in reason:
        raise Invalid("Say why the breaker is isolated, in at most 300 characters.", "reason")
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


def _text(name: str) -> str:
    name = name.strip()
    if len(name) > LONGEST or "\x00" in name:
        raise Invalid("At most 300 characters, and none of them NUL.", "provider")
    return name
