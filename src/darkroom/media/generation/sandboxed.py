"""What an answer says when the sandbox stood in for a service."""

from darkroom.web.words import N_

NOTE = N_("No key for a real service is set: the sandbox stood in for it.")


def note(*, is_sandbox: bool) -> dict[str, str]:
    """The fields that say so; none for the real thing."""
    return {"fallback": NOTE} if is_sandbox else {}
