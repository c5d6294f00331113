"""Pictures that articles showed long ago are removed, and none that is still of use."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

import jobs.upkeep
from darkroom.accounts.service import ensure_admin
from darkroom.catalog import removing
from darkroom.catalog.models import Article, Edit, Version
from darkroom.db.sessions import Database
from darkroom.errors import Transient
from darkroom.settings import Settings
from darkroom.storage import assets
from darkroom.storage.assets import StoredFile
from tests.engine.floor import Floor
from tests.sandboxed import Sandboxed

MONTH = timedelta(days=30)
LONG_AGO = datetime.now(UTC) - timedelta(days=60)


@pytest.fixture
def floor(database: Database, settings: Settings, sandbox: Sandboxed) -> Floor:
    return Floor(database, sandbox.settings(settings, cloudinary=True))


def article(database: Database, pictures: int = 2, at: datetime = LONG_AGO, **fields) -> list[int]:
    """An article that shows the newest of its pictures; their numbers, oldest first."""
    with database.session() as session:
        owner = ensure_admin(session).id
        made = Article(nombre="Tornillo", created_at=at, updated_at=at)
        session.add(made)
        session.flush()
        before, versions = None, []
        for number in range(pictures):
            key = f"catalog/{made.id}/{number}.jpg"
            file = StoredFile(f"{number:064x}", 1, "image/jpeg", 1, 1, key, "local")
            before = assets.record(session, owner, file, before and before.id)
            versions.append(
                Version(
                    articulo_id=made.id,
                    asset_id=before.id,
                    url=f"/{number}",
                    origen="edited",
                    created_at=at,
                    **fields,
                )
            )
        session.add_all(versions)
        session.flush()
        made.imagen_version_id = versions[-1].id
        return [each.id for each in versions]


def edit(database: Database, before: int, after: int | None, estado: str, **fields) -> None:
    with database.session() as session:
        owner = session.get_one(Version, before).articulo_id
        made = Edit(
            articulo_id=owner,
            estado=estado,
            version_original_id=before,
            version_procesada_id=after,
            articulo_nombre="Tornillo",
            **fields,
        )
        session.add(made)


def verdict(database: Database, version_id: int, said: str) -> None:
    with database.session() as session:
        session.get_one(Version, version_id).veredicto = said


def marked(database: Database, age: timedelta = MONTH) -> list[int]:
    """The versions that are marked now."""
    list(removing.mark(database, age))
    return [version.id for version in removing.marked(database, hosted=True)]


def test_the_picture_an_article_shows_is_never_removed(database: Database):
    first, second, _ = article(database, 3)
    assert marked(database) == [first, second]


def test_a_picture_stays_for_so_long_after_it_was_replaced(database: Database):
    first, second = article(database)
    with database.session() as session:
        session.get_one(Version, second).created_at = datetime.now(UTC) - timedelta(days=20)
    assert marked(database) == []
    assert marked(database, timedelta(days=19)) == [first]


def test_a_picture_that_was_gone_back_from_stays_for_so_long_after_that(database: Database):
    first, second = article(database)
    with database.session() as session:
        shown = session.get_one(Article, session.get_one(Version, first).articulo_id)
        shown.imagen_version_id, shown.updated_at = first, datetime.now(UTC)
    assert marked(database) == []
    assert marked(database, timedelta()) == [second]


@pytest.mark.parametrize("estado", ["pending", "processing"])
def test_what_an_open_edit_would_go_back_to_stays(database: Database, estado: str):
    first, _ = article(database)
    edit(database, first, None, estado)
    assert marked(database) == []


def test_what_a_finished_edit_would_go_back_to_stays_until_somebody_decides(database: Database):
    first, second = article(database)
    edit(database, first, second, "completed")
    assert marked(database) == []
    verdict(database, second, "approved")
    assert marked(database) == [first]


def test_an_edit_that_failed_or_was_a_preview_holds_nothing(database: Database):
    first, second = article(database)
    edit(database, first, None, "failed")
    edit(database, first, second, "completed", is_preview=True)
    assert marked(database) == [first]


def test_an_article_in_somebody_s_hands_is_passed_over(database: Database):
    first, _ = article(database)
    with database.session() as session:
        session.execute(text("SELECT FROM articulos FOR UPDATE"))
        assert marked(database) == []
    assert marked(database) == [first]


def test_the_dry_run_counts_what_would_go(database: Database):
    article(database, 3)
    assert removing.count(database, MONTH) == 2
    assert marked(database) != []
    assert removing.count(database, MONTH) == 0


def test_a_removed_picture_keeps_its_row_and_its_file_is_an_orphan(floor: Floor):
    first, second = article(floor.database)
    jobs.upkeep.remove_versions(floor.new(floor.owner()), days=30)
    with floor.database.session() as session:
        gone, shown = session.get_one(Version, first), session.get_one(Version, second)
        assert gone.removed_at is not None and gone.asset_id is None
        assert shown.removed_at is None and shown.asset_id is not None
        unreferenced = text("SELECT count(*) FROM assets WHERE derived_from IS NOT NULL")
        assert session.scalar(unreferenced) == 0


def test_cloudinary_is_asked_to_remove_its_copy_and_again_after_a_failure(
    floor: Floor, sandbox: Sandboxed
):
    first, _ = article(floor.database, public_id="darkroom/one")
    sandbox.fault("/cloudinary/*/destroy", "error", times=1)
    with pytest.raises(Transient):
        jobs.upkeep.remove_versions(floor.new(floor.owner()), days=30)
    assert [each.id for each in removing.marked(floor.database, hosted=True)] == [first]
    jobs.upkeep.remove_versions(floor.new(floor.owner("Ben")), days=30)
    assert sandbox.count("/cloudinary/*/destroy") == 2
    assert removing.marked(floor.database, hosted=True) == []


def test_without_an_account_our_file_goes_and_cloudinary_s_stays_on_record(
    database: Database, settings: Settings
):
    first, _ = article(database, public_id="darkroom/one")
    floor = Floor(database, settings)
    jobs.upkeep.remove_versions(floor.new(floor.owner()), days=30)
    with database.session() as session:
        gone = session.get_one(Version, first)
        assert (gone.asset_id, gone.public_id) == (None, "darkroom/one")
