"""One page of the list of jobs: its rows, where it goes on, and how many there are in all."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

from sqlalchemy.orm import Session

from darkroom.console import job_views, search
from darkroom.console.filters import LARGEST_ID, JobFilter
from darkroom.console.job_views import JobRow
from darkroom.console.search import Count
from darkroom.errors import Invalid

LIMIT = 50
MOST = 500
SECONDS = 0.09
LEAST_SECONDS = 0.02
"""How long a page may look for its rows and count them, and how long it counts in any case."""


@dataclass(frozen=True)
class Listing:
    """A page of jobs, newest first.

    `older` is the id to list on from; None at the end. `cut`: the time was up before the page was
    full, so that older jobs may fit that were not looked at. `count` is None where it is not known.
    """

    rows: list[JobRow]
    older: int | None
    cut: bool
    count: Count | None


def listing(
    session: Session, wanted: JobFilter, *, before: int | None = None, limit: int = LIMIT
) -> Listing:
    """The page of jobs that fit, with an id below `before`."""
    search.be_careful(session)
    begun = time.monotonic()
    found = search.page(session, wanted, before=before, limit=limit + 1)
    rows = job_views.rows(session, found.ids[:limit])
    if len(found.ids) > limit:
        left = max(LEAST_SECONDS, begun + SECONDS - time.monotonic())
        counted = search.count(session, wanted, seconds=left)
        # Where the time was up early, the page itself knows better.
        counted = replace(counted, number=max(counted.number, len(found.ids)))
        return Listing(rows, found.ids[limit - 1], False, counted)
    cut = found.searched_to is not None
    # Whatever has no older page and no newer one has been counted already.
    known = None if cut or before is not None else Count(len(rows), True, {})
    return Listing(rows, found.searched_to, cut, known)


def cursor(value: str | None) -> int | None:
    """The id to list on from, as an address holds it."""
    if not value:
        return None
    if not value.isascii() or not value.isdecimal() or int(value) > LARGEST_ID:
        raise Invalid("This page of the list does not exist.", "before")
    return int(value)


def page_size(value: str | None) -> int:
    """How many jobs a page is to hold."""
    if not value:
        return LIMIT
    if not value.isascii() or not value.isdecimal() or not 0 < int(value) <= MOST:
        raise Invalid(f"The limit must lie between 1 and {MOST}.", "limit")
    return int(value)


def as_query(wanted: JobFilter) -> str:
    """The filter as a query string."""
    return urlencode(wanted.pairs())


def from_query(text: str) -> JobFilter:
    """The filter of a query string, such as `as_query` makes."""
    return JobFilter.parse(parse_qsl(text))


def search_words(wanted: JobFilter) -> str:
    """What the search box holds: the free text, and the arguments as `args.path:value`."""
    tokens = (f"args.{path}:{_quoted(value)}" for path, value in wanted.args)
    return " ".join(filter(None, (wanted.text, *tokens)))


def fields_of(wanted: JobFilter) -> Mapping[str, str]:
    """The filter field by field, as the inputs of its form show it."""
    known = {name: value for name, value in wanted.pairs() if not name.startswith("args.")}
    return known | {"state": ",".join(wanted.state), "text": search_words(wanted)}


def _quoted(value: str) -> str:
    return f'"{value}"' if " " in value else value
