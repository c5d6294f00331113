"""What the catalog may spend a day (UTC), beside the budgets of the providers and the owners."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.accounts import audit
from darkroom.accounts.audit import Actor
from darkroom.catalog.models import CatalogSettings
from darkroom.db.sessions import Database
from darkroom.db.statements import statement
from darkroom.errors import Invalid, NotNow
from darkroom.queue.task import Lease

FIELD, KIND = "budget_per_day", "budget"
MOST = Decimal(1_000_000)
SOON = timedelta(seconds=10)
"""When to ask again for money that calls in flight have reserved and may give back."""


@dataclass(frozen=True)
class Money:
    """A day's budget (None: no limit of its own), what is spent of it and what reserved."""

    limit: Decimal | None
    spent: Decimal
    reserved: Decimal
    day_ends: datetime
    at: datetime

    @property
    def left(self) -> Decimal | None:
        """What is neither spent nor reserved; None without a limit."""
        if self.limit is None:
            return None
        return max(self.limit - self.spent - self.reserved, Decimal(0))


def state(session: Session, lease: Lease | None = None) -> Money:
    """How it stands today; for a lease only the calls that were begun before its own count."""
    asked = {"lease": lease.attempt_id if lease else None}
    return Money(*session.execute(statement("catalog/money_out"), asked).one())


def set_limit(session: Session, limit: Decimal | None, actor: Actor) -> None:
    """Give a day another budget; None takes it away. Edits that wait for money ask again."""
    row = session.scalars(select(CatalogSettings).with_for_update()).one()
    row.budget_per_day = limit
    said = {FIELD: None if limit is None else str(limit)}
    audit.write(session, actor=actor, action="catalog.budget", filter=said)
    session.flush()
    session.execute(statement("catalog/resume"), {"kind": KIND})


def checked(given: object) -> Decimal | None:
    """The amount that somebody gives as text or number; None for nothing, which is no limit."""
    if given is None or given == "":
        return None
    try:
        amount = Decimal(str(given))
    except InvalidOperation:
        amount = Decimal("NaN")
    if isinstance(given, bool) or not amount.is_finite() or not 0 <= amount <= MOST:
        raise Invalid(f"{FIELD} must be an amount of dollars like 2.50, not {given!r}.", FIELD)
    return amount


def insist(database: Database, lease: Lease, price: Decimal) -> None:
    """Raise `NotNow` unless the call that the lease has just begun fits into the day's budget."""
    with database.session() as session:
        money = state(session, lease)
    if money.limit is None or money.spent + money.reserved + price <= money.limit:
        return
    is_spent = money.spent + price > money.limit
    until = money.day_ends if is_spent else min(money.at + SOON, money.day_ends)
    raise NotNow(_said(money, price), until, kind=KIND, on="catalog")


def _said(money: Money, price: Decimal) -> str:
    if money.limit is not None and price > money.limit:
        return f"an edit costs {price:f} USD, and a day's budget of catalog is {money.limit:f}"
    return f"the budget of catalog for today is spent: {money.spent:f} of {money.limit:f} USD"
