"""Whether two readings of a text are the same text, as far as reading it from pixels can tell."""

import unicodedata
from difflib import SequenceMatcher

_LOOK_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "ı": "l", "|": "l"})
_SLIP_EVERY = 16
"""Letters among which reading may make one mistake. Shorter texts must be equal."""


def folded(text: str) -> str:
    """The letters and digits that count: case, spaces, punctuation and look-alikes put aside.

    Accents stay: "año" and "ano" are two words.
    """
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_LOOK_ALIKE)
    return "".join(letter for letter in plain if letter.isalnum())


def slips(one: str, other: str) -> int:
    """How many letters of the longer text have no counterpart in the other, in order."""
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    return max(len(one), len(other)) - sum(block.size for block in blocks)


def agree(one: str, other: str) -> bool:
    """Whether two folded texts are the same one, but for what reading gets wrong."""
    return slips(one, other) <= max(len(one), len(other)) // _SLIP_EVERY
