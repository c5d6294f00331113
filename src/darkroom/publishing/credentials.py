"""Credentials at rest: sealed with a key of the environment, opened only to be used.

The key is made of `DARKROOM_CREDENTIALS_KEY`, or of the installation's secret where that is not
set, by HKDF (RFC 5869); what is sealed is a Fernet token.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from darkroom.errors import Invalid, Permanent
from darkroom.settings import Settings
from darkroom.storage.secret import SHORTEST, secret_key

NAME = "DARKROOM_CREDENTIALS_KEY"


def seal(settings: Settings, secret: str) -> str:
    """The secret as it may be written down; each time another text."""
    return _fernet(settings).encrypt(secret.encode()).decode()


def unseal(settings: Settings, sealed: str, whose: str) -> str:
    """The secret again.

    Raises
    ------
    Permanent
        When it was sealed with another key; `whose` names what it belongs to.
    """
    try:
        return _fernet(settings).decrypt(sealed.encode()).decode()
    except InvalidToken:
        words = (
            f"The credentials of {whose} were sealed with another key. Set {NAME} (or "
            "DARKROOM_SECRET_KEY) as it was, or enter them again."
        )
        raise Permanent(words) from None


def _fernet(settings: Settings) -> Fernet:
    given = settings.publishing.credentials_key
    if given is not None and len(given) < SHORTEST:
        raise Invalid(f"{NAME} must have at least {SHORTEST} characters.", NAME)
    words = given or secret_key(settings)
    made = HKDF(hashes.SHA256(), length=32, salt=None, info=b"darkroom credentials")
    return Fernet(base64.urlsafe_b64encode(made.derive(words.encode())))
