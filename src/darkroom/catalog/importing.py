"""Importing articles: a CSV file, and their pictures from a ZIP or from the web.

    read the rows ──▶ check and store the pictures ──▶ one transaction: articles, versions,
                      (several at a time)              edits, downloads, and the run of it all

A row that is wrong is left out as a whole and reported with what to do, so that it can be corrected
and sent again; the others are imported. What is killed before the transaction leaves files without
rows, which upkeep sweeps. The run bears the report: a request that is sent again answers it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from darkroom.catalog import (
    archives,
    articles,
    categories,
    orders,
    queueing,
    receiving,
    sheets,
)
from darkroom.catalog.archives import Archive
from darkroom.catalog.models import Article
from darkroom.catalog.queueing import Keep
from darkroom.catalog.receiving import SUFFIXES
from darkroom.catalog.sheets import Row, Sheet
from darkroom.db.sessions import Database
from darkroom.errors import Invalid
from darkroom.gated.uploads import storing
from darkroom.queue import runs
from darkroom.queue.calls import Call
from darkroom.queue.models import Run
from darkroom.queue.transaction import Transaction
from darkroom.settings import Settings
from darkroom.storage import assets, images, temporary, uploads
from darkroom.storage.assets import StoredFile
from darkroom.storage.store import Store
from darkroom.storage.uploads import Incoming

Json = dict[str, Any]
T = TypeVar("T")

STEP, FOLLOW, LANE = "catalog.fetch", "catalog.follow", "io"
THREADS = 8
"""Most of the time of storing a picture is waiting for the disk or the network."""
WEB = ("http://", "https://")
# Any number will do, as long as all processes take the same.
IMPORT_LOCK = 0x61727469


@dataclass(frozen=True)
class Problem:
    """What is wrong with a row: its line, the field, and in words what to do about it."""

    line: int
    field: str
    message: str


@dataclass
class Report:
    """What became of a file.

    Parameters
    ----------
    pictures, downloads, queued
        Pictures of the ZIP that articles got; those that are fetched from the web now; edits that
        were queued.
    categories
        The names of those that were made for it.
    encoding
        How the CSV was written; "latin-1" where it was not in UTF-8.
    """

    created: int = 0
    updated: int = 0
    pictures: int = 0
    downloads: int = 0
    queued: int = 0
    categories: list[str] = field(default_factory=list)
    encoding: str = sheets.UTF8
    problems: list[Problem] = field(default_factory=list)

    @classmethod
    def of(cls, run: Run) -> "Report":
        """The report of the run that an import made."""
        stored: Json = run.params["import"]
        problems = [Problem(**each) for each in stored["problems"]]
        return cls(**{**stored, "problems": problems})


@dataclass(frozen=True)
class Sent:
    """What somebody sends: the CSV, perhaps a ZIP, and whether the pictures are to be edited."""

    table: Incoming | None
    archive: Incoming | None
    process: bool


@dataclass(frozen=True)
class Draft:
    """A row that is fine as far as it can be told by itself.

    `stored` is its picture of the ZIP once that is stored, `url` where it is on the web.
    """

    line: int
    article_id: int | None
    values: Json
    category: str
    picture: str
    stored: StoredFile | None = None

    @property
    def url(self) -> str | None:
        """Where the picture is on the web, if it is there."""
        return self.picture if self.picture.lower().startswith(WEB) else None

    @property
    def is_packed(self) -> bool:
        """Whether its picture is to be in the ZIP."""
        return bool(self.picture) and self.url is None


def carry_out(
    settings: Settings,
    database: Database,
    store: Store,
    sent: Sent,
    owner_id: int,
    keep: Keep | None = None,
) -> UUID:
    """Import what is good of a file; answers the run that bears the report (`Report.of`).

    Raises
    ------
    Invalid
        Where the CSV or the ZIP as a whole cannot be read.
    Transient
        When the storage is away; nothing was imported.
    """
    title, sheet = _sheet(settings, sent.table)
    report = Report(encoding=sheet.encoding)
    drafts = _drafts(sheet.rows, report)
    with _archive(settings, sent.archive) as archive:
        drafts = _with_pictures(settings, database, store, archive, drafts, report)
    with database.session() as session:
        run = runs.create(session, pipeline=queueing.PIPELINE, title=title, owner_id=owner_id)
        _Writer(session, run, report).write(drafts, process=sent.process)
        if keep is not None:
            keep(session, run.id)
    return run.id


# Reading.


def _sheet(settings: Settings, part: Incoming | None) -> tuple[str, Sheet]:
    with uploads.received(
        part, settings.temp_dir, max_bytes=sheets.MOST_BYTES, field=sheets.FIELD
    ) as upload:
        return upload.filename, sheets.read(upload.path.read_bytes())


@contextmanager
def _archive(settings: Settings, part: Incoming | None) -> Iterator[Archive | None]:
    """The ZIP that was sent, where it lies: it is large, and on this machine's disk already."""
    if part is None or not part.filename:
        yield None
        return
    at_once = settings.max_photos * settings.max_upload_bytes
    limits = {"max_bytes": settings.max_upload_bytes, "max_bytes_in_all": at_once}
    with archives.opened(part.stream, **limits) as archive:  # type: ignore[arg-type]
        yield archive


def _drafts(rows: Sequence[Row], report: Report) -> list[Draft]:
    """The rows that are fine so far; the others go into the report."""
    lines: dict[int, int] = {}
    found = [_tried(report, row.line, partial(_draft, row, lines)) for row in rows]
    return [draft for draft in found if draft is not None]


def _draft(row: Row, lines: dict[int, int]) -> Draft:
    """What a row says; `lines` is where the numbers stand that were seen before."""
    if row.is_too_long:
        raise Invalid("The row has more cells than the first line: put quotes around commas.")
    cells = row.cells
    article_id = sheets.number(cells["id"]) if cells.get("id") else None
    if article_id is not None and lines.setdefault(article_id, row.line) != row.line:
        raise Invalid(f"Line {lines[article_id]} has the same: keep one of the two.", "id")
    category = cells.get("categoria", "")
    if category:
        categories.checked_name(category, "categoria")
    return Draft(row.line, article_id, _values(cells), category, cells.get("imagen", ""))


def _values(cells: Mapping[str, str]) -> Json:
    """The fields of a row. Of an article that there is already, an empty cell says nothing."""
    given: Json = {name: cells[name] for name in articles.LONGEST if cells.get(name)}
    if not cells.get("id"):
        given.setdefault("nombre", "")
    if cells.get("activo"):
        given["activo"] = sheets.flag(cells["activo"])
    return articles.checked_words(given)


def _tried(report: Report, line: int, work: Callable[[], T]) -> T | None:
    """What the work answers; what is wrong becomes a line of the report, and the answer None."""
    try:
        return work()
    except Invalid as error:
        # Appending is one operation: threads need no lock.
        report.problems.append(Problem(line, error.field or "", error.message))
        return None


# Pictures.


def _with_pictures(
    settings: Settings,
    database: Database,
    store: Store,
    archive: Archive | None,
    drafts: Sequence[Draft],
    report: Report,
) -> list[Draft]:
    """The drafts, their pictures of the ZIP stored; without those whose pictures are no good."""
    packed = [draft for draft in drafts if draft.is_packed]
    if not packed:
        return list(drafts)
    if archive is not None:
        archive.insist_on_size(draft.picture for draft in packed)
    with temporary.folder(settings.temp_dir) as folder:
        keeper = _Keeper(settings, store, archive, folder)
        with storing(database, settings.gates.breaker), ThreadPoolExecutor(THREADS) as pool:
            stored = list(pool.map(lambda draft: keeper.kept(draft, report), packed))
    kept = {draft.line: draft for draft in stored if draft is not None}
    found = [kept.get(draft.line) if draft.is_packed else draft for draft in drafts]
    return [draft for draft in found if draft is not None]


@dataclass(frozen=True)
class _Keeper:
    """Checks and stores pictures of a ZIP, in several threads."""

    settings: Settings
    store: Store
    archive: Archive | None
    folder: Path

    def kept(self, draft: Draft, report: Report) -> Draft | None:
        """The draft with its picture stored; None, and a line of the report, when it is no good."""
        stored = _tried(report, draft.line, partial(self._stored, draft.picture))
        return None if stored is None else replace(draft, stored=stored)

    def _stored(self, name: str) -> StoredFile:
        if self.archive is None:
            message = f"No ZIP was sent that could hold {name}: send one, or write an address."
            raise Invalid(message, archives.COLUMN)
        path = self.folder / str(uuid4())
        self.archive.copy(name, path)
        try:
            limit = self.settings.max_pixels
            info = images.inspect(path, name, max_pixels=limit, field=archives.COLUMN)
            key = f"catalog/imported/{path.name}.{SUFFIXES[info.mime]}"
            size = (info.width, info.height)
            return assets.put(self.store, path, mime=info.mime, key=key, pixels=size)
        finally:
            path.unlink()


# Writing.


class _Writer:
    """Writes drafts as articles in one transaction, and counts them in the report."""

    def __init__(self, session: Session, run: Run, report: Report) -> None:
        self._session = session
        self._run = run
        self._report = report

    def write(self, drafts: Sequence[Draft], *, process: bool) -> None:
        """Write them all; with `process` their new pictures are queued to be edited."""
        # One at a time, so that two files with the same new category do not meet.
        self._session.execute(select(func.pg_advisory_xact_lock(IMPORT_LOCK)))
        written = self._articles(drafts)
        pictured = [(draft.stored, article) for draft, article in written if draft.stored]
        self._give_pictures(pictured)
        addresses = [(draft.url, article) for draft, article in written if draft.url is not None]
        self._begin([article.id for _, article in pictured] if process else [], addresses, process)
        self._report.problems.sort(key=lambda problem: problem.line)
        self._run.params = {"import": asdict(self._report)}
        self._session.flush()

    def _articles(self, drafts: Sequence[Draft]) -> list[tuple[Draft, Article]]:
        known = self._known([draft.article_id for draft in drafts if draft.article_id is not None])
        found = [draft for draft in drafts if self._is_known(draft, known)]
        named = self._categories(draft.category for draft in found)
        written = [(draft, known.get(draft.article_id or 0) or Article()) for draft in found]
        for draft, article in written:
            for name, value in draft.values.items():
                setattr(article, name, value)
            if draft.category:
                article.categoria_id = named[draft.category.casefold()]
            self._count(draft, article)
        self._session.add_all(article for _, article in written)
        self._session.flush()
        return written

    def _known(self, ids: Sequence[int]) -> dict[int, Article]:
        query = select(Article).where(Article.id.in_(ids)).order_by(Article.id)
        rows = self._session.scalars(query.with_for_update(key_share=True))
        return {row.id: row for row in rows}

    def _is_known(self, draft: Draft, known: Mapping[int, Article]) -> bool:
        if draft.article_id is None or draft.article_id in known:
            return True
        message = f"There is no article {draft.article_id}: leave the cell empty to make a new one."
        self._report.problems.append(Problem(draft.line, "id", message))
        return False

    def _categories(self, names: Iterable[str]) -> dict[str, int]:
        """Their numbers by name in small letters; those that are missing are made."""
        known = {row.nombre.casefold(): row.id for row in categories.find(self._session)}
        for name in filter(None, names):
            if name.casefold() not in known:
                made = categories.create(self._session, {"nombre": name})
                known[name.casefold()] = made.id
                self._report.categories.append(name)
        return known

    def _count(self, draft: Draft, article: Article) -> None:
        if draft.article_id is None:
            self._report.created += 1
        else:
            self._report.updated += 1
            article.updated_at = func.now()

    def _give_pictures(self, pictured: Sequence[tuple[StoredFile, Article]]) -> None:
        owner = self._run.owner_id
        files = [assets.fresh(owner, stored) for stored, _ in pictured]
        self._session.add_all(files)
        self._session.flush()
        given = zip(files, (article for _, article in pictured), strict=True)
        versions = [(receiving.version_of(article, file), article) for file, article in given]
        self._session.add_all(version for version, _ in versions)
        self._session.flush()
        for version, article in versions:
            orders.address(version)
            article.imagen_version_id, article.imagen_url = version.id, version.url
        self._report.pictures = len(versions)
        self._session.flush()

    def _begin(
        self, article_ids: Sequence[int], addresses: Sequence[tuple[str, Article]], process: bool
    ) -> None:
        """Enqueue edits and downloads; a run without any is over."""
        steps = len(article_ids) + len(addresses) * (2 if process else 1)
        share = 1 / max(steps, 1)
        answers = queueing.join(self._session, self._run, article_ids, share * len(article_ids))
        self._report.queued = sum(each.edit_id is not None for each in answers)
        if addresses:
            then = Call(FOLLOW, LANE, {"share": share}) if process else queueing.CONCLUDE
            tx = Transaction(self._session, self._run.id)
            tx.fan_out([_download(url, article, share) for url, article in addresses], then)
            self._run.open_steps += tx.enqueued
        self._report.downloads = len(addresses)
        if not self._run.open_steps:
            self._run.status, self._run.progress = "completed", 1.0
            self._run.started_at = self._run.finished_at = func.now()


def _download(url: str, article: Article, share: float) -> Call:
    args = {"article_id": article.id, "url": url}
    return Call(STEP, LANE, args, label=article.nombre, share=share)
