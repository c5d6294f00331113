"""From words to cues.

Where cues end is chosen for the whole text at once: of all ways to cut it, the one that costs least
(dynamic programming over the words, as TeX breaks paragraphs: Knuth and Plass, 1981). A cut costs
by what it separates, and a cue by how its lines break and how far it misses the rules.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest

from darkroom.media.subtitles import rules, tongues
from darkroom.media.subtitles.cues import Cue, Spoken
from darkroom.media.subtitles.layout import OVERFULL, Passage, lay_out, passage

_CUE = 1.0
"""What every cue costs: few full ones read better than many short ones."""
_MISSES, _MISSED = 20.0, 60.0
"""What it costs to miss a rule of time at all, and what in addition to miss it wholly."""
_SENTENCE_INSIDE = 1.5
_PAUSE = 3.0
"""What a second of silence inside a cue costs, beyond what is a breath."""
_BREATH, _LONGEST_PAUSE = 500, 2000


@dataclass(frozen=True)
class _Heard:
    """A word between spaces, and its time in milliseconds."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class _Speech:
    """All words, as times and as what goes into lines."""

    heard: Sequence[_Heard]
    text: Passage
    gap: int


def build(spoken: Sequence[Spoken], language: str, fps: float = rules.FPS) -> list[Cue]:
    """The cues of these words, in their order.

    Parameters
    ----------
    spoken : words with times, as a transcription gives them
    language : of the words: "es", "en", …
    fps : frames a second of the video that they belong to
    """
    heard = _joined(spoken, language)
    text = passage([word.text for word in heard], language)
    speech = _Speech(heard, text, rules.gap(fps))
    cues = [
        Cue(heard[first].start, heard[last - 1].end, lay_out(text, first, last)[0])
        for first, last in pairwise(_cuts(speech))
    ]
    return _timed(cues, speech.gap)


def _joined(spoken: Sequence[Spoken], language: str) -> list[_Heard]:
    """Whole words, none before the end of another: "full" and "-featured" are given singly."""
    has_spaces = language not in tongues.SPACELESS
    words: list[_Heard] = []
    for part in spoken:
        text, end = part.text.strip(), round(part.end * 1000)
        start = max(round(part.start * 1000), words[-1].end if words else 0)
        if not text:
            continue
        if words and has_spaces and not part.text[0].isspace():
            before = words.pop()
            words.append(replace(before, text=before.text + text, end=max(before.end, end)))
        else:
            words.append(_Heard(text, start, max(start, end)))
    return words


def _cuts(speech: _Speech) -> list[int]:
    """Where the cues start, and the end of the last one."""
    best, came_from = [0.0], [0]
    for last in range(1, len(speech.heard) + 1):
        costs = {first: best[first] + _cost(speech, first, last) for first in _starts(speech, last)}
        chosen = min(costs, key=costs.__getitem__)
        best.append(costs[chosen])
        came_from.append(chosen)
    cuts = [len(speech.heard)]
    while cuts[-1] > 0:
        cuts.append(came_from[cuts[-1]])
    return cuts[::-1]


def _starts(speech: _Speech, last: int) -> Iterator[int]:
    """Where a cue that ends there may start: one word always fits, more only in two lines."""
    yield last - 1
    for first in range(last - 2, -1, -1):
        is_long = speech.heard[last - 1].end - speech.heard[first].start > rules.LONGEST
        if is_long or speech.text.length(first, last) > rules.LINES * (rules.LINE + 1):
            return
        yield first


def _cost(speech: _Speech, first: int, last: int) -> float:
    """Of a cue of the words from `first` up to, without, `last`, and of the cut after it."""
    _, lines = lay_out(speech.text, first, last)
    if lines >= OVERFULL and last - first > 1:
        return lines * (last - first)
    is_end = last == len(speech.heard)
    cut = 0.0 if is_end else speech.text.costs[last]
    inside = sum(_inside(speech, at) for at in range(first + 1, last))
    missed = _missed(speech, first, last)
    return _CUE + lines + cut + inside + _MISSES * (missed > 0) + _MISSED * missed


def _inside(speech: _Speech, at: int) -> float:
    """What it costs that a cue goes on over this word's beginning."""
    pause = speech.heard[at].start - speech.heard[at - 1].end
    silence = max(0, min(pause, _LONGEST_PAUSE) - _BREATH) / 1000
    return _PAUSE * silence + _SENTENCE_INSIDE * (speech.text.costs[at] == 0)


def _missed(speech: _Speech, first: int, last: int) -> float:
    """How much of the time that reading takes is missing: 0 for none, 1 for all of it."""
    start = speech.heard[first].start
    end = start + rules.LONGEST
    if last < len(speech.heard):
        end = min(end, speech.heard[last].start - speech.gap)
    needed = rules.needed(speech.text.length(first, last))
    return max(0, needed - (end - start)) / needed


def _timed(cues: Sequence[Cue], gap: int) -> list[Cue]:
    """Each shown as long as reading takes, as far as its neighbours leave room."""
    timed: list[Cue] = []
    for cue, after in zip_longest(cues, cues[1:]):
        latest = cue.start + rules.LONGEST
        if after is not None:
            latest = min(latest, after.start - gap)
        needed = rules.needed(cue.letters)
        end = max(min(max(cue.end, cue.start + needed), latest), cue.start + 1)
        earliest = max(cue.start - rules.LEAD, timed[-1].end + gap if timed else 0)
        start = min(cue.start, max(earliest, end - needed))
        timed.append(Cue(start, end, cue.lines))
    return timed
