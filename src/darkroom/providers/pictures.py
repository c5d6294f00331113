"""What is handed to the services and what comes back."""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


@dataclass(frozen=True)
class Picture:
    """A picture as a file's bytes."""

    data: bytes = field(repr=False)
    mime: str

    @property
    def base64(self) -> str:
        """The bytes for JSON."""
        return base64.b64encode(self.data).decode()


@dataclass(frozen=True)
class Reply:
    """An answer that holds what was asked for.

    Parameters
    ----------
    body
        The answer as it came; the module it came from reads pictures and texts out of it.
    images
        How many pictures are paid for.
    facts
        What is worth keeping of it besides (must survive JSON).
    """

    body: bytes = field(repr=False)
    mime: str = "application/json"
    images: int = 0
    tokens_in: int | None = None
    tokens_out: int | None = None
    facts: Json = field(default_factory=dict)


def mime_of(data: bytes) -> str:
    """What kind of picture the bytes begin like; application/octet-stream for no known one."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    known = (mime for magic, mime in MAGIC.items() if data.startswith(magic))
    return next(known, "application/octet-stream")


def decoded(text: str) -> bytes | None:
    """The bytes of base64 text; None when it is none, or of nothing."""
    try:
        return base64.b64decode(text, validate=True) or None
    except (binascii.Error, ValueError):
        return None
