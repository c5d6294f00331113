"""The console's first page: how the queue is doing, and what needs somebody."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from darkroom.console import drawings
from darkroom.console.dashboards import PERIODS, Answer, read_period
from darkroom.console.lanes import health
from darkroom.console.snapshots import snapshots
from darkroom.web.auth import console_required

pages = Blueprint("console_overview", __name__, template_folder="templates")

Json = dict[str, Any]

FAILURES_SHOWN = 5
LATENCIES_SHOWN = 12


@dataclass(frozen=True)
class Alarm:
    """Something that needs somebody: its look, what it is, where to go."""

    icon: str
    text: str
    url: str


@pages.get("/console")
@console_required
def show() -> ResponseReturnValue:
    """Figures, charts, lanes, latencies and failures of the last hour or longer."""
    minutes = read_period(request.args.get("minutes"))
    get = snapshots().get
    lanes, throughput = get("lanes"), get("throughput", minutes)
    by_lane = get("lane_minutes", minutes)
    return render_template(
        "console/overview.html",
        periods=PERIODS,
        minutes=minutes,
        alarms=_alarms(),
        totals=_totals(lanes, throughput),
        throughput=drawings.throughput(throughput).svg,
        busy=drawings.busy(by_lane).svg,
        lane_legend=drawings.lane_legend(by_lane),
        lanes=_lanes(lanes, by_lane),
        latency=get("latency", minutes).first(LATENCIES_SHOWN),
        failures=get("failures", minutes).first(FAILURES_SHOWN),
        minutes_table=throughput,
        latest=throughput,
    )


def _totals(lanes: Answer, throughput: Answer) -> Json:
    rows = lanes.records
    waits = [row["oldest_wait_seconds"] for row in rows if row["oldest_wait_seconds"] is not None]
    return {
        **{name: sum(row[name] for row in rows) for name in ("running", "waiting", "scheduled")},
        "capped": any(row["capped"] for row in rows),
        "oldest": max(waits, default=None),
        "ended": sum(row["ended"] for row in throughput.records),
        "badly": sum(row["failed"] + row["retried"] for row in throughput.records),
        "spent": sum(row["today"] for row in snapshots().get("cost").records),
    }


def _lanes(lanes: Answer, by_lane: Answer) -> list[Json]:
    return [
        {**row, "health": health(row), "spark": drawings.spark(by_lane, row["lane"])}
        for row in lanes.records
    ]


def _alarms() -> list[Alarm]:
    get = snapshots().get
    found = [
        *(_lane_alarm(row) for row in get("lanes").records),
        *(_breaker_alarm(row) for row in get("breakers").records),
        *(_cron_alarm(row) for row in get("crons").records),
        _stalled_alarm(len(get("stalled").rows)),
    ]
    return [alarm for alarm in found if alarm is not None]


def _lane_alarm(row: Mapping[str, Any]) -> Alarm | None:
    url = url_for("console_lanes.index")
    state, lane = health(row), row["lane"]
    if state == "paused":
        return Alarm("waiting", gettext("Lane %(lane)s is paused.", lane=lane), url)
    if state == "unmanned" and row["waiting"]:
        text = gettext("Steps wait in lane %(lane)s, but no worker takes it.", lane=lane)
        return Alarm("failed", text, url)
    return None


def _breaker_alarm(row: Mapping[str, Any]) -> Alarm | None:
    name = f"{row['provider']} {row['operation']}"
    text = {
        "open": gettext("Breaker %(name)s is open.", name=name),
        "isolated": gettext("Breaker %(name)s is isolated.", name=name),
    }.get(row["state"])
    return Alarm("failed", text, url_for("console_breakers.index")) if text else None


def _cron_alarm(row: Mapping[str, Any]) -> Alarm | None:
    text = {
        "late": gettext("Cron job %(name)s is late.", name=row["name"]),
        "failed": gettext("Cron job %(name)s failed.", name=row["name"]),
    }.get(row["health"])
    return Alarm("failed", text, url_for("console_crons.index")) if text else None


def _stalled_alarm(count: int) -> Alarm | None:
    if not count:
        return None
    text = ngettext(
        "%(num)s step or run stands still.", "%(num)s steps or runs stand still.", count
    )
    return Alarm("failed", text, url_for("console_dashboards.show", name="stalled"))
