"""Reading runs, and what a running step may ask of the database."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from darkroom.accounts.service import create_user, ensure_admin
from darkroom.db.sessions import Database
from darkroom.errors import Cancelled
from darkroom.queue import control, runs, settle
from darkroom.queue.calls import Call
from darkroom.queue.settle import NOTHING, Failure, LeaseLost
from darkroom.queue.task import Lease, Resources, Task
from darkroom.queue.transaction import Transaction
from darkroom.settings import Settings


def begin(session: Session, title: str = "photo.jpg", owner: int | None = None, share: float = 1):
    return runs.start(
        session,
        pipeline="test",
        title=title,
        owner_id=owner or ensure_admin(session).id,
        first=Call("steps.note", "io", {"word": "x"}, share=share),
    )


@pytest.fixture
def fetch(database: Database) -> Callable[[], Lease]:
    """Lease the next job as a worker of the lane io would."""

    def fetched() -> Lease:
        with database.session() as session:
            worker = session.scalar(
                text("SELECT worker_id FROM procrastinate_register_worker_v1()")
            )
            row = (
                session.execute(
                    text("SELECT * FROM darkroom_fetch_steps_v3('io', :worker, 'test', 1)"),
                    {"worker": worker},
                )
                .mappings()
                .one()
            )
        return Lease(
            attempt_id=row["attempt_id"],
            attempt_number=row["attempt_number"],
            job_id=row["id"],
            task_name=row["task_name"],
            lane=row["queue_name"],
            args=row["args"],
            priority=row["priority"],
            burned=row["attempts"],
            max_attempts=row["max_attempts"],
            run_id=row["run_id"],
            owner_id=row["owner_id"],
            worker_id=worker,
        )

    return fetched


def task_of(lease: Lease, settings: Settings, database: Database, clock=None) -> Task:
    return Task(lease, settings, database, Resources(settings), clock=clock or (lambda: 0.0))


def test_pages_of_runs_follow_one_another_without_gaps(database: Database):
    with database.session() as session:
        made = [begin(session, f"{number}.jpg").id for number in range(7)]
    seen, before = [], None
    with database.session() as session:
        while page := runs.page(session, before=before, limit=3):
            seen += [run.id for run in page]
            before = (page[-1].created_at, page[-1].id)
    assert sorted(seen) == sorted(made) and len(seen) == 7


def test_runs_are_found_by_owner_status_pipeline_and_title(database: Database):
    with database.session() as session:
        other = create_user(session, name="other").id
        begin(session, "lettuce_100%.jpg")
        begin(session, "basil.jpg", other)

        def titles(**filters):
            return [run.title for run in runs.page(session, **filters)]

        assert titles(owner_id=other) == ["basil.jpg"]
        assert titles(text="100%") == ["lettuce_100%.jpg"]
        assert titles(text="_asil") == []
        assert titles(status="completed") == [] == titles(pipeline="catalog")
        assert len(titles(status="pending", pipeline="test")) == 2


def test_a_run_is_found_by_its_id(database: Database):
    with database.session() as session:
        run = begin(session)
        assert [found.id for found in runs.page(session, text=str(run.id))] == [run.id]


def test_progress_adds_the_steps_share_to_the_run(database: Database, settings, fetch):
    with database.session() as session:
        run_id = begin(session, share=0.4).id
    task_of(fetch(), settings, database).progress(0.5, "slice {done}", done=3)
    with database.session() as session:
        run = runs.get(session, run_id)
        assert run.progress == pytest.approx(0.2)
        assert (run.note, run.note_values) == ("slice {done}", {"done": 3})


def test_progress_is_written_at_most_twice_a_second(database: Database, settings, fetch):
    with database.session() as session:
        run_id = begin(session).id
    now = iter([0.0, 0.1, 0.49, 0.6])
    task = task_of(fetch(), settings, database, lambda: next(now))
    written = []
    for fraction in (0.1, 0.2, 0.3, 0.4):
        task.progress(fraction, "working")
        with database.session() as session:
            written.append(runs.get(session, run_id).progress)
    assert written == pytest.approx([0.1, 0.1, 0.1, 0.4])


def test_progress_is_written_by_who_asks_before(database: Database, settings, fetch):
    with database.session() as session:
        run_id = begin(session).id
    now = iter([0.0, 0.6, 0.6, 1.2, 1.2])
    task = task_of(fetch(), settings, database, lambda: next(now))
    task.progress(0.1, "working")
    written = []
    for fraction in (0.2, 0.3):
        task.checkpoint()
        task.progress(fraction, "working")
        with database.session() as session:
            written.append(runs.get(session, run_id).progress)
    assert written == pytest.approx([0.2, 0.3])


def test_progress_of_a_cancelled_run_raises(database: Database, settings, fetch):
    with database.session() as session:
        run_id = begin(session).id
    task = task_of(fetch(), settings, database)
    with database.session() as session:
        control.cancel(session, run_id)
    with pytest.raises(Cancelled, match="over"):
        task.progress(0.5, "working")


def test_progress_of_a_lost_lease_raises_and_writes_nothing(database: Database, settings, fetch):
    with database.session() as session:
        run_id = begin(session).id
    lease = fetch()
    settle.lose(database, lease)
    with pytest.raises(Cancelled, match="taken over"):
        task_of(lease, settings, database).progress(0.9, "late")
    with database.session() as session:
        assert runs.get(session, run_id).progress == 0


def test_a_lease_settles_once(database: Database, fetch):
    with database.session() as session:
        begin(session)
    lease = fetch()
    settle.succeed(database, lease, None)
    for again in (
        lambda: settle.succeed(database, lease, None),
        lambda: settle.fail(database, lease, Failure("Late", "late")),
        lambda: settle.give_back(database, lease, None, NOTHING),
        lambda: settle.cancel(database, lease),
    ):
        with pytest.raises(LeaseLost):
            again()


def test_an_old_lease_is_refused_though_the_same_worker_has_the_job_again(
    database: Database, fetch
):
    with database.session() as session:
        begin(session)
    old = fetch()
    settle.give_back(database, old, None, NOTHING)
    new = fetch()
    assert (new.job_id, new.burned) == (old.job_id, old.burned)
    with pytest.raises(LeaseLost):
        settle.succeed(database, old, None)
    settle.succeed(database, new, None)


def test_a_save_that_fails_leaves_the_step_to_be_settled_otherwise(database: Database, fetch):
    with database.session() as session:
        run_id = begin(session).id
    lease = fetch()

    def save(tx: Transaction) -> None:
        tx.session.execute(text("CREATE TABLE half_done ()"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        settle.succeed(database, lease, save)
    settle.fail(database, lease, Failure("ZeroDivisionError", "oops", field="x"))
    with database.session() as session:
        assert session.scalar(text("SELECT to_regclass('half_done')")) is None
        run = runs.get(session, run_id)
        assert run.error == {"class": "ZeroDivisionError", "message": "oops", "field": "x"}


def test_a_run_that_does_not_exist_cannot_be_cancelled(database: Database):
    with pytest.raises(Exception, match="no such run"), database.session() as session:
        control.cancel(session, uuid4())
