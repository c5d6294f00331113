"""Where a text may be broken: what it costs to end a line, or a cue, after a word.

Cheap after punctuation and before conjunctions, dear after words that lean on the next one, and
dearest inside names and numbers. Costs have no unit: only their order matters.
"""

import re
from collections.abc import Sequence

from darkroom.media.subtitles.tongues import Tongue

SENTENCE, CLAUSE, OPENER, WORD, LEANER, GLUED = 0.0, 0.4, 0.8, 1.6, 3.0, 9.0

_ENDS_SENTENCE = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")
_ENDS_CLAUSE = re.compile(r"[,;:—–、，；：][\"'”’»)\]]*$")
_BARE = re.compile(r"^[^\w]+|[^\w]+$")
_UNIT = re.compile(
    r"(%|°C?|€|\$|£|h|s|min|ms|kg|g|km|m|cm|mm|l|px|[kMGT]?[BWV]|am|pm|a\.m\.|p\.m\.|"
    r"mil|millón|millones|hundred|thousand|million|billion|percent|por)[.,;:!?]*",
    re.IGNORECASE,
)


def cost(words: Sequence[str], at: int, tongue: Tongue) -> float:
    """Of breaking between `words[at - 1]` and `words[at]`."""
    before, after = words[at - 1], words[at]
    if is_glued(words, at, tongue):
        return GLUED
    if _ENDS_SENTENCE.search(before):
        return SENTENCE
    if _ENDS_CLAUSE.search(before):
        return CLAUSE
    if _bare(before) in tongue.leaners | tongue.openers:
        return LEANER
    return OPENER if _bare(after) in tongue.openers else WORD


def is_glued(words: Sequence[str], at: int, tongue: Tongue) -> bool:
    """Whether a break there would be inside a name or a number."""
    before, after = words[at - 1], words[at]
    if before.lower() in tongue.titles:
        return _is_capital(after)
    if _ENDS_SENTENCE.search(before) or _ENDS_CLAUSE.search(before):
        return False
    return _is_number(before, after) or _is_name(words, at, tongue)


def _is_number(before: str, after: str) -> bool:
    """ "10 000", "25 kg", "$ 5", "No. 5" — but not two sentences' numbers."""
    is_counted = before[-1].isdigit() and (after[0].isdigit() or bool(_UNIT.fullmatch(after)))
    return is_counted or (before[-1] in "$€£#" and after[0].isdigit())


def _is_name(words: Sequence[str], at: int, tongue: Tongue) -> bool:
    """ "Nueva York", "Juan de la Cruz"."""
    first = at - 1
    while first > 0 and words[first] in tongue.particles:
        first -= 1
    last = at
    while last < len(words) - 1 and words[last] in tongue.particles and last - at < 2:
        last += 1
    if not (_is_capital(words[first]) and _is_capital(words[last])):
        return False
    return not _starts_by_chance(words, first, tongue)


def _starts_by_chance(words: Sequence[str], at: int, tongue: Tongue) -> bool:
    """Whether the word has its capital only because a sentence starts with it."""
    if _bare(words[at]) in tongue.leaners | tongue.openers:
        return True
    if at == 0 or _ENDS_SENTENCE.search(words[at - 1]):
        return at + 1 < len(words) and not _is_capital(words[at + 1])
    return bool(_ENDS_CLAUSE.search(words[at]))


def _is_capital(word: str) -> bool:
    bare = _BARE.sub("", word)
    return bool(bare) and bare[0].isupper() and bare not in {"I", "I'm", "I've", "I'll", "I'd"}


def _bare(word: str) -> str:
    return _BARE.sub("", word).lower()
