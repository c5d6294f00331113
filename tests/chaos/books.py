"""What must hold when all is over: questions to the database, and to the world outside."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

from darkroom.db.sessions import Database
from tests.chaos.outside import Outside
from tests.chaos.pipeline import PRICE
from tests.chaos.plans import Plan

BROKEN = {
    "every run ended": """
        SELECT id, title, status, open_steps, note, error FROM runs
        WHERE status NOT IN ('completed', 'failed', 'cancelled') OR open_steps <> 0
            OR finished_at IS NULL OR (status = 'failed') <> (error IS NOT NULL)
            OR (status = 'cancelled') AND cancel_requested_at IS NULL
            OR (status = 'completed') AND progress < 1 - 1e-9""",
    "no step waits or runs": """
        SELECT j.id, j.status, j.scheduled_at, s.waiting_for FROM procrastinate_jobs j
        LEFT JOIN steps s ON s.job_id = j.id WHERE j.status IN ('todo', 'doing')""",
    "no attempt is open": "SELECT * FROM attempts WHERE finished_at IS NULL",
    "a fan-in counts its children": """
        SELECT f.id, f.pending, f.failed, f.children, count(*) FROM fan_ins f
        JOIN steps s ON s.fan_in_id = f.id JOIN procrastinate_jobs j ON j.id = s.job_id
        GROUP BY f.id
        HAVING f.children <> count(*)
            OR f.pending <> count(*) FILTER (WHERE j.status NOT IN ('succeeded', 'failed'))
            OR f.failed <> count(*) FILTER (WHERE j.status = 'failed')""",
    "a fan-in calls back once, when all children ended and some did well": """
        SELECT f.id, f.pending, f.failed, f.children, f.fired_at, count(s.job_id) FROM fan_ins f
        LEFT JOIN steps s ON s.callback_of = f.id
        GROUP BY f.id
        HAVING count(s.job_id) <> CASE WHEN f.pending = 0 AND f.failed < f.children
                THEN 1 ELSE 0 END
            OR (f.fired_at IS NOT NULL) <> (count(s.job_id) = 1)""",
    "a completed run left nothing undone but children that failed": """
        SELECT r.title, s.job_id, s.label, j.status FROM runs r
        JOIN steps s ON s.run_id = r.id JOIN procrastinate_jobs j ON j.id = s.job_id
        WHERE r.status = 'completed' AND j.status <> 'succeeded'
            AND NOT (j.status = 'failed' AND s.fan_in_id IS NOT NULL)""",
    "a step that succeeded did so in one attempt, and no other has such": """
        SELECT j.id, j.status, count(a.id) FROM procrastinate_jobs j
        LEFT JOIN attempts a ON a.job_id = j.id AND a.outcome = 'succeeded'
        GROUP BY j.id
        HAVING count(a.id) <> CASE WHEN j.status = 'succeeded' THEN 1 ELSE 0 END""",
    "what a step writes is there once for each attempt that succeeded, and for no other": """
        SELECT a.id, a.job_id, a.outcome, count(e.attempt_id) FROM attempts a
        JOIN procrastinate_jobs j ON j.id = a.job_id AND j.args ? 'plan'
        LEFT JOIN effects e ON e.attempt_id = a.id
        GROUP BY a.id
        HAVING count(e.attempt_id) <> CASE WHEN a.outcome = 'succeeded' THEN 1 ELSE 0 END""",
    "no effect is of an unknown attempt": """
        SELECT e.* FROM effects e LEFT JOIN attempts a ON a.id = e.attempt_id WHERE a.id IS NULL""",
    "nothing is done twice": "SELECT key, count(*) FROM effects GROUP BY key HAVING count(*) > 1",
    "nothing is enqueued twice":
        """
        SELECT args #>> '{plan,key}', count(*) FROM procrastinate_jobs
        WHERE args ? 'plan' GROUP BY 1 HAVING count(*) > 1""",
    "attempts are numbered": """
        SELECT job_id, number, count(*) FROM attempts
        GROUP BY job_id, number HAVING count(*) > 1""",
    "burned attempts are those that did not wait": """
        SELECT j.id, j.attempts, count(a.id) FROM procrastinate_jobs j
        LEFT JOIN attempts a ON a.job_id = j.id
            AND a.outcome IN ('succeeded', 'failed', 'retried', 'lost')
        GROUP BY j.id HAVING j.attempts <> count(a.id)""",
    "no time lies before its cause or in the future": """
        SELECT a.id, a.started_at, a.finished_at, s.created_at FROM attempts a
        JOIN steps s ON s.job_id = a.job_id
        WHERE a.finished_at < a.started_at OR a.started_at < s.created_at - interval '1 second'
            OR a.finished_at > clock_timestamp() OR s.finished_at > clock_timestamp()""",
    "a run costs what was charged for it": """
        SELECT r.title, r.cost, sum(c.amount) FROM runs r LEFT JOIN charges c ON c.run_id = r.id
        GROUP BY r.id HAVING r.cost <> coalesce(sum(c.amount), 0)""",
    "what was spent is what was charged": """
        SELECT day, provider, owner_id, c.amount, s.amount FROM spending s FULL JOIN (
            SELECT (at AT TIME ZONE 'UTC')::date AS day, provider, owner_id, sum(amount) AS amount
            FROM charges GROUP BY 1, 2, 3
        ) c USING (day, provider, owner_id)
        WHERE c.amount IS DISTINCT FROM s.amount""",
    "an attempt pays for one call": f"""
        SELECT attempt_id, sum(amount) FROM charges
        GROUP BY attempt_id HAVING sum(amount) NOT IN (0, {PRICE})""",
}  # fmt: skip

LEFT = """
    SELECT status::text AS what, task_name AS which FROM procrastinate_jobs
    WHERE status IN ('todo', 'doing')
    UNION ALL SELECT 'in flight', call_id::text FROM permits
    UNION ALL SELECT 'waits', gate FROM gate_waits
    UNION ALL SELECT 'keeps the pace', name FROM paces WHERE holder_call_id IS NOT NULL"""

CALLS = """
    SELECT
        a.id AS attempt_id, j.args #>> '{plan,key}' AS key, a.outcome, a.worker, a.started_at,
        a.finished_at, j.args #>> '{plan,provider}' AS provider,
        (SELECT sum(c.amount) FROM charges c WHERE c.attempt_id = a.id) AS paid
    FROM attempts a JOIN procrastinate_jobs j ON j.id = a.job_id"""

Rows = list[Any]


def ask(database: Database, query: str, **values: Any) -> Rows:
    """The rows of a query."""
    with database.session() as session:
        return list(session.execute(text(query), values))


def broken(database: Database, outside: Outside, plans: Mapping[str, Plan]) -> dict[str, Any]:
    """What does not hold, with the rows that show it; empty when all is well."""
    found = {what: ask(database, query) for what, query in BROKEN.items()}
    found |= _runs(database, plans)
    found |= _outside(database, outside)
    return {what: rows[:10] for what, rows in found.items() if rows}


def left(database: Database) -> Rows:
    """What is still to be done: jobs, and what is held of the gates or waits before them."""
    return ask(database, LEFT)


def repeats(database: Database, outside: Outside) -> Rows:
    """The attempts whose call outside was made again because of a fault (not by design)."""
    attempts = {row.attempt_id: row for row in ask(database, CALLS)}
    # By number: one that was frozen may call after the one that took over from it.
    earlier = [attempts[attempt] for by in outside.calls.values() for attempt in sorted(by)[:-1]]
    return [attempt for attempt in earlier if attempt.outcome != "retried"]


def _runs(database: Database, plans: Mapping[str, Plan]) -> dict[str, Rows]:
    rows = ask(
        database,
        """SELECT r.title, r.status, r.result, r.error,
            r.cancel_requested_at IS NOT NULL AS stopped,
            array_remove(array_agg(e.key), NULL) AS keys
        FROM runs r LEFT JOIN steps s ON s.run_id = r.id
        LEFT JOIN attempts a ON a.job_id = s.job_id
        LEFT JOIN effects e ON e.attempt_id = a.id
        GROUP BY r.id""",
    )
    titles = {row.title for row in rows}
    return {
        "every run is there once": sorted(plans.keys() - titles)
        + [title for title, times in Counter(row.title for row in rows).items() if times > 1],
        "every run ended as it had to": [row for row in rows if not _ended_well(row, plans)],
    }


def _ended_well(row: Any, plans: Mapping[str, Plan]) -> bool:
    plan = plans[row.title]
    if row.status == "completed":
        return not plan.fails and set(row.keys) == plan.keys and (row.result or {}) == plan.result
    if row.status == "failed":
        return plan.fails and "broken" in row.error["message"] and set(row.keys) <= plan.keys
    return bool(row.stopped) and set(row.keys) <= plan.keys


def _outside(database: Database, outside: Outside) -> dict[str, Rows]:
    attempts = {row.attempt_id: row for row in ask(database, CALLS)}
    receipts = ask(database, "SELECT key, receipt FROM effects")
    calls = [(key, attempt) for key, by in outside.calls.items() for attempt in by]
    return {
        "what a step did outside is known inside": [
            row for row in receipts if row.receipt != outside.receipt(row.key)
        ],
        "what a step did outside is done there": [
            row for row in receipts if row.key not in outside.calls
        ],
        "an attempt calls once, under its own key": [
            call for call, times in Counter(calls).items() if times > 1
        ]
        + [call for call in calls if call[1] not in attempts or attempts[call[1]].key != call[0]],
        "what a provider did is paid for": [
            attempt
            for attempt in (
                attempts[attempt_id] for _, attempt_id in calls if attempt_id in attempts
            )
            if attempt.provider and attempt.paid != PRICE
        ],
    }
