"""What requests for publishing say."""

from collections.abc import Mapping
from typing import Any

from flask import request

from darkroom.db.texts import is_storable
from darkroom.errors import Invalid
from darkroom.publishing import activities, requesting
from darkroom.publishing.history import Post

Json = dict[str, Any]

LARGEST_ID = 2**53
OURS = {"run_id", "site", "endpoint", "post_type"}
"""What a request for an activity says besides its fields."""
MODES = ("replace", "join")


def body() -> Json:
    """The JSON object that was sent."""
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict):
        raise Invalid("Send a JSON object, with Content-Type: application/json.", code="not_json")
    return sent


def wish(sent: Mapping[str, Any]) -> requesting.Wish:
    """A request for pictures."""
    return requesting.Wish(
        prompt(sent),
        post_id(sent.get("wp_post_id")),
        name(sent, "run_id") or requesting.new_run_id(),
        number(sent.get("n", 1), "n", requesting.MOST_PICTURES),
        name(sent, "site"),
        endpoint(sent),
        name(sent, "field"),
    )


def activity(sent: Mapping[str, Any]) -> activities.Wish:
    """A request for an activity: what is not ours is a field of it, `fields` itself included."""
    given = sent.get("fields", {})
    if not isinstance(given, dict):
        raise Invalid("fields must be a JSON object.", "fields")
    beside = {key: value for key, value in sent.items() if key not in {*OURS, "fields"}}
    run_id = name(sent, "run_id") or requesting.new_run_id()
    return activities.Wish(run_id, name(sent, "site"), endpoint(sent), {**beside, **given})


def prompt(sent: Mapping[str, Any]) -> str:
    """What is to be seen, or to change."""
    return requesting.checked_prompt(sent.get("prompt"))


def post(sent: Mapping[str, Any]) -> Post:
    """The post that pictures were asked for."""
    found = post_id(sent.get("wp_post_id"))
    run_id = name(sent, "run_id")
    if run_id is None:
        raise Invalid("run_id must be that of the request for the pictures.", "run_id")
    return Post(found, run_id, name(sent, "site"), endpoint(sent))


def post_id(given: object) -> int:
    """The number of a post."""
    return number(given, "wp_post_id", LARGEST_ID)


def endpoint(sent: Mapping[str, Any]) -> str | None:
    """The type of post, which is part of addresses."""
    given = name(sent, "endpoint") or name(sent, "post_type")
    if given is not None and not given.replace("-", "").replace("_", "").isalnum():
        raise Invalid(
            f"endpoint must be a post type like planessemanales, not {given!r}.", "endpoint"
        )
    return given


def joins(sent: Mapping[str, Any]) -> bool:
    """Whether an edited picture joins the one it was made of, rather than replace it."""
    mode = sent.get("mode", "replace")
    if mode not in MODES:
        raise Invalid("mode must be “replace” or “join”.", "mode")
    return bool(mode == "join")


def flag(sent: Mapping[str, Any], field: str) -> bool:
    """Yes or no; no where it is not said."""
    given = sent.get(field, False)
    if not isinstance(given, bool):
        raise Invalid(f"{field} must be true or false.", field)
    return given


def number(given: object, field: str, most: int) -> int:
    """A whole number from 1 on, also as text: of a query, or as some agents write it."""
    text = "" if isinstance(given, bool) else str(given)
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:17]) <= most):
        raise Invalid(f"{field} must be a whole number from 1 to {most}, not {given!r}.", field)
    return int(text)


def name(sent: Mapping[str, Any], field: str) -> str | None:
    """A short text; None where it is not given."""
    given = sent.get(field)
    if given is None or given == "":
        return None
    longest = requesting.LONGEST_NAME
    if not isinstance(given, str) or not is_storable(given) or len(given) > longest:
        raise Invalid(f"{field} must be a text of at most {longest} characters.", field)
    return given


def pairs(given: str, field: str) -> dict[str, str]:
    """Names and values, one pair a line: "name = value"."""
    lines = [line.partition("=") for line in given.splitlines() if line.strip()]
    if not all(name.strip() and value.strip() for name, _, value in lines):
        raise Invalid("Write one field a line, as: name = value.", field)
    return {name.strip(): value.strip() for name, _, value in lines}
