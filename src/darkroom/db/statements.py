"""The statements of `sql/queries` (one a file, named `<area>/<verb>`) and `sql/dashboards`."""

from functools import cache

from sqlalchemy import TextClause, text

from darkroom.settings import ROOT

QUERIES = ROOT / "sql" / "queries"
DASHBOARDS = ROOT / "sql" / "dashboards"


@cache
def raw(name: str) -> str:
    """The text of `sql/queries/<name>.sql`, for psycopg (`%(name)s` parameters)."""
    return (QUERIES / f"{name}.sql").read_text(encoding="utf-8")


@cache
def statement(name: str) -> TextClause:
    """The statement of `sql/queries/<name>.sql`, for SQLAlchemy (`:name` parameters)."""
    return text(raw(name))


@cache
def dashboard(name: str) -> str:
    """The text of `sql/dashboards/<name>.sql`, for psycopg, without parameters."""
    return (DASHBOARDS / f"{name}.sql").read_text(encoding="utf-8")
