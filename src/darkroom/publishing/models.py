"""The tables of publishing (made by `sql/migrations/0021_publishing.sql`)."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, FetchedValue, ForeignKey, Numeric, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from darkroom.db.sessions import Base

Json = dict[str, Any]
TIME = DateTime(timezone=True)
SERVER = FetchedValue()


class WordPressSite(Base):
    """A WordPress site beside the one of the settings."""

    __tablename__ = "wordpress_sites"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    base_url: Mapped[str]
    username: Mapped[str]
    way: Mapped[str]
    secret: Mapped[str]
    endpoint: Mapped[str]
    is_default: Mapped[bool] = mapped_column(server_default=SERVER)
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    updated_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    removed_at: Mapped[datetime | None] = mapped_column(TIME)


class PostTypeRow(Base):
    """Which fields the posts of a type have; without a site, those of the settings' site."""

    __tablename__ = "post_types"

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("wordpress_sites.id"))
    endpoint: Mapped[str]
    fields: Mapped[list[str]] = mapped_column(ARRAY(Text))
    gallery: Mapped[str | None]
    title_from: Mapped[str] = mapped_column(server_default=SERVER)
    texts: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=SERVER)
    status: Mapped[str] = mapped_column(server_default=SERVER)


class Activity(Base):
    """A post that somebody had written."""

    __tablename__ = "activities"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[int]
    run_id: Mapped[UUID | None]
    client_run_id: Mapped[str]
    site_id: Mapped[int | None]
    endpoint: Mapped[str]
    fields: Mapped[Json] = mapped_column(JSONB)
    wp_post_id: Mapped[int | None]
    post_url: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)


class Publication(Base):
    """One request for pictures of a post."""

    __tablename__ = "publications"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=SERVER)
    owner_id: Mapped[int]
    run_id: Mapped[UUID | None]
    client_run_id: Mapped[str]
    site_id: Mapped[int | None]
    wp_post_id: Mapped[int]
    endpoint: Mapped[str]
    field: Mapped[str]
    prompt: Mapped[str]
    n: Mapped[int]
    source_id: Mapped[UUID | None]
    joins: Mapped[bool] = mapped_column(server_default=SERVER)
    post_url: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)


class PublicationPicture(Base):
    """One picture of a publication, and how far it has come."""

    __tablename__ = "publication_pictures"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=SERVER)
    publication_id: Mapped[UUID] = mapped_column(ForeignKey("publications.id"))
    index: Mapped[int]
    field: Mapped[str]
    in_gallery: Mapped[bool]
    asset_id: Mapped[UUID | None]
    provider: Mapped[str | None]
    model: Mapped[str | None]
    cost: Mapped[Decimal] = mapped_column(Numeric(14, 6), server_default=SERVER)
    is_sandbox: Mapped[bool] = mapped_column(server_default=SERVER)
    rejected: Mapped[int] = mapped_column(server_default=SERVER)
    wp_status: Mapped[str] = mapped_column(server_default=SERVER)
    error: Mapped[str | None]
    media_id: Mapped[int | None]
    media_url: Mapped[str | None]
    copy_url: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    completed_at: Mapped[datetime | None] = mapped_column(TIME)
