"""Advanced Custom Fields: what a post's type has no field for is ignored, and says so to nobody.

https://www.advancedcustomfields.com/resources/wp-rest-api-integration/
"""

from collections.abc import Mapping
from typing import Any

from darkroom.sandbox.services.wordpress.site import Post, Site

FIELDS: Mapping[str, Mapping[str, str]] = {
    "planessemanales": {
        "foto": "image",
        "foto_2": "image",
        "foto_3": "image",
        "galeria": "gallery",
        "descripcion": "text",
        "tema": "text",
        "tipo_de_actividad": "text",
    },
    "productos": {"foto": "image", "galeria": "gallery", "sku": "text", "precio": "number"},
    "post": {"foto": "image", "subtitulo": "text"},
    "page": {},
}
"""The fields that are shown in REST, by type. "interno" is there, but its group is not shown."""
TYPES: Mapping[str, list[str]] = {
    "image": ["integer", "null"],
    "gallery": ["array", "null"],
    "text": ["string", "null"],
    "number": ["number", "null"],
}
EMPTY: Mapping[str, Any] = {"image": None, "gallery": [], "text": "", "number": None}


class Unfit(Exception):
    """A value that its field does not take; `args` are the field and what it takes."""


def write(site: Site, post: Post, given: Any) -> None:
    """Set the fields that there are. Raises `Unfit`, and sets none, when a value does not fit."""
    if not isinstance(given, dict):
        raise Unfit("acf", "object")
    known = FIELDS[post.type]
    chosen = {name: value for name, value in given.items() if name in known}
    for name, value in chosen.items():
        _check(site, name, known[name], value)
    post.fields.update(chosen)


def shown(post: Post) -> Any:
    """The fields as REST shows them; an empty list for a type without any, as PHP has it."""
    known = FIELDS[post.type]
    return {name: post.fields.get(name, EMPTY[kind]) for name, kind in known.items()} or []


def schema(type: str) -> dict[str, Any]:
    """What OPTIONS tells of the fields of a type."""
    fields = {name: {"type": TYPES[kind]} for name, kind in FIELDS[type].items()}
    return {"description": "ACF field data", "type": "object", "properties": fields or []}


def _check(site: Site, name: str, kind: str, value: Any) -> None:
    if value is not None and value != "" and not _fits(site, kind, value):
        raise Unfit(name, ",".join(TYPES[kind]))


def _fits(site: Site, kind: str, value: Any) -> bool:
    if kind == "image":
        return _is_media(site, value)
    if kind == "gallery":
        return _is_gallery(site, value)
    return isinstance(value, str if kind == "text" else int | float)


def _is_gallery(site: Site, value: Any) -> bool:
    return isinstance(value, list) and all(_is_media(site, each) for each in value)


def _is_media(site: Site, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in site.media
