"""Prompts: a template and what an article puts into it."""

from collections.abc import Mapping
from string import Formatter

from darkroom.errors import Invalid

PLACES = ("nombre", "descripcion", "unidad", "categoria")
LONGEST = 4000

DEFAULT = (
    "Genera una imagen de catálogo profesional de este artículo: {nombre}. {descripcion} "
    "Fondo blanco puro, iluminación suave y uniforme, sin sombras duras, sin texto ni marcas de "
    "agua añadidas. Conserva la forma, los colores y los rótulos del artículo exactamente como son."
)


def checked(template: str, field: str = "prompt_template") -> str:
    """The template, if every place in it is one that an article fills; else `Invalid`."""
    text = template.strip()
    if not text or len(text) > LONGEST:
        raise Invalid(f"A template has 1 to {LONGEST} characters, not {len(text)}.", field)
    unknown = [place for place in _places(text, field) if place not in PLACES]
    if unknown:
        known = ", ".join(f"{{{place}}}" for place in PLACES)
        raise Invalid(f"{{{unknown[0]}}} is not known; a template may hold {known}.", field)
    return text


def filled(template: str, article: Mapping[str, str]) -> str:
    """The prompt of an article; blanks that empty places leave are closed up."""
    values = {place: article.get(place, "").strip() for place in PLACES}
    return " ".join(template.format_map(values).split())


def _places(template: str, field: str) -> list[str]:
    try:
        parsed = list(Formatter().parse(template))
    except ValueError:
        raise Invalid(
            "A single { or } stands in the template: write {{ or }} for one.", field
        ) from None
    if any(spec or conversion for _, _, spec, conversion in parsed):
        raise Invalid("A place is a bare name like {nombre}.", field)
    return [name for _, name, _, _ in parsed if name is not None]
