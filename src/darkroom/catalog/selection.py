"""Which articles, and which edits, are meant: some numbers, or all that fit a filter."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    ScalarSelect,
    Select,
    any_,
    case,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from darkroom.catalog.models import Article, Edit, Version
from darkroom.errors import Invalid

Json = dict[str, Any]
Conditions = list[ColumnElement[bool]]

MOST = 10_000
LARGEST = 2**31 - 1
STATES = ("pending", "processing", "completed", "failed")
NEVER = "none"
VERDICTS = ("undecided", "approved", "rejected")
PICTURES = ("none", "present")
FLAGS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class ArticleFilter:
    """Which articles; what is None does not matter.

    Parameters
    ----------
    text
        Part of the name.
    imagen
        "present" or "none": whether there is a picture.
    estado, veredicto
        The state of its newest edit ("none": it has none), and what was said of that one's picture.
    """

    activo: bool | None = None
    categoria_id: int | None = None
    text: str | None = None
    imagen: str | None = None
    estado: str | None = None
    veredicto: str | None = None

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """The filter of a query or of JSON (`q` is the text); `Invalid` names what is wrong."""
        return cls(
            activo=_flag(given, "activo"),
            categoria_id=_number(given, "categoria_id"),
            text=_text(given, "q"),
            imagen=_choice(given, "imagen", PICTURES),
            estado=_choice(given, "estado", (*STATES, NEVER)),
            veredicto=_choice(given, "veredicto", VERDICTS),
        )

    @property
    def as_json(self) -> Json:
        """What `read` reads it from; only what matters."""
        return _named(asdict(self))

    @property
    def conditions(self) -> Conditions:
        """What holds for the rows of articles that fit."""
        wanted_picture = None if self.imagen is None else self.imagen == "present"
        found = _equal(
            (Article.activo, self.activo),
            (Article.categoria_id, self.categoria_id),
            (Article.imagen_url.is_not(None), wanted_picture),
            (func.coalesce(_newest(Edit.estado), NEVER), self.estado),
            (_newest(_verdict()), self.veredicto),
        )
        return found + _named_like(Article.nombre, self.text)


@dataclass(frozen=True)
class EditFilter:
    """Which edits; what is None does not matter. Tries of a prompt are never meant."""

    estado: str | None = None
    veredicto: str | None = None
    text: str | None = None
    run_id: UUID | None = None

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """The filter of a query or of JSON (`q` is the text); `Invalid` names what is wrong."""
        return cls(
            estado=_choice(given, "estado", STATES),
            veredicto=_choice(given, "veredicto", VERDICTS),
            text=_text(given, "q"),
            run_id=_uuid(given, "run_id"),
        )

    @property
    def as_json(self) -> Json:
        """What `read` reads it from; only what matters."""
        return _named(asdict(self))

    @property
    def conditions(self) -> Conditions:
        """What holds for the rows of edits that fit."""
        verdict = select(_verdict()).where(Version.id == Edit.version_procesada_id)
        found = _equal(
            (Edit.is_preview, False),
            (Edit.estado, self.estado),
            (Edit.run_id, self.run_id),
            (verdict.correlate(Edit).scalar_subquery(), self.veredicto),
        )
        return found + _named_like(Edit.articulo_nombre, self.text)


@dataclass(frozen=True)
class Selection:
    """Articles: those of the numbers, or those that fit the filter."""

    ids: tuple[int, ...] | None = None
    filter: ArticleFilter | None = None

    @classmethod
    def read(cls, body: Mapping[str, Any], field: str = "articuloIds") -> Self:
        """What a request names: a list of numbers, or `filtro`, and not both."""
        if _names_filter(body, field):
            return cls(filter=ArticleFilter.read(_object(body["filtro"], ArticleFilter)))
        return cls(ids=tuple(numbers(body.get(field), field)))

    @property
    def conditions(self) -> Conditions:
        """What holds for the rows of articles that are meant."""
        return _meant(Article.id, self.ids, self.filter)

    def resolve(self, session: Session) -> list[int]:
        """The numbers; `Invalid` when a filter fits more than are done at once."""
        if self.filter is None:
            return list(dict.fromkeys(self.ids or ()))
        return _resolved(session, select(Article.id).where(*self.conditions).order_by(Article.id))


@dataclass(frozen=True)
class EditSelection:
    """Edits: those of the numbers, or those that fit the filter."""

    ids: tuple[int, ...] | None = None
    filter: EditFilter | None = None

    @classmethod
    def read(cls, body: Mapping[str, Any], field: str = "ids") -> Self:
        """What a request names: a list of numbers, or `filtro`, and not both."""
        if _names_filter(body, field):
            return cls(filter=EditFilter.read(_object(body["filtro"], EditFilter)))
        return cls(ids=tuple(numbers(body.get(field), field)))

    @property
    def as_json(self) -> Json:
        """What the audit keeps of it."""
        return {"filtro": self.filter.as_json} if self.filter else {"ids": list(self.ids or ())}

    def resolve(self, session: Session) -> list[int]:
        """The numbers; `Invalid` when a filter fits more than are done at once."""
        if self.filter is None:
            return list(dict.fromkeys(self.ids or ()))
        return _resolved(session, select(Edit.id).where(*self.filter.conditions).order_by(Edit.id))


def numbers(given: object, field: str) -> list[int]:
    """A list of row numbers; `Invalid` when it is none, or too long."""
    if not isinstance(given, list) or not given:
        raise Invalid(f"{field} must be a list of numbers.", field)
    if len(given) > MOST:
        raise Invalid(f"At most {MOST} at once.", field)
    for each in given:
        if not _is_number(each):
            raise Invalid(f"{field} holds {each!r}, which is no number of a row.", field)
    return given


# What is true of rows.


def _equal(*pairs: tuple[Any, Any]) -> Conditions:
    return [column == value for column, value in pairs if value is not None]


def _named_like(column: Any, text: str | None) -> Conditions:
    return [column.icontains(text, autoescape=True)] if text else []


def _newest(what: Any) -> ScalarSelect[Any]:
    """Something of an article's newest edit, or of the picture that it made."""
    query = select(what).select_from(Edit)
    query = query.outerjoin(Version, Version.id == Edit.version_procesada_id)
    query = query.where(Edit.articulo_id == Article.id, Edit.is_preview.is_(False))
    return query.order_by(Edit.id.desc()).limit(1).correlate(Article).scalar_subquery()


def _verdict() -> ColumnElement[str]:
    """What was said of a picture; nothing where there is none."""
    said = func.coalesce(Version.veredicto, "undecided")
    return case((Version.id.is_not(None), said))


def _meant(column: Any, ids: Sequence[int] | None, wanted: ArticleFilter | None) -> Conditions:
    if wanted is not None:
        return wanted.conditions
    return [column == any_(literal(list(ids or ()), ARRAY(Integer)))]


def _resolved(session: Session, query: Select[int]) -> list[int]:
    found = list(session.scalars(query.limit(MOST + 1)))
    if len(found) > MOST:
        raise Invalid(f"More than {MOST} fit the filter: narrow it down.", "filtro")
    return found


# What a request says.


def _names_filter(body: Mapping[str, Any], field: str) -> bool:
    if ("filtro" in body) == (field in body):
        raise Invalid(f"Send either {field} or filtro.", field)
    return "filtro" in body


def _object(given: object, kind: type[ArticleFilter] | type[EditFilter]) -> Mapping[str, Any]:
    """A filter as JSON; one with a slip in it must not mean everything."""
    if not isinstance(given, dict):
        raise Invalid("filtro must be an object.", "filtro")
    known = ["q" if name == "text" else name for name in kind.__dataclass_fields__]
    for name in given:
        if name not in known:
            raise Invalid(f"There is no filter {name}. There are: {', '.join(known)}.", "filtro")
    return given


def _named(values: Mapping[str, Any]) -> Json:
    named = {"q" if name == "text" else name: value for name, value in values.items()}
    said = {name: str(value) if isinstance(value, UUID) else value for name, value in named.items()}
    return {name: value for name, value in said.items() if value is not None}


def _is_number(given: object) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and 0 < given <= LARGEST


def _number(given: Mapping[str, Any], name: str) -> int | None:
    said = given.get(name)
    if said in (None, ""):
        return None
    number = int(said) if isinstance(said, str) and said.isdecimal() else said
    if not _is_number(number):
        raise Invalid(f"{name} must be a whole number from 1 to {LARGEST}, not {said!r}.", name)
    return int(number)


def _flag(given: Mapping[str, Any], name: str) -> bool | None:
    said = given.get(name)
    if said in (None, ""):
        return None
    word = str(said).lower()
    if word not in FLAGS:
        raise Invalid(f"{name} must be true or false, not {said!r}.", name)
    return FLAGS[word]


def _choice(given: Mapping[str, Any], name: str, known: Sequence[str]) -> str | None:
    said = given.get(name)
    if said in (None, ""):
        return None
    if said not in known:
        raise Invalid(f"{name} must be one of {', '.join(known)}, not {said!r}.", name)
    return str(said)


def _text(given: Mapping[str, Any], name: str) -> str | None:
    said = given.get(name) or ""
    if not isinstance(said, str) or "\0" in said:
        raise Invalid(f"{name} must be text.", name)
    return said.strip() or None


def _uuid(given: Mapping[str, Any], name: str) -> UUID | None:
    said = given.get(name)
    try:
        return UUID(str(said)) if said not in (None, "") else None
    except ValueError:
        raise Invalid(f"{name} must be the id of a run, not {said!r}.", name) from None
