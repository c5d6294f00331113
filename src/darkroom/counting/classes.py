"""What the model's classes stand for in a session, and how many plants of each there are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from darkroom.counting.geometry import largest_remainder
from darkroom.counting.models import Classification, PhotoSession
from darkroom.counting.places.models import ContainerType
from darkroom.db.statements import statement

BY_HAND = "by hand"
"""In place of a model's version where people marked all plants that there are."""


@dataclass
class Sum:
    """Plants of a class in a kind of container; `confidences` are sums over a container's."""

    detected: int = 0
    estimated: int = 0
    confidences: list[float] = field(default_factory=list)

    @property
    def confidence(self) -> float:
        """The mean confidence of the plants seen."""
        return sum(self.confidences) / self.detected


def write(session: Session, photos: PhotoSession, model: str | None = None) -> None:
    """Write the classifications of a session anew.

    `model` is the version of the weights; without it, it stays what it was.
    """
    kept = select(Classification.model_version).where(Classification.session_id == photos.id)
    version = model or session.scalar(kept.limit(1)) or BY_HAND
    session.execute(delete(Classification).where(Classification.session_id == photos.id))
    types = _types(session, photos)
    rows = session.execute(statement("counting/classes"), {"session_id": photos.id}).all()
    session.add_all(
        Classification(
            session_id=photos.id,
            class_name=name,
            container_type=kind,
            product_id=photos.expected_product_id,
            product_state_id=photos.expected_product_state_id,
            container_type_id=types.get(kind),
            product_conf=found.confidence,
            total_detected=found.detected,
            total_estimated=found.estimated,
            model_version=version,
        )
        for (name, kind), found in sums(rows).items()
    )


def sums(rows: Iterable[Any]) -> Mapping[tuple[str, str], Sum]:
    """By class and kind of container; a container's estimated plants go to its classes in whole
    numbers, as the plants seen in it do.

    `rows` are those of `counting/classes.sql`, container by container.
    """
    found: dict[tuple[str, str], Sum] = {}
    for _, group in groupby(rows, attrgetter("id")):
        classes: Sequence[Any] = list(group)
        shares = largest_remainder([row.plants for row in classes], classes[0].total_estimated)
        for row, share in zip(classes, shares, strict=True):
            one = found.setdefault((row.class_name, row.container_type), Sum())
            one.detected += row.plants
            one.estimated += share
            one.confidences.append(row.plants * row.confidence)
    return found


def _types(session: Session, photos: PhotoSession) -> dict[str, int]:
    """The container type of each kind: the one that is expected, else the first."""
    query = select(ContainerType.kind, ContainerType.id).order_by(
        ContainerType.id == (photos.expected_container_type_id or 0), ContainerType.id.desc()
    )
    return {kind: key for kind, key in session.execute(query)}
