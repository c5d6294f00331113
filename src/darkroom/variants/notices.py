"""Telling the owner that the variants are ready, or that there are none."""

from gettext import NullTranslations
from pathlib import Path
from uuid import UUID

from babel.support import Translations
from sqlalchemy.orm import Session

from darkroom.accounts.models import User
from darkroom.variants import shooting, workflows
from darkroom.variants.models import Upload
from darkroom.web import languages


def address(session: Session, upload_id: UUID) -> str | None:
    """Where the owner of a photo wants to hear of it; None when they do not, or have chosen."""
    owner = _owner(session, upload_id)
    if owner is None or shooting.is_unlocked(session, upload_id):
        return None
    return owner.email if workflows.of(session, owner.uuid).notify_by_email else None


def words(session: Session, upload_id: UUID, cache: Path) -> NullTranslations:
    """The language of the owner of a photo: English where they chose none."""
    owner = _owner(session, upload_id)
    chosen = owner.locale if owner is not None else None
    return Translations.load(languages.compiled(cache), [chosen or "en"])


def message(made: int, link: str, language: NullTranslations) -> tuple[str, str]:
    """Subject and text of what is told of a batch."""
    if not made:
        subject = language.gettext("No variant of your photo could be made")
        said = language.gettext("See what was wrong, and try it again: %(link)s")
    else:
        one, many = "%(num)s variant of your photo ready", "%(num)s variants of your photo ready"
        subject = language.ngettext(one, many, made)
        said = language.gettext("Choose one and unlock it: %(link)s")
    return subject % {"num": made}, said % {"link": link} + "\n"


def _owner(session: Session, upload_id: UUID) -> User | None:
    upload = session.get(Upload, upload_id)
    return session.get(User, upload.owner_id) if upload is not None else None
