"""The rules of professional subtitles: how much, how fast, how long.

They are those of the large broadcasters' and streaming services' style guides for Spanish and
English: 42 characters a line, 2 lines, 17 characters a second, 5/6 s to 7 s, two frames between.
"""

import math

LINE = 42
LINES = 2
SPEED = 17
"""Characters a second."""
SHORTEST, LONGEST = 834, 7000
"""Milliseconds; the shortest is 5/6 s."""
GAP_FRAMES = 2
FPS = 25.0
"""Of what has no pictures."""
LEAD = 500
"""Milliseconds that a cue may be shown before it is spoken, where it would else be too short."""


def gap(fps: float) -> int:
    """Milliseconds between two cues."""
    return math.ceil(GAP_FRAMES * 1000 / fps)


def needed(letters: int) -> int:
    """Milliseconds that so many characters have to be shown."""
    return max(SHORTEST, math.ceil(letters * 1000 / SPEED))
