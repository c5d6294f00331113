"""`GET /openapi.json`: the API as OpenAPI 3.1, for programs and those who write them.

`?tag=publishing` leaves the calls of one part: agents take few calls at a time (30, GPT Actions).
Every part of Darkroom describes its own calls in an `openapi.yaml` beside its code; the one here
holds what they share. A test checks that each call described exists, and the other way round.
"""

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from flask import Blueprint, Response, jsonify, request

from darkroom import __version__
from darkroom.errors import NotFound
from darkroom.settings import ROOT
from darkroom.web.services import services

Json = dict[str, Any]

PACKAGE = ROOT / "src" / "darkroom"
FRAGMENT = "openapi.yaml"
METHODS = frozenset({"get", "put", "post", "delete", "patch"})
COMPONENTS = "#/components/"

blueprint = Blueprint("openapi", __name__)


@blueprint.get("/openapi.json")
def show() -> Response:
    """The document, or a part of it. It says nothing of anybody, so anybody may read it."""
    tag = request.args.get("tag")
    found = document() if tag is None else part(tag)
    address = services().settings.web.public_url or request.host_url
    return jsonify({**found, "servers": [{"url": address.rstrip("/")}]})


@cache
def document() -> Json:
    """All fragments as one."""
    whole: Json = {"openapi": "3.1.0", "info": {"version": __version__}}
    for fragment in sorted(PACKAGE.rglob(FRAGMENT)):
        whole = merged(whole, _read(fragment))
    return whole


def part(tag: str) -> Json:
    """The calls that bear the tag, and what they refer to; `NotFound` when none does."""
    whole = document()
    items = {path: _tagged(item, tag) for path, item in whole["paths"].items()}
    paths = {path: item for path, item in items.items() if METHODS & item.keys()}
    if not paths:
        raise NotFound("No call bears this tag.", "tag")
    tags = [each for each in whole["tags"] if each["name"] == tag]
    components = _components(whole["components"], paths)
    return {**whole, "tags": tags, "paths": paths, "components": components}


def merged(one: Json, other: Json) -> Json:
    """Both as one mapping; `ValueError` where they describe the same thing."""
    shared = {key: _joined(key, one[key], other[key]) for key in one.keys() & other.keys()}
    return {**one, **other, **shared}


def _tagged(item: Json, tag: str) -> Json:
    """A path without the calls that do not bear the tag."""
    return {
        name: value
        for name, value in item.items()
        if name not in METHODS or tag in value.get("tags", ())
    }


def _components(shared: Json, paths: Json) -> Json:
    """The components that the paths refer to, through others, too; and how to sign in."""
    wanted, unread = set[str](), _references(paths)
    while unread:
        wanted |= unread
        unread = set().union(*(_references(_at(shared, each)) for each in unread)) - wanted
    found: Json = {"securitySchemes": shared["securitySchemes"]}
    for each in sorted(wanted):
        kind, name = each.split("/")
        found.setdefault(kind, {})[name] = _at(shared, each)
    return found


def _references(value: Any) -> set[str]:
    """The components named within, as `schemas/Error`."""
    if isinstance(value, list):
        return set().union(*map(_references, value))
    if not isinstance(value, dict):
        return set()
    own = {value["$ref"].removeprefix(COMPONENTS)} if "$ref" in value else set()
    return own.union(*map(_references, value.values()))


def _at(shared: Json, reference: str) -> Any:
    kind, name = reference.split("/")
    return shared[kind][name]


def _joined(key: str, one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return merged(one, other)
    if isinstance(one, list) and isinstance(other, list):
        return one + other
    raise ValueError(f"{key} is described twice.")


def _read(fragment: Path) -> Json:
    found: Json = yaml.safe_load(fragment.read_text(encoding="utf-8"))
    return found
