"""Calls to outside services as rows: one for each, written when it is over."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from darkroom.errors import (
    Cancelled,
    DarkroomError,
    Invalid,
    ModelGone,
    NotNow,
    Refused,
    Transient,
)
from darkroom.providers.models import ProviderCall
from darkroom.queue.gates.call import OutsideCall, calling
from darkroom.queue.task import Task
from darkroom.settings import ProvidersSettings

log = logging.getLogger(__name__)

LONGEST_ERROR = 500
OUTCOMES: tuple[tuple[type[BaseException], str], ...] = (
    (Refused, "refused"),
    (Invalid, "invalid"),
    (ModelGone, "gone"),
    (Transient, "transient"),
    (Exception, "permanent"),
)
"""How a call ended, by what it raised: the first that fits."""


@contextmanager
def calling_provider(
    task: Task,
    provider: str,
    operation: str,
    *,
    model: str | None = None,
    estimate: Decimal = Decimal(0),
    pace: str | None = None,
) -> Iterator[OutsideCall]:
    """Ask the gates for one call that buys nothing, and write its row after it.

    Raises what `calling` raises. What costs money goes through `buying.buy`.
    """
    with calling(
        task, provider=provider, operation=operation, estimate=estimate, pace=pace
    ) as call:
        began = time.monotonic()
        with noting_failure(task, provider, operation, model):
            yield call
        _write(task, row(task, provider, operation, model, time.monotonic() - began))


@contextmanager
def noting_failure(
    task: Task, provider: str, operation: str, model: str | None, answer_key: str | None = None
) -> Iterator[None]:
    """Write the row of a call that fails."""
    began = time.monotonic()
    try:
        yield
    except (NotNow, Cancelled, SQLAlchemyError):
        # These say nothing about the call.
        raise
    except Exception as error:
        failed = row(task, provider, operation, model, time.monotonic() - began, answer_key)
        _write(task, _with_error(failed, error))
        raise


def row(
    task: Task,
    provider: str,
    operation: str,
    model: str | None,
    seconds: float,
    answer_key: str | None = None,
    **more: Any,
) -> ProviderCall:
    """The row of a call that went well."""
    lease = task.lease
    return ProviderCall(
        provider=provider,
        operation=operation,
        model=model,
        owner_id=lease.owner_id,
        run_id=lease.run_id,
        job_id=lease.job_id,
        attempt_id=lease.attempt_id,
        answer_key=answer_key,
        outcome="succeeded",
        latency_seconds=seconds,
        is_sandbox=is_sandbox(task.settings.providers, provider),
        **more,
    )


def add(session: Session, call: ProviderCall) -> None:
    """Write a row in the caller's transaction."""
    session.add(call)


def is_sandbox(settings: ProvidersSettings, provider: str) -> bool:
    """Whether the sandbox stands in for that service."""
    return provider in settings.sandboxed


def _with_error(call: ProviderCall, error: Exception) -> ProviderCall:
    known = isinstance(error, DarkroomError)
    said = error.message if isinstance(error, DarkroomError) else type(error).__name__
    call.outcome = next(outcome for kind, outcome in OUTCOMES if isinstance(error, kind))
    call.error = said.replace("\0", "").encode(errors="replace").decode()[:LONGEST_ERROR]
    call.http_status = error.http_status if known else None  # type: ignore[attr-defined]
    return call


def _write(task: Task, call: ProviderCall) -> None:
    try:
        with task.database.session() as session:
            add(session, call)
    except SQLAlchemyError:
        # The call was made, and is not undone for want of its row.
        log.warning("the row of a call to %s was not written", call.provider, exc_info=True)
