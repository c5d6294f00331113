"""Telling the people who run this installation what happened.

    alert ──▶ slack, email (those that are set)

A channel a step, so that one that does not work is tried again without repeating the other.
"""

import logging

from darkroom.alerts import Alert, mail
from darkroom.alerts import slack as slack_webhook
from darkroom.errors import Permanent
from darkroom.providers.calls import calling_provider
from darkroom.queue.calls import Call
from darkroom.queue.step import Retry, Save, step
from darkroom.queue.task import Task
from darkroom.queue.transaction import Transaction
from darkroom.settings import AlertSettings

log = logging.getLogger(__name__)

NO_CHANNEL = (
    "No channel is set, so the alert was only logged. Set DARKROOM_SLACK_WEBHOOK_URL, or "
    "DARKROOM_SMTP_HOST and DARKROOM_ALERT_EMAIL."
)


@step(lane="io")
def alert(task: Task, subject: str, text: str) -> Save:
    """Log an alert and have it sent by every channel that is set."""
    log.warning("alert: %s: %s", subject, text)
    calls = _channels(task.settings.alerts, subject, text)

    def save(tx: Transaction) -> None:
        tx.enqueue(*calls)
        channels = [call.name.rpartition(".")[2] for call in calls]
        tx.result(channels=channels, note="" if channels else NO_CHANNEL)

    return save


@step(lane="io", retry=Retry(attempts=8))
def slack(task: Task, subject: str, text: str) -> Save:
    """Post an alert to the Slack webhook."""
    settings = task.settings.alerts
    if settings.slack_webhook_url is None:
        raise Permanent("DARKROOM_SLACK_WEBHOOK_URL is not set any more.")
    said = _alert(task, subject, text)
    with calling_provider(task, "slack", "post"):
        slack_webhook.send(settings.slack_webhook_url, said, settings.timeout_seconds)
    return lambda tx: tx.result(delivered=True)


@step(lane="io", retry=Retry(attempts=8))
def email(task: Task, subject: str, text: str) -> Save:
    """Send an alert by e-mail."""
    settings = task.settings.alerts
    if settings.smtp_host is None or not settings.email_to:
        raise Permanent("DARKROOM_SMTP_HOST or DARKROOM_ALERT_EMAIL is not set any more.")
    mail.send(settings, settings.smtp_host, _alert(task, subject, text))
    return lambda tx: tx.result(delivered=True)


def _channels(settings: AlertSettings, subject: str, text: str) -> list[Call]:
    calls = []
    if settings.slack_webhook_url:
        calls.append(slack.call(label=subject, subject=subject, text=text))
    if settings.smtp_host and settings.email_to:
        calls.append(email.call(label=subject, subject=subject, text=text))
    return calls


def _alert(task: Task, subject: str, text: str) -> Alert:
    return Alert(subject, text, key=f"alert-{task.lease.job_id}")
