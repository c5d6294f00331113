"""The tables of accounts, as SQLAlchemy sees them (made by `sql/migrations/0002_accounts.sql`)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, FetchedValue, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from darkroom.db.sessions import Base

TIME = DateTime(timezone=True)
SERVER = FetchedValue()

ADMIN = "admin"
MEMBER = "member"
VIEWER = "viewer"
ROLES = (ADMIN, MEMBER, VIEWER)


class User(Base):
    """A person, or (`is_system`) a part of Darkroom that acts by itself and never signs in.

    `session_epoch` is raised to end all of their sessions at once.
    """

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[UUID] = mapped_column(server_default=SERVER)
    email: Mapped[str | None]
    name: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str | None]
    is_active: Mapped[bool] = mapped_column(server_default=SERVER)
    is_system: Mapped[bool] = mapped_column(server_default=SERVER)
    session_epoch: Mapped[int] = mapped_column(server_default=SERVER)
    locale: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)

    @property
    def is_admin(self) -> bool:
        """True for those who see and manage everything."""
        return self.role == ADMIN

    @property
    def sees_all(self) -> bool:
        """True for those who see everybody's things and the console."""
        return self.role in {ADMIN, VIEWER}

    @property
    def may_change(self) -> bool:
        """False for those who may only look."""
        return self.role != VIEWER


class ApiToken(Base):
    """A key for programs. Only its SHA-256 is kept."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    token_hash: Mapped[bytes]
    hint: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    last_used_at: Mapped[datetime | None] = mapped_column(TIME)
    revoked_at: Mapped[datetime | None] = mapped_column(TIME)


class SignInLink(Base):
    """A link that signs a user in once. Only the SHA-256 of its token is kept."""

    __tablename__ = "sign_in_links"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(TIME, server_default=SERVER)
    expires_at: Mapped[datetime] = mapped_column(TIME)
    used_at: Mapped[datetime | None] = mapped_column(TIME)
