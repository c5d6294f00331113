"""Passes: JSON Web Tokens (RFC 7519, HS256) that programs get for an e-mail and a password.

A pass lasts a while and ends early with the sessions of its user, as when the password changes.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any

import jwt
from sqlalchemy import select
from sqlalchemy.orm import Session

from darkroom.accounts.models import User

LIFE = timedelta(hours=12)
ALGORITHM = "HS256"
AUDIENCE = "darkroom"


def issue(user: User, secret: str, now: datetime) -> str:
    """A pass for the user."""
    claims = {
        "sub": str(user.uuid),
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + LIFE,
        "epoch": user.session_epoch,
    }
    return jwt.encode(claims, _key(secret), algorithm=ALGORITHM)


def looks_like_one(token: str) -> bool:
    """Whether a bearer token is a pass rather than an API token."""
    return token.count(".") == 2


def user_of(session: Session, token: str, secret: str) -> User | None:
    """The active user of a pass; None when it is forged, over, or no longer theirs."""
    claims = _claims(token, secret)
    if claims is None:
        return None
    user = session.scalars(select(User).where(User.uuid == claims["sub"])).one_or_none()
    valid = user is not None and user.is_active and user.session_epoch == claims.get("epoch")
    return user if valid else None


def _claims(token: str, secret: str) -> dict[str, Any] | None:
    wanted: Any = {"require": ["sub", "exp", "iat", "aud"]}
    try:
        return jwt.decode(
            token, _key(secret), algorithms=[ALGORITHM], audience=AUDIENCE, options=wanted
        )
    except jwt.InvalidTokenError:
        return None


def _key(secret: str) -> bytes:
    # Not the key of the cookies itself: neither may ever pass for the other.
    return hashlib.sha256(f"pass {secret}".encode()).digest()
