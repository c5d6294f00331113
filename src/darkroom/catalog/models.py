"""The tables of the catalog (made by `sql/migrations/0017_catalog.sql` and `0018_…`)."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import DateTime, FetchedValue, ForeignKey, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from darkroom.db.sessions import Base

TIME = DateTime(timezone=True)
SERVER = FetchedValue()


class Category(Base):
    """A group of articles, with a prompt of its own or the general one."""

    __tablename__ = "categorias"

    id: Mapped[int] = mapped_column(primary_key=True)
    nombre: Mapped[str]
    prompt_template: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    updated_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)


class CatalogSettings(Base):
    """The one row that holds for the whole catalog."""

    __tablename__ = "catalog_settings"

    is_only: Mapped[bool] = mapped_column(primary_key=True, server_default=SERVER)
    prompt_template: Mapped[str | None]
    paused_at: Mapped[datetime | None] = mapped_column(TIME)
    paused_by: Mapped[str | None]
    budget_per_day: Mapped[Decimal | None] = mapped_column(Numeric(14, 6))


class Article(Base):
    """Something that is sold, and its current picture."""

    __tablename__ = "articulos"

    id: Mapped[int] = mapped_column(primary_key=True)
    nombre: Mapped[str]
    descripcion: Mapped[str] = mapped_column(server_default=SERVER)
    unidad: Mapped[str] = mapped_column(server_default=SERVER)
    categoria_id: Mapped[int | None] = mapped_column(ForeignKey("categorias.id"))
    activo: Mapped[bool] = mapped_column(server_default=SERVER)
    imagen_url: Mapped[str | None]
    imagen_version_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    updated_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)


class Version(Base):
    """One picture of an article. Its file may have been removed since."""

    __tablename__ = "imagen_versiones"

    id: Mapped[int] = mapped_column(primary_key=True)
    articulo_id: Mapped[int] = mapped_column(ForeignKey("articulos.id"))
    asset_id: Mapped[UUID | None]
    url: Mapped[str]
    public_id: Mapped[str | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    origen: Mapped[str]
    trabajo_id: Mapped[int | None]
    is_sandbox: Mapped[bool] = mapped_column(server_default=SERVER)
    is_preview: Mapped[bool] = mapped_column(server_default=SERVER)
    veredicto: Mapped[str | None]
    removed_at: Mapped[datetime | None] = mapped_column(TIME)
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)


class Edit(Base):
    """One edit of one article's picture, from queue to result."""

    __tablename__ = "catalog_edits"

    id: Mapped[int] = mapped_column(primary_key=True)
    articulo_id: Mapped[int] = mapped_column(ForeignKey("articulos.id"))
    run_id: Mapped[UUID | None]
    job_id: Mapped[int | None]
    estado: Mapped[str] = mapped_column(server_default=SERVER)
    prioridad: Mapped[int] = mapped_column(server_default=SERVER)
    intentos: Mapped[int] = mapped_column(server_default=SERVER)
    max_intentos: Mapped[int] = mapped_column(server_default=SERVER)
    imagen_url_original: Mapped[str | None]
    imagen_url_procesada: Mapped[str | None]
    version_original_id: Mapped[int | None]
    version_procesada_id: Mapped[int | None]
    articulo_nombre: Mapped[str]
    articulo_descripcion: Mapped[str] = mapped_column(server_default=SERVER)
    articulo_unidad: Mapped[str] = mapped_column(server_default=SERVER)
    is_preview: Mapped[bool] = mapped_column(server_default=SERVER)
    prompt_template: Mapped[str | None]
    prompt: Mapped[str | None]
    model: Mapped[str | None]
    rejected: Mapped[int] = mapped_column(server_default=SERVER)
    cost: Mapped[Decimal] = mapped_column(Numeric(14, 6), server_default=SERVER)
    distance: Mapped[float | None]
    is_sandbox: Mapped[bool] = mapped_column(server_default=SERVER)
    error_message: Mapped[str | None]
    error_stack: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    started_at: Mapped[datetime | None] = mapped_column(TIME)
    completed_at: Mapped[datetime | None] = mapped_column(TIME)
    updated_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
