"""What the forms of the catalog's pages say."""

from collections.abc import Sequence
from urllib.parse import parse_qsl

from darkroom.catalog.selection import LARGEST, MOST
from darkroom.errors import Invalid

LONGEST = 10


def row_number(given: str | None) -> int | None:
    """The number of a row to go on behind; None for anything else."""
    text = given or ""
    is_number = text.isascii() and text.isdecimal() and len(text) <= LONGEST
    return int(text) if is_number and int(text) <= LARGEST else None


def row_numbers(given: Sequence[str], field: str) -> list[int]:
    """Numbers of rows; `Invalid` when there are none, too many, or others among them."""
    found = [row_number(each) for each in given if each]
    if not found or len(found) > MOST:
        raise Invalid("Choose at least one row, and no more than 10 000.", field)
    if None in found:
        raise Invalid("These are not the numbers of rows. Go back and choose again.", field)
    return [each for each in found if each is not None]


def query(given: str | None) -> dict[str, str]:
    """The fields of a filter that a form carries along as the query of an address."""
    return dict(parse_qsl(given or ""))
