"""What previews take: set aside before they are made, paid or given back as each of them ends.

The paying is the tables' (`sql/migrations/0030_variants_retried.sql`): a variant ends in many ways,
and not in all of them code of ours runs.
"""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from darkroom.accounts import ledger
from darkroom.db.statements import statement
from darkroom.errors import NotEnough
from darkroom.settings import TokenSettings
from darkroom.variants.models import Generation

PREVIEW = "preview"


def insist(session: Session, settings: TokenSettings, owner_id: int, previews: int) -> None:
    """`NotEnough` unless the owner has what so many previews take."""
    needed = previews * settings.prices.get(PREVIEW, 0)
    if not needed:
        return
    have = ledger.balance(session, owner_id, start=settings.at_start)
    if needed > have:
        raise NotEnough(needed, have)


def make(
    session: Session, settings: TokenSettings, owner_id: int, wanted: Sequence[Generation]
) -> None:
    """Set aside what the previews of these variants take, or raise `NotEnough`."""
    insist(session, settings, owner_id, len(wanted))
    price = settings.prices.get(PREVIEW, 0)
    for each in wanted if price else ():
        _reserve(session, owner_id, each, price, settings.at_start)


def renew(session: Session, owner_id: int, found: Generation, at_start: int) -> None:
    """Set aside again what was given back when the variant failed; `NotEnough` if it is not there.

    It takes what it took when its run was asked for; nothing if it was free then.
    """
    asked = {"owner_id": owner_id, "generation_id": found.id, "run_id": found.run_id}
    price = session.scalar(statement("variants/given_back"), asked)
    if price is not None:
        _reserve(session, owner_id, found, price, at_start)


def _reserve(session: Session, owner_id: int, of: Generation, price: int, at_start: int) -> None:
    ledger.reserve(
        session,
        owner_id,
        price,
        subject=of.id,
        purpose=PREVIEW,
        run_id=of.run_id,
        start=at_start,
    )
