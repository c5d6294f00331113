"""What clean-up deletes and what it keeps, batch by batch, in a real database."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from darkroom.accounts.service import ensure_admin
from darkroom.counting.models import Photo, PhotoSession
from darkroom.db.sessions import Database
from darkroom.queue import retention, runs
from darkroom.queue.calls import Call, enqueue
from darkroom.queue.retention import Ages
from darkroom.settings import UpkeepSettings
from darkroom.storage import assets
from darkroom.storage.assets import StoredFile

Count = Callable[..., int]

AGES = Ages.of(UpkeepSettings())
STATE_OF_JOB = {"completed": "succeeded", "failed": "failed", "cancelled": "cancelled"}


class Past:
    """Makes work that was done long ago."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def run(self, days: float, status: str = "completed", steps: int = 3) -> UUID:
        """A run that ended so many days ago, its steps with an attempt each."""
        with self.database.session() as session:
            owner = ensure_admin(session)
            made = runs.create(session, pipeline="counting", title="old", owner_id=owner.id)
            calls = [Call("test.step", "io") for _ in range(steps)]
            self._end(session, enqueue(session, calls, run_id=made.id), days, STATE_OF_JOB[status])
            session.execute(
                text(
                    "UPDATE runs SET status = :status, finished_at = now() - :age, "
                    "created_at = now() - :age WHERE id = :id"
                ),
                {"status": status, "age": timedelta(days=days), "id": made.id},
            )
            return made.id

    def loose_steps(self, days: float, status: str = "succeeded", count: int = 1) -> None:
        """Steps without a run that ended so many days ago."""
        with self.database.session() as session:
            jobs = enqueue(session, [Call("test.step", "io")] * count, run_id=None)
            self._end(session, jobs, days, status)

    def photo(self, run_id: UUID) -> None:
        """A counted photo of a run."""
        with self.database.session() as session:
            owner = ensure_admin(session)
            photos = PhotoSession(run_id=run_id, user_id=owner.id)
            stored = StoredFile("a" * 64, 1, "image/jpeg", 1, 1, f"uploads/{run_id}", "local")
            asset = assets.record(session, owner.id, stored)
            session.add(photos)
            session.flush()
            session.add(
                Photo(
                    session_id=photos.id,
                    position=1,
                    filename="a.jpg",
                    s3_bucket="local",
                    s3_key_original=stored.key,
                    original_asset_id=asset.id,
                    content_type="image/jpeg",
                    file_size_bytes=1,
                    width=1,
                    height=1,
                    uploaded_by_user_id=owner.id,
                )
            )

    def _end(self, session: Session, job_ids: list[int], days: float, status: str) -> None:
        past = {"jobs": job_ids, "age": timedelta(days=days), "status": status}
        session.execute(
            text(
                "INSERT INTO attempts (job_id, number, worker_id, worker, started_at, finished_at, "
                "outcome) SELECT id, 1, 1, 'w', now() - :age, now() - :age, :outcome "
                "FROM unnest(cast(:jobs AS bigint[])) id"
            ),
            {**past, "outcome": status if status != "aborted" else "cancelled"},
        )
        session.execute(
            text(
                "UPDATE steps SET created_at = now() - :age, finished_at = now() - :age "
                "WHERE job_id = ANY(:jobs)"
            ),
            past,
        )
        session.execute(
            text(
                "UPDATE procrastinate_jobs "
                "SET status = cast(:status AS procrastinate_job_status) WHERE id = ANY(:jobs)"
            ),
            past,
        )


@pytest.fixture
def past(database: Database) -> Past:
    return Past(database)


@pytest.fixture
def count(database: Database) -> Count:
    """How many rows a table has."""

    def counted(table: str, where: str = "true") -> int:
        with database.session() as session:
            found = session.execute(text(f"SELECT count(*) FROM {table} WHERE {where}"))
            return int(found.scalar_one())

    return counted


def delete(database: Database, ages: Ages = AGES, batch: int = 1000) -> Counter[str]:
    return sum(retention.delete_finished(database, ages, batch), Counter())


def test_an_old_run_goes_with_all_that_is_its(database: Database, past: Past, count: Count):
    past.run(days=8)
    assert delete(database) == {"runs": 1, "steps": 3}
    for table in ("runs", "steps", "attempts", "procrastinate_jobs", "procrastinate_events"):
        assert count(table) == 0, table


def test_a_recent_run_stays_whole(database: Database, past: Past, count: Count):
    past.run(days=6)
    assert delete(database) == {}
    assert (count("runs"), count("steps"), count("attempts")) == (1, 3, 3)


def test_what_failed_is_kept_longer(database: Database, past: Past, count: Count):
    past.run(days=8, status="failed")
    past.loose_steps(days=8, status="failed")
    assert delete(database) == {}
    past.run(days=31, status="failed")
    past.loose_steps(days=31, status="failed")
    assert delete(database) == {"runs": 1, "steps": 4}
    assert count("procrastinate_jobs") == 4


def test_other_days_are_those_of_what_did_not_fail(database: Database, past: Past, count: Count):
    past.run(days=3)
    past.run(days=3, status="failed")
    assert delete(database, Ages.of(UpkeepSettings(), days=2)) == {"runs": 1, "steps": 3}
    assert count("runs", "status = 'failed'") == 1


def test_a_run_with_counted_photos_loses_only_its_steps(
    database: Database, past: Past, count: Count
):
    counted = past.run(days=8)
    past.photo(counted)
    past.run(days=8)
    assert delete(database) == {"runs": 1, "runs_kept": 1, "steps": 6}
    assert count("runs", f"id = '{counted}' AND steps_deleted_at IS NOT NULL") == 1
    assert (count("photo_processing_sessions"), count("s3_images")) == (1, 1)
    assert delete(database) == {}


def test_a_table_that_is_new_protects_the_runs_it_refers_to(
    database: Database, past: Past, count: Count
):
    with database.session() as session:
        session.execute(text("CREATE TABLE orders (run uuid REFERENCES runs ON DELETE CASCADE)"))
    run_id = past.run(days=8)
    with database.session() as session:
        session.execute(text("INSERT INTO orders VALUES (:id)"), {"id": run_id})
    delete(database)
    assert (count("runs"), count("orders"), count("steps")) == (1, 1, 0)


def test_a_run_kept_for_its_deliveries_goes_with_the_last_of_them(
    database: Database, past: Past, count: Count
):
    run_id = past.run(days=40)
    with database.session() as session:
        session.execute(
            text(
                "INSERT INTO webhooks (owner_id, url, events, secret) "
                "SELECT min(id), 'http://127.0.0.1', '{run.failed}', 's' FROM users"
            )
        )
        session.execute(
            text(
                "INSERT INTO webhook_deliveries (webhook_id, run_id, event, run, created_at) "
                "SELECT id, :run_id, 'run.failed', '{}', now() - interval '20 days' FROM webhooks"
            ),
            {"run_id": run_id},
        )
    assert delete(database) == {"runs_kept": 1, "steps": 3}
    assert sum(retention.delete_expired(database, AGES), Counter()) == {}
    short = Ages.of(UpkeepSettings(delivery_days=10))
    gone = sum(retention.delete_expired(database, short), Counter())
    assert gone == {"webhook_deliveries": 1, "runs": 1}
    assert count("runs") == 0


def test_runs_that_go_on_are_never_touched(database: Database, past: Past, count: Count):
    run_id = past.run(days=8)
    with database.session() as session:
        session.execute(
            text(
                "UPDATE runs SET status = 'running', finished_at = NULL, open_steps = 1 "
                "WHERE id = :id"
            ),
            {"id": run_id},
        )
    assert delete(database) == {}
    assert count("steps") == 3


def test_steps_without_a_run_go_by_their_own_age(database: Database, past: Past, count: Count):
    past.loose_steps(days=8, count=2)
    past.loose_steps(days=8, status="cancelled")
    past.loose_steps(days=8, status="aborted")
    past.loose_steps(days=6)
    assert delete(database) == {"steps": 4}
    assert count("procrastinate_jobs") == 1


def test_waiting_steps_stay_however_old(database: Database, count: Count):
    with database.session() as session:
        enqueue(session, [Call("test.step", "io")], run_id=None)
        session.execute(text("UPDATE steps SET created_at = now() - interval '1 year'"))
    assert delete(database) == {}
    assert count("procrastinate_jobs") == 1


def test_jobs_of_procrastinates_own_tools_go_too(database: Database, count: Count):
    with database.session() as session:
        job = (
            "(INSERT INTO procrastinate_jobs (queue_name, task_name, status) "
            "VALUES ('io', 'other', 'succeeded') RETURNING id)"
        )
        session.execute(
            text(
                f"WITH job AS {job} INSERT INTO procrastinate_periodic_defers "
                "(task_name, defer_timestamp, job_id) SELECT 'other', 1, id FROM job"
            )
        )
        session.execute(
            text(
                "INSERT INTO procrastinate_events (job_id, type, at) "
                "SELECT id, 'succeeded', now() - interval '8 days' FROM procrastinate_jobs"
            )
        )
        session.execute(
            text(
                "INSERT INTO procrastinate_periodic_defers (task_name, defer_timestamp) "
                "VALUES ('other', 2)"
            )
        )
    assert delete(database) == {"steps": 1}
    expired = sum(retention.delete_expired(database, AGES), Counter())
    assert expired == {"periodic_defers": 1}
    # The newest stays: by it procrastinate knows that it was deferred.
    assert count("procrastinate_periodic_defers") == 1


def test_young_jobs_end_the_search(database: Database, past: Past, count: Count):
    past.loose_steps(days=8, count=3)
    past.loose_steps(days=1, count=20)
    batches = list(retention.delete_finished(database, AGES, batch=5))
    assert len(batches) == 2
    assert count("procrastinate_jobs") == 20


def test_small_batches_delete_as_much(database: Database, past: Past, count: Count):
    for _ in range(3):
        past.run(days=9, steps=7)
    past.loose_steps(days=9, count=11)
    assert delete(database, batch=4) == {"runs": 3, "steps": 32}
    assert count("runs") == 0


def test_after_a_crash_between_batches_the_next_call_does_the_rest(
    database: Database, past: Past, count: Count
):
    past.run(days=9, steps=10)
    past.photo(past.run(days=9, steps=10))
    past.loose_steps(days=9, count=10)
    for crashes_after in range(1, 5):
        batches = retention.delete_finished(database, AGES, batch=3)
        for _ in range(crashes_after):
            next(batches, None)
        batches.close()
    delete(database, batch=3)
    assert (count("procrastinate_jobs"), count("runs"), count("s3_images")) == (0, 1, 1)


def test_what_somebody_has_in_hand_is_left_for_the_next_time(
    database: Database, past: Past, count: Count
):
    held = past.run(days=9)
    past.run(days=9)
    with psycopg.connect(database.url) as other:
        other.execute("SELECT FROM runs WHERE id = %s FOR UPDATE", [held])
        assert delete(database) == {"runs": 1, "steps": 3}
    assert delete(database) == {"runs": 1, "steps": 3}


def test_attempts_are_rolled_up_before_they_go(database: Database, past: Past, count: Count):
    past.run(days=9)
    delete(database)
    with database.session() as session:
        rolled = session.execute(text("SELECT sum(attempts) FROM attempt_minutes")).scalar_one()
    assert rolled == 3


def test_a_dry_run_counts_what_would_go(database: Database, past: Past, count: Count):
    past.photo(past.run(days=9))
    past.run(days=9)
    past.run(days=31, status="failed")
    past.run(days=6)
    past.loose_steps(days=9, count=5)
    counted = retention.count_finished(database, AGES)
    assert counted == {"runs": 2, "runs_kept": 1, "steps": 14}
    assert delete(database) == counted


def test_what_has_expired_goes_and_a_dry_run_counts_it(database: Database, count: Count):
    with database.session() as session:
        ensure_admin(session)
        for age in (0, 2):
            session.execute(
                text(
                    "INSERT INTO sign_in_links (token_hash, user_id, expires_at) "
                    "SELECT decode(:hash, 'hex'), min(id), now() - :age FROM users"
                ),
                {"hash": f"0{age}", "age": timedelta(days=age)},
            )
            session.execute(
                text(
                    "INSERT INTO worker_lanes (worker_id, name, lane, slots, started_at) "
                    "VALUES (:id, 'gone', 'io', 1, now() - :age)"
                ),
                {"id": 1000 + age, "age": timedelta(days=age)},
            )
            session.execute(
                text(
                    "INSERT INTO limits_used (client, endpoint, quota, period_seconds, expires_at) "
                    "VALUES (:client, '/e', 1, 1, now() + interval '1 day' - :age)"
                ),
                {"client": f"c{age}", "age": timedelta(days=age)},
            )
            session.execute(
                text(
                    "INSERT INTO idempotency_keys (user_id, endpoint, key, body_hash, claim, "
                    "claimed_until, expires_at) SELECT min(id), '/e', :key, '', "
                    "gen_random_uuid(), now(), now() + interval '1 day' - :age FROM users"
                ),
                {"key": f"k{age}", "age": timedelta(days=age)},
            )
    expected = {"sign_in_links": 1, "worker_lanes": 1, "limits_used": 1, "idempotency_keys": 1}
    assert +retention.count_expired(database, AGES) == expected
    assert sum(retention.delete_expired(database, AGES), Counter()) == expected
    assert {table: count(table) for table in expected} == dict.fromkeys(expected, 1)


def test_the_audit_is_kept(database: Database, past: Past, count: Count):
    with database.session() as session:
        session.execute(
            text(
                "INSERT INTO audit (at, actor, action) "
                "VALUES (now() - interval '9 years', 'cli', 'lane.pause')"
            )
        )
    delete(database)
    list(retention.delete_expired(database, AGES))
    assert count("audit") == 1


def test_what_would_go_is_counted_before_it_is_rolled_up(past: Past) -> None:
    past.run(days=0, steps=2)
    past.loose_steps(days=0)
    with past.database.session() as session:
        session.execute(text("UPDATE rollup_progress SET rolled_to = now() - interval '1 hour'"))
    ages = Ages.of(UpkeepSettings(), days=0)
    assert retention.count_finished(past.database, ages) == {"runs": 1, "steps": 3}
