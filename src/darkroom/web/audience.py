"""Who will read the answer: a program, which gets JSON, or a person, who gets a page."""

from flask import Request, request

PROGRAMS = frozenset(
    {
        *("/generate-image", "/magic-prompt", "/enhance-media", "/live-portrait", "/face-swap"),
        *("/render-video", "/render-multi-scene"),
    }
)
"""Paths of programs outside of `/api`: the names that the media services have always had."""


def is_api(call: Request) -> bool:
    """True for the paths of programs, false for pages."""
    return call.path == "/api" or call.path.startswith("/api/") or call.path in PROGRAMS


def wants_json() -> bool:
    """True where a program (or a script of a page) asks, rather than a person."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html")
    return is_api(request) or request.path.endswith(".json") or best == "application/json"
