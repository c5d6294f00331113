"""What each media service would do if it were asked now: with what engine, or why not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from darkroom.media.status.runtimes import Runtime, has_weights
from darkroom.settings import UPSCALE_MODELS, ProviderSettings, Settings
from darkroom.web.words import N_

Json = dict[str, Any]

NO_WORKER = N_("No worker takes lane {lane}. Start one with “darkroom worker”.")
SANDBOX = N_("The sandbox stands in for {provider}: set {variable} to use it.")
BREAKER = N_("Calls to {provider} have failed, so none are made now; they go on by themselves.")
ENLARGING = N_(
    "The weights are not here yet: they are fetched when they are first needed, or by “darkroom "
    "weights fetch”. Where they cannot be had, a formula enlarges."
)
SPEECH = N_(
    "The weights are not here yet: they are fetched when they are first needed, or by “darkroom "
    "weights fetch”."
)
NO_PORTRAITS = N_("LivePortrait is not installed: a still video with the sound is made instead.")
NO_SWAPPER = N_(
    "InsightFace and its weights are not installed: faces are fitted by their landmarks instead."
)


@dataclass(frozen=True)
class Offer:
    """A service as it stands.

    Attributes
    ----------
    lane : whose workers do it
    engine : what would do it
    available : whether a request would be worked on now
    is_fallback : whether that stands in for something better
    why : what is amiss; its {places} are filled from `values`
    """

    name: str
    title: str
    lane: str
    engine: str
    available: bool = True
    is_fallback: bool = False
    why: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def as_json(self) -> Json:
        """As programs see it."""
        return {
            "available": self.available,
            "engine": self.engine,
            "fallback": self.is_fallback,
            "message": self.why.format_map(self.values),
        }


@dataclass(frozen=True)
class Standing:
    """What the offers are told by.

    Attributes
    ----------
    runtimes : the processes that run models
    lanes : that workers take
    failing : providers with a breaker that lets no call through
    """

    settings: Settings
    runtimes: list[Runtime]
    lanes: frozenset[str]
    failing: frozenset[str]


def offers(now: Standing) -> list[Offer]:
    """All services, in the order of the studio."""
    return [_manned(now, offer) for offer in (*_provided(now), *_local(now))]


def _provided(now: Standing) -> Iterator[Offer]:
    chosen = now.settings.providers
    pictures = {each.name: each for each in chosen.with_models}[now.settings.media.provider]
    yield _of_provider(now, "image_generation", N_("Pictures"), pictures, "image")
    yield _of_provider(now, "magic_prompt", N_("Prompts"), chosen.gemini, "text")


def _of_provider(
    now: Standing, name: str, title: str, provider: ProviderSettings, use: str
) -> Offer:
    values = {"provider": provider.name, "variable": f"{provider.name.upper()}_API_KEY"}
    is_failing = provider.name in now.failing
    why = BREAKER if is_failing else SANDBOX if provider.is_sandbox else ""
    engine = f"{provider.name} {provider.models[use][0]}"
    return Offer(name, title, "io", engine, not is_failing, provider.is_sandbox, why, values)


def _local(now: Standing) -> Iterator[Offer]:
    """Those whose models run on the workers' own machines."""
    yield _of_weights(
        now, "real_esrgan", N_("Enlarging"), UPSCALE_MODELS, "Real-ESRGAN", "bicubic", ENLARGING
    )
    yield _of_weights(now, "whisper", N_("Subtitles"), ("whisper",), "Whisper", "Whisper", SPEECH)
    yield _portraits(now)
    yield _of_weights(
        now, "insightface", N_("Face swap"), ("inswapper",), "InsightFace", "landmarks", NO_SWAPPER
    )
    yield Offer("ffmpeg", N_("Videos"), "cpu", "ffmpeg")


def _portraits(now: Standing) -> Offer:
    """Portraits: without LivePortrait they are made where videos are."""
    title, weights = N_("Portraits"), ("liveportrait",)
    offer = _of_weights(now, "liveportrait", title, weights, "LivePortrait", "ffmpeg", NO_PORTRAITS)
    is_moving = now.settings.media.liveportrait_dir is not None
    return offer if is_moving else replace(offer, lane="cpu")


def _of_weights(
    now: Standing,
    name: str,
    title: str,
    weights: Sequence[str],
    engine: str,
    stand_in: str,
    why: str,
) -> Offer:
    """A service by whether its weights are there: what does it, else what does it instead."""
    if has_weights(now.runtimes, *weights):
        return Offer(name, title, "gpu", engine)
    return Offer(name, title, "gpu", stand_in, is_fallback=engine != stand_in, why=why)


def _manned(now: Standing, offer: Offer) -> Offer:
    """The offer; not available where no worker would do it."""
    if offer.lane in now.lanes:
        return offer
    return replace(offer, available=False, why=NO_WORKER, values={"lane": offer.lane})
