"""What calls cost, after the price table of the settings."""

from collections.abc import Sequence
from decimal import Decimal

from darkroom.providers.pictures import Reply
from darkroom.settings import Price, ProvidersSettings

MILLION = 1_000_000
CENTS_OF_CENTS = Decimal("0.000001")


def price(settings: ProvidersSettings, provider: str, model: str) -> Price | None:
    """What a model takes; None when no table says so."""
    return settings.prices.get(f"{provider}/{model}") or settings.prices.get(model)


def cost(settings: ProvidersSettings, provider: str, model: str, reply: Reply) -> Decimal:
    """What an answer cost, in US dollars; 0 for a model without a price."""
    found = price(settings, provider, model) or Price()
    tokens = found.million_in * (reply.tokens_in or 0) + found.million_out * (reply.tokens_out or 0)
    return (found.image * reply.images + tokens / MILLION).quantize(CENTS_OF_CENTS)


def estimate(settings: ProvidersSettings, provider: str, models: Sequence[str]) -> Decimal:
    """What a picture of the dearest of the models costs: enough to reserve."""
    found = [price(settings, provider, model) or Price() for model in models]
    return max((each.image for each in found), default=Decimal(0))
