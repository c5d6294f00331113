"""The entries of Count: photos, locations, products, stock, review."""

from dataclasses import dataclass

from flask import Flask, current_app, url_for
from flask_babel import gettext

from darkroom.web.words import N_


@dataclass(frozen=True)
class Entry:
    """One entry of Count's navigation. `name` is what its pages hand to `count_nav`."""

    name: str
    endpoint: str
    label: str

    @property
    def url(self) -> str:
        """Where it leads."""
        return url_for(self.endpoint)

    @property
    def word(self) -> str:
        """Its label in the reader's language."""
        return str(gettext(self.label))


ENTRIES = (
    Entry("photos", "counting.upload", N_("Photos")),
    Entry("locations", "places.index", N_("Locations")),
    Entry("products", "places.products", N_("Products")),
    Entry("stock", "stock.index", N_("Stock")),
    Entry("review", "review.index", N_("Review")),
)


def register(app: Flask) -> None:
    """Give the templates the entries whose pages exist."""
    app.jinja_env.globals.update(count_entries=entries)


def entries() -> list[Entry]:
    """The entries whose pages this app has, in order."""
    return [entry for entry in ENTRIES if entry.endpoint in current_app.view_functions]
