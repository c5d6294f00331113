"""What came of an enlargement: its files, and what is said of it."""

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from darkroom.media.enhancing.orders import VIDEOS
from darkroom.media.requests import Made, Order
from darkroom.vision.upscale import BICUBIC
from darkroom.web.words import N_

Json = dict[str, Any]

FALLBACK = N_(
    "The networks' weights are not here, so this was enlarged by a formula (bicubic), which adds "
    "no detail. “darkroom weights fetch” gets them."
)
_NETWORKS = {VIDEOS: "realesr-animevideov3"}
"""Names of ours that are not Real-ESRGAN's own."""


@dataclass(frozen=True)
class Enhanced:
    """An enlarged picture or video, in the store and without rows yet."""

    result: Json
    files: list[Made]
    engine: str


def network(order: Order) -> str:
    """The network that was asked for, by the name that the weights go by."""
    model = str(order.asked["model"])
    return _NETWORKS.get(model, model)


def described(order: Order, engine: str, size: tuple[int, int], seconds: float) -> Json:
    """What is said of every enlargement; of a stand-in for a network, that it is one."""
    said = {
        "model": order.asked["model"],
        "scale": order.asked["scale"],
        "width": size[0],
        "height": size[1],
        "seconds": round(seconds, 1),
    }
    return {**said, "fallback": FALLBACK} if engine == BICUBIC else said


def filename(order: Order, given: str, suffix: str) -> str:
    """What the result is called when it is saved: "pot.jpg" becomes "pot-x2.5.jpg"."""
    return f"{PurePath(given).stem or order.asked['kind']}-x{order.asked['scale']:g}.{suffix}"
