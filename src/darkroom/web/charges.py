"""The reader's charges: what was granted, set aside, paid and given back, newest first."""

import re
from dataclasses import dataclass

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from darkroom.accounts import ledger
from darkroom.accounts.ledger import Entry
from darkroom.errors import Invalid
from darkroom.web.auth import current_user, login_required
from darkroom.web.services import services

pages = Blueprint("charges", __name__, url_prefix="/account/charges")

PAGE = 50
HIGHEST = 2**63 - 1

_NUMBER = re.compile("[0-9]{1,19}")


@dataclass(frozen=True)
class Charges:
    """What the reader has, some entries of theirs, and where those older still begin."""

    balance: int
    entries: list[Entry]
    older: int | None


@pages.get("")
@login_required
def show() -> ResponseReturnValue:
    """All charges, a page at a time."""
    with services().database.session() as db:
        found = read(db, PAGE)
    return render_template("charges.html", charges=found, first_page="before" not in request.args)


def read(db: Session, limit: int) -> Charges:
    """The reader's charges below the parameter `before`."""
    user = current_user()
    balance = ledger.balance(db, user.id, start=services().settings.tokens.at_start)
    found = ledger.entries(db, user.id, _before(), limit + 1)
    older = found[limit - 1].id if len(found) > limit else None
    return Charges(balance, found[:limit], older)


def _before() -> int | None:
    given = request.args.get("before")
    if not given:
        return None
    if not (_NUMBER.fullmatch(given) and int(given) <= HIGHEST):
        raise Invalid("This page of the list does not exist.", "before")
    return int(given)
