"""How words lie in lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from darkroom.media.subtitles import breaking, tongues
from darkroom.media.subtitles.rules import LINE

OVERFULL = 1000.0
_UNEVEN = 0.02
_TOP_HEAVY = 0.2
_SECOND_LINE = 0.3


@dataclass(frozen=True)
class Passage:
    """Words that go into lines.

    Attributes
    ----------
    words : without spaces
    costs : of a break before each of them
    glue : what stands between two of them: a space, or nothing
    ends : characters up to each of them, without glue; one more than there are words
    """

    words: Sequence[str]
    costs: Sequence[float]
    glue: str
    ends: Sequence[int]

    def length(self, first: int, last: int) -> int:
        """Characters of a line of the words from `first` up to, without, `last`."""
        return self.ends[last] - self.ends[first] + len(self.glue) * (last - first - 1)

    def line(self, first: int, last: int) -> str:
        """That line."""
        return self.glue.join(self.words[first:last])


def passage(words: Sequence[str], language: str) -> Passage:
    """What is to be known of these words to lay them out."""
    tongue = tongues.of(language)
    costs = [breaking.cost(words, at, tongue) if at else 0.0 for at in range(len(words))]
    glue = "" if language in tongues.SPACELESS else " "
    return Passage(words, costs, glue, [0, *accumulate(map(len, words))])


def lay_out(text: Passage, first: int, last: int) -> tuple[tuple[str, ...], float]:
    """The best lines of these words, at most two, and what they cost.

    They cost at least `OVERFULL` where a line is longer than the rule: the words do not fit.
    """
    if text.length(first, last) <= LINE or last - first == 1:
        whole = text.line(first, last)
        return (whole,), OVERFULL * (len(whole) > LINE)
    best = min(range(first + 1, last), key=lambda at: _cost(text, first, at, last))
    lines = text.line(first, best), text.line(best, last)
    return lines, _cost(text, first, best, last)


def lay_out_text(text: str, language: str) -> tuple[str, ...]:
    """The lines of a text that people wrote; more than two where it does not fit two."""
    words = list(text.strip()) if language in tongues.SPACELESS else text.split()
    given = passage(words, language)
    lines, cost = lay_out(given, 0, len(words))
    return lines if cost < OVERFULL else _filled(given)


def _filled(text: Passage) -> tuple[str, ...]:
    """Line after line, each as full as it gets."""
    starts = [0]
    for last in range(1, len(text.words)):
        if text.length(starts[-1], last + 1) > LINE:
            starts.append(last)
    ends = [*starts[1:], len(text.words)]
    return tuple(text.line(first, last) for first, last in zip(starts, ends, strict=True))


def _cost(text: Passage, first: int, at: int, last: int) -> float:
    above, below = text.length(first, at), text.length(at, last)
    uneven = _UNEVEN * abs(above - below) + _TOP_HEAVY * (above > below)
    too_long = max(0, above - LINE) + max(0, below - LINE)
    return _SECOND_LINE + text.costs[at] + uneven + (OVERFULL + too_long if too_long else 0)
