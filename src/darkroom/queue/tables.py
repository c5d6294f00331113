"""How the tables fare under autovacuum: dead rows, sizes, and what holds their cleaning up."""

from typing import Any

from psycopg.rows import dict_row
from sqlalchemy.orm import Session

from darkroom.db.sessions import driver
from darkroom.db.statements import dashboard, raw

Json = dict[str, Any]

MOST_TABLES = 15
BLOATED = 0.4
"""The part of a table that may be dead before it is worth a word."""
FEW = 10_000
"""Dead rows that are not worth a word, whatever their part."""
LONG_SECONDS = 3600.0


def measure(session: Session) -> Json:
    """The largest tables, the longest open transaction, and hints for whoever looks after them."""
    found = _rows(session, dashboard("tables"))
    oldest = _rows(session, raw("upkeep/oldest_transaction"))[0]
    return {
        "tables": [_table(row) for row in found[:MOST_TABLES]],
        "oldest_transaction": oldest,
        "hints": hints(found, oldest),
    }


def hints(tables: list[Json], oldest: Json) -> list[str]:
    """What is worth doing something about, in sentences."""
    found = [
        f"{table['table']}: {table['dead_rows']} dead rows beside {table['rows']} live ones. "
        f"Run VACUUM (ANALYZE) {table['table']}."
        for table in tables
        if table["dead_rows"] > max(FEW, BLOATED * (table["rows"] + table["dead_rows"]))
    ]
    seconds = oldest["seconds"] or 0.0
    if seconds > LONG_SECONDS:
        found.append(
            f"Process {oldest['pid']} ({oldest['application'] or 'unnamed'}) has a transaction "
            f"open for {seconds / 3600:.1f} hours. Nothing deleted since can be cleaned up: end it."
        )
    return found


def _table(row: Json) -> Json:
    vacuumed = row["vacuumed_at"]
    return {
        "table": row["table"],
        "rows": row["rows"],
        "dead_rows": row["dead_rows"],
        "total_bytes": row["total_bytes"],
        "vacuumed_at": vacuumed.isoformat() if vacuumed else None,
    }


def _rows(session: Session, query: str) -> list[Json]:
    with driver(session).cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()
