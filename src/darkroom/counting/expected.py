"""What is expected on a session's photos, as the parameters of their count.

A session's own settings come before the product that is expected there, and that before the
installation's settings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

import numpy as np
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from darkroom.counting.containers import Kind
from darkroom.counting.debris import SURE
from darkroom.counting.geometry import Bytes
from darkroom.counting.models import Photo, PhotoSession
from darkroom.counting.parameters import CAPACITY, PLANT_AREA_CM2, Figure, Parameters
from darkroom.counting.photo import CountedContainer
from darkroom.counting.places.models import ContainerType, DensityParameter, Product
from darkroom.counting.review.reading import error_scale
from darkroom.counting.vegetation import ColourRange, Reference, reference_of
from darkroom.db.sessions import Database
from darkroom.settings import CountingSettings

CM2 = 10_000.0
"""Square centimetres of a square metre."""
ENOUGH = 20
"""Sure plants on one photo that say what colours their product has."""


def parameters_of(database: Database, photo: Photo, settings: CountingSettings) -> Parameters:
    """The parameters that a photo is counted with.

    `settings` are those of its session: the installation's but for what the session sets itself.
    """
    with database.session() as session:
        return _parameters(session, session.get_one(PhotoSession, photo.session_id), settings)


def _parameters(session: Session, photos: PhotoSession, settings: CountingSettings) -> Parameters:
    # No id, no row.
    product = session.get(Product, photos.expected_product_id or 0)
    kept = session.get(ContainerType, photos.expected_container_type_id or 0)
    return Parameters(
        colours=_colours(product, photos.settings, settings),
        reference=reference_in(product.colour_reference) if product else None,
        wants_reference=_wants_reference(product, photos),
        alpha=settings.alpha,
        figure=cast(Figure, settings.stock_figure),
        ground_sample_cm=settings.ground_sample_cm,
        plant_area_cm2=_plant_areas(session, photos),
        capacity={**CAPACITY, **({_kind(kept): _middle(kept)} if kept else {})},
        expected_kind=_kind(kept) if kept else "segment",
        error_scale=error_scale(session),
    )


def learnt(
    pixels: Bytes, counted: Sequence[CountedContainer], known: Parameters
) -> Reference | None:
    """What the sure plants of a photo say of their product's colours.

    None where nobody asks, or where they are too few to say it.
    """
    sure = [part.plants.boxes[part.plants.scores >= SURE] for part in counted]
    boxes = np.concatenate([np.empty((0, 4)), *sure])
    if not known.wants_reference or len(boxes) < ENOUGH:
        return None
    return reference_of(pixels, boxes, known.colours)


def remember(session: Session, photo: Photo, reference: Reference | None) -> None:
    """Store a product's reference with it, if it has none."""
    if reference is None:
        return
    expected = select(PhotoSession.expected_product_id).where(PhotoSession.id == photo.session_id)
    session.execute(
        update(Product)
        .where(Product.id == expected.scalar_subquery(), Product.colour_reference.is_(None))
        .values(colour_reference=asdict(reference))
        .execution_options(synchronize_session=False)
    )


def _wants_reference(product: Product | None, photos: PhotoSession) -> bool:
    # What a trial sees, perhaps with other colours or weights, is not what the product looks like.
    is_trial = photos.rerun_of_id is not None
    return product is not None and product.colour_reference is None and not is_trial


def _colours(
    product: Product | None, own: Mapping[str, Any], settings: CountingSettings
) -> ColourRange:
    low, high = (product.hsv_low, product.hsv_high) if product else (None, None)
    if low is None or high is None or own.keys() & {"hsv_low", "hsv_high"}:
        return ColourRange(settings.hsv_low, settings.hsv_high)
    return ColourRange((low[0], low[1], low[2]), (high[0], high[1], high[2]))


def reference_in(stored: Mapping[str, Any] | None) -> Reference | None:
    """The reference that a product keeps as {"floor", "ceiling"}; None where it keeps none."""
    try:
        found = Reference(float(stored["floor"]), float(stored["ceiling"])) if stored else None
    except (KeyError, TypeError, ValueError):
        return None
    return found if found and 0 <= found.floor <= found.ceiling <= 255 else None


def _plant_areas(session: Session, photos: PhotoSession) -> Mapping[Kind, float]:
    """The product's density in each kind of container, else in any, else the default."""
    query = (
        select(ContainerType.kind, DensityParameter)
        .select_from(DensityParameter)
        .outerjoin(ContainerType, ContainerType.id == DensityParameter.container_type_id)
        .where(DensityParameter.product_id == photos.expected_product_id)
        # What is expected itself comes last, and so wins over others of its kind.
        .order_by(
            ContainerType.id.is_not_distinct_from(photos.expected_container_type_id),
            DensityParameter.id,
        )
    )
    rows = [(kind, _area(row)) for kind, row in session.execute(query)]
    anywhere = [area for kind, area in rows if kind is None]
    areas = {kind: anywhere[0] if anywhere else area for kind, area in PLANT_AREA_CM2.items()}
    return areas | {cast(Kind, kind): area for kind, area in rows if kind is not None}


def _area(row: DensityParameter) -> float:
    """Square centimetres a plant."""
    return row.avg_area_per_plant_cm2 or CM2 / cast(float, row.plants_per_m2)


def _kind(kept: ContainerType) -> Kind:
    return cast(Kind, kept.kind)


def _middle(kept: ContainerType) -> float:
    return (kept.capacity_min + kept.capacity_max) / 2
