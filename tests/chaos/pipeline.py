"""Steps that do as their plan says: told outside, stumbling, waiting, breaking, fanning out.

Runs under an older release too: nothing here may need what that lacks.
"""

import json
import os
import tempfile
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import text

from darkroom.errors import NotNow, Permanent, Transient
from darkroom.queue.settle import now
from darkroom.queue.step import Retry, Save, step
from darkroom.queue.task import Task
from darkroom.queue.transaction import Transaction

Json = dict[str, Any]

ANSWER_SECONDS = 30
WAIT = timedelta(seconds=0.2)
PRICE = Decimal("0.01")
"""What a call to a provider takes, and is expected to."""


def work(task: Task, plan: Json) -> Save:
    """Whatever the plan of this step says."""
    task.progress(0.1, "telling")
    if task.lease.attempt_number <= plan["waits"]:
        raise NotNow("not yet", now(task.database) + WAIT)
    if plan["stores"]:
        # First of all: what is not stored must not have been told.
        _store(task, plan["key"])
    receipt = _call(task, plan) if plan["provider"] else _told(task, plan)
    if plan["breaks"]:
        raise Permanent(f"{plan['key']} is broken")
    children = [child.ok for child in task.children()] if plan["gathers"] else []
    return partial(_save, task, plan, receipt, children)


def _save(task: Task, plan: Json, receipt: str, children: list[bool], tx: Transaction) -> None:
    tx.session.execute(
        text("INSERT INTO effects (key, attempt_id, receipt) VALUES (:key, :attempt, :receipt)"),
        {"key": plan["key"], "attempt": task.lease.attempt_id, "receipt": receipt},
    )
    tx.enqueue(*(call(following) for following in plan["next"]))
    if plan["children"]:
        # A callback has no label.
        then = replace(call(plan["then"]), label="")
        tx.fan_out([call(child) for child in plan["children"]], then=then)
    if plan["gathers"]:
        tx.result_of_run(**{plan["key"]: [sum(children), len(children)]})


def call(plan: Json) -> Any:
    """What to enqueue for a plan."""
    return STEPS[plan["lane"]].call(plan=plan, label=plan["key"], share=plan["share"])


def tell(key: str, attempt_id: int, seconds: float) -> str:
    """Do the outside effect of the key, which takes so long; the receipt of its first doing."""
    asked = {"key": key, "attempt": attempt_id, "seconds": seconds}
    with urllib.request.urlopen(
        os.environ["CHAOS_OUTSIDE"], json.dumps(asked).encode(), timeout=ANSWER_SECONDS
    ) as answer:
        return str(answer.read().decode())


def _call(task: Task, plan: Json) -> str:
    """Tell through the gates of the plan's provider, and pay for it, well done or not."""
    # Imported here: an older release has no gates.
    from darkroom.queue.gates.call import calling

    provider = plan["provider"]
    with calling(task, provider=provider, operation="tell", estimate=PRICE) as outside:
        return _told(task, plan, then=lambda: outside.charge(PRICE))


def _told(task: Task, plan: Json, then: Callable[[], None] = lambda: None) -> str:
    receipt = tell(plan["key"], task.lease.attempt_id, plan["takes"])
    then()
    if task.lease.burned < plan["stumbles"]:
        raise Transient(f"stumbled {task.lease.burned + 1}")
    return receipt


def _store(task: Task, key: str) -> None:
    # Imported here: boto3 is slow to load, and few steps store anything.
    from darkroom.gated import files

    with tempfile.NamedTemporaryFile("w") as file:
        print(key, file=file, end="", flush=True)
        files.put(task, Path(file.name), mime="text/plain", key=f"chaos/{key}")


STEPS = {
    lane: step(lane=lane, retry=Retry(attempts=100), name=f"chaos.{lane}")(work)
    for lane in ("io", "cpu", "gpu")
}
