"""Random tokens, of which only the SHA-256 is kept."""

import hashlib
import secrets

PREFIX = "dk_"


def new_api_token() -> str:
    """A token for programs, recognisable by its prefix; 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def new_link_token() -> str:
    """A token for a sign-in link; 256 random bits."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What is kept of a token. It has 256 random bits, so no salt or slow hash is needed."""
    return hashlib.sha256(token.encode()).digest()


def hint(token: str) -> str:
    """What people see of a token afterwards, to tell their tokens apart."""
    return f"{PREFIX}…{token[-4:]}"
