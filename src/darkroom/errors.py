"""The error types of Darkroom. What is raised decides what happens next.

A step that raises `Transient` is tried again, `Permanent` and `Invalid` fail it now, `NotNow` puts
it back without burning an attempt, `Cancelled` ends it quietly. In a web request `Invalid` and its
kin become a 4xx answer that names the field.
"""

from datetime import datetime, timedelta


class DarkroomError(Exception):
    """Base of every error that Darkroom raises on purpose. Its text is meant for people."""

    code = "error"
    http_status: int | None = None
    """What an outside service answered, if one did and the error is about that."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Transient(DarkroomError):
    """Something outside failed that may work later: the step is retried with backoff.

    Parameters
    ----------
    retry_after
        How long the other side asked us to wait; honoured instead of the backoff when longer.
    """

    code = "transient"

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Permanent(DarkroomError):
    """Trying again cannot help: the step fails now."""

    code = "permanent"


class ModelGone(Permanent):
    """A provider has no such model (any more): take another one. Counts against no breaker."""

    code = "model_gone"


class Invalid(DarkroomError):
    """The caller's mistake: fails now and never counts against a breaker.

    Parameters
    ----------
    field
        The name of the field at fault, as the caller knows it.
    status
        The HTTP status a web request answers with.
    """

    code = "invalid"

    def __init__(
        self, message: str, field: str | None = None, *, status: int = 400, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.field = field
        self.status = status
        self.code = code or type(self).code


class Refused(Invalid):
    """A provider refuses what was asked for, for safety or by its rules: trying again is no use."""

    code = "refused"

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message, field, status=422)


class NotFound(Invalid):
    """What was asked for does not exist, or is not the caller's."""

    code = "not_found"

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message, field, status=404)


class Conflict(Invalid):
    """The request does not fit the present state (retrying a run that is still going, say)."""

    code = "conflict"

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message, field, status=409)


class NotEnough(Invalid):
    """More tokens are needed than the balance holds. A web answer (402) carries both figures."""

    code = "not_enough_tokens"

    def __init__(self, needed: int, have: int) -> None:
        super().__init__(f"This takes {needed} tokens; the balance holds {have}.", status=402)
        self.needed = needed
        self.have = have


class NotNow(DarkroomError):
    """A gate is closed: the step goes back to the queue without burning an attempt.

    Parameters
    ----------
    until
        When to try again (aware). None: as soon as a slot is free.
    kind
        What is closed, as `steps.waiting_kind` names it; `darkroom_why_waiting_v4` lists them.
    on
        Which one ("gemini edit").
    """

    code = "not_now"

    def __init__(
        self,
        message: str,
        until: datetime | None = None,
        *,
        kind: str | None = None,
        on: str | None = None,
    ) -> None:
        super().__init__(message)
        self.until = until
        self.kind = kind
        self.on = on


class Cancelled(DarkroomError):
    """The run was cancelled, or the step's lease was lost: stop, and keep nothing."""

    code = "cancelled"
