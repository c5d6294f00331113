"""Requests: begun with their run, read by its steps, finished with what was made, found again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from darkroom.db.sessions import Database
from darkroom.errors import Conflict, NotFound
from darkroom.media.models import MediaFile, MediaRequest
from darkroom.media.sound import Media
from darkroom.queue import runs
from darkroom.queue.calls import Call
from darkroom.queue.models import Run
from darkroom.queue.transaction import Transaction
from darkroom.storage import assets
from darkroom.storage.assets import Asset, StoredFile
from darkroom.web.idempotency import Keep
from darkroom.web.words import N_

Json = dict[str, Any]

NO_REQUEST = N_("There is no such request.")


@dataclass(frozen=True)
class Received:
    """A file that came in whole and lies in the store. `media` says what a sound or video is."""

    role: str
    filename: str
    stored: StoredFile
    media: Media | None = None


@dataclass(frozen=True)
class Wish:
    """What is asked of a service, checked. `title` is what its run is called."""

    service: str
    title: str
    asked: Json
    files: Sequence[Received] = ()


@dataclass(frozen=True)
class Given:
    """A file of a request, in the store."""

    asset_id: UUID
    key: str
    filename: str
    mime: str
    size: int
    width: int | None
    height: int | None


Files = Mapping[str, Sequence[Given]]
"""The files of a request by role, in their order."""
FilesById = Mapping[UUID, Files]


@dataclass(frozen=True)
class Order:
    """A request as the steps of its run read it."""

    request_id: UUID
    owner_id: int
    asked: Json
    files: Files


@dataclass(frozen=True)
class Made:
    """A file that a step made, in the store and without a row yet."""

    role: str
    stored: StoredFile
    filename: str = ""
    position: int = 0


@dataclass(frozen=True)
class Found:
    """A request with its files, as its owner sees it."""

    row: MediaRequest
    files: Files


def begin(
    session: Session,
    owner_id: int,
    wish: Wish,
    step: str,
    lane: str,
    keep: Keep,
    *,
    share: float = 1.0,
) -> UUID:
    """Write a request and start its run with a step, given the `request_id`; the run's id.

    `share` is the part of the progress that the step makes.
    """
    run = runs.create(session, pipeline=wish.service, title=wish.title, owner_id=owner_id)
    row = MediaRequest(
        owner_id=owner_id,
        run_id=run.id,
        service=wish.service,
        title=wish.title,
        asked=wish.asked,
    )
    session.add(row)
    session.flush()
    _record(session, row, [Made(each.role, each.stored, each.filename) for each in wish.files])
    run.params = {"request_id": str(row.id)}
    runs.begin(session, run, Call(step, lane, {"request_id": str(row.id)}, share=share))
    keep(session, run.id)
    return run.id


def at_once(
    session: Session,
    owner_id: int,
    wish: Wish,
    result: Json,
    files: Sequence[Made],
    engine: str | None,
) -> UUID:
    """Write a request that needs no run, for what was asked is there; its id."""
    row = MediaRequest(
        owner_id=owner_id,
        service=wish.service,
        title=wish.title,
        asked=wish.asked,
        result=result,
        engine=engine,
        status="completed",
        completed_at=func.clock_timestamp(),
    )
    session.add(row)
    session.flush()
    _record(session, row, files)
    return row.id


def load(database: Database, request_id: UUID) -> Order:
    """What a step works on."""
    with database.session() as session:
        row = session.get_one(MediaRequest, request_id)
        return Order(row.id, row.owner_id, row.asked, files_of(session, [row.id])[row.id])


def attach(session: Session, request_id: UUID, files: Sequence[Made]) -> None:
    """Write files of a request that is not finished by them; they replace those in their places."""
    _record(session, session.get_one(MediaRequest, request_id), files)


def finish(
    tx: Transaction,
    order: Order,
    result: Json,
    files: Sequence[Made] = (),
    engine: str | None = None,
) -> None:
    """Complete a request in the transaction that ends its last step."""
    row = tx.session.get_one(MediaRequest, order.request_id)
    _record(tx.session, row, files)
    row.result, row.engine, row.error = result, engine, None
    row.status, row.completed_at = "completed", func.clock_timestamp()
    tx.session.flush()
    tx.result_of_run(request_id=str(order.request_id), engine=engine)


def of(session: Session, owner_id: int | None, request_id: UUID) -> Found:
    """The person's request (None: anybody's); `NotFound` for any other."""
    row = session.get(MediaRequest, request_id)
    if row is None or owner_id not in (None, row.owner_id):
        raise NotFound(NO_REQUEST)
    return Found(row, files_of(session, [row.id])[row.id])


def of_run(session: Session, run_id: UUID) -> Found:
    """The request that a run works on, or did; `NotFound` where it was deleted."""
    return of(session, None, id_of(session.get_one(Run, run_id)))


def id_of(run: Run) -> UUID:
    """The id of the request that a run works on, or did: another run may work on it by now."""
    return UUID(run.params["request_id"])


def page(
    session: Session,
    owner_id: int | None,
    *,
    service: str | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 24,
) -> Sequence[Found]:
    """Requests, newest first; `before` is the (created_at, id) of the last one seen."""
    query = select(MediaRequest)
    if owner_id is not None:
        query = query.where(MediaRequest.owner_id == owner_id)
    if service is not None:
        query = query.where(MediaRequest.service == service)
    if before is not None:
        query = query.where(tuple_(MediaRequest.created_at, MediaRequest.id) < tuple_(*before))
    newest = query.order_by(MediaRequest.created_at.desc(), MediaRequest.id.desc()).limit(limit)
    rows = session.scalars(newest).all()
    files = files_of(session, [row.id for row in rows])
    return [Found(row, files[row.id]) for row in rows]


def delete(session: Session, owner_id: int | None, request_id: UUID) -> None:
    """Delete a request; its files follow by the sweep of orphans. `Conflict` while it goes on."""
    row = of(session, owner_id, request_id).row
    if row.status == "processing":
        raise Conflict(N_("This is being worked on. Cancel its run first."))
    session.delete(row)
    session.flush()


def files_of(session: Session, ids: Sequence[UUID]) -> FilesById:
    """The files of requests, by request and role."""
    found: dict[UUID, dict[str, list[Given]]] = defaultdict(lambda: defaultdict(list))
    query = select(MediaFile, Asset).join(Asset, Asset.id == MediaFile.asset_id)
    ordered = query.where(MediaFile.request_id.in_(ids)).order_by(MediaFile.position)
    for row, asset in session.execute(ordered):
        found[row.request_id][row.role].append(_given(row, asset))
    return found


def _given(row: MediaFile, asset: Asset) -> Given:
    return Given(
        asset.id,
        asset.storage_key,
        row.filename,
        asset.mime,
        asset.size_bytes,
        asset.width,
        asset.height,
    )


def _record(session: Session, row: MediaRequest, files: Sequence[Made]) -> None:
    """Write the rows of files; one of the same role and place is replaced."""
    counts: dict[str, int] = defaultdict(int)
    for each in files:
        asset = assets.record(session, row.owner_id, each.stored)
        place = max(each.position, counts[each.role])
        counts[each.role] = place + 1
        session.merge(
            MediaFile(
                request_id=row.id,
                role=each.role,
                position=place,
                asset_id=asset.id,
                filename=each.filename,
            )
        )
    session.flush()
