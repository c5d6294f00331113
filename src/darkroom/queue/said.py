"""What errors and steps say, as a row can keep it."""

from darkroom.errors import DarkroomError

LONGEST = 20_000
"""Characters that are kept of a message, a traceback or a log."""


def message_of(error: BaseException) -> str:
    """An error's message for people; that of an unexpected one names its class."""
    said = _said(error)
    return storable(said if isinstance(error, DarkroomError) else f"{type(error).__name__}: {said}")


def storable(said: str) -> str:
    """The text as Postgres takes it: no NUL, no lone surrogates, no megabytes."""
    if len(said) > LONGEST:
        said = f"{said[: LONGEST // 2]} … {said[-LONGEST // 2 :]}"
    return said.replace("\0", "\ufffd").encode(errors="replace").decode()


def _said(error: BaseException) -> str:
    try:
        # The statement and its values are in the traceback, which is for operators.
        return str(error).partition("\n[SQL:")[0]
    except Exception as worse:
        return f"(its message cannot be shown: {type(worse).__name__})"
