"""Tokens: what people have, and the ledger that says why.

Entries are only ever added, and a balance is the sum of its owner's entries, never below zero: the
tables see to both (`sql/migrations/0019_ledger.sql`). Before work begins its price is set aside
(`reserve`); with the work's own result it is paid (`capture`), or else given back (`release`). One
purpose of one subject (the unlocking of an upload) has at most one open reservation and is paid at
most once, however many clicks, tabs, tries and dying workers ask for it.

Every function works in the caller's transaction. Those that change anything hold the owner's
balance until it ends; nothing else may be waited for behind it. Accounts open by themselves, with
`start` tokens, when they are first asked about (the setting `tokens.at_start`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Result
from sqlalchemy.orm import Session

from darkroom.accounts import audit
from darkroom.accounts.audit import Actor
from darkroom.accounts.models import User
from darkroom.db.statements import statement
from darkroom.errors import Conflict, Invalid, NotEnough, NotFound
from darkroom.settings import MOST_TOKENS

LONGEST_NOTE = 200

_WHOLE = re.compile(r"[+-]?[0-9]{1,7}")


@dataclass(frozen=True)
class Reservation:
    """Tokens that are set aside.

    Parameters
    ----------
    state
        `new`: by this call. `open`: by an earlier one, for the run `run_id`. `paid`: there is
        nothing to pay any more.
    """

    id: UUID
    amount: int
    state: Literal["new", "open", "paid"]
    run_id: UUID | None


@dataclass(frozen=True)
class Entry:
    """One entry of the ledger. `amount` is signed; `balance` is what the owner has after it."""

    id: int
    at: datetime
    entry: Literal["grant", "reserve", "capture", "release"]
    amount: int
    balance: int
    reservation: UUID | None
    purpose: str
    subject: UUID | None
    run_id: UUID | None
    note: str
    actor: str | None


def balance(session: Session, owner_id: int, *, start: int) -> int:
    """How many tokens a user has."""
    found = _ask(session, "balance", owner_id=owner_id, start=start)
    return int(found.scalar_one())


def balances(session: Session, owner_ids: Sequence[int], *, start: int) -> dict[int, int]:
    """How many tokens each of these users has."""
    found = _ask(session, "balances", owner_ids=list(owner_ids), start=start)
    return {row.owner_id: row.tokens for row in found}


def entries(session: Session, owner_id: int, before: int | None, limit: int) -> list[Entry]:
    """A user's entries, newest first; with `before` those below that number."""
    found = _ask(session, "entries", owner_id=owner_id, before=before, limit=limit)
    return [Entry(**row) for row in found.mappings()]


def is_paid(session: Session, owner_id: int, *, subject: UUID, purpose: str) -> bool:
    """Whether a user paid for a purpose of a subject."""
    asked = {"owner_id": owner_id, "subject": subject, "purpose": purpose}
    return bool(_ask(session, "is_paid", **asked).scalar_one())


def open_of_run(session: Session, run_id: UUID | None) -> list[Reservation]:
    """What is set aside for a run, neither paid nor given back; oldest first."""
    return [Reservation(**row) for row in _ask(session, "open_of_run", run_id=run_id).mappings()]


def amount_of(given: object) -> int:
    """The tokens to be granted as a program sent or a person typed them; `Invalid` if no number."""
    typed = isinstance(given, int | str) and not isinstance(given, bool)
    if not (typed and _WHOLE.fullmatch(str(given).strip())):
        raise _no_amount()
    return int(str(given))


def grant(
    session: Session, owner_id: int, amount: int, *, actor: Actor, note: str, start: int
) -> int:
    """Give a user tokens, or take some (`amount` below 0); answers what they have then.

    Raises
    ------
    Invalid
        Naming `tokens` or `note`; more than there is cannot be taken.
    """
    _check_amount(amount)
    why = _clean_note(note)
    given = {"owner_id": owner_id, "amount": amount, "actor": actor.name, "note": why}
    found = _ask(session, "grant", **given, start=start).one()
    if not found.granted:
        raise Invalid(f"Only {found.have} tokens are there to be taken.", "tokens")
    user = session.get_one(User, owner_id)
    what = {"tokens": amount, "note": why}
    audit.write(
        session,
        actor=actor,
        action="tokens.grant",
        subject=user.email or user.name,
        filter=what,
    )
    return int(found.have)


def reserve(
    session: Session,
    owner_id: int,
    amount: int,
    *,
    subject: UUID,
    purpose: str,
    run_id: UUID | None,
    start: int,
) -> Reservation:
    """Set tokens of a user aside for a purpose of a subject, unless they are, or it is paid.

    Raises
    ------
    NotEnough
        When the user has less; nothing is set aside.
    """
    what = {"subject": subject, "purpose": purpose, "run_id": run_id}
    found = _ask(session, "reserve", owner_id=owner_id, amount=amount, **what, start=start).one()
    if found.answer == "short":
        raise NotEnough(amount, found.have)
    return Reservation(found.held, found.held_amount, found.answer, found.held_run)


def capture(session: Session, reservation_id: UUID) -> bool:
    """Pay what is reserved, for good. False when it was paid before.

    Raises
    ------
    Conflict
        When the tokens were given back meanwhile: what they were for is not paid.
    """
    before = _close(session, reservation_id, "capture")
    if before == "released":
        raise Conflict("The tokens of this reservation were given back; reserve them again.")
    return before == "open"


def release(session: Session, reservation_id: UUID) -> bool:
    """Give back what is reserved. False when it was given back, or paid, before."""
    return _close(session, reservation_id, "release") == "open"


def _close(session: Session, reservation_id: UUID, how: str) -> str:
    """What the reservation was before: open, paid or released; `NotFound` when there is none."""
    found = _ask(session, "close", reservation_id=reservation_id, how=how).scalar_one()
    if found is None:
        raise NotFound("There is no such reservation.")
    return str(found)


def _ask(session: Session, name: str, **values: Any) -> Result[Any]:
    return session.execute(statement(f"ledger/{name}"), values)


def _check_amount(amount: int) -> None:
    if amount == 0 or abs(amount) > MOST_TOKENS:
        raise _no_amount()


def _no_amount() -> Invalid:
    return Invalid(
        f"The tokens must be a whole number from -{MOST_TOKENS} to {MOST_TOKENS}, and not 0.",
        "tokens",
    )


def _clean_note(note: str) -> str:
    clean = note.strip()
    if len(clean) > LONGEST_NOTE or "\x00" in clean:
        raise Invalid(f"At most {LONGEST_NOTE} characters, and none of them NUL.", "note")
    return clean
