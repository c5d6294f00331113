"""A harmless call to each outside service: does it answer, does it know us, has it our models?"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Literal

from darkroom.errors import DarkroomError, Transient
from darkroom.providers import cloudinary, gcs, gemini, laozhang, openai, prices, slack, wordpress
from darkroom.settings import ProviderSettings, ProvidersSettings, Settings

Level = Literal["ok", "warn", "fail", "unset"]

LISTS: dict[str, Callable[[Settings], set[str]]] = {
    "gemini": lambda settings: gemini.connect(settings).models(),
    "openai": lambda settings: openai.connect(settings).models(),
    "laozhang": lambda settings: laozhang.connect(settings).models(),
}
"""How a service lists its models: it costs nothing, and wants a good key."""


@dataclass(frozen=True)
class Check:
    """How a service is.

    Parameters
    ----------
    level
        `fail` when it does not work, `warn` when something of it does not, `unset` when nothing of
        it is set and nothing was asked.
    said
        How it is, in words.
    is_sandbox
        Whether the sandbox stands in for it.
    """

    provider: str
    level: Level
    said: str
    is_sandbox: bool = False

    def as_json(self) -> dict[str, Any]:
        """The check as programs get it."""
        return asdict(self)


def check(settings: Settings) -> Iterator[Check]:
    """Ask one service after the other; never raises for what they answer."""
    for chosen in settings.providers.with_models:
        yield _tried(chosen.name, chosen.is_sandbox, partial(_models, settings, chosen))
    yield from _others(settings)


def wanted(chosen: ProviderSettings) -> list[str]:
    """The models of all chains of a service, each once, in order."""
    return list(dict.fromkeys(model for chain in chosen.models.values() for model in chain))


def _others(settings: Settings) -> Iterator[Check]:
    providers = settings.providers
    if providers.cloudinary is None:
        yield Check("cloudinary", "unset", "CLOUDINARY_URL is not set: we keep pictures ourselves.")
    else:
        yield _tried("cloudinary", False, lambda: cloudinary.connect(settings).ping())
    url, seconds = settings.alerts.slack_webhook_url, settings.alerts.timeout_seconds
    if url is None:
        yield Check("slack", "unset", f"{slack.SETTING} is not set: no alerts go there.")
    else:
        yield _tried("slack", False, lambda: slack.connect(url, seconds).check())
    site, bucket = providers.wordpress, providers.gcs
    yield _tried("wordpress", site.is_sandbox, lambda: _site(settings))
    yield _tried("gcs", bucket.is_sandbox, lambda: gcs.connect(settings).check())


def _tried(name: str, is_sandbox: bool, ask: Callable[[], Check | str | None]) -> Check:
    try:
        said = ask()
    except Transient as error:
        hint = " The sandbox runs with `darkroom up`." if is_sandbox else ""
        return Check(name, "warn" if is_sandbox else "fail", error.message + hint, is_sandbox)
    except DarkroomError as error:
        return Check(name, "fail", error.message, is_sandbox)
    if isinstance(said, Check):
        return said
    return Check(name, "ok", said or "It answers and knows us.", is_sandbox)


def _site(settings: Settings) -> str:
    count = len(wordpress.connect(settings).types())
    return f"It answers, knows us and shows {count} types of posts."


def _models(settings: Settings, chosen: ProviderSettings) -> Check:
    """Whether each chain has a model left, and all have prices."""
    there = LISTS[chosen.name](settings)
    troubles = list(_troubles(settings.providers, chosen, there))
    dry = any(not there.intersection(chain) for chain in chosen.models.values())
    if troubles:
        said = " ".join(troubles)
        return Check(chosen.name, "fail" if dry else "warn", said, chosen.is_sandbox)
    count = len(wanted(chosen))
    return Check(
        chosen.name, "ok", f"It answers and has all {count} of our models.", chosen.is_sandbox
    )


def _troubles(
    settings: ProvidersSettings, chosen: ProviderSettings, there: set[str]
) -> Iterator[str]:
    for use, chain in chosen.models.items():
        setting = f"DARKROOM_{chosen.name.upper()}_{use.upper()}_MODELS"
        gone = [model for model in chain if model not in there]
        if len(gone) == len(chain):
            yield f"It has none of the models {', '.join(chain)}: name others in {setting}."
        elif gone:
            yield f"It has no model {', '.join(gone)}: take it out of {setting}."
        if gone[:1] == list(chain[:1]) and len(gone) < len(chain):
            left = next(model for model in chain if model in there)
            yield f"{left} is taken instead."
    free = [m for m in wanted(chosen) if prices.price(settings, chosen.name, m) is None]
    if free:
        yield f"There is no price for {', '.join(free)}: name it in DARKROOM_PRICES."
