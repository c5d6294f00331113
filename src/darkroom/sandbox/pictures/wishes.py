"""What a prompt asks for, as far as words tell (English and Spanish)."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Colour = tuple[int, int, int]

COLOURS: Mapping[str, tuple[str, Colour]] = {
    "white": (r"white|blanc[oa]s?", (255, 255, 255)),
    "black": (r"black|negr[oa]s?", (12, 12, 14)),
    "grey": (r"gr[ae]y|gris(?:es)?", (150, 152, 156)),
    "red": (r"red|roj[oa]s?", (196, 52, 44)),
    "orange": (r"orange|naranjas?", (232, 138, 52)),
    "yellow": (r"yellow|amarill[oa]s?", (244, 208, 84)),
    "green": (r"green|verdes?", (86, 148, 88)),
    "blue": (r"blue|azul(?:es)?", (72, 122, 186)),
    "purple": (r"purple|violet|morad[oa]s?|violeta", (128, 92, 164)),
    "pink": (r"pink|rosa(?:d[oa])?", (238, 172, 186)),
    "brown": (r"brown|marron(?:es)?", (132, 94, 66)),
    "beige": (r"beige|cream|crema", (238, 228, 208)),
}
SCENES: Mapping[str, str] = {
    "abstract": r"abstract|pattern|texture|abstract[oa]|patron|textura",
    "city": r"city|street|urban|ciudad|calle|urban[oa]",
    "night": r"night|starry|moon|noche|estrellad[oa]|luna",
    "sunset": r"sunset|sunrise|dusk|dawn|golden hour|atardecer|amanecer|ocaso",
    "beach": r"beach|seaside|sea|ocean|playa|mar|oceano",
    "forest": r"forest|woods|jungle|bosque|selva",
    "meadow": r"garden|meadow|park|field|jardin|prado|parque|campo|greenhouse|invernadero",
    "mountains": r"mountains?|hills?|landscape|montanas?|colinas?|paisaje",
    "wood": r"wood(?:en)?|table|desk|madera|mesa",
    "marble": r"marble|marmol|kitchen|cocina",
    "studio": r"studio|estudio|podium|pedestal|gradient|degradado|bokeh",
}
"""Where a prompt names several, the first of these is taken."""
STYLES: Mapping[str, str] = {
    "watercolour": r"water-?colou?r|acuarela",
    "sketch": r"sketch|pencil|charcoal|line art|boceto|lapiz|carboncillo",
    "cartoon": r"cartoon|comic|anime|animated|caricatura|dibujos animados|historieta",
    "oil": r"oil paint\w*|painting|impressionis\w*|oleo|pintura",
    "monochrome": r"black[ -]and[ -]white|b&w|monochrom\w*|gray ?scale|blanco y negro",
    "sepia": r"sepia|vintage|retro|antique|antigu[oa]|nostalgi\w*",
    "vivid": r"vivid|vibrant|colou?rful|saturated|hdr|viv[oa]s?|vibrantes?|colorid[oa]",
    "cinematic": r"cinematic|dramatic|moody|film|cinematografic[oa]|dramatic[oa]|pelicula",
    "pop": r"pop art|poster|posteri[sz]ed|warhol|arte pop",
    "warm": r"warm(?:er)?|cozy|calid[oa]s?|acogedor",
    "cool": r"cool(?:er)?|cold|frost\w*|fri[oa]s?",
}
SUBJECTS: Mapping[str, str] = {
    "portrait": r"portrait|face|headshot|selfie|avatar|retrato|cara|rostro",
    "people": r"famil\w+|child\w*|kids?|people|persons?|man|woman|boy|girl|couple|friends?"
    r"|infantil|nin[oa]s?|personas?|gente|hombre|mujer|pareja|amig[oa]s?|padres?|madres?",
    "plant": r"plants?|flowers?|succulent\w*|cactus|tree|leaf|leaves|seedlings?|plantas?"
    r"|flor(?:es)?|suculentas?|arbol|hojas?|maceta|pot(?:ted)?|rosas?",
    "product": r"product\w*|bottle|vase|perfume|package|cup|mug|shoe|watch|producto\w*|botella"
    r"|jarron|envase|taza|zapato|reloj",
}
DENOISE = r"denois\w*|noise|grain|ruido|grano"
RELIGHT = (
    r"relight\w*|light(?:ing|s)?|bright\w*|exposure|illuminat\w*|luz|luces|ilumin\w*|aclara\w*"
    r"|brill\w*|exposicion"
)
SHARPEN = r"sharp\w*|crisp|detail\w*|enhance\w*|improve\w*|nitid\w*|enfo\w*|detall\w*|mejor\w*"
SHADOW = r"shadow|sombra"
_GROUND = r"backgrounds?|backdrop|fondos?"
_LEFT, _RIGHT = r"from the left|desde la izquierda", r"from the right|desde la derecha"


@dataclass(frozen=True)
class Wishes:
    """What a prompt asks for. `ground` is a colour's name or a scene's; `light` is "left", "right",
    "even" or none."""

    ground: str = ""
    styles: tuple[str, ...] = ()
    denoise: bool = False
    sharpen: bool = False
    light: str = ""
    shadow: bool = False
    scene: str = ""
    subject: str = ""
    colours: tuple[str, ...] = ()


def read(prompt: str) -> Wishes:
    """Read a prompt."""
    text = plain(prompt)
    return Wishes(
        ground=_ground(text),
        styles=tuple(_all(STYLES, text)),
        denoise=_says(text, DENOISE),
        sharpen=_says(text, SHARPEN),
        light=_light(text),
        shadow=_says(text, SHADOW) and not _says(text, rf"(?:no|without|sin) (?:\w+ )?{SHADOW}s?"),
        scene=next(_all(SCENES, text), ""),
        subject=next(_all(SUBJECTS, text), ""),
        colours=tuple(_all({name: words for name, (words, _) in COLOURS.items()}, text)),
    )


def seed_of(prompt: str, seed: int | None, *data: bytes) -> int:
    """A number for a request: the same for the same one, and another for another seed."""
    digest = hashlib.sha256(f"{seed}\n{prompt}".encode())
    for each in data:
        digest.update(hashlib.sha256(each).digest())
    return int.from_bytes(digest.digest()[:8])


def plain(text: str) -> str:
    """Lower case, without accents."""
    bare = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter for letter in bare if not unicodedata.combining(letter))


def colour(name: str) -> Colour:
    """The colour of that name."""
    return COLOURS[name][1]


def _ground(text: str) -> str:
    """The colour or the scene that stands beside the word for a background."""
    for name, (words, _) in COLOURS.items():
        if _beside(text, words):
            return name
    for name, words in SCENES.items():
        if _beside(text, words):
            return name
    removes = rf"(?:remove|erase|cut out|quita\w*|elimina\w*)\W+(?:\w+\W+){{0,3}}?(?:{_GROUND})"
    return "white" if _says(text, removes) else ""


def _beside(text: str, words: str) -> bool:
    between = r"\W+(?:\w+\W+){0,3}?"
    return _says(text, rf"(?:{words}){between}(?:{_GROUND})") or _says(
        text, rf"(?:{_GROUND}){between}(?:{words})"
    )


def _light(text: str) -> str:
    if _says(text, _LEFT):
        return "left"
    if _says(text, _RIGHT):
        return "right"
    return "even" if _says(text, RELIGHT) else ""


def _all(named: Mapping[str, str], text: str) -> Iterator[str]:
    return (name for name, words in named.items() if _says(text, words))


def _says(text: str, words: str) -> bool:
    return re.search(rf"\b(?:{words})\b", text) is not None
