"""Telling the outside what happened to runs.

    a run's status changes ──▶ deliver (one a webhook that listens for it)

The database itself enqueues the job (`darkroom_signal_run`), in the transaction of the change.
"""

from datetime import timedelta
from uuid import UUID

from darkroom.errors import DarkroomError, Transient
from darkroom.providers import addresses
from darkroom.providers.addresses import Endpoint
from darkroom.queue.step import Retry, Save, step
from darkroom.queue.task import Task
from darkroom.queue.transaction import Transaction
from darkroom.signals import delivering, sending
from darkroom.signals.delivering import Try
from darkroom.signals.messages import Message
from darkroom.signals.sending import Answer

GONE = 410
LONGEST_WAIT = timedelta(hours=10)


@step(lane="io", retry=Retry(attempts=8))
def deliver(task: Task, delivery_id: str) -> Save | None:
    """Send one event of a run to one endpoint, again and again over hours until it is taken."""
    message = delivering.load(task.database, UUID(delivery_id))
    if message is None or message.outcome is not None:
        return None
    if not message.listens:
        return lambda tx: delivering.skip(tx.session, message.id, "The webhook did not listen.")
    endpoint = addresses.parse(message.url)
    answer = _sent(task, message, endpoint)
    if answer.status == GONE:
        tried = Try("The endpoint answered 410: it is gone for good.", answer)
        return lambda tx: delivering.note_gone(tx.session, message, tried)
    if not answer.ok:
        raise _refused(task, message, endpoint, answer)

    def save(tx: Transaction) -> None:
        delivering.note_delivered(tx.session, message.id, answer)

    return save


def _sent(task: Task, message: Message, endpoint: Endpoint) -> Answer:
    chosen = task.settings.signals
    private = message.by_admin or chosen.webhook_private
    try:
        return sending.post(
            endpoint,
            addresses.checked(endpoint, private=private),
            message.body.encode(),
            message.headers,
            chosen.webhook_timeout_seconds,
        )
    except DarkroomError as error:
        delivering.note_failure(task.database, message.id, task.lease.job_id, Try(error.message))
        if isinstance(error, Transient):
            raise Transient(error.message, _wait(task)) from error
        raise


def _refused(task: Task, message: Message, endpoint: Endpoint, answer: Answer) -> Transient:
    """The failure of a try that was answered, noted."""
    said = f"{endpoint.origin} answered {answer.status}."
    delivering.note_failure(task.database, message.id, task.lease.job_id, Try(said, answer))
    return Transient(said, max(_wait(task), answer.retry_after or timedelta()))


def _wait(task: Task) -> timedelta:
    """The time until the next try: five times longer after each."""
    first = task.settings.signals.webhook_retry_seconds
    return min(timedelta(seconds=first * 5.0**task.lease.burned), LONGEST_WAIT)
