"""What a status means when a service says nothing more telling."""

from datetime import timedelta
from typing import TypeVar

from darkroom.errors import DarkroomError, Invalid, Permanent, Refused, Transient
from darkroom.providers.http import Answer

Error = TypeVar("Error", bound=DarkroomError)

BUSY = {408, 420, 425, 429}
UNFIT = {400, 409, 413, 415, 422}
KEYLESS = {401, 403}


class NoPicture(Refused):
    """It gave nothing, and no reason that forbids to ask once more. Once is enough."""


def of(answer: Answer, error: Error) -> Error:
    """The error, with the status it is about."""
    error.http_status = answer.status
    return error


def usual(
    answer: Answer, said: str = "", *, setting: str = "", wait: timedelta | None = None
) -> DarkroomError:
    """What to raise for an answer that is no success.

    Parameters
    ----------
    said
        The service's own words; by default the beginning of the body.
    setting
        The environment variable to look at when it does not let us in.
    wait
        How long it asks us to wait; by default what its headers say.
    """
    words = f"{answer.name} answered {answer.status}: {said or answer.text or 'nothing more'}"
    if answer.status in BUSY or answer.status >= 500:
        return of(answer, Transient(words, wait or answer.retry_after))
    if answer.status in KEYLESS:
        return of(answer, Permanent(f"{words} Check {setting}." if setting else words))
    if answer.status in UNFIT:
        return of(answer, Invalid(words))
    return of(answer, Permanent(words))
