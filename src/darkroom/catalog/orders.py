"""What the step that edits reads and writes of its edit."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from darkroom.catalog import prompts
from darkroom.catalog.models import Article, Category, Edit, Version
from darkroom.db.sessions import Database
from darkroom.db.statements import statement
from darkroom.errors import Permanent
from darkroom.providers.buying import Bought
from darkroom.queue.task import Lease
from darkroom.storage.assets import Asset, StoredFile


@dataclass(frozen=True)
class Order:
    """An edit to be made: of which picture, and what is asked for.

    `answer_key` names what is bought: another one only after an answer that was found wanting.
    """

    edit_id: int
    article_id: int
    name: str
    asset_id: UUID
    prompt: str
    answer_key: str


@dataclass(frozen=True)
class NewPicture:
    """The picture that an edit made, as it is stored, and how far it is from the old one."""

    file: StoredFile
    url: str
    public_id: str | None
    distance: float


def load(database: Database, edit_id: int) -> Order | None:
    """What the edit asks for; None when it is over (or deleted).

    Raises
    ------
    Permanent
        When the picture it was queued with is gone.
    """
    with database.session() as session:
        edit = session.get(Edit, edit_id)
        if edit is None or edit.estado not in ("pending", "processing"):
            return None
        return _order(session, edit)


def begin(database: Database, order: Order, lease: Lease) -> None:
    """Mark the edit as going on."""
    _mark(database, "begin", order, lease, attempt=lease.burned + 1, prompt=order.prompt)


def put_back(database: Database, order: Order, lease: Lease, message: str | None) -> None:
    """Mark the edit as waiting again; without a message nothing went wrong."""
    _mark(database, "put_back", order, lease, message=message, rejected=0, cost=0)


def reject(database: Database, order: Order, lease: Lease, message: str, bought: Bought) -> None:
    """Mark the edit as waiting for another answer; the one that is not to be used was paid for."""
    _mark(database, "put_back", order, lease, message=message, rejected=1, cost=bought.cost)


def finish(
    session: Session, order: Order, picture: NewPicture, asset: Asset, bought: Bought
) -> None:
    """Make the new picture the article's, and the edit completed; the old version stays.

    The article does not show it when it only tries a prompt out, or when somebody gave the article
    another picture meanwhile.
    """
    article = session.get_one(
        Article, order.article_id, with_for_update=True, populate_existing=True
    )
    edit = session.get_one(Edit, order.edit_id)
    version = Version(
        articulo_id=order.article_id,
        asset_id=asset.id,
        url=picture.url,
        public_id=picture.public_id,
        width=asset.width,
        height=asset.height,
        origen="edited",
        trabajo_id=edit.id,
        is_sandbox=bought.is_sandbox,
        is_preview=edit.is_preview,
    )
    session.add(version)
    session.flush()
    address(version)
    if not edit.is_preview and article.imagen_version_id == edit.version_original_id:
        show(session, article, version)
    edit.version_procesada_id, edit.imagen_url_procesada = version.id, version.url
    edit.model, edit.is_sandbox, edit.distance = bought.model, bought.is_sandbox, picture.distance
    # Answers that were rejected before were paid for, too.
    edit.cost += bought.cost
    edit.estado, edit.error_message = "completed", None
    edit.completed_at = edit.updated_at = func.clock_timestamp()
    session.flush()


def show(session: Session, article: Article, version: Version) -> None:
    """Make a version the one that the article shows."""
    address(version)
    article.imagen_version_id, article.imagen_url = version.id, version.url
    article.updated_at = func.now()
    session.flush()


def address(version: Version) -> None:
    """Let a version without an address elsewhere be found at ours."""
    version.url = version.url or f"/api/articulos/imagenes/{version.id}"


def template_of(session: Session, article: Article) -> str:
    """The prompt template of an article: its category's, else the general one."""
    category = session.get(Category, article.categoria_id) if article.categoria_id else None
    if category is not None and category.prompt_template:
        return category.prompt_template
    return general_template(session)


def general_template(session: Session) -> str:
    """The prompt template of articles whose category has none of its own."""
    return session.scalar(statement("catalog/general_template")) or prompts.DEFAULT


def prompt_of(session: Session, article: Article, template: str | None = None) -> str:
    """What is asked of the model about an article."""
    category = session.get(Category, article.categoria_id) if article.categoria_id else None
    values = {
        "nombre": article.nombre,
        "descripcion": article.descripcion,
        "unidad": article.unidad,
        "categoria": category.nombre if category else "",
    }
    return prompts.filled(template or template_of(session, article), values)


def _order(session: Session, edit: Edit) -> Order:
    article = session.get_one(Article, edit.articulo_id)
    query = (select(Asset).join(Version, Version.asset_id == Asset.id)).where(
        Version.id == edit.version_original_id, Version.removed_at.is_(None)
    )
    asset = session.scalars(query).one_or_none()
    if asset is None:
        raise Permanent("The picture that was to be edited is gone. Give the article another one.")
    return Order(
        edit.id,
        article.id,
        edit.articulo_nombre,
        asset.id,
        prompt_of(session, article, edit.prompt_template),
        f"catalog-edit-{edit.id}-{edit.rejected}",
    )


def _mark(database: Database, how: str, order: Order, lease: Lease, **values: Any) -> None:
    asked = {"edit_id": order.edit_id, "attempt_id": lease.attempt_id, **values}
    with database.session() as session:
        session.execute(statement(f"catalog/{how}_edit"), asked)
