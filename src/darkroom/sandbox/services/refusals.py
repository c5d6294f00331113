"""How services in general say no: by a status."""

from flask import Response, jsonify

from darkroom.sandbox.faults import Fault

STATUS = {
    "limit": 429,
    "quota": 429,
    "blocked": 400,
    "no_picture": 200,
    "gone": 404,
    "expired": 401,
    "forbidden": 403,
}
WORDS = {
    "limit": "Too many requests.",
    "quota": "The quota of today is used up.",
    "error": "The sandbox was told to break down.",
    "blocked": "This is against the rules.",
    "no_picture": "",
    "gone": "There is no such model.",
    "expired": "The key is not valid.",
    "forbidden": "You may not do that.",
}


def is_refusal(fault: Fault | None) -> bool:
    """Whether a fault is one that the service itself speaks of."""
    return fault is not None and fault.kind in WORDS


def status_of(fault: Fault) -> int:
    """The status that fits."""
    return STATUS.get(fault.kind, fault.status)


def usual(fault: Fault) -> Response:
    """An answer with nothing but that status and a word."""
    answer = jsonify(error={"message": WORDS[fault.kind]})
    return told_to_wait(answer, fault)


def told_to_wait(answer: Response, fault: Fault) -> Response:
    """The answer with the fault's status, and how long to wait where that is told."""
    answer.status_code = status_of(fault)
    if fault.kind == "limit" and fault.seconds:
        answer.headers["Retry-After"] = f"{fault.seconds:g}"
    return answer
