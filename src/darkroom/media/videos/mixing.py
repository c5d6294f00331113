"""What is heard in a video, and when."""

from collections.abc import Iterator
from dataclasses import dataclass

from darkroom.media.videos.graphs import Sound
from darkroom.media.videos.plan import AUDIO, CLIP, CUT, FPS, NARRATION, OVERLAP, Plan

_BELOW = 0.3
"""Volume of a clip while somebody speaks over it."""
_END = 1.0
"""Seconds that a sound takes to end where the video ends before it."""


@dataclass(frozen=True)
class Heard:
    """A sound of a video, and which file of which role holds it."""

    role: str
    file: int
    sound: Sound


def heard(plan: Plan) -> list[Heard]:
    """All sounds of a video."""
    of_scenes = [_of(plan, at, start) for at, start in enumerate(plan.starts)]
    return [*_under_all(plan), *(each for sounds in of_scenes for each in sounds)]


def _under_all(plan: Plan) -> Iterator[Heard]:
    seconds = plan.frames / FPS
    if plan.audio:
        fade = min(_END, seconds) if plan.audio > seconds else 0.0
        yield Heard(AUDIO, 0, Sound(0.0, seconds, fade_out=fade))


def _of(plan: Plan, at: int, start: int) -> Iterator[Heard]:
    scene = plan.scenes[at]
    begins, seconds = start / FPS, scene.frames / FPS
    if scene.is_heard:
        after = plan.overlap(at) / FPS
        volume = 1.0 if scene.narration is None else _BELOW
        before = OVERLAP / FPS if at and scene.transition != CUT else 0.0
        yield Heard(CLIP, scene.file, Sound(begins, seconds + after, volume, before, after))
    if scene.narration is not None:
        yield Heard(NARRATION, scene.narration, Sound(begins, seconds))
