"""The engine's bookkeeping under any order of events, checked after each against the rows."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from hypothesis import settings, strategies
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from darkroom.accounts.service import ensure_admin
from darkroom.db.sessions import Database
from darkroom.db.statements import statement
from darkroom.errors import Cancelled, Conflict, NotNow, Permanent, Transient
from darkroom.queue import bulk, control, rescue, runs, settle
from darkroom.queue.backoff import Backoff
from darkroom.queue.calls import Call
from darkroom.queue.settle import LeaseLost
from darkroom.queue.step import Save
from darkroom.queue.task import Lease
from darkroom.queue.transaction import Transaction

BACKOFF = Backoff(base=60, cap=600)
PICK = strategies.integers(0, 1000)
FEW = strategies.integers(1, 4)
ENDED = "('succeeded', 'failed')"

BROKEN = {
    "a run's open steps are those that wait or run": """
        SELECT r.id, r.open_steps, count(j.id) FROM runs r
        LEFT JOIN steps s ON s.run_id = r.id
        LEFT JOIN procrastinate_jobs j ON j.id = s.job_id AND j.status IN ('todo', 'doing')
        GROUP BY r.id HAVING r.open_steps <> count(j.id)""",
    "a run goes on exactly as long as it has open steps, but for one that cannot": """
        SELECT id, status, open_steps FROM runs
        WHERE (status IN ('pending', 'running')) <> (open_steps > 0)
            AND NOT (status IN ('failed', 'cancelled') AND open_steps > 0)""",
    "a run that is over has an end, and one that could not go on says why": """
        SELECT id, status, error FROM runs
        WHERE (status IN ('completed', 'failed', 'cancelled')) <> (finished_at IS NOT NULL)
            OR status = 'failed' AND coalesce(error ->> 'class', 'Cancelled') = 'Cancelled'
            OR status = 'cancelled' AND error ->> 'class' <> 'Cancelled'
            OR status NOT IN ('failed', 'cancelled') AND error IS NOT NULL""",
    "nothing waits in a run that is over or to be cancelled": """
        SELECT r.id, r.status, j.id FROM runs r
        JOIN steps s ON s.run_id = r.id JOIN procrastinate_jobs j ON j.id = s.job_id
        WHERE j.status = 'todo'
            AND (r.cancel_requested_at IS NOT NULL OR r.status NOT IN ('pending', 'running'))""",
    "a completed run waits for no child and left no step undone": """
        SELECT r.id, s.job_id, s.name, j.status, f.pending FROM runs r
        JOIN steps s ON s.run_id = r.id JOIN procrastinate_jobs j ON j.id = s.job_id
        LEFT JOIN fan_ins f ON f.id = s.fan_in_id
        WHERE r.status = 'completed' AND (
            f.pending > 0
            OR j.status <> 'succeeded' AND NOT (s.error IS NOT NULL AND f.id IS NOT NULL)
                AND NOT EXISTS (SELECT 1 FROM steps newer
                    WHERE newer.callback_of = s.callback_of AND newer.job_id > s.job_id))""",
    "a fan-in counts its children": f"""
        SELECT f.id, f.pending, f.failed, f.children FROM fan_ins f
        JOIN steps s ON s.fan_in_id = f.id JOIN procrastinate_jobs j ON j.id = s.job_id
        GROUP BY f.id
        HAVING f.children <> count(*)
            OR f.pending <> count(*) FILTER (WHERE j.status NOT IN {ENDED} AND s.error IS NULL)
            OR f.failed <> count(s.error)""",
    "progress is a part of the whole": """
        SELECT id, progress FROM runs WHERE progress NOT BETWEEN -1e-9 AND 1 + 1e-9
            OR status = 'completed' AND progress < 1 - 1e-9""",
    "a job that runs has one open attempt, and no other job has any": """
        SELECT j.id, j.status, count(a.id) FROM procrastinate_jobs j
        LEFT JOIN attempts a ON a.job_id = j.id AND a.finished_at IS NULL
        GROUP BY j.id HAVING count(a.id) <> CASE WHEN j.status = 'doing' THEN 1 ELSE 0 END""",
    "what a step writes is there once for each attempt that succeeded, and for no other": """
        SELECT a.id, count(m.attempt_id) FROM attempts a
        LEFT JOIN marks m ON m.attempt_id = a.id
        GROUP BY a.id
        HAVING count(m.attempt_id) <> CASE WHEN a.outcome = 'succeeded' THEN 1 ELSE 0 END""",
    "a step is tried no oftener than it may be": """
        SELECT j.id, j.attempts FROM procrastinate_jobs j JOIN steps s ON s.job_id = j.id
        WHERE j.attempts > s.max_attempts OR j.status = 'todo' AND j.attempts >= s.max_attempts""",
}

ALL_BROKEN = " UNION ALL ".join(
    f"SELECT '{what}' AS what WHERE EXISTS ({query})"
    for what, query in ((what.replace("'", "''"), query) for what, query in BROKEN.items())
)

Spread = Callable[[Transaction, list[Call], float], None]


def fan_out(tx: Transaction, calls: list[Call], share: float) -> None:
    """Children, and a callback that makes as much progress as one of them."""
    tx.fan_out(calls, then=step(share=share))


def enqueue(tx: Transaction, calls: list[Call], share: float) -> None:
    """Steps side by side."""
    tx.enqueue(*calls)


SPREAD = strategies.sampled_from([fan_out, enqueue])
BULK = strategies.sampled_from([bulk.cancel, bulk.discard, bulk.retry, bulk.uncancel, bulk.run_now])

FAN_INS = """
    SELECT f.id, f.pending, f.failed < f.children AS any_ok,
        (SELECT count(*) FROM steps s WHERE s.callback_of = f.id) AS callbacks
    FROM fan_ins f"""


def step(label: str = "", share: float = 0.0, attempts: int = 2) -> Call:
    """A step to enqueue; what it does is decided when it ends."""
    return Call("test.step", "io", {}, label, share, attempts)


class EngineMachine(RuleBasedStateMachine):
    """Runs, their steps and their workers, without processes: the functions are called in turn."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        self.held: list[Lease] = []
        self.lost: list[Lease] = []
        self.left: dict[UUID, float] = {}
        self.fan_ins: dict[int, Any] = {}

    @initialize()
    def begin(self) -> None:
        for table in ("marks", "attempts", "runs", "procrastinate_jobs"):
            self._do(f"DELETE FROM {table}")
        with self.database.session() as session:
            self.owner = ensure_admin(session).id
            register = text("SELECT worker_id FROM procrastinate_register_worker_v1()")
            self.worker = session.execute(register).scalar_one()

    # What people do.

    @precondition(lambda self: len(self.left) < 2)
    @rule(spread=SPREAD, count=FEW)
    def start(self, spread: Spread, count: int) -> None:
        """A run whose first step has succeeded and left some more to do."""
        with self.database.session() as session:
            run = runs.start(
                session,
                pipeline="test",
                title="any",
                owner_id=self.owner,
                first=step("first", share=0.2),
            )
            self.left[run.id] = 0.8
        while not any(lease.run_id == run.id for lease in self.held):
            self.fetch(1)
        first = next(lease for lease in self.held if lease.run_id == run.id)
        self._spread(self._take(self.held.index(first)), spread, count)

    @precondition(lambda self: self.left)
    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        self._control(lambda session: control.cancel(session, self._run(pick)))

    @precondition(lambda self: self.left)
    @rule(pick=PICK)
    def retry_run(self, pick: int) -> None:
        self._control(lambda session: control.retry(session, self._run(pick)))

    @precondition(lambda self: self.left)
    @rule(picks=strategies.lists(PICK, min_size=1, max_size=4), act=BULK)
    def act_on_jobs(self, picks: list[int], act: Callable[[Any, list[int]], object]) -> None:
        jobs = [row.id for row in self._ask("SELECT id FROM procrastinate_jobs ORDER BY id")]
        chosen = sorted({jobs[pick % len(jobs)] for pick in picks})
        self._control(lambda session: act(session, chosen))

    @precondition(lambda self: self.left)
    @rule(pick=PICK)
    def retry_step(self, pick: int) -> None:
        ended = self._ask(
            "SELECT job_id FROM steps s JOIN procrastinate_jobs j ON j.id = s.job_id "
            "WHERE j.status IN ('failed', 'cancelled', 'aborted') ORDER BY job_id"
        )
        if ended:
            job_id = ended[pick % len(ended)].job_id
            self._control(lambda session: control.retry_step(session, job_id))

    # What workers do.

    @rule(count=strategies.integers(1, 4))
    def fetch(self, count: int) -> None:
        with self.database.session() as session:
            fetched = session.execute(
                text("SELECT * FROM darkroom_fetch_steps_v3('io', :worker, 'test', :count)"),
                {"worker": self.worker, "count": count},
            ).mappings()
            self.held += [_lease(row) for row in fetched]

    @precondition(lambda self: self.held)
    @rule(pick=PICK)
    def succeed(self, pick: int) -> None:
        self._succeed(self._take(pick), lambda tx: None)

    @precondition(lambda self: self.held)
    @rule(pick=PICK, spread=SPREAD, count=FEW)
    def succeed_and_spread(self, pick: int, spread: Spread, count: int) -> None:
        self._spread(self._take(pick), spread, count)

    @precondition(lambda self: len(self.held) > 1)
    @rule(picks=strategies.lists(PICK, min_size=2, max_size=6), spread=SPREAD, count=FEW)
    def succeed_together(self, picks: list[int], spread: Spread, count: int) -> None:
        """The first of a group leaves more to do; a lease that was lost goes with them."""
        group = [self._take(pick) for pick in picks[: len(self.held)]]
        share = self._spend(group[0]) / (count + 1)
        works = [(lease, _mark(lease, lambda tx: tx.result_of_run(any=1))) for lease in group]
        works[0] = (
            group[0],
            _mark(group[0], lambda tx: spread(tx, [step("more", share)] * count, share)),
        )
        late = [(lease, _mark(lease, lambda tx: None)) for lease in self.lost if lease not in group]
        verdicts = settle.succeed_together(self.database, late[-1:] + works)
        assert set(verdicts) == {lease.attempt_id for lease in group}
        for lease in group:
            if verdicts[lease.attempt_id] == "cancelled":
                self._end_badly(lease, Cancelled("The run is over."))

    @precondition(lambda self: self.held)
    @rule(pick=PICK)
    def ask_to_stop(self, pick: int) -> None:
        lease = self.held[pick % len(self.held)]
        self._control(lambda session: bulk.cancel(session, [lease.job_id]))

    @precondition(lambda self: self.held)
    @rule(pick=PICK, tenths=strategies.integers(0, 10))
    def progress(self, pick: int, tenths: int) -> None:
        lease = self.held[pick % len(self.held)]
        assert self._report(lease, tenths / 10) in ("held", "cancelled")

    @precondition(lambda self: self.held)
    @rule(pick=PICK)
    def fail_for_good(self, pick: int) -> None:
        self._end_badly(self._take(pick), Permanent("no way"))

    @precondition(lambda self: self.held)
    @rule(
        pick=PICK, error=strategies.sampled_from([Transient, ZeroDivisionError, NotNow, Cancelled])
    )
    def stumble(self, pick: int, error: type[Exception]) -> None:
        self._end_badly(self._take(pick), error("not this time"))

    @precondition(lambda self: self.held)
    @rule(pick=PICK)
    def lose(self, pick: int) -> None:
        settle.lose(self.database, self._take(pick))

    @precondition(lambda self: self.lost)
    @rule(pick=PICK)
    def settle_late(self, pick: int) -> None:
        """A worker that lost its lease tries everything; nothing of it may be kept."""
        lease = self.lost[pick % len(self.lost)]
        for end in (
            lambda: settle.succeed(self.database, lease, _mark(lease, lambda tx: None)),
            lambda: settle.settle_error(self.database, lease, Permanent("late"), BACKOFF),
            lambda: settle.settle_error(self.database, lease, Cancelled("late"), BACKOFF),
            lambda: settle.lose(self.database, lease),
        ):
            with suppress(LeaseLost):
                end()
                raise AssertionError("a lost lease settled its step")
        assert self._report(lease, 0.5) == "lost"

    @rule()
    def time_passes(self) -> None:
        self._do("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE scheduled_at > now()")
        rescue.promote(self.database)

    # What must hold.

    @invariant()
    def rows_agree(self) -> None:
        broken = [row.what for row in self._ask(ALL_BROKEN)]
        assert not broken, {what: self._ask(BROKEN[what]) for what in broken}

    @invariant()
    def the_last_child_calls_back_once(self) -> None:
        for row in self._ask(FAN_INS):
            before = self.fan_ins.get(row.id)
            was_pending, callbacks = (before.pending, before.callbacks) if before else (1, 0)
            fires = was_pending > 0 and row.pending == 0 and row.any_ok
            assert row.callbacks - callbacks == int(fires), "the callback is enqueued once"
            self.fan_ins[row.id] = row

    def teardown(self) -> None:
        """Whatever happened, a worker that goes on working brings every run to its end."""
        if not hasattr(self, "worker"):
            return
        for _ in range(200):
            while self.held:
                self.succeed(0)
            self.time_passes()
            self.fetch(4)
            if not self.held:
                break
        self.rows_agree()
        self.the_last_child_calls_back_once()
        assert not self._ask("SELECT id, status, note FROM runs WHERE open_steps > 0")

    def _run(self, pick: int) -> UUID:
        return list(self.left)[pick % len(self.left)]

    def _take(self, pick: int) -> Lease:
        lease = self.held.pop(pick % len(self.held))
        self.lost.append(lease)
        return lease

    def _spread(self, lease: Lease, spread: Spread, count: int) -> None:
        share = self._spend(lease) / (count + 1)
        self._succeed(lease, lambda tx: spread(tx, [step("more", share)] * count, share))
        self.fetch(2)

    def _spend(self, lease: Lease) -> float:
        """Half of the progress that the run has left to share out."""
        assert lease.run_id is not None
        self.left[lease.run_id] /= 2
        return self.left[lease.run_id]

    def _succeed(self, lease: Lease, save: Save) -> None:
        try:
            settle.succeed(self.database, lease, _mark(lease, save))
        except Cancelled as error:
            self._end_badly(lease, error)

    def _end_badly(self, lease: Lease, error: Exception) -> None:
        settle.settle_error(self.database, lease, error, BACKOFF)

    def _control(self, act: Callable[[Any], object]) -> None:
        with suppress(Conflict), self.database.session() as session:
            act(session)
        self.fetch(2)

    def _report(self, lease: Lease, fraction: float) -> str:
        with self.database.session() as session:
            values = {"fraction": fraction, "note": "on", "note_values": "{}"}
            answer = session.execute(
                statement("queue/report_progress"), {"lease": lease.attempt_id, **values}
            )
            return str(answer.scalar_one())

    def _ask(self, query: str) -> list[Any]:
        with self.database.session() as session:
            return list(session.execute(text(query)).all())

    def _do(self, command: str) -> None:
        with self.database.session() as session:
            session.execute(text(command))


def _mark(lease: Lease, save: Save) -> Save:
    def marked(tx: Transaction) -> None:
        tx.session.execute(text("INSERT INTO marks VALUES (:id)"), {"id": lease.attempt_id})
        save(tx)

    return marked


def _lease(row: Any) -> Lease:
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
        worker_id=row["worker_id"],
    )


def test_the_books_balance_after_any_order_of_events(database: Database) -> None:
    with database.session() as session:
        session.execute(text("CREATE TABLE marks (attempt_id bigint)"))
    run_state_machine_as_test(
        lambda: EngineMachine(database),
        settings=settings(max_examples=80, stateful_step_count=40),
    )
