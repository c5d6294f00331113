"""Which stock is meant: locations, products and states by their codes, as addresses hold them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.counting.places.models import (
    ContainerType,
    Product,
    ProductState,
    StorageLocation,
)
from darkroom.errors import Invalid

Json = dict[str, Any]
Coded = TypeVar("Coded", StorageLocation, Product, ProductState, ContainerType)

LARGEST_ID = 2**31 - 1
MAX_TEXT = 200


@dataclass(frozen=True)
class StockFilter:
    """Stock that fits every condition given; `text` is a part of a location's code or name."""

    location: StorageLocation | None = None
    product: Product | None = None
    state: ProductState | None = None
    text: str = ""

    @classmethod
    def read(cls, session: Session, given: Mapping[str, str]) -> "StockFilter":
        """Read names and values as a query string holds them; empty values are left out.

        Raises
        ------
        Invalid
            Naming the field: there is no such location, product or state.
        """
        text = given.get("text", "").strip()
        if len(text) > MAX_TEXT or "\x00" in text:
            raise Invalid(f"At most {MAX_TEXT} characters, and none of them NUL.", "text")
        return cls(
            location=location(session, given.get("location")),
            product=product(session, given.get("product")),
            state=state(session, given.get("state")),
            text=text,
        )

    def pairs(self) -> dict[str, str]:
        """The filter as names and values that `read` reads back."""
        given = {name: getattr(self, name) for name in ("location", "product", "state")}
        codes = {name: row.code for name, row in given.items() if row is not None}
        return codes | ({"text": self.text} if self.text else {})

    def parameters(self) -> Json:
        """The filter as the statements of `sql/queries/stock` take it."""
        literal = self.text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        return {
            "location_id": self.location.id if self.location else None,
            "product_id": self.product.id if self.product else None,
            "state_id": self.state.id if self.state else None,
            "pattern": f"%{literal}%",
        }


def location(session: Session, given: object) -> StorageLocation | None:
    """The location with this code, or number if it is one; None where none is given."""
    return _named(session, StorageLocation, given, "location", "There is no location {value}.")


def product(session: Session, given: object) -> Product | None:
    """The product with this code, or number if it is one; None where none is given."""
    return _named(session, Product, given, "product", "There is no product {value}.")


def state(session: Session, given: object) -> ProductState | None:
    """The product state with this code, or number if it is one; None where none is given."""
    return _named(session, ProductState, given, "state", "There is no product state {value}.")


def container_type(session: Session, given: object) -> ContainerType | None:
    """The container type with this code, or number if it is one; None where none is given."""
    message = "There is no container type {value}."
    return _named(session, ContainerType, given, "container_type", message)


def _named(
    session: Session, kind: type[Coded], given: object, field: str, message: str
) -> Coded | None:
    if given is None or given == "":
        return None
    found = None
    if isinstance(given, str):
        found = session.scalar(select(kind).where(kind.code == given.strip().replace("\x00", "")))
    elif isinstance(given, int) and not isinstance(given, bool) and 0 < given <= LARGEST_ID:
        found = session.get(kind, given)
    if found is None:
        raise Invalid(message.format(value=repr(given)), field)
    return found
