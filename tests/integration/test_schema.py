"""The mapped tables against the migrated schema."""

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql

import darkroom.accounts.audit
import darkroom.accounts.models
import darkroom.catalog.models
import darkroom.counting.models
import darkroom.counting.places.models
import darkroom.counting.review.models
import darkroom.counting.stock.models
import darkroom.providers.models
import darkroom.queue.gates.models
import darkroom.queue.models
import darkroom.signals.models
import darkroom.storage.assets  # noqa: F401
from darkroom.db.sessions import Base, Database


def test_every_mapped_column_exists_with_its_type_and_nullability(database: Database):
    found = inspect(database.engine)
    dialect = postgresql.dialect()
    for table in Base.metadata.sorted_tables:
        columns = {column["name"]: column for column in found.get_columns(table.name)}
        for column in table.columns:
            assert column.name in columns, f"{table.name}.{column.name} is not migrated"
            actual = columns[column.name]
            assert actual["nullable"] == column.nullable, f"{table.name}.{column.name}"
            assert _kind(actual["type"], dialect) == _kind(column.type, dialect), (
                f"{table.name}.{column.name}"
            )


def test_every_column_the_schema_demands_is_mapped(database: Database):
    found = inspect(database.engine)
    for table in Base.metadata.sorted_tables:
        demanded = {
            column["name"]
            for column in found.get_columns(table.name)
            if not column["nullable"] and column["default"] is None and "identity" not in column
        }
        assert demanded <= set(table.columns.keys()), table.name


def _kind(kind, dialect) -> str:
    """The type as Postgres spells it, with what Python cannot tell apart taken together."""
    spelled = kind.compile(dialect=dialect)
    same = {
        "BIGINT": "INTEGER",
        "SMALLINT": "INTEGER",
        "REAL": "FLOAT",
        "DOUBLE PRECISION": "FLOAT",
        "TEXT": "VARCHAR",
    }
    return same.get(spelled, spelled)
