"""The tables of places and products (made by `sql/migrations/0012_places.sql`)."""

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, FetchedValue, ForeignKey, Integer
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from darkroom.db.sessions import Base

Json = dict[str, Any]
TIME = DateTime(timezone=True)
SERVER = FetchedValue()


class _Kept:
    """What every row here has: whether it is in use, and its times."""

    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    updated_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)


class _Named(_Kept):
    code: Mapped[str]
    name: Mapped[str]
    is_active: Mapped[bool] = mapped_column(server_default=SERVER)


class Warehouse(_Named, Base):
    """A site. `geojson_coordinates` is its outline, longitude and latitude."""

    __tablename__ = "warehouses"

    geojson_coordinates: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))


class StorageArea(_Named, Base):
    """A part of a warehouse, such as a greenhouse."""

    __tablename__ = "storage_areas"

    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouses.id"))
    geojson_coordinates: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))


class StorageLocation(_Named, Base):
    """A place that photos are taken of, such as a bench: outline, middle, or neither."""

    __tablename__ = "storage_locations"

    storage_area_id: Mapped[int] = mapped_column(ForeignKey("storage_areas.id"))
    geojson_coordinates: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    geospatial_point: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))


class ContainerType(_Named, Base):
    """What plants stand in, and how many it holds; of one of the kinds the model tells apart."""

    __tablename__ = "container_types"

    kind: Mapped[str]
    capacity_min: Mapped[int]
    capacity_max: Mapped[int]


class StorageBin(_Named, Base):
    """A numbered place within a location."""

    __tablename__ = "storage_bins"

    storage_location_id: Mapped[int] = mapped_column(ForeignKey("storage_locations.id"))
    container_type_id: Mapped[int | None] = mapped_column(ForeignKey("container_types.id"))


class Product(_Named, Base):
    """A plant that is grown. The colours are of its leaves, in OpenCV's HSV."""

    __tablename__ = "products"

    scientific_name: Mapped[str | None]
    hsv_low: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    hsv_high: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    colour_reference: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))


class ProductState(_Named, Base):
    """How far a plant has grown."""

    __tablename__ = "product_states"

    sort_order: Mapped[int]
    is_default: Mapped[bool] = mapped_column(server_default=SERVER)


class StorageLocationConfig(_Kept, Base):
    """What is expected at a location."""

    __tablename__ = "storage_location_config"

    storage_location_id: Mapped[int] = mapped_column(ForeignKey("storage_locations.id"))
    expected_product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    expected_product_state_id: Mapped[int] = mapped_column(ForeignKey("product_states.id"))
    expected_container_type_id: Mapped[int | None] = mapped_column(ForeignKey("container_types.id"))
    ml_user_id: Mapped[int]
    counts_whole_location: Mapped[bool] = mapped_column(server_default=SERVER)
    notes: Mapped[str] = mapped_column(server_default=SERVER)


class DensityParameter(_Kept, Base):
    """How much room a plant of a product takes, in one container type or in any."""

    __tablename__ = "density_parameters"

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    container_type_id: Mapped[int | None] = mapped_column(ForeignKey("container_types.id"))
    avg_area_per_plant_cm2: Mapped[float | None]
    plants_per_m2: Mapped[float | None]
