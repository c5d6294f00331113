"""A delivery as it goes out: signed after the Standard Webhooks specification.

Source: https://www.standardwebhooks.com (the format of headers, secrets and signatures).
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from standardwebhooks import Webhook as Signer

from darkroom import __version__

Json = dict[str, Any]


@dataclass(frozen=True)
class Message:
    """One event for one endpoint, and whether that endpoint still listens.

    `now` is the database's time: receivers refuse what is signed minutes off their own clock.
    """

    id: UUID
    event: str
    run: Json
    created_at: datetime
    outcome: str | None
    webhook_id: UUID
    url: str
    secret: str
    listens: bool
    by_admin: bool
    now: datetime

    @property
    def body(self) -> str:
        """The JSON that is sent, the same in every try."""
        said = {
            "type": self.event,
            "timestamp": self.created_at.astimezone(UTC).isoformat(),
            "data": {"run": self.run},
        }
        return json.dumps(said, separators=(",", ":"), ensure_ascii=False)

    @property
    def headers(self) -> dict[str, str]:
        """Id, time and signature, and what HTTP wants."""
        number, moment = message_id(self.id), self.now.astimezone(UTC)
        return {
            "Content-Type": "application/json",
            "User-Agent": f"Darkroom/{__version__}",
            # Should the endpoint be a Darkroom on loopback: no call of its local user's.
            "Via": "1.1 darkroom",
            "webhook-id": number,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": Signer(self.secret).sign(number, moment, self.body),
        }


def message_id(delivery_id: UUID) -> str:
    """What receivers see as `webhook-id`."""
    return f"msg_{delivery_id.hex}"
