"""Which fields of a post pictures go to, and what they then hold. Knows no site and no database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from darkroom.errors import Invalid

USUAL = "foto"


@dataclass(frozen=True)
class PostType:
    """The fields of a type's posts.

    Parameters
    ----------
    fields
        Each holds one picture, in the order that several are filled in.
    gallery
        Holds any number, where there is one.
    texts
        Custom fields by the names that requests use, where the two differ.
    """

    endpoint: str
    fields: Sequence[str] = (USUAL,)
    gallery: str | None = None
    title_from: str = "tema"
    texts: Mapping[str, str] = field(default_factory=dict)
    status: str = "publish"


@dataclass(frozen=True)
class Target:
    """Where one picture goes."""

    field: str
    in_gallery: bool


def targets(type: PostType, wanted: str | None, n: int) -> list[Target]:
    """Where n pictures go: to the gallery that is asked for, or to so many fields from one on.

    Raises
    ------
    Invalid
        When the type has not so many fields.
    """
    first = wanted or type.fields[0]
    if first == type.gallery:
        return [Target(first, True)] * n
    at = list(type.fields).index(first) if first in type.fields else None
    following = [first] if at is None else type.fields[at:]
    if len(following) >= n:
        return [Target(name, False) for name in following[:n]]
    if wanted is None and type.gallery is not None:
        return [Target(type.gallery, True)] * n
    raise Invalid(
        f"{n} pictures do not fit: from {first!r} on, {type.endpoint} has {len(following)} fields. "
        f"Ask for fewer, or for a gallery.",
        "n",
    )


def edited_gallery(held: Any, new: Sequence[int], replaced: int | None) -> list[int]:
    """What a gallery is to hold after an edit.

    The same again gives the same, so that it can be written twice.

    Parameters
    ----------
    held
        What the field says it holds now: ids, or records with one.
    replaced
        The picture whose place the new ones take; None: they join the others at the end.
    """
    ids = [found for each in _listed(held) if (found := _id(each)) is not None]
    if set(new) <= set(ids) and replaced not in ids:
        return ids
    others = [each for each in ids if each not in new]
    if replaced not in others:
        return [*others, *new]
    at = others.index(replaced)
    return [*others[:at], *new, *others[at + 1 :]]


def _listed(held: Any) -> Sequence[Any]:
    return held if isinstance(held, list) else ()


def _id(each: Any) -> int | None:
    found = each.get("ID", each.get("id")) if isinstance(each, dict) else each
    text = str(found)
    return int(text) if text.isdecimal() else None
