"""Finding jobs by filter in a real database."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import text

from darkroom.accounts.service import create_user, ensure_admin
from darkroom.console import job_views, search
from darkroom.console.filters import JobFilter
from darkroom.console.listing import listing
from darkroom.db.sessions import Database
from darkroom.errors import NotFound
from darkroom.queue import runs
from darkroom.queue.calls import Call, enqueue
from tests.engine import steps
from tests.integration.conftest import Engine


class Jobs:
    """Ten jobs of all kinds, by name."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.ids: dict[str, int] = {}
        with database.session() as session:
            ana = create_user(session, name="Ana", email="ana@example.org").id
            admin = ensure_admin(session).id
        self.run = self.add("plain", ana, args={"photo_id": 12})
        self.add("text_id", ana, args={"photo_id": "12", "box": {"kind": ["plug", "tray"]}})
        self.add("other", admin, lane="gpu", task="steps.other")
        for name in ("later", "running", "succeeded", "failed", "cancelled", "stopped"):
            self.add(name, ana)
        self.set("later", "scheduled_at = now() + interval '1 hour'")
        for name, status in (
            ("running", "doing"),
            ("succeeded", "succeeded"),
            ("failed", "failed"),
            ("cancelled", "cancelled"),
            ("stopped", "aborted"),
        ):
            self.set(name, f"status = '{status}'")
        self.attempt("failed", "failed", "Transient", "storage answered 503 (100 % of calls)")
        self.attempt("succeeded", "retried", "Permanent", "a bad day")
        with database.session() as session:
            self.ids["alone"] = enqueue(session, [Call("odd.job", "cpu")], run_id=None)[0]

    def add(self, name, owner, *, lane="io", task="steps.note", args=None) -> UUID:
        with self.database.session() as session:
            call = Call(task, lane, args or {"word": name}, label=f"label of {name}")
            made = runs.start(
                session, pipeline="test", title=f"{name}.jpg", owner_id=owner, first=call
            )
            found = "SELECT job_id FROM steps WHERE run_id = :run"
            self.ids[name] = session.scalar(text(found), {"run": made.id})
            return made.id

    def set(self, name: str, what: str) -> None:
        self.execute(f"UPDATE procrastinate_jobs SET {what} WHERE id = {self.ids[name]}")

    def set_step(self, name: str, what: str) -> None:
        self.execute(f"UPDATE steps SET {what} WHERE job_id = {self.ids[name]}")

    def attempt(self, name: str, outcome: str, error_class: str, message: str) -> None:
        self.execute(
            "INSERT INTO attempts (job_id, number, worker_id, worker, finished_at, outcome, "
            "error_class, error_message) VALUES (:job, 1, 1, 'w', now(), :outcome, :class, :said)",
            job=self.ids[name],
            outcome=outcome,
            **{"class": error_class, "said": message},
        )

    def execute(self, statement: str, **values: object) -> None:
        with self.database.session() as session:
            session.execute(text(statement), values)

    def now(self) -> datetime:
        with self.database.session() as session:
            return session.execute(text("SELECT now()")).scalar_one()

    def find(self, query: str = "", **fields: str) -> list[str]:
        """Names of the jobs that fit, oldest first."""
        names = {job_id: name for name, job_id in self.ids.items()}
        wanted = JobFilter.parse([("text", query), *fields.items()], self.now())
        with self.database.session() as session:
            search.be_careful(session)
            found = search.page(session, wanted)
            counted = search.count(session, wanted)
        assert (counted.number, counted.exact) == (len(found.ids), True)
        return [names[job_id] for job_id in reversed(found.ids)]


@pytest.fixture
def jobs(database: Database) -> Iterator[Jobs]:
    yield Jobs(database)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("state:waiting", ["plain", "text_id", "other", "alone"]),
        ("state:scheduled", ["later"]),
        ("state:running", ["running"]),
        ("state:succeeded", ["succeeded"]),
        ("state:failed", ["failed"]),
        ("state:cancelled", ["cancelled", "stopped"]),
        ("state:failed,scheduled", ["later", "failed"]),
        ("lane:gpu", ["other"]),
        ("task:odd.job", ["alone"]),
        ("owner:0", ["alone"]),
        ("owner:ana@example.org state:waiting", ["plain", "text_id"]),
        ("owner:nobody@example.org", []),
        ("error:Transient", ["failed"]),
        ("error:503", ["failed"]),
        ('error:"100 % of"', ["failed"]),
        ("error:_03", []),
        ("error:Permanent", ["succeeded"]),
        ("args.photo_id:12", ["plain", "text_id"]),
        ("args.box.kind.1:tray", ["text_id"]),
        ("args.word:later args.word:later", ["later"]),
        ("args.box:12", []),
        ("label of fail", ["failed"]),
        ("running.jpg", ["running"]),
        ("odd.", ["alone"]),
        ("100%", []),
        ("created_after:1h lane:gpu", ["other"]),
        ("created_before:1h", []),
    ],
)
def test_jobs_are_found_by(jobs: Jobs, query: str, names: list[str]) -> None:
    assert jobs.find(query) == names


def test_jobs_are_found_by_run_and_by_number(jobs: Jobs) -> None:
    assert jobs.find(run=str(jobs.run)) == ["plain"] == jobs.find(str(jobs.run))
    assert jobs.find(str(jobs.ids["later"])) == ["later"]
    assert jobs.find(id=f"{jobs.ids['plain']},{jobs.ids['alone']}") == ["plain", "alone"]
    assert jobs.find(str(2**63)) == []


def test_jobs_are_found_by_when_they_were_asked_for(jobs: Jobs) -> None:
    jobs.set_step("plain", "created_at = now() - interval '3 days'")
    assert jobs.find("created_before:2d") == ["plain"]
    assert "plain" not in jobs.find("created_after:2d")


def test_jobs_are_found_by_when_they_ended(jobs: Jobs) -> None:
    jobs.execute("UPDATE steps SET created_at = now() - interval '1 day'")
    jobs.set_step("failed", "finished_at = now() - interval '30 minutes'")
    jobs.set_step("succeeded", "finished_at = now() - interval '3 hours'")
    assert jobs.find("finished_after:1h") == ["failed"]
    assert jobs.find("finished_before:1h finished_after:9h") == ["succeeded"]


def many(database: Database, number: int) -> list[int]:
    with database.session() as session:
        calls = [Call("steps.note", "io", {"word": str(n % 2)}) for n in range(number)]
        return enqueue(session, calls, run_id=None)


def test_pages_follow_one_another_without_gaps(database: Database) -> None:
    made = many(database, 25)
    seen: list[int] = []
    before = None
    with database.session() as session:
        while True:
            found = listing(session, JobFilter(), before=before, limit=10)
            seen += [row.id for row in found.rows]
            if found.older is None:
                break
            before = found.older
    assert seen == made[::-1]


def test_a_page_that_is_not_full_needs_no_count(database: Database) -> None:
    many(database, 6)
    with database.session() as session:
        found = listing(session, JobFilter(args=(("word", "1"),)), limit=5)
        assert (found.older, found.cut) == (None, False)
        assert found.count is not None and (found.count.number, found.count.exact) == (3, True)


def test_counts_are_capped(database: Database) -> None:
    many(database, 12)
    with database.session() as session:
        found = search.count(session, JobFilter(), cap=10)
        assert (found.number, found.exact) == (10, False)
        whole = search.count(session, JobFilter(), cap=None)
        assert (whole.number, whole.exact, whole.by_task) == (12, True, {"steps.note": 12})


def test_what_is_counted_in_many_batches_is_counted_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(database, 100)
    monkeypatch.setattr(search, "FIRST_WINDOW", 9)
    monkeypatch.setattr(search, "FIRST_BATCH", 2)
    with database.session() as session:
        found = search.count(session, JobFilter(args=(("word", "1"),)), cap=None, seconds=60)
    assert (found.number, found.exact, found.by_task) == (50, True, {"steps.note": 50})


def test_a_search_that_takes_too_long_says_how_far_it_came_and_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = many(database, 100)
    monkeypatch.setattr(search, "FIRST_WINDOW", 10)
    wanted = JobFilter(args=(("word", "0"),))
    ticks = iter(range(1000))
    with database.session() as session:
        first = search.page(session, wanted, limit=50, seconds=1, clock=lambda: next(ticks))
        assert first.searched_to is not None and 0 < len(first.ids) < 50
        rest = search.page(session, wanted, before=first.searched_to, limit=50, seconds=60)
        assert sorted(first.ids + rest.ids) == made[::2] and rest.searched_to is None
        ticks = iter(range(1000))
        counted = search.count(session, wanted, seconds=1, clock=lambda: next(ticks))
        assert not counted.exact and counted.number < 50


def test_a_window_that_takes_too_long_is_given_up_and_the_rest_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = many(database, 30)
    monkeypatch.setattr(search, "FIRST_WINDOW", 10)
    slow = text("CASE WHEN id < :id THEN pg_sleep(60) IS NULL ELSE true END").bindparams(id=made[9])
    with database.session() as session:
        search.be_careful(session, 7000)
        found = search.count(session, JobFilter(), also=slow, seconds=0.1)  # type: ignore[arg-type]
        assert not found.exact and found.number in (10, 20)
        assert session.scalar(text("SHOW statement_timeout")) == "7s"
        assert len(listing(session, JobFilter()).rows) == 30


def test_an_empty_database_has_no_jobs(database: Database) -> None:
    with database.session() as session:
        found = listing(session, JobFilter())
        assert (found.rows, found.older, found.cut) == ([], None, False)
        with pytest.raises(NotFound):
            job_views.one(session, 1)


def test_the_first_job_of_a_time_is_found_by_halving(database: Database) -> None:
    made = many(database, 50)
    with database.session() as session:
        for place, job_id in enumerate(made):
            session.execute(
                text(
                    "UPDATE steps SET created_at = now() - make_interval(days => :days) "
                    "WHERE job_id = :job"
                ),
                {"days": 100 - place, "job": job_id},
            )
        session.execute(text("DELETE FROM procrastinate_jobs WHERE id % 3 = 0"))
        left = [job_id for job_id in made if job_id % 3]
        for days in (200, 100, 75, 60, 51, 40):
            at = session.execute(
                text("SELECT darkroom_job_at_v1(now() - make_interval(days => :days))"),
                {"days": days},
            ).scalar_one()
            younger = [j for j in left if 100 - made.index(j) <= days]
            assert [job_id for job_id in left if job_id >= at] == younger


def test_a_job_that_waits_says_why(jobs: Jobs) -> None:
    with jobs.database.session() as session:
        [row] = job_views.rows(session, [jobs.ids["plain"]])
        assert row.waits is not None and row.waits.reason == "no_worker"
        [row] = job_views.rows(session, [jobs.ids["failed"]])
        assert row.waits is None
        assert (row.error_class, row.state) == ("Transient", "failed")


def test_a_job_shows_its_attempts_its_timeline_and_its_family(engine: Engine) -> None:
    engine.start_worker("io")
    run_id = engine.start_run(steps.scatter.call(words=["a", "b", "c"], failing=["b"]))
    engine.ended(run_id)
    child = next(step for step in engine.steps(run_id) if step.label == "b")
    callback = next(step for step in engine.steps(run_id) if step.name == "steps.gather")
    with engine.database.session() as session:
        view = job_views.one(session, child.job_id)
        gathered = job_views.one(session, callback.job_id)
    assert view.args == {"word": "b", "fails": True}
    assert [moment.kind for moment in view.timeline] == ["deferred", "started", "failed"]
    assert "is broken" in (view.attempts[0].traceback or "")
    assert view.siblings is not None and view.gathers is None
    assert [row.label for row in view.siblings.members] == ["a", "b", "c"]
    assert [row.id for row in view.siblings.callbacks] == [callback.job_id]
    assert (view.siblings.pending, view.siblings.failed) == (0, 1)
    assert gathered.gathers == view.siblings and gathered.siblings is None


def test_the_filters_of_a_page_use_indexes_for_what_ended_badly(database: Database) -> None:
    with database.session() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = session.execute(
            text(
                "EXPLAIN SELECT id FROM procrastinate_jobs WHERE status IN ('failed') "
                "AND id >= 1 AND id < 1000 ORDER BY id DESC LIMIT 51"
            )
        ).scalars()
        assert any("jobs_ended_badly_idx" in line for line in plan)
