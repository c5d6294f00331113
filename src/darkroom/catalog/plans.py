"""What editing articles would mean, before anybody pays for it: how many, how much, how long."""

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import ColumnElement, case, exists, func, select
from sqlalchemy.orm import Session

from darkroom.catalog import budgets
from darkroom.catalog.models import Article, Edit
from darkroom.catalog.queueing import LeftOut
from darkroom.catalog.selection import MOST, Selection
from darkroom.db.statements import statement
from darkroom.providers import prices
from darkroom.settings import Settings

PACE = "catalog"
USUAL_SECONDS = 15.0
"""What an edit takes, as long as none was made here."""


@dataclass(frozen=True)
class Budget:
    """The catalog's budget of today, and how many articles fit into what is left of it."""

    limit: Decimal
    spent: Decimal
    left: Decimal
    articles: int


@dataclass(frozen=True)
class Plan:
    """What would come of editing these articles.

    Parameters
    ----------
    articles, left_out
        How many would be edited, and how many would not, by reason.
    cost, per_picture
        In US dollars, if each is bought once.
    seconds
        Until the last is done, what is queued before them included.
    budget
        None where the catalog has none of its own.
    """

    articles: int
    left_out: dict[LeftOut, int]
    cost: Decimal
    per_picture: Decimal
    seconds: float
    is_sandbox: bool
    budget: Budget | None


def plan(session: Session, settings: Settings, selection: Selection) -> Plan:
    """What would come of queueing the selection now; nothing is queued."""
    counts = _counts(session, selection)
    articles = counts.pop(None, 0)
    each = per_picture(settings)
    return Plan(
        articles=articles,
        left_out={why: count for why, count in counts.items() if why is not None},
        cost=each * articles,
        per_picture=each,
        seconds=_seconds(session, settings, articles),
        is_sandbox=settings.providers.gemini.is_sandbox,
        budget=_budget(session, each),
    )


def per_picture(settings: Settings) -> Decimal:
    """What a picture costs by the price table, of the model at the head of the chain."""
    providers = settings.providers
    return prices.estimate(providers, "gemini", providers.gemini.models["image"][:1])


def _counts(session: Session, selection: Selection) -> dict[LeftOut | None, int]:
    """How many articles there are by why they would be left out; None: they would not."""
    why = _why_left_out()
    query = select(why, func.count()).where(*selection.conditions).group_by(why)
    counts: dict[LeftOut | None, int] = {reason: count for reason, count in session.execute(query)}
    missing = len(set(selection.ids or ())) - sum(counts.values())
    if selection.ids is not None and missing:
        counts["missing"] = missing
    return counts


def _why_left_out() -> ColumnElement[LeftOut | None]:
    is_open = Edit.estado.in_(("pending", "processing")) & Edit.is_preview.is_(False)
    queued = exists().where(Edit.articulo_id == Article.id, is_open)
    return case((Article.imagen_url.is_(None), "no_image"), (queued, "queued"), else_=None)


def _seconds(session: Session, settings: Settings, articles: int) -> float:
    """One edit after the other, at the catalog's pace."""
    measured, queued = session.execute(statement("catalog/pace_of_edits")).one()
    each = USUAL_SECONDS if measured is None else float(measured)
    return float(queued + articles) * (each + settings.gates.paces.get(PACE, 0.0))


def _budget(session: Session, each: Decimal) -> Budget | None:
    money = budgets.state(session)
    if money.limit is None or money.left is None:
        return None
    fit = int(money.left // each) if each else MOST
    return Budget(money.limit, money.spent, money.left, fit)
