"""Which texts of Darkroom are to be translated, and the catalogs that hold the translations.

`python -m darkroom.web.catalog` brings the .po files up to date with the texts; what is new comes
out untranslated, and a test says so.
"""

from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from darkroom.settings import ROOT
from darkroom.web.languages import SOURCES

KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "N_": None,
    # Errors for people, and what a running step says of itself.
    "Invalid": (1,),
    "NotFound": (1,),
    "Conflict": (1,),
    "Permanent": (1,),
    "Transient": (1,),
    "progress": (2,),
}
METHODS = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
PLACES = (
    "src/darkroom/web",
    "src/darkroom/accounts",
    "src/darkroom/catalog",
    "src/darkroom/console",
    "src/darkroom/counting",
    "src/darkroom/gated",
    "src/darkroom/providers",
    "src/darkroom/publishing",
    "src/darkroom/media",
    "src/darkroom/signals",
    "src/darkroom/variants",
    "src/darkroom/vision",
    "jobs",
)


def texts() -> Iterator[tuple[str, int, str | tuple[str, ...]]]:
    """File, line and text (or singular and plural) of everything to be translated."""
    for place in PLACES:
        found = extract_from_dir(ROOT / place, METHODS, keywords=KEYWORDS)
        for name, line, message, _comments, _context in found:
            yield f"{place}/{name}", line, message


def template() -> Catalog:
    """A catalog of all texts without translations."""
    catalog = Catalog(project="Darkroom", fuzzy=False)
    for place, _line, message in texts():
        # Without line numbers, so that the files change only when the texts do.
        catalog.add(message, locations=[(place, 0)])
    return catalog


def update(source: Path) -> None:
    """Add the new texts to a .po file and drop those that are gone."""
    with source.open("rb") as file:
        catalog = read_po(file, locale=source.parents[1].name)
    catalog.update(template(), no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    with source.open("wb") as file:
        write_po(file, catalog, width=100, omit_header=False, include_lineno=False)


if __name__ == "__main__":
    for found in SOURCES.glob("*/LC_MESSAGES/messages.po"):
        update(found)
