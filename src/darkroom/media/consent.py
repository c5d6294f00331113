"""The consent of those who are seen or heard, without which nothing is made of their faces."""

from collections.abc import Mapping
from typing import Any

from darkroom.errors import Invalid
from darkroom.web.words import N_

FIELD = "consent"
_GIVEN = (True, "true", "on", "1", "yes")


def insist(sent: Mapping[str, Any]) -> None:
    """`Invalid` unless the request says that it was given."""
    given = sent.get(FIELD)
    if not isinstance(given, (bool, str)) or given not in _GIVEN:
        raise Invalid(
            N_("Say consent: true once everybody who can be seen or heard has agreed to this."),
            FIELD,
            code="no_consent",
        )
