"""Pictures that people give to articles: checked, stored, and made a version."""

from uuid import uuid4

from sqlalchemy.orm import Session

from darkroom.catalog import articles, orders
from darkroom.catalog.models import Article, Version
from darkroom.db.sessions import Database
from darkroom.errors import NotFound
from darkroom.gated.uploads import storing
from darkroom.settings import Settings
from darkroom.storage import assets, images, uploads
from darkroom.storage.assets import Asset, StoredFile
from darkroom.storage.store import Store
from darkroom.storage.uploads import Incoming

FIELD = "imagen"
SUFFIXES = {images.JPEG: "jpg", images.PNG: "png", images.WEBP: "webp"}


def receive(
    settings: Settings,
    database: Database,
    store: Store,
    article_id: int,
    file: Incoming,
    owner_id: int,
) -> Version:
    """Check a picture, store it, and make it the article's; the older ones stay as versions.

    Raises
    ------
    Invalid, NotFound
        When the file is no picture that can be used, or there is no such article.
    """
    with database.session() as session:
        articles.get(session, article_id)
    stored = _stored(settings, database, store, article_id, file)
    with database.session() as session:
        return keep(session, article_id, stored, owner_id)


def file_of(session: Session, version_id: int) -> Asset:
    """The stored file of a version; `NotFound` once it was removed."""
    version = session.get(Version, version_id)
    asset = session.get(Asset, version.asset_id) if version and version.asset_id else None
    if asset is None:
        raise NotFound("There is no such picture, or it was removed.")
    return asset


def keep(session: Session, article_id: int, stored: StoredFile, owner_id: int) -> Version:
    """Make a stored picture the article's; `NotFound` when there is no such article."""
    article = articles.get(session, article_id)
    version = version_of(article, assets.record(session, owner_id, stored))
    session.add(version)
    session.flush()
    orders.show(session, article, version)
    session.refresh(version)
    return version


def version_of(article: Article, asset: Asset) -> Version:
    """A version, not added yet, that people brought."""
    return Version(
        articulo_id=article.id,
        asset_id=asset.id,
        url="",
        width=asset.width,
        height=asset.height,
        origen="imported",
    )


def _stored(
    settings: Settings, database: Database, store: Store, article_id: int, file: Incoming
) -> StoredFile:
    limit = settings.max_upload_bytes
    with uploads.received(file, settings.temp_dir, max_bytes=limit, field=FIELD) as upload:
        info = images.inspect(
            upload.path, upload.filename, max_pixels=settings.max_pixels, field=FIELD
        )
        with storing(database, settings.gates.breaker):
            return assets.put(
                store,
                upload.path,
                mime=info.mime,
                key=f"catalog/{article_id}/{uuid4()}.{SUFFIXES[info.mime]}",
                pixels=(info.width, info.height),
            )
