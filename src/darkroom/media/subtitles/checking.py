"""The report on cues: which rule is missed where, by how much, and whether that can be helped."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from darkroom.media.subtitles import breaking, rules, tongues
from darkroom.media.subtitles.cues import Cue
from darkroom.media.subtitles.layout import OVERFULL, lay_out, lay_out_text, passage

LINE, LINES, SPEED = "line_length", "lines", "reading_speed"
SHORTEST, LONGEST, GAP, GLUED = "shortest", "longest", "gap", "broken_name_or_number"
RULES = (LINE, LINES, SPEED, SHORTEST, LONGEST, GAP, GLUED)


@dataclass(frozen=True)
class Violation:
    """One rule missed by one cue.

    Attributes
    ----------
    rule : one of `RULES`
    number : of the cue, from 1
    found : characters, lines, characters a second, or milliseconds; 0 for a broken name
    allowed : the rule's limit in the same unit
    is_avoidable : whether more time or other lines would mend it; not where somebody speaks faster
        than the rule, or one word is longer than a line
    """

    rule: str
    number: int
    found: float
    allowed: float
    is_avoidable: bool


@dataclass(frozen=True)
class Report:
    """What was checked, and what was found."""

    cues: int
    violations: tuple[Violation, ...]

    def count(self, rule: str) -> int:
        """How often a rule is missed."""
        return sum(found.rule == rule for found in self.violations)

    @property
    def avoidable(self) -> tuple[Violation, ...]:
        """What can be mended."""
        return tuple(found for found in self.violations if found.is_avoidable)


def check(cues: Sequence[Cue], language: str, fps: float = rules.FPS) -> Report:
    """Every rule against every cue; the gap is the one of that many frames a second."""
    gap = rules.gap(fps)
    found = list(_of_gaps(cues, gap))
    around = zip([None, *cues], cues, [*cues[1:], None], strict=False)
    for number, (before, cue, after) in enumerate(around, 1):
        has_time = _room(before, cue, after, gap) > 0 or (
            _can_join(before, cue, language) or _can_join(cue, after, language)
        )
        found += [*_of_lines(cue, number, language), *_of_time(cue, number, has_time)]
    return Report(len(cues), tuple(sorted(found, key=lambda one: one.number)))


def _of_lines(cue: Cue, number: int, language: str) -> Iterator[Violation]:
    text = _Text(cue, language)
    longest = max(map(len, cue.lines))
    if longest > rules.LINE:
        yield Violation(LINE, number, longest, rules.LINE, not text.is_one_word)
    if len(cue.lines) > rules.LINES:
        yield Violation(LINES, number, len(cue.lines), rules.LINES, True)
    if any(text.is_glued(at) for at in text.breaks):
        yield Violation(GLUED, number, 0, 0, text.has_better_break)


class _Text:
    """The words of a cue, and where its lines break them."""

    def __init__(self, cue: Cue, language: str) -> None:
        self._spaceless = language in tongues.SPACELESS
        rows = [list(line) if self._spaceless else line.split() for line in cue.lines]
        self._passage = passage([word for row in rows for word in row], language)
        self.breaks = [sum(map(len, rows[:count])) for count in range(1, len(rows))]

    @property
    def is_one_word(self) -> bool:
        return len(self._passage.words) == 1

    def is_glued(self, at: int) -> bool:
        inside = 0 < at < len(self._passage.words)
        return inside and self._passage.costs[at] >= breaking.GLUED

    @property
    def has_better_break(self) -> bool:
        """Whether two lines could hold the words without breaking a name or a number."""
        return lay_out(self._passage, 0, len(self._passage.words))[1] < breaking.GLUED < OVERFULL


def _room(before: Cue | None, cue: Cue, after: Cue | None, gap: int) -> int:
    """Milliseconds that the cue could be shown longer, before it and after it."""
    latest = cue.start + rules.LONGEST if after is None else after.start - gap
    earliest = 0 if before is None else before.end + gap
    lead = min(rules.LEAD, cue.start - earliest)
    return max(0, latest - cue.end) + max(0, lead)


def _can_join(cue: Cue | None, after: Cue | None, language: str) -> bool:
    """Whether one cue of both would keep the rules."""
    if cue is None or after is None:
        return False
    joined = Cue(cue.start, after.end, lay_out_text(f"{cue.text} {after.text}", language))
    fits = len(joined.lines) <= rules.LINES and max(map(len, joined.lines)) <= rules.LINE
    return fits and rules.needed(joined.letters) <= joined.duration <= rules.LONGEST


def _of_time(cue: Cue, number: int, has_time: bool) -> Iterator[Violation]:
    shown = max(1, cue.duration)
    if rules.needed(cue.letters) > max(shown, rules.SHORTEST):
        speed = round(cue.letters * 1000 / shown, 1)
        yield Violation(SPEED, number, speed, rules.SPEED, has_time)
    if shown < rules.SHORTEST:
        yield Violation(SHORTEST, number, shown, rules.SHORTEST, has_time)
    if shown > rules.LONGEST:
        yield Violation(LONGEST, number, shown, rules.LONGEST, True)


def _of_gaps(cues: Sequence[Cue], gap: int) -> Iterator[Violation]:
    for number, (cue, after) in enumerate(pairwise(cues), 1):
        if after.start - cue.end < gap:
            yield Violation(GAP, number, after.start - cue.end, gap, True)
