"""The kinds of places and products that people keep, and the fields of each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from darkroom.counting.places.fields import (
    Amount,
    Choice,
    Code,
    Colour,
    Field,
    Flag,
    Greens,
    Lines,
    Outline,
    Reference,
    Spot,
    Whole,
)
from darkroom.counting.places.models import (
    ContainerType,
    DensityParameter,
    Product,
    ProductState,
    StorageArea,
    StorageBin,
    StorageLocation,
    StorageLocationConfig,
    Warehouse,
)
from darkroom.errors import Invalid
from darkroom.web.words import N_

Values = dict[str, Any]


def _nothing(values: Values) -> None:
    return None


@dataclass(frozen=True)
class Kind:
    """One kind of row: its name in addresses, its table, its fields.

    Parameters
    ----------
    title, one
        What people call them, and one of them.
    key
        The fields that tell a row from the others of its kind.
    check
        Raises `Invalid` where the values of a row do not go together.
    """

    name: str
    title: str
    one: str
    model: type[Any]
    fields: tuple[Field, ...]
    key: tuple[str, ...] = ("code",)
    check: Callable[[Values], None] = field(default=_nothing)

    @property
    def many(self) -> str:
        """The name of a list of them in JSON."""
        return self.name.replace("-", "_")

    @property
    def has_code(self) -> bool:
        """False for what has neither code nor name of its own."""
        return any(one.name == "code" for one in self.fields)

    @property
    def has_outline(self) -> bool:
        """True for what may be drawn on the map."""
        return any(isinstance(one, Outline) for one in self.fields)

    def field(self, name: str) -> Field:
        """The field of that name; `KeyError` when there is none."""
        return {one.name: one for one in self.fields}[name]


def _capacities(values: Values) -> None:
    if values["capacity_max"] < values["capacity_min"]:
        raise Invalid("It must not be below the least capacity.", "capacity_max")


def _colours(values: Values) -> None:
    low, high = values["hsv_low"], values["hsv_high"]
    if (low is None) != (high is None):
        missing = "hsv_low" if low is None else "hsv_high"
        raise Invalid("Give both ends of the range of colours, or neither.", missing)
    # Hues go round.
    if low and (low[1] > high[1] or low[2] > high[2]):
        raise Invalid("Saturation and value must be at least those of the other end.", "hsv_high")


def _densities(values: Values) -> None:
    if values["avg_area_per_plant_cm2"] is None and values["plants_per_m2"] is None:
        raise Invalid(
            "Give the area of a plant, or the plants in a square metre.", "avg_area_per_plant_cm2"
        )


def _states(values: Values) -> None:
    if values["is_default"] and not values["is_active"]:
        raise Invalid("The default cannot be switched off: make another the default.", "is_active")


CODE = Code("code", N_("Code"), required=True)
NAME = Field("name", N_("Name"), required=True)
ACTIVE = Flag("is_active", N_("In use"), default=True)
OUTLINE = Outline(
    "geojson_coordinates",
    N_("Outline"),
    hint=N_("A GeoJSON Polygon or MultiPolygon: paste it, or draw it on the map."),
)

WAREHOUSES = Kind(
    "warehouses", N_("Warehouses"), N_("Warehouse"), Warehouse, (CODE, NAME, OUTLINE, ACTIVE)
)
AREAS = Kind(
    "storage-areas",
    N_("Areas"),
    N_("Area"),
    StorageArea,
    (
        Reference("warehouse_id", N_("Warehouse"), required=True, kind="warehouses"),
        CODE,
        NAME,
        OUTLINE,
        ACTIVE,
    ),
)
LOCATIONS = Kind(
    "storage-locations",
    N_("Locations"),
    N_("Location"),
    StorageLocation,
    (
        Reference("storage_area_id", N_("Area"), required=True, kind="storage-areas"),
        CODE,
        NAME,
        OUTLINE,
        Spot(
            "geospatial_point",
            N_("Middle"),
            hint=N_("Latitude, longitude. Left empty it is worked out from the outline."),
        ),
        ACTIVE,
    ),
)
BINS = Kind(
    "storage-bins",
    N_("Bins"),
    N_("Bin"),
    StorageBin,
    (
        Reference("storage_location_id", N_("Location"), required=True, kind="storage-locations"),
        CODE,
        NAME,
        Reference("container_type_id", N_("Container"), kind="container-types"),
        ACTIVE,
    ),
    key=("storage_location_id", "code"),
)
CONFIGS = Kind(
    "storage-location-config",
    N_("What is expected where"),
    N_("What is expected at a location"),
    StorageLocationConfig,
    (
        Reference("storage_location_id", N_("Location"), required=True, kind="storage-locations"),
        Reference("expected_product_id", N_("Product"), required=True, kind="products"),
        Reference("expected_product_state_id", N_("State"), kind="product-states"),
        Reference("expected_container_type_id", N_("Container"), kind="container-types"),
        Reference("ml_user_id", N_("Counted by"), kind="users"),
        Flag(
            "counts_whole_location",
            N_("A count shows everything there"),
            hint=N_("A new count takes the place of the earlier ones of this product."),
        ),
        Lines("notes", N_("Notes")),
    ),
    key=("storage_location_id",),
)
PRODUCTS = Kind(
    "products",
    N_("Products"),
    N_("Product"),
    Product,
    (
        CODE,
        NAME,
        Field("scientific_name", N_("Scientific name")),
        Colour(
            "hsv_low",
            N_("Leaf colour from"),
            hint=N_("Hue 0–179, saturation and value 0–255. Left empty: green."),
        ),
        Colour("hsv_high", N_("Leaf colour to")),
        Greens(
            "colour_reference",
            N_("Reference of colours"),
            hint=N_("Excess green of known leaves and floor, as JSON. May stay empty."),
        ),
        ACTIVE,
    ),
    check=_colours,
)
STATES = Kind(
    "product-states",
    N_("States"),
    N_("State"),
    ProductState,
    (
        CODE,
        NAME,
        Whole("sort_order", N_("Place in the order"), required=True),
        Flag("is_default", N_("Default")),
        ACTIVE,
    ),
    check=_states,
)
CONTAINERS = Kind(
    "container-types",
    N_("Containers"),
    N_("Container"),
    ContainerType,
    (
        Code("code", N_("Code"), required=True, capitals=False),
        NAME,
        Choice(
            "kind", N_("Seen by the model as"), required=True, options=("plug", "box", "segment")
        ),
        Whole("capacity_min", N_("Least capacity"), required=True, low=1),
        Whole("capacity_max", N_("Greatest capacity"), required=True, low=1),
        ACTIVE,
    ),
    check=_capacities,
)
DENSITIES = Kind(
    "density-parameters",
    N_("Densities"),
    N_("Density"),
    DensityParameter,
    (
        Reference("product_id", N_("Product"), required=True, kind="products"),
        Reference(
            "container_type_id",
            N_("Container"),
            kind="container-types",
            hint=N_("Left empty: in any."),
        ),
        Amount("avg_area_per_plant_cm2", N_("Area of a plant (cm²)")),
        Amount("plants_per_m2", N_("Plants in a square metre")),
    ),
    key=("product_id", "container_type_id"),
    check=_densities,
)

KINDS = {
    kind.name: kind
    for kind in (
        WAREHOUSES,
        AREAS,
        CONTAINERS,
        PRODUCTS,
        STATES,
        LOCATIONS,
        BINS,
        CONFIGS,
        DENSITIES,
    )
}
"""By name; none refers to a later one."""
