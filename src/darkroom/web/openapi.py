"""`GET /openapi.json`: the API as OpenAPI 3.1, for programs and those who write them.

Every part of Darkroom describes its own calls in an `openapi.yaml` beside its code; the one here
holds what they share. A test checks that each call described exists, and the other way round.
"""

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from flask import Blueprint, Response, jsonify

from darkroom import __version__
from darkroom.settings import ROOT

Json = dict[str, Any]

PACKAGE = ROOT / "src" / "darkroom"
FRAGMENT = "openapi.yaml"

blueprint = Blueprint("openapi", __name__)


@blueprint.get("/openapi.json")
def show() -> Response:
    """The whole document. It says nothing of anybody, so anybody may read it."""
    return jsonify(document())


@cache
def document() -> Json:
    """All fragments as one."""
    whole: Json = {"openapi": "3.1.0", "info": {"version": __version__}}
    for fragment in sorted(PACKAGE.rglob(FRAGMENT)):
        whole = merged(whole, _read(fragment))
    return whole


def merged(one: Json, other: Json) -> Json:
    """Both as one mapping; `ValueError` where they describe the same thing."""
    shared = {key: _joined(key, one[key], other[key]) for key in one.keys() & other.keys()}
    return {**one, **other, **shared}


def _joined(key: str, one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return merged(one, other)
    if isinstance(one, list) and isinstance(other, list):
        return one + other
    raise ValueError(f"{key} is described twice.")


def _read(fragment: Path) -> Json:
    found: Json = yaml.safe_load(fragment.read_text(encoding="utf-8"))
    return found
