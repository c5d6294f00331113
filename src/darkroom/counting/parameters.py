"""What is known of a product and its place before a photo is looked at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from darkroom.counting.containers import Kind
from darkroom.counting.vegetation import GREEN, ColourRange, Reference

Figure = Literal["buffered", "unbiased"]
CAPACITY: Mapping[Kind, float] = {"plug": 27.5, "box": 75.0, "segment": 200.0}
"""Plants that a full container holds: the middles of 25-30, 50-100 and 100-300."""
PLANT_AREA_CM2: Mapping[Kind, float] = {"plug": 50.0, "box": 200.0, "segment": 500.0}


@dataclass(frozen=True)
class Parameters:
    """What a product and its place say about a container.

    Attributes
    ----------
    colours
        HSV range of the product's leaves.
    reference
        The product's stored colours, for containers with too few detections.
    wants_reference
        Whether the product has no stored colours yet, and a photo may give them.
    alpha
        Overcount buffer: the buffered figure is the unbiased one divided by it.
    figure
        Which of the two goes to stock.
    ground_sample_cm
        Centimetres that a pixel of the photo covers, where known.
    plant_area_cm2
        Area of a plant by kind of container: the product's density parameters say it, or else the
        defaults do.
    capacity
        Plants that a full container holds, by its kind.
    expected_kind
        The kind of container that stands there, for photos on which none is found.
    empty_below
        Share of vegetation below which a container without detections is empty.
    error_scale
        Factor on the standard error, fitted from corrections.
    """

    colours: ColourRange = GREEN
    reference: Reference | None = None
    wants_reference: bool = False
    alpha: float = 0.9
    figure: Figure = "buffered"
    ground_sample_cm: float | None = None
    plant_area_cm2: Mapping[Kind, float] = field(default_factory=lambda: PLANT_AREA_CM2)
    capacity: Mapping[Kind, float] = field(default_factory=lambda: CAPACITY)
    expected_kind: Kind = "segment"
    empty_below: float = 0.002
    error_scale: float = 1.0


def default_plant_area(kind: Kind, container_area: float, parameters: Parameters) -> float:
    """The area of a plant in pixels that is assumed where none was seen.

    It is `plant_area_cm2` of the kind of container, through the ground sample distance. Where that
    is unknown the container itself (its area in pixels) is the ruler: full, it holds its capacity
    of such plants. For the defaults the two agree in containers of 37 cm, 1.2 m and 3.2 m square,
    which is what plugs, boxes and segments are.
    """
    if parameters.ground_sample_cm is None:
        return container_area / parameters.capacity[kind]
    return parameters.plant_area_cm2[kind] / parameters.ground_sample_cm**2
