"""Advanced Custom Fields of WordPress posts.

A field that is not there, or whose group is not shown in REST, is ignored with a 200. So what was
written is read back and compared before it counts as done.

https://www.advancedcustomfields.com/resources/wp-rest-api-integration/
"""

from collections.abc import Mapping
from typing import Any

from darkroom.errors import Permanent
from darkroom.providers.wordpress import WordPress

READ = {"context": "edit", "acf_format": "light", "_fields": "id,link,acf"}


def write(site: WordPress, rest_base: str, post_id: int, fields: Mapping[str, Any]) -> str:
    """Set fields of a post; answers the post's address.

    Raises
    ------
    Permanent
        When the site took the request and ignored some of the fields.
    NotFound
        When there is no such post; and what `WordPress.call` raises.
    """
    site.update(rest_base, post_id, {"acf": dict(fields)})
    found = site.post(rest_base, post_id, READ)
    ignored = unlike(fields, found.get("acf"))
    if ignored:
        words = (
            f"WordPress took the fields {', '.join(ignored)} of {rest_base} {post_id} and ignored "
            "them. Check their names, and that their field group is shown in the REST API."
        )
        raise Permanent(words)
    return str(found.get("link") or "")


def types_of(site: WordPress, rest_base: str) -> dict[str, frozenset[str]]:
    """The fields that REST shows of a type of post, each with the JSON types that it takes.

    Raises
    ------
    Permanent
        When there is no such type; and what `WordPress.call` raises.
    """
    found: Any = site.call("OPTIONS", f"/wp-json/wp/v2/{rest_base}").json()
    for name in ("schema", "properties", "acf", "properties"):
        found = found.get(name) if isinstance(found, dict) else None
    # PHP writes an empty map as a list.
    fields = found if isinstance(found, dict) else {}
    return {name: _types(field) for name, field in fields.items() if isinstance(field, dict)}


def _types(field: Mapping[str, Any]) -> frozenset[str]:
    said = field.get("type")
    return frozenset(said if isinstance(said, list) else [said] if isinstance(said, str) else ())


def unlike(sent: Mapping[str, Any], found: Any) -> list[str]:
    """The fields that are not as they were sent, in order."""
    held = found if isinstance(found, dict) else {}
    return [name for name, value in sent.items() if not _same(value, held.get(name))]


def _same(sent: Any, found: Any) -> bool:
    """Whether a field holds what was sent: a site may show a file's id as its whole record."""
    if isinstance(found, dict) and not isinstance(sent, dict):
        found = found.get("ID", found.get("id"))
    if isinstance(sent, dict):
        return isinstance(found, dict) and not unlike(sent, found)
    if isinstance(sent, list):
        together = isinstance(found, list) and len(found) == len(sent)
        return together and all(map(_same, sent, found))
    if _is_nothing(sent) and _is_nothing(found):
        return True
    return str(sent) == str(found)


def _is_nothing(value: Any) -> bool:
    return value is None or value is False or value == ""
