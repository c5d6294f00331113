"""What things will cost, shown before the click."""

from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Session

from darkroom.accounts import ledger
from darkroom.providers.prices import estimate
from darkroom.settings import ProvidersSettings, TokenSettings
from darkroom.variants import unlocking
from darkroom.variants.slots import PROVIDERS, order_of


def tokens(
    session: Session,
    settings: TokenSettings,
    owner_id: int,
    upload_id: UUID,
    *,
    with_upscale: bool,
) -> int:
    """What unlocking a variant of a photo takes now: what is paid already is not asked again."""
    prices = unlocking.prices(settings, with_upscale=with_upscale)
    return sum(
        amount
        for purpose, amount in prices.items()
        if not ledger.is_paid(session, owner_id, subject=upload_id, purpose=purpose)
    )


def picture(settings: ProvidersSettings, provider: str | None) -> Decimal:
    """What a variant costs us in US dollars: at the service asked first, by its first model."""
    first = order_of(provider, settings.sandboxed)[0]
    models = {known.name: known.models["image"] for known in settings.with_models}
    return estimate(settings, first, models[first][:1])


def pictures(settings: ProvidersSettings) -> dict[str, Decimal]:
    """What a variant costs us at each service; "" where none is chosen."""
    return {name or "": picture(settings, name) for name in (None, *PROVIDERS)}


def batch(settings: ProvidersSettings, chosen: Iterable[str | None]) -> Decimal:
    """What a batch costs us in US dollars, by the service that each of its slots asks first."""
    return sum((picture(settings, provider) for provider in chosen), Decimal(0))
