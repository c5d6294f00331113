"""Words as a transcription gives them, made by hand."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Heard:
    """A word."""

    text: str
    start: float
    end: float


def spoken(text: str, *, start: float = 0.0, letter: float = 0.08) -> list[Heard]:
    """The words of a text said evenly, `letter` seconds a character, one after the other."""
    words = []
    for word in text.split():
        end = start + letter * (len(word) + 1)
        words.append(Heard(f" {word}", round(start, 3), round(end, 3)))
        start = end
    return words
