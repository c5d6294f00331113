"""`/metrics` for Prometheus: rows turned into gauges, counters and histograms.

Nothing is counted in this process; every figure is one of the database, so that it does not matter
which process is asked, and none is lost with one. Counters and histograms of attempts come from the
rollups and follow what happens within some seconds.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from sqlalchemy import Float, bindparam
from sqlalchemy.dialects.postgresql import ARRAY

from darkroom.console import dashboards
from darkroom.console.snapshots import Snapshots, snapshots
from darkroom.db.sessions import Database
from darkroom.db.statements import statement
from darkroom.errors import Invalid
from darkroom.web.auth import current_user
from darkroom.web.services import services
from darkroom.web.words import N_

pages = Blueprint("console_metrics", __name__)

Json = dict[str, Any]
Buckets = list[tuple[str, float]]

BREAKER_STATES = {"closed": 0, "open": 1, "half_open": 2, "isolated": 3}
PLANTS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
COUNTING = "counting."


@pages.get("/metrics")
def show() -> Response:
    """All metrics, for administrators and viewers (a token, or, on loopback, the local user)."""
    if not current_user().sees_all:
        message = N_("The console is for administrators and viewers.")
        raise Invalid(message, status=403, code="forbidden")
    registry = CollectorRegistry()
    registry.register(QueueCollector(services().database, snapshots()))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(registry), content_type=content_type)


class QueueCollector(Collector):
    """What the database says of the queue, as Prometheus has it."""

    def __init__(self, database: Database, shared: Snapshots) -> None:
        self._database = database
        self._shared = shared

    def describe(self) -> Iterable[Metric]:
        """Nothing: names are not worth asking the database for."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every metric, read now."""
        yield from lane_metrics(self._records("lanes"))
        yield from worker_metrics(self._records("workers"))
        yield breaker_states(self._records("breakers"))
        yield from cron_metrics(self._records("crons"))
        yield _gauge(
            "darkroom_stalled",
            "Steps and runs that stand still.",
            [({}, len(self._records("stalled")))],
        )
        yield from attempt_metrics(self._rows("attempts"))
        yield from latency_metrics(self._rows("latencies"))
        yield from plant_metrics(self._plants())
        yield spending(self._rows("spending"))

    def _records(self, name: str) -> list[Json]:
        return self._shared.get(name).records

    def _rows(self, name: str) -> list[Json]:
        with dashboards.careful(self._database) as session:
            return [dict(row) for row in session.execute(statement(f"metrics/{name}")).mappings()]

    def _plants(self) -> list[Json]:
        bounds = bindparam("bounds", list(PLANTS), ARRAY(Float))
        with dashboards.careful(self._database) as session:
            rows = session.execute(statement("metrics/plants").bindparams(bounds)).mappings()
            return [dict(row) for row in rows]


def lane_metrics(rows: Sequence[Json]) -> Iterator[Metric]:
    """Places, depth and pauses of the lanes."""
    for column, name, text in (
        ("slots", "darkroom_lane_slots", "Places of the workers that live."),
        ("running", "darkroom_lane_running", "Steps that a worker has."),
        ("waiting", "darkroom_lane_waiting", "Steps that may be fetched now; 20 000 at most."),
        ("scheduled", "darkroom_lane_scheduled", "Steps for a later time; 10 000 at most."),
        ("oldest_wait_seconds", "darkroom_lane_oldest_wait_seconds", "The longest wait."),
    ):
        yield _gauge(name, text, [({"lane": row["lane"]}, row[column] or 0) for row in rows])
    paused = [({"lane": row["lane"]}, row["paused_at"] is not None) for row in rows]
    yield _gauge("darkroom_lane_paused", "1 while the lane is paused.", paused)


def worker_metrics(rows: Sequence[Json]) -> Iterator[Metric]:
    """How many workers live, and how many are silent, lane by lane."""
    counted: dict[tuple[str, bool], int] = {}
    for row in rows:
        key = (row["lane"], row["lives"])
        counted[key] = counted.get(key, 0) + 1
    values = [
        ({"lane": lane, "state": "live" if lives else "silent"}, count)
        for (lane, lives), count in sorted(counted.items())
    ]
    yield _gauge("darkroom_workers", "Workers of each lane.", values, ("lane", "state"))


def breaker_states(rows: Sequence[Json]) -> Metric:
    """The state of each circuit breaker as a number."""
    values = [
        (
            {"provider": row["provider"], "operation": row["operation"]},
            BREAKER_STATES[row["state"]],
        )
        for row in rows
    ]
    said = ", ".join(f"{number} {state}" for state, number in BREAKER_STATES.items())
    return _gauge("circuit_breaker_state", said, values, ("provider", "operation"))


def cron_metrics(rows: Sequence[Json]) -> Iterator[Metric]:
    """When each cron job last ended, whether well, and what it missed."""
    ended = [
        ({"name": row["name"]}, row["last_finished_at"].timestamp())
        for row in rows
        if row["last_finished_at"] is not None
    ]
    yield _gauge("darkroom_cron_last_end_timestamp_seconds", "The last end.", ended, ("name",))
    well = [
        ({"name": row["name"]}, row["last_outcome"] == "succeeded")
        for row in rows
        if row["last_outcome"] is not None
    ]
    yield _gauge("darkroom_cron_last_succeeded", "1 when the last run went well.", well, ("name",))
    missed = CounterMetricFamily("darkroom_cron_missed", "Due times missed.", labels=("name",))
    for row in rows:
        missed.add_metric([row["name"]], row["missed"])
    yield missed


def attempt_metrics(rows: Sequence[Json]) -> Iterator[Metric]:
    """Attempts that ended, by lane, task and outcome."""
    labels = ("lane", "task", "outcome")
    found = CounterMetricFamily("darkroom_attempts", "Attempts that ended.", labels=labels)
    for row in rows:
        found.add_metric([row[label] for label in labels], row["attempts"])
    yield found


def latency_metrics(rows: Sequence[Json]) -> Iterator[Metric]:
    """How long steps wait and run; those of counting under the seed's name, too."""
    waits = _latencies("darkroom_attempt_wait_seconds", "From being asked for to the first start.")
    runs = _latencies("darkroom_attempt_run_seconds", "From start to success.")
    counting = HistogramMetricFamily(
        "ml_processing_duration_seconds", "How long counting's steps run.", labels=("task",)
    )
    for (kind, lane, task), group in groupby(
        rows, key=lambda row: (row["kind"], row["lane"], row["task"])
    ):
        buckets, seconds = _latency_buckets(list(group))
        (waits if kind == "wait" else runs).add_metric([lane, task], buckets, seconds)
        if kind == "run" and task.startswith(COUNTING):
            counting.add_metric([task], buckets, seconds)
    yield from (waits, runs, counting)


def plant_metrics(rows: Sequence[Json]) -> Iterator[Metric]:
    """Plants a session, detected and estimated."""
    bounds = [str(float(bound)) for bound in PLANTS]
    for kind in ("detection", "estimation"):
        counted = {row["bucket"]: row["sessions"] for row in rows if row["kind"] == kind}
        plants = sum(row["plants"] for row in rows if row["kind"] == kind)
        found = HistogramMetricFamily(f"ml_{kind}_count", f"Plants a session, by {kind}.")
        found.add_metric([], _cumulated([*bounds, "+Inf"], counted), float(plants))
        yield found


def spending(rows: Sequence[Json]) -> Metric:
    """What each provider cost."""
    found = CounterMetricFamily("darkroom_cost_usd", "Money spent.", labels=("provider",))
    for row in rows:
        found.add_metric([row["provider"]], float(row["amount"]))
    return found


def _latencies(name: str, text: str) -> HistogramMetricFamily:
    return HistogramMetricFamily(name, text, labels=("lane", "task"))


def _latency_buckets(rows: Sequence[Json]) -> tuple[Buckets, float]:
    """Cumulative buckets, and the sum; bucket n of the rows ends where the next one begins."""
    counted = {row["bucket"] - 1: row["attempts"] for row in rows}
    ends = [*(str(0.001 * 2**power) for power in range(24)), "+Inf"]
    return _cumulated(ends, counted), sum(row["seconds"] for row in rows)


def _cumulated(ends: Sequence[str], counted: dict[int, int]) -> Buckets:
    total, found = 0, []
    for place, end in enumerate(ends):
        total += counted.get(place, 0)
        found.append((end, float(total)))
    return found


def _gauge(
    name: str,
    text: str,
    values: Iterable[tuple[dict[str, str], float]],
    labels: Sequence[str] | None = None,
) -> Metric:
    values = list(values)
    named = labels or tuple(values[0][0] if values else ())
    found = GaugeMetricFamily(name, text, labels=named)
    for labelled, value in values:
        found.add_metric([labelled[label] for label in named], float(value))
    return found
