"""Cues: what is read, from when to when; and how people change them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from darkroom.errors import Invalid
from darkroom.media.subtitles import rules
from darkroom.media.subtitles.layout import lay_out_text


class Spoken(Protocol):
    """A word as it was heard: text (with a space before it where one belongs), seconds."""

    @property
    def text(self) -> str: ...
    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...


@dataclass(frozen=True)
class Cue:
    """What is shown, from `start` to `end` in milliseconds."""

    start: int
    end: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it in one line."""
        return " ".join(self.lines)

    @property
    def letters(self) -> int:
        """Characters that are read; what ends a line is none."""
        return sum(map(len, self.lines))

    @property
    def duration(self) -> int:
        """Milliseconds."""
        return self.end - self.start


def insist_in_order(cues: Sequence[Cue]) -> None:
    """`Invalid` where a cue ends before it starts, starts before the one before it, or is empty."""
    earliest = 0
    for number, cue in enumerate(cues, 1):
        if cue.start < earliest:
            raise Invalid(f"Cue {number} starts before the one before it, or before 0.", "cues")
        if cue.end <= cue.start:
            raise Invalid(f"Cue {number} ends before it starts: make it longer.", "cues")
        if not cue.text.strip():
            raise Invalid(f"Cue {number} is empty: write something, or remove it.", "cues")
        earliest = cue.start


def shift(cues: Sequence[Cue], by: int, first: int = 1) -> list[Cue]:
    """Show the cues from number `first` on later by that many milliseconds; earlier if negative.

    Raises
    ------
    Invalid
        When one would start before 0, or before the cue that stays.
    """
    _insist_there(cues, first, "first")
    moved = [replace(cue, start=cue.start + by, end=cue.end + by) for cue in cues[first - 1 :]]
    shifted = [*cues[: first - 1], *moved]
    insist_in_order(shifted)
    return shifted


def merge(cues: Sequence[Cue], number: int, language: str) -> list[Cue]:
    """Make one cue of a cue and the next one, its lines broken anew."""
    _insist_there(cues, number + 1, "number")
    one, other = cues[number - 1 : number + 1]
    lines = lay_out_text(f"{one.text} {other.text}", language)
    return [*cues[: number - 1], Cue(one.start, other.end, lines), *cues[number + 1 :]]


def split(cues: Sequence[Cue], number: int, at: int, language: str, fps: float) -> list[Cue]:
    """Make two cues of one, before the character `at` of its text.

    Each gets time in proportion to its characters, with the smallest gap between them.

    Raises
    ------
    Invalid
        When there is no such cue, one part would be empty, or there is no time for two.
    """
    _insist_there(cues, number, "number")
    cue = cues[number - 1]
    head, tail = cue.text[: max(0, at)].strip(), cue.text[max(0, at) :].strip()
    if not head or not tail:
        raise Invalid("Split a cue between two of its words.", "at")
    gap = rules.gap(fps)
    if cue.duration <= 2 * gap:
        raise Invalid("This cue is too short to be split.", "number")
    middle = cue.start + round((cue.duration - gap) * len(head) / (len(head) + len(tail)))
    one = Cue(cue.start, middle, lay_out_text(head, language))
    other = Cue(middle + gap, cue.end, lay_out_text(tail, language))
    return [*cues[: number - 1], one, other, *cues[number:]]


def _insist_there(cues: Sequence[Cue], number: int, field: str) -> None:
    if not 1 <= number <= len(cues):
        raise Invalid(f"There is no cue {number}; there are {len(cues)}.", field)
