"""Counts become stock: one batch of a session's location and product, and what corrects it later.

Both functions may be called again at any time and write only what is missing.
"""

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from darkroom.counting.models import PhotoSession
from darkroom.counting.places.models import StorageLocationConfig
from darkroom.counting.stock import ledger
from darkroom.counting.stock.models import StockBatch, StockMovement

RERUN, LOCATION, PRODUCT, REVIEW = "rerun", "location", "product", "review"
COUNTED_ANEW = "Counted anew after a retry."
DETECTION_METHOD = "yolo_sahi"
"""How plants are seen, as batches say it: YOLO on slices that overlap."""


def why_not(photos: PhotoSession) -> str | None:
    """What keeps a count out of the stock: RERUN, LOCATION, PRODUCT or REVIEW; None: nothing."""
    if photos.rerun_of_id is not None:
        return RERUN
    if photos.storage_location_id is None:
        return LOCATION
    if photos.expected_product_id is None or photos.expected_product_state_id is None:
        return PRODUCT
    return REVIEW if photos.needs_review else None


def batch_of(session: Session, photos: PhotoSession) -> StockBatch | None:
    """The batch that a session's count was entered as."""
    return session.scalar(
        select(StockBatch).where(
            StockBatch.processing_session_id == photos.id,
            StockBatch.storage_location_id == photos.storage_location_id,
            StockBatch.product_id == photos.expected_product_id,
        )
    )


def enter_count(session: Session, photos: PhotoSession, zone: str = "UTC") -> StockBatch | None:
    """Enter a session's count into the stock, or nothing where something keeps it out.

    Parameters
    ----------
    zone
        The time zone whose day the batch's code bears.
    """
    if why_not(photos) is not None:
        return None
    difference = StockMovement(
        movement_type="adjustment",
        source_type="ia",
        user_id=_ml_user(photos),
        reason=COUNTED_ANEW,
    )
    return _settle(session, photos, photos.total, difference, zone)


def adjust_to(
    session: Session, photos: PhotoSession, total: int, user_id: int, reason: str, zone: str = "UTC"
) -> StockBatch | None:
    """Enter a reviewed count: as it was counted, then what a person says it is off by.

    Answers None where stock is not kept of it (a re-run, no location or no product known).

    Parameters
    ----------
    total
        Plants in all, as the person says.
    """
    if why_not(photos) not in (None, REVIEW):
        return None
    difference = StockMovement(
        movement_type="adjustment", source_type="manual", user_id=user_id, reason=reason
    )
    return _settle(session, photos, total, difference, zone)


def _settle(
    session: Session, photos: PhotoSession, total: int, difference: StockMovement, zone: str
) -> StockBatch:
    """The session's batch, begun where there is none, with its count brought to `total`."""
    session.execute(select(PhotoSession.id).where(PhotoSession.id == photos.id).with_for_update())
    is_whole = _counts_whole_location(session, photos)
    newer = _newer_count(session, photos) if is_whole else None
    batch = batch_of(session, photos)
    if batch is None:
        for batch_id in _earlier_counts(session, photos) if is_whole else []:
            _close(session, batch_id, photos)
        batch = _begun(session, photos, zone)
        if newer is not None:
            _close(session, batch.id, newer)
    # A batch that was closed stays so: what its count was off by is history.
    if newer is None:
        _bring_to(session, ledger.locked(session, batch.id), photos, total, difference)
    return batch


def _begun(session: Session, photos: PhotoSession, zone: str) -> StockBatch:
    batch = StockBatch(
        storage_location_id=photos.storage_location_id,
        product_id=photos.expected_product_id,
        product_state_id=photos.expected_product_state_id,
        container_type_id=photos.expected_container_type_id,
        processing_session_id=photos.id,
        total_detected=photos.total_detected,
        total_estimated=photos.total_estimated,
        quantity_initial=photos.total_detected + photos.total_estimated,
        quality_score=photos.avg_confidence,
        # As the seed has them; unlike the column of that name they go along in a transfer.
        custom_attributes={
            "processing_session_id": str(photos.session_id),
            "detection_method": DETECTION_METHOD,
        },
        created_by_user_id=_ml_user(photos),
    )
    first = StockMovement(
        movement_type="foto",
        source_type="ia",
        processing_session_id=photos.id,
        user_id=_ml_user(photos),
    )
    return ledger.begin(session, batch, first, zone)


def _bring_to(
    session: Session,
    batch: StockBatch,
    photos: PhotoSession,
    total: int,
    difference: StockMovement,
) -> None:
    """Write what is missing to the total; what left the batch meanwhile stays gone.

    No more is taken than is left: plants that were sold beyond the count block no review.
    """
    entered = session.scalar(
        select(func.sum(StockMovement.quantity)).where(
            StockMovement.batch_id == batch.id, StockMovement.processing_session_id == photos.id
        )
    )
    missing = total - (entered or 0)
    difference.quantity = max(missing, -batch.quantity_current)
    if missing < difference.quantity:
        rest = difference.quantity - missing
        difference.reason = f"More plants have left the batch than were counted: {rest}."
    difference.processing_session_id = photos.id
    if difference.quantity:
        ledger.move(session, batch, difference)


def _close(session: Session, batch_id: int, counted: PhotoSession) -> None:
    """Take out what is left of a batch that another count has taken the place of."""
    batch = ledger.locked(session, batch_id)
    if not batch.quantity_current:
        return
    rest = StockMovement(
        movement_type="adjustment",
        source_type="ia",
        quantity=-batch.quantity_current,
        processing_session_id=counted.id,
        user_id=_ml_user(counted),
        reason=f"Replaced by the count {counted.session_id}.",
    )
    ledger.move(session, batch, rest)


def _counts_whole_location(session: Session, photos: PhotoSession) -> bool:
    """Whether counts take one another's place there; if so no other is entered meanwhile."""
    config = session.scalar(
        select(StorageLocationConfig)
        .where(StorageLocationConfig.id == photos.storage_location_config_id)
        .with_for_update()
    )
    return config is not None and config.counts_whole_location


def _earlier_counts(session: Session, photos: PhotoSession) -> list[int]:
    """The batches of the same that were counted before, by number."""
    of = StockBatch.processing_session_id
    earlier = (
        select(StockBatch.id)
        .where(*_the_same(photos), or_(of.is_(None), of < photos.id))
        .where(StockBatch.quantity_current > 0)
    )
    return list(session.scalars(earlier.order_by(StockBatch.id)))


def _newer_count(session: Session, photos: PhotoSession) -> PhotoSession | None:
    """The newest session whose count of the same was entered, if it is newer than this one."""
    return session.scalar(
        select(PhotoSession)
        .join(StockBatch, StockBatch.processing_session_id == PhotoSession.id)
        .where(*_the_same(photos), PhotoSession.id > photos.id)
        .order_by(PhotoSession.id.desc())
        .limit(1)
    )


def _the_same(photos: PhotoSession) -> tuple[ColumnElement[bool], ...]:
    return (
        StockBatch.storage_location_id == photos.storage_location_id,
        StockBatch.product_id == photos.expected_product_id,
        StockBatch.total_detected.is_not(None),
    )


def _ml_user(photos: PhotoSession) -> int:
    return photos.ml_user_id if photos.ml_user_id is not None else photos.user_id
