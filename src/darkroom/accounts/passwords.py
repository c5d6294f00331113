"""Passwords, hashed with argon2id (RFC 9106's parameters for machines with little memory)."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from darkroom.errors import Invalid

MIN_LENGTH = 10
MAX_LENGTH = 200

_hasher = PasswordHasher()


def check_new(password: str) -> str:
    """The password itself, or `Invalid` when it is too short or too long."""
    if len(password) < MIN_LENGTH:
        raise Invalid("The password must have at least 10 characters.", "password")
    if len(password) > MAX_LENGTH:
        raise Invalid("The password must have at most 200 characters.", "password")
    return password


def hashed(password: str) -> str:
    """The argon2id hash to keep, salt and parameters included."""
    return _hasher.hash(password)


def matches(password: str, password_hash: str | None) -> bool:
    """True when the password is the one hashed.

    Without a hash (no such user, no password set) it takes the same time and is false, so that
    nobody can tell from the clock who exists.
    """
    try:
        _hasher.verify(password_hash or _nobodys(), password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return password_hash is not None


def outdated(password_hash: str) -> bool:
    """True when the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


@cache
def _nobodys() -> str:
    return _hasher.hash("nobody has this password")
