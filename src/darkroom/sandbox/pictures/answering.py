"""Questions about pictures, answered from measurements: in words, or as a schema wants it.

A property of the schema gets the measurement that its name or description speaks of; where none
does, something of the right type that follows from the question and the seed.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from darkroom.sandbox.pictures import wishes
from darkroom.sandbox.pictures.measuring import Colour, Measures, measured
from darkroom.sandbox.pictures.pixels import opened

Json = dict[str, Any]
DEEPEST = 12
MARK = "(SANDBOX)"


def told(prompt: str, files: Sequence[bytes], seed: int | None) -> str:
    """An answer in words. Raises `Unreadable` when a file is no picture."""
    if not files:
        return _elaborated(prompt, np.random.default_rng(wishes.seed_of(prompt, seed)))
    return " ".join(described(measured(opened(each))) for each in files) + f" {MARK}"


def answered(schema: Json, prompt: str, files: Sequence[bytes], seed: int | None) -> Any:
    """JSON after a schema. Raises `Unreadable` when a file is no picture."""
    found = [measured(opened(each)) for each in files]
    rng = np.random.default_rng(wishes.seed_of(prompt, seed, *files))
    return _value(schema, _Place("", _About(prompt, found[0] if found else None, rng)))


def described(found: Measures) -> str:
    """A picture in a sentence."""
    colours = " and ".join(each.name for each in found.subject_colours[:2])
    ground = f"a plain {found.ground.name}" if found.is_ground_plain else f"a {found.ground.name}"
    return (
        f"A {_light(found)} picture of a {colours} subject on {ground} background, "
        f"{_sharp(found)}, {found.width} by {found.height} pixels."
    )


@dataclass(frozen=True)
class _About:
    prompt: str
    found: Measures | None
    rng: np.random.Generator


@dataclass(frozen=True)
class _Place:
    """Where in the schema we are: the names on the way there, in plain words."""

    words: str
    about: _About
    depth: int = 0
    at: int = 0

    def within(self, name: str, schema: Any, at: int = 0) -> "_Place":
        said = str(schema.get("description") or "") if isinstance(schema, dict) else ""
        words = re.sub(r"([a-z])([A-Z])", r"\1 \2", f"{name} {said}").replace("_", " ")
        return _Place(wishes.plain(words) or self.words, self.about, self.depth + 1, at)


def _value(schema: Any, place: _Place) -> Any:
    if not isinstance(schema, dict) or place.depth > DEEPEST:
        return None
    if schema.get("enum"):
        return _chosen([str(each) for each in schema["enum"]], place)
    if schema.get("anyOf"):
        return _value(schema["anyOf"][0], place)
    kind = str(schema.get("type") or ("object" if "properties" in schema else "string")).lower()
    return _KINDS.get(kind, _string)(schema, place)


def _object(schema: Json, place: _Place) -> Json:
    properties = schema.get("properties") or {"description": {"type": "string"}}
    order = schema.get("propertyOrdering") or list(properties)
    return {
        name: _value(properties[name], place.within(name, properties[name]))
        for name in order
        if name in properties
    }


def _array(schema: Json, place: _Place) -> list[Any]:
    items = schema.get("items") or {"type": "string"}
    named = _several(place)
    usual = len(named) if named else 3
    least, most = int(schema.get("minItems", 0)), int(schema.get("maxItems", 8))
    count = max(least, min(usual, most))
    return [
        _value(items, _Place(place.words, place.about, place.depth + 1, at)) for at in range(count)
    ]


def _several(place: _Place) -> tuple[Colour, ...]:
    """The colours that a list is about, if it is about colours."""
    found = place.about.found
    if found is None or not re.search(r"colou?r|palette|paleta", place.words):
        return ()
    return found.subject_colours if "subject" in place.words else found.colours


def _number(schema: Json, place: _Place) -> float:
    value = _measure(place)
    if value is None:
        value = round(float(place.about.rng.uniform(0.3, 0.9)), 2)
    low, high = schema.get("minimum"), schema.get("maximum")
    if high is not None and value <= 1:
        # What we know from 0 to 1, they count from `low` to `high`.
        value = float(low or 0) + value * (float(high) - float(low or 0))
    return round(min(max(value, _or(low, value)), _or(high, value)), 3)


def _integer(schema: Json, place: _Place) -> int:
    counted = _count(place)
    if counted is None:
        measure = _measure(place)
        usual = {"minimum": 0, "maximum": 100}
        counted = round(_number({**usual, **schema}, place)) if measure is not None else 1
    low, high = schema.get("minimum"), schema.get("maximum")
    return int(min(max(counted, _or(low, counted)), _or(high, counted)))


def _boolean(schema: Json, place: _Place) -> bool:
    found = place.about.found
    if found is None:
        return False
    for words, holds in _TRUTHS:
        if re.search(words, place.words):
            return holds(found)
    return bool(place.about.rng.random() < 0.5)


def _string(schema: Json, place: _Place) -> str:
    found = place.about.found
    if found is None:
        return _elaborated(place.about.prompt, place.about.rng)
    if re.search(r"prompt|suggest|sugerencia", place.words):
        return _elaborated(described(found), place.about.rng)
    for words, said in _TEXTS:
        if re.search(words, place.words):
            return said(found, place.at)
    return f"{described(found)} {MARK}"


def _chosen(names: list[str], place: _Place) -> str:
    """The one of the names that a measurement speaks for; else one by the seed."""
    found = place.about.found
    if found is not None:
        # One may say it with its own word, or the other way round.
        said = wishes.plain(_string({}, place))
        for name in names:
            if re.search(rf"\b{re.escape(wishes.plain(name))}\b", said):
                return name
        value = _measure(place)
        if value is not None and len(names) > 1:
            return names[min(int(value * len(names)), len(names) - 1)]
    return names[int(place.about.rng.integers(len(names)))]


def _measure(place: _Place) -> float | None:
    """The figure from 0 to 1 (or in pixels) that the words speak of."""
    found = place.about.found
    if found is None:
        return None
    for words, figure in _FIGURES:
        if re.search(words, place.words):
            return float(figure(found, place.at))
    return None


def _count(place: _Place) -> int | None:
    found = place.about.found
    if found is None:
        return None
    for words, figure in _COUNTS:
        if re.search(words, place.words):
            return figure(found)
    return None


def _elaborated(prompt: str, rng: np.random.Generator) -> str:
    """A prompt in more words, as a writer of prompts would, in its own language."""
    bare = prompt.strip().rstrip(".") or "A picture"
    known = _SPANISH if re.search(_IS_SPANISH, f" {prompt.lower()} ") else _ENGLISH
    chosen = [str(words[int(rng.integers(len(words)))]) for words in known]
    return f"{bare}, {', '.join(chosen)} {MARK}"


_ENGLISH = (
    ("soft morning light", "warm studio light", "gentle side light", "golden hour light"),
    ("eye-level view", "three-quarter view", "close-up", "wide view"),
    ("natural colours", "a calm palette", "rich texture", "shallow depth of field"),
)
"""Light, view and look."""
_SPANISH = (
    ("luz suave de mañana", "luz cálida de estudio", "luz lateral suave", "luz dorada"),
    ("a la altura de los ojos", "vista de tres cuartos", "primer plano", "plano general"),
    ("colores naturales", "una paleta serena", "textura rica", "poca profundidad de campo"),
)
_IS_SPANISH = r"[áéíóúñ¿¡]| (?:una?|el|la|los|las|del?|con|sin|y|sobre|para) "


def _light(found: Measures) -> str:
    if found.brightness < 0.3:
        return "dark"
    return "bright" if found.brightness > 0.68 else "well lit"


def _sharp(found: Measures) -> str:
    return "sharp" if found.sharpness > 0.3 else "soft" if found.sharpness > 0.06 else "blurred"


def _orientation(found: Measures) -> str:
    if found.width == found.height:
        return "square"
    return "landscape" if found.width > found.height else "portrait"


def _colour(colours: tuple[Colour, ...], at: int) -> Colour:
    return colours[min(at, len(colours) - 1)]


def _or(limit: Any, value: float) -> float:
    return value if limit is None else float(limit)


_KINDS: dict[str, Callable[[Json, _Place], Any]] = {
    "object": _object,
    "array": _array,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "string": _string,
}
_FIGURES: tuple[tuple[str, Callable[[Measures, int], float]], ...] = (
    (r"bright|brillo|luminos|exposure|luz\b", lambda m, _: m.brightness),
    (r"contrast", lambda m, _: m.contrast),
    (r"sharp|focus|nitid|enfoque", lambda m, _: m.sharpness),
    (r"blur|borros|desenfo", lambda m, _: 1 - m.sharpness),
    (r"saturat|vivid|saturac", lambda m, _: m.saturation),
    (r"noise|grain|ruido", lambda m, _: m.noise),
    (r"text|writing|texto", lambda m, _: m.text),
    (r"share|fraction|percent|coverage|proporcion", lambda m, at: _colour(m.colours, at).share),
    (r"\b(left|x ?min|x1?)\b", lambda m, _: m.box[0]),
    (r"\b(top|y ?min|y1?)\b", lambda m, _: m.box[1]),
    (r"\b(right|x ?max|x2)\b", lambda m, _: m.box[2]),
    (r"\b(bottom|y ?max|y2)\b", lambda m, _: m.box[3]),
    (r"\bbox|bounds|caja", lambda m, at: m.box[at % 4]),
    (r"aspect|ratio", lambda m, _: m.width / m.height),
    (r"size|area|tamano", lambda m, _: m.subject_share),
    (r"quality|score|calidad|puntua", lambda m, _: (min(1, m.sharpness * 2) + m.contrast) / 2),
)
_COUNTS: tuple[tuple[str, Callable[[Measures], int]], ...] = (
    (r"width|ancho", lambda m: m.width),
    (r"height|alto", lambda m: m.height),
    (r"face|person|people|cara|rostro", lambda m: m.faces),
)
_TRUTHS: tuple[tuple[str, Callable[[Measures], bool]], ...] = (
    (r"face|person|people|human|cara|rostro", lambda m: m.faces > 0),
    (r"text|writing|watermark|logo|texto", lambda m: m.text > 0.02),
    (r"blur|borros|desenfo", lambda m: m.sharpness < 0.06),
    (r"sharp|focus|nitid", lambda m: m.sharpness >= 0.06),
    (r"dark|underexpos|oscur", lambda m: m.brightness < 0.3),
    (r"bright|overexpos|well ?lit|luminos", lambda m: m.brightness > 0.5),
    (r"white", lambda m: m.is_ground_plain and m.ground.name == "white"),
    (r"background|plain|fondo", lambda m: m.is_ground_plain),
    (r"noise|noisy|grain|ruido", lambda m: m.noise > 0.25),
    (r"landscape|horizontal", lambda m: m.width > m.height),
    (r"portrait|vertical", lambda m: m.height > m.width),
    (r"blank|empty|vaci", lambda m: m.contrast < 0.03),
)
_TEXTS: tuple[tuple[str, Callable[[Measures, int], str]], ...] = (
    (r"hex", lambda m, at: _colour(m.colours, at).hex),
    (r"background|fondo", lambda m, _: m.ground.name),
    (r"subject colou?r", lambda m, at: _colour(m.subject_colours, at).name),
    (r"colou?r|palette|paleta", lambda m, at: _colour(m.colours, at).name),
    (r"light|luz|ilumin|bright|exposure", lambda m, _: _light(m)),
    (r"sharp|focus|nitid|quality|calidad", lambda m, _: _sharp(m)),
    (
        r"orientation|orientacion|format",
        lambda m, _: (
            "landscape" if m.width > m.height else "portrait" if m.height > m.width else "square"
        ),
    ),
    (r"style|estilo|mood|tone|tono", lambda m, _: "vivid" if m.saturation > 0.4 else "calm"),
    (r"subject|object|sujeto|objeto|product|name|title|nombre|titulo", lambda m, _: _named(m)),
)


def _named(found: Measures) -> str:
    return f"{found.subject_colours[0].name} subject {MARK}"
