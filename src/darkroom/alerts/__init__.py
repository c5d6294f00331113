"""Alerts to the people who run an installation: by Slack and by e-mail, each if it is set."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Alert:
    """What they are told. `key` is the same in every try to deliver it."""

    subject: str
    text: str
    key: str

    @property
    def headline(self) -> str:
        """The subject in one line."""
        return " ".join(self.subject.split())
