"""What a language's words say about where a line may end."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Tongue:
    """Words of a language, lower case.

    Attributes
    ----------
    openers : conjunctions and relatives: a line breaks well before them
    leaners : articles, prepositions, possessives: they lean on the next word
    particles : what stands inside names
    titles : what stands before names, with its full stop
    """

    openers: frozenset[str]
    leaners: frozenset[str]
    particles: frozenset[str]
    titles: frozenset[str]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TONGUES: Mapping[str, Tongue] = {
    "en": Tongue(
        _words(
            "and or but nor so yet because although though while when where which who whom whose"
            " that if unless until since whereas than as before after"
        ),
        _words(
            "a an the my your his her its our their this these those of to in on at by for from"
            " with without into onto about over under between through is are was were be been am"
            " will would can could shall should may might must have has had do does did not very"
        ),
        _words("of the de la van von der bin"),
        _words("mr. mrs. ms. dr. prof. st. sr. jr. gen. sgt. capt."),
    ),
    "es": Tongue(
        _words(
            "y e o u pero sino ni que porque aunque mientras cuando donde adonde quien quienes cual"
            " cuales cuyo cuya como si pues entonces luego para según antes después"
        ),
        _words(
            "el la los las lo un una unos unas mi mis tu tus su sus nuestro nuestra nuestros"
            " nuestras este esta estos estas ese esa esos esas aquel aquella al del a ante bajo con"
            " contra de desde durante en entre hacia hasta mediante por sin sobre tras ha he"
            " han hemos había no se me te nos le les muy más es son fue era"
        ),
        _words("de del la las los el y da dos von van"),
        _words("sr. sra. srta. dr. dra. d. dña. prof. profa. ing. lic. gral. sta. sto."),
    ),
}  # fmt: skip
_PLAIN = Tongue(frozenset(), frozenset(), frozenset(), frozenset())
SPACELESS = frozenset({"zh", "ja", "yue", "th", "lo", "my", "km", "bo"})
"""Languages written without spaces between words."""


def of(language: str) -> Tongue:
    """What is known of a language; punctuation, names and numbers alone where that is nothing."""
    return _TONGUES.get(language, _PLAIN)
