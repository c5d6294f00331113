"""Stock procrastinate, Darkroom and PgQueuer in turn, on one Postgres, one worker process each.

    python scripts/bench_queue.py            # all of it, some ten minutes
    python scripts/bench_queue.py --quick    # a tenth of the jobs

Jobs do nothing; times are the database's, from the first job's start to the last one's end. Stock
runs on its own schema with a concurrency of 10 (more is not faster: it fetches one job at a time),
Darkroom with 64 slots, PgQueuer with its batches. "Lopsided" is a backlog that must be skipped:
100 000 jobs scheduled for tomorrow, 100 000 of higher priority in another queue, 20 000 behind one
lock that is held. Pick-up is the time from the commit that enqueues one job on an idle machine to
its start. "Of 100 owners": nine in ten jobs are one owner's, enqueued first; "begun %" is how much
of all was begun when the last job of the other 99 was (in turns about a tenth, else all).
"""

import argparse
import asyncio
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from rich.console import Console
from rich.table import Table
from sqlalchemy.engine import make_url

from darkroom.accounts import service as accounts
from darkroom.db import embedded, migrate
from darkroom.db.sessions import Database, driver
from darkroom.queue import runs
from darkroom.queue.calls import Call, enqueue
from darkroom.queue.step import Save, step
from darkroom.queue.task import Task
from darkroom.queue.transaction import Transaction
from darkroom.queue.worker import WorkerProcess
from darkroom.settings import QueueSettings, Settings

SLOTS = 64
STOCK_CONCURRENCY = 10
TOMORROW = timedelta(days=1)
OWNERS = 100


@step(lane="io", name="bench.noop")
def noop(task: Task) -> None:
    """Nothing."""


@step(lane="io", name="bench.write")
def write(task: Task) -> Save:
    """One row, in the transaction that ends the step."""

    def save(tx: Transaction) -> None:
        driver(tx.session).execute("INSERT INTO effects (job_id) VALUES (%s)", [task.lease.job_id])

    return save


# The worker processes: this very file, called again.


def work_stock(url: str) -> None:
    """Stock procrastinate until it is told to stop."""
    app = App(connector=PsycopgConnector(conninfo=url))

    @app.task(name="bench.noop", queue="io")
    async def _noop() -> None: ...

    async def run() -> None:
        async with app.open_async():
            await app.run_worker_async(
                queues=["io"], concurrency=STOCK_CONCURRENCY, install_signal_handlers=True
            )

    asyncio.run(run())


def work_darkroom(url: str) -> None:
    """Darkroom's worker until it is told to stop."""
    settings = Settings(home=Path(tempfile.gettempdir()), database_url=url, queue=QueueSettings())
    WorkerProcess(settings, Database(url), {"io": SLOTS}).run()


def work_pgqueuer(url: str) -> None:
    """PgQueuer until its queue is empty."""
    from pgqueuer import PgQueuer
    from pgqueuer.models import Job
    from pgqueuer.types import QueueExecutionMode

    async def run() -> None:
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
        queuer = PgQueuer.from_psycopg_connection(connection)

        @queuer.entrypoint("noop")
        async def _noop(job: Job) -> None: ...

        await queuer.run(
            batch_size=100,
            mode=QueueExecutionMode.drain,
            dequeue_timeout=timedelta(seconds=1),
        )

    asyncio.run(run())


WORKERS: dict[str, Callable[[str], None]] = {
    "stock": work_stock,
    "darkroom": work_darkroom,
    "pgqueuer": work_pgqueuer,
}


@contextlib.contextmanager
def working(kind: str, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process of a kind, stopped at the end."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--worker", kind, "--url", url], stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()


# The backlogs.


def defer_bare(url: str, count: int, *, lane: str = "io", **job: Any) -> None:
    """Enqueue with procrastinate's own tools, 1000 a statement."""
    app = App(connector=SyncPsycopgConnector(conninfo=url))
    with app.open():
        call = app.configure_task("bench.noop", queue=lane, allow_unknown=True, **job)
        for start in range(0, count, 1000):
            call.batch_defer(*({} for _ in range(min(1000, count - start))))


def hold_lock(url: str) -> None:
    """One job of the lock runs somewhere, and will for long."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, status) "
            "VALUES ('other', 'bench.noop', 'busy', 'doing')"
        )


def defer_steps(url: str, count: int, name: str) -> None:
    """Enqueue steps of runs, 1000 a run, as a fan-out of a pipeline does."""
    database = Database(url)
    with database.session() as session:
        owner_id = accounts.ensure_admin(session).id
    for start in range(0, count, 1000):
        defer_run(database, min(1000, count - start), name, owner_id)
    database.close()


def defer_run(database: Database, count: int, name: str, owner_id: int) -> None:
    """Enqueue the steps of one run."""
    with database.session() as session:
        run = runs.create(session, pipeline="bench", title="bench", owner_id=owner_id)
        enqueue(session, [Call(name, "io", share=1 / count)] * count, run_id=run.id)
        run.open_steps = count


def defer_crowd(url: str, each: int) -> None:
    """Enqueue runs of `each` steps; the first nine in ten are one owner's, the rest 99 others'."""
    with psycopg.connect(url) as connection:
        owners = connection.execute(
            "INSERT INTO users (name, role) SELECT 'owner ' || n, 'member' "
            "FROM generate_series(1, %s) n RETURNING id",
            [OWNERS],
        ).fetchall()
    (busy,), *others = owners
    database = Database(url)
    for owner_id in [busy] * 9 * len(others) + [owner_id for (owner_id,) in others]:
        defer_run(database, each, "bench.noop", owner_id)
    database.close()


def scheduled(url: str, size: int) -> None:
    """Jobs for tomorrow."""
    defer_bare(url, size, schedule_at=datetime.now(UTC) + TOMORROW)


def other_queue(url: str, size: int) -> None:
    """Jobs of higher priority that this worker does not take."""
    defer_bare(url, size, lane="other", priority=10)


def busy_lock(url: str, size: int) -> None:
    """Jobs behind a lock that is held."""
    hold_lock(url)
    defer_bare(url, size // 5, lock="busy", priority=10)


def finished(url: str, size: int) -> None:
    """Rows of jobs that ended long ago."""
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status) "
            "SELECT 'io', 'bench.noop', 'succeeded' FROM generate_series(1, %s)",
            [size],
        )
        connection.execute("SET session_replication_role = DEFAULT")
        connection.execute("ANALYZE procrastinate_jobs")


# The measures.


@dataclass
class Bench:
    """One server, the databases to copy from, and the figures so far."""

    server: str
    scale: float
    figures: dict[str, dict[str, float]] = field(default_factory=dict)
    _made: int = 0

    @contextlib.contextmanager
    def database(self, kind: str) -> Iterator[str]:
        """A fresh database of a kind."""
        self._made += 1
        name = f"bench_{self._made}"
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATES[kind]}")
        yield url_of(self.server, name)
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def note(self, measure: str, kind: str, value: float) -> None:
        """Keep a figure, and say it."""
        self.figures.setdefault(measure, {})[kind] = value
        print(f"{measure}: {kind} {value:,.1f}", file=sys.stderr, flush=True)

    def count(self, jobs: int) -> int:
        """So many jobs, at this run's scale."""
        return max(200, int(jobs * self.scale))


TEMPLATES = {"stock": "of_stock", "darkroom": "of_darkroom", "pgqueuer": "of_pgqueuer"}


def url_of(server: str, name: str) -> str:
    """Another database of the server."""
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def make_templates(server: str, kinds: list[str]) -> None:
    """One migrated database of each kind."""
    for kind in kinds:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {TEMPLATES[kind]}")
        prepare(kind, url_of(server, TEMPLATES[kind]))


def prepare(kind: str, url: str) -> None:
    """The schema of a kind."""
    if kind == "darkroom":
        migrate.migrate(url)
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE effects (job_id bigint)")
    elif kind == "stock":
        with App(connector=SyncPsycopgConnector(conninfo=url)).open() as app:
            app.schema_manager.apply_schema()
    else:
        install_pgqueuer(url)


def install_pgqueuer(url: str) -> None:
    """PgQueuer's own schema."""
    from pgqueuer.db import PsycopgDriver
    from pgqueuer.queries import Queries

    async def install() -> None:
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
        await Queries(PsycopgDriver(connection)).install()
        await connection.close()

    asyncio.run(install())


def throughput(kind: str, url: str, count: int) -> float:
    """Jobs a second of a worker that finds `count` jobs due."""
    with working(kind, url), psycopg.connect(url, autocommit=True) as connection:
        while waiting(connection):
            time.sleep(0.05)
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT extract(epoch FROM max(at) FILTER (WHERE type = 'succeeded') "
            "- min(at) FILTER (WHERE type = 'started')), "
            "count(*) FILTER (WHERE type = 'succeeded') FROM procrastinate_events"
        ).fetchone()
    assert row is not None and row[1] == count, f"{row} of {count}"
    return count / float(row[0])


def waiting(connection: psycopg.Connection[Any]) -> bool:
    """Whether a job of the lane is due or runs."""
    row = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE queue_name = 'io' "
        "AND status IN ('todo', 'doing') AND scheduled_at IS NULL "
        "AND lock IS NULL)"
    ).fetchone()
    assert row is not None
    return bool(row[0])


def throughput_pgqueuer(url: str, count: int) -> float:
    """Jobs a second of PgQueuer, by its own log."""
    from pgqueuer.db import PsycopgDriver
    from pgqueuer.queries import Queries

    async def fill() -> None:
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
        queries = Queries(PsycopgDriver(connection))
        for start in range(0, count, 1000):
            some = min(1000, count - start)
            await queries.enqueue(["noop"] * some, [None] * some, [0] * some)
        await connection.close()

    asyncio.run(fill())
    with working("pgqueuer", url) as process:
        process.wait()
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT extract(epoch FROM max(created) FILTER (WHERE status = 'successful') "
            "- min(created) FILTER (WHERE status = 'picked')), "
            "count(*) FILTER (WHERE status = 'successful') FROM pgqueuer_log"
        ).fetchone()
    assert row is not None and row[1] == count, f"{row} of {count}"
    return count / float(row[0])


def pick_up(kind: str, url: str, count: int) -> list[float]:
    """Milliseconds from commit to start, one job at a time."""
    times = []
    app = App(connector=SyncPsycopgConnector(conninfo=url))
    with working(kind, url), app.open(), psycopg.connect(url, autocommit=True) as connection:
        defer = app.configure_task("bench.noop", queue="io", allow_unknown=True).defer
        for turn in range(count + 5):
            job_id = defer()
            enqueued = time.time()
            while not (started := started_at(connection, job_id)):
                time.sleep(0.002)
            if turn >= 5:
                times.append((started - enqueued) * 1000)
            time.sleep(0.01)
    return times


def started_at(connection: psycopg.Connection[Any], job_id: int) -> float | None:
    """When a job that has ended was started, seconds of the epoch."""
    row = connection.execute(
        "SELECT extract(epoch FROM s.at) FROM procrastinate_events s "
        "JOIN procrastinate_events e ON e.job_id = s.job_id AND e.type = 'succeeded' "
        "WHERE s.job_id = %s AND s.type = 'started'",
        [job_id],
    ).fetchone()
    return float(row[0]) if row else None


def bench_enqueue(bench: Bench) -> None:
    """Jobs enqueued a second: one a transaction, and 1000 a statement."""
    for kind in ("stock", "darkroom"):
        with bench.database(kind) as url:
            count = bench.count(2000)
            started = time.perf_counter()
            enqueue_singly(kind, url, count)
            bench.note("enqueue, single", kind, count / (time.perf_counter() - started))
        with bench.database(kind) as url:
            count = bench.count(20_000)
            started = time.perf_counter()
            defer_bare(url, count) if kind == "stock" else defer_steps(url, count, "bench.noop")
            bench.note("enqueue, batch", kind, count / (time.perf_counter() - started))


def enqueue_singly(kind: str, url: str, count: int) -> None:
    """One job a transaction; Darkroom's with its step row."""
    if kind == "stock":
        with App(connector=SyncPsycopgConnector(conninfo=url)).open() as app:
            call = app.configure_task("bench.noop", queue="io", allow_unknown=True)
            for _ in range(count):
                call.defer()
        return
    database = Database(url)
    for _ in range(count):
        with database.session() as session:
            enqueue(session, [Call("bench.noop", "io")], run_id=None)


def bench_plain(bench: Bench) -> None:
    """No-op jobs on a fresh table, and on one that was analysed."""
    for kind, jobs in (("stock", 10_000), ("darkroom", 40_000)):
        for state in ("fresh", "analysed"):
            with bench.database(kind) as url:
                count = bench.count(jobs)
                defer_bare(url, count)
                if state == "analysed":
                    analyse(url)
                bench.note(f"no-op, {state}", kind, throughput(kind, url, count))


def analyse(url: str) -> None:
    """Tell the planner what is there."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def bench_kept(bench: Bench) -> None:
    """Darkroom's steps with runs, attempts, fence and progress; and with a row of their own."""
    for measure, name in (("steps of runs", "bench.noop"), ("steps that write", "bench.write")):
        with bench.database("darkroom") as url:
            count = bench.count(40_000)
            defer_steps(url, count, name)
            analyse(url)
            bench.note(measure, "darkroom", throughput("darkroom", url, count))


def bench_owners(bench: Bench) -> None:
    """Steps of many owners, one of whom holds most of the backlog."""
    with bench.database("darkroom") as url:
        each = max(2, int(40 * bench.scale))
        defer_crowd(url, each)
        analyse(url)
        count = each * 10 * (OWNERS - 1)
        bench.note(f"of {OWNERS} owners", "darkroom", throughput("darkroom", url, count))
        bench.note(f"of {OWNERS} owners, begun %", "darkroom", begun_with_others(url))


def begun_with_others(url: str) -> float:
    """Percent of all jobs that were begun when the last of those with little to do was."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "WITH begun AS (SELECT e.at, j.owner_id FROM procrastinate_events e "
            "JOIN procrastinate_jobs j ON j.id = e.job_id WHERE e.type = 'started') "
            "SELECT 100.0 * count(*) FILTER (WHERE b.at <= l.at) / count(*) FROM begun b, ("
            "SELECT max(at) AS at FROM begun "
            "WHERE owner_id <> (SELECT mode() WITHIN GROUP (ORDER BY owner_id) FROM begun)) l"
        ).fetchone()
    assert row is not None
    return float(row[0])


def bench_lopsided(bench: Bench) -> None:
    """Plain jobs behind a backlog that is not theirs."""
    for backlog in (scheduled, other_queue, busy_lock, finished):
        for kind, jobs in (("stock", 400), ("darkroom", 20_000)):
            with bench.database(kind) as url:
                size = 1_000_000 if backlog is finished else 100_000
                backlog(url, bench.count(size))
                if backlog is finished and kind == "stock":
                    jobs = 10_000
                count = bench.count(jobs)
                defer_bare(url, count)
                analyse(url)
                forget_events(url)
                bench.note(f"behind {backlog.__name__}", kind, throughput(kind, url, count))


def forget_events(url: str) -> None:
    """The backlog's own events are none of the measure's."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE procrastinate_events")


def bench_pick_up(bench: Bench) -> None:
    """How soon one job starts on an idle machine."""
    for kind in ("stock", "darkroom"):
        with bench.database(kind) as url:
            times = sorted(pick_up(kind, url, bench.count(400)))
            bench.note("pick-up p50, ms", kind, statistics.median(times))
            bench.note("pick-up p99, ms", kind, times[int(len(times) * 0.99)])


def bench_pgqueuer(bench: Bench) -> None:
    """PgQueuer in batches."""
    with bench.database("pgqueuer") as url:
        count = bench.count(40_000)
        bench.note("no-op, analysed", "pgqueuer", throughput_pgqueuer(url, count))


def show(bench: Bench) -> None:
    """The table, then the one line for machines."""
    table = Table(title="jobs a second, one worker process")
    for column in ("", "stock", "Darkroom", "ratio", "PgQueuer"):
        table.add_column(column, justify="left" if not column else "right")
    for measure, by_kind in bench.figures.items():
        ours, theirs = by_kind.get("darkroom"), by_kind.get("stock")
        base = theirs or bench.figures["no-op, analysed"]["stock"]
        table.add_row(
            measure,
            shown(theirs),
            shown(ours),
            f"{ours / base:.1f}" if ours and not measure.endswith("%") else "",
            shown(by_kind.get("pgqueuer")),
        )
    Console().print(table)
    print(
        f"speedup_plain {ratio(bench, 'no-op, analysed'):.1f} speedup_lopsided {least(bench):.1f}"
    )


def shown(value: float | None) -> str:
    """A figure in its cell."""
    return "" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def ratio(bench: Bench, measure: str) -> float:
    """Darkroom to stock."""
    return bench.figures[measure]["darkroom"] / bench.figures[measure]["stock"]


def least(bench: Bench) -> float:
    """The worst ratio over the three lopsided backlogs."""
    return min(ratio(bench, f"behind {b.__name__}") for b in (scheduled, other_queue, busy_lock))


BENCHES = {
    "enqueue": bench_enqueue,
    "plain": bench_plain,
    "kept": bench_kept,
    "owners": bench_owners,
    "lopsided": bench_lopsided,
    "pickup": bench_pick_up,
    "pgqueuer": bench_pgqueuer,
}


def main() -> None:
    """Run what was asked for, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the jobs")
    parser.add_argument("--only", choices=BENCHES, action="append", help="one part (repeatable)")
    parser.add_argument("--worker", choices=WORKERS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        WORKERS[options.worker](options.url)
        return
    chosen = options.only or list(BENCHES)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        with embedded.running(Path(folder)) as server:
            bench = Bench(server, 0.1 if options.quick else 1.0)
            kinds = [k for k in TEMPLATES if k != "pgqueuer" or "pgqueuer" in chosen]
            make_templates(server, kinds)
            for name in chosen:
                BENCHES[name](bench)
    if options.only:
        return
    show(bench)


if __name__ == "__main__":
    main()
