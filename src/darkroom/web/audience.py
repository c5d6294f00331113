"""Who will read the answer: a program, which gets JSON, or a person, who gets a page."""

from flask import Request, request


def is_api(call: Request) -> bool:
    """True for the paths of programs, false for pages."""
    return call.path == "/api" or call.path.startswith("/api/")


def wants_json() -> bool:
    """True where a program (or a script of a page) asks, rather than a person."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html")
    return is_api(request) or request.path.endswith(".json") or best == "application/json"
