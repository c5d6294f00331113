"""Telling the owner that the variants are ready."""

from uuid import UUID

from sqlalchemy.orm import Session

from darkroom.accounts.models import User
from darkroom.variants import workflows
from darkroom.variants.models import Upload


def address(session: Session, upload_id: UUID) -> str | None:
    """Where the owner of a photo wants to hear of it; None when they do not."""
    upload = session.get(Upload, upload_id)
    owner = session.get(User, upload.owner_id) if upload is not None else None
    if owner is None or not workflows.of(session, owner.uuid).notify_by_email:
        return None
    return owner.email


def ready(made: int, link: str) -> tuple[str, str]:
    """Subject and text of the message."""
    variants = "1 variant" if made == 1 else f"{made} variants"
    return f"{variants} of your photo ready", f"Choose one and unlock it: {link}\n"
