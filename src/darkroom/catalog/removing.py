"""Removes the pictures that articles showed long ago; their rows stay and say when that was.

Never the one an article shows, nor the one it would go back to after an edit that is open or that
nobody has decided on.

    old ──mark──▶ removed_at ──Cloudinary has it no more──▶ free ──▶ (the sweep of orphaned files)

A version is marked first, so that nobody goes back to it any more, and a crash at any later line is
mended by the next run, which finds it marked and not free. Our own file goes with the next sweep of
what nothing refers to.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from sqlalchemy import Exists, Select, exists, func, or_, select, update
from sqlalchemy.orm import aliased

from darkroom.catalog.models import Article, Edit, Version
from darkroom.db.sessions import Database
from darkroom.db.statements import statement

BATCH = 500


def count(database: Database, age: timedelta) -> int:
    """How many pictures `mark` would mark."""
    with database.session() as session:
        return session.scalar(select(func.count()).select_from(_old(age).subquery())) or 0


def mark(database: Database, age: timedelta) -> Iterator[int]:
    """Mark the pictures that were replaced longer ago; yields how many each batch marked.

    Articles that somebody has in hand are passed over until the next run.
    """
    batch = _old(age).limit(BATCH).with_for_update(of=(Version, Article), skip_locked=True)
    while True:
        with database.session() as session:
            ids = session.scalars(batch).all()
            marked = update(Version).where(Version.id.in_(ids))
            session.execute(marked.values(removed_at=func.clock_timestamp()))
        if not ids:
            return
        yield len(ids)


def marked(database: Database, *, hosted: bool) -> Sequence[Version]:
    """Some of the pictures that are marked and not yet free.

    Parameters
    ----------
    hosted
        Whether to name those, too, of which no more is left than what Cloudinary has.
    """
    held = [Version.asset_id.is_not(None)]
    if hosted:
        held.append(Version.public_id.is_not(None))
    query = select(Version).where(Version.removed_at.is_not(None), or_(*held))
    with database.session() as session:
        return session.scalars(query.order_by(Version.id).limit(BATCH)).all()


def free(database: Database, version: Version, *, is_hosted: bool) -> None:
    """Let go of a marked picture's file; of its place at Cloudinary, too, unless it `is_hosted`."""
    asked = {"version_id": version.id, "is_hosted": is_hosted}
    with database.session() as session:
        session.execute(statement("catalog/remove_file"), asked)


def _old(age: timedelta) -> Select[int]:
    """The versions to remove: shown no more for so long, and not to be gone back to."""
    newer = aliased(Version)
    replaced = (
        select(func.min(newer.created_at))
        .where(newer.articulo_id == Version.articulo_id, newer.id > Version.id)
        .scalar_subquery()
    )
    # One that nothing newer replaced was gone back from; the article says when, at the latest.
    since = func.greatest(Version.created_at, func.coalesce(replaced, Article.updated_at))
    return (
        select(Version.id)
        .join(Article, Article.id == Version.articulo_id)
        .where(
            Version.removed_at.is_(None),
            Version.id.is_distinct_from(Article.imagen_version_id),
            since < func.now() - age,
            ~_is_needed(),
        )
        .order_by(Version.id)
    )


def _is_needed() -> Exists:
    """Whether an edit that is open, or that nobody has decided on, began with the version."""
    made = aliased(Version)
    undecided = exists().where(made.id == Edit.version_procesada_id, made.veredicto.is_(None))
    return exists().where(
        Edit.version_original_id == Version.id,
        Edit.is_preview.is_(False),
        or_(Edit.estado.in_(("pending", "processing")), (Edit.estado == "completed") & undecided),
    )
