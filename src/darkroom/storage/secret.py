"""The secret that signs links and sessions: given, or made once for the installation."""

import fcntl
import os
import secrets

from darkroom.errors import Invalid, Permanent
from darkroom.settings import Settings

SHORTEST = 16


def secret_key(settings: Settings) -> str:
    """`DARKROOM_SECRET_KEY`, or the secret of the file `secret` in the home folder.

    The file is made on first use, readable by its owner only. Processes that ask at the same
    moment all get the same secret.

    Raises
    ------
    Invalid
        When the secret given is too short to be one.
    Permanent
        When the file belongs to another user.
    """
    if settings.secret_key is None:
        return _kept(settings)
    if len(settings.secret_key) < SHORTEST:
        raise Invalid(
            f"DARKROOM_SECRET_KEY must have at least {SHORTEST} characters.", "DARKROOM_SECRET_KEY"
        )
    return settings.secret_key


def _kept(settings: Settings) -> str:
    path = settings.home / "secret"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except PermissionError as error:
        raise Permanent(
            f"Cannot read {path}: it belongs to another user. Run Darkroom as that user, or set "
            "DARKROOM_HOME to a folder of your own."
        ) from error
    with os.fdopen(handle, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        found = file.read()
        # Cut short by a crash in the middle of its first writing: nobody has used it yet.
        if len(found) < SHORTEST:
            found = _written(file.fileno())
    return found


def _written(handle: int) -> str:
    made = secrets.token_urlsafe(48)
    os.ftruncate(handle, 0)
    os.pwrite(handle, made.encode(), 0)
    os.fsync(handle)
    return made
