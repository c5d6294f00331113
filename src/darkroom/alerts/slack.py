"""Alerts as Slack messages."""

from darkroom.alerts import Alert
from darkroom.providers import slack


def send(url: str, alert: Alert, timeout_seconds: float) -> None:
    """Post the alert to a webhook; raises what `Slack.post` raises."""
    said = f"*{slack.escaped(alert.headline)}*\n{slack.escaped(alert.text)}"
    slack.connect(url, timeout_seconds).post(said)
