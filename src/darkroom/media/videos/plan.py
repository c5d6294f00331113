"""What a video is to be: its scenes, in order, and what is heard."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

Json = dict[str, Any]

FPS = 30
"""Frames a second of every video that is made."""
OVERLAP = FPS // 2
"""Frames that a transition lasts."""
USUAL_SECONDS = 4.0
SHORTEST, LONGEST_SCENE = 0.5, 300.0
LONGEST = 600.0
"""Seconds of a scene, and of all of them."""
MOST_SCENES = 40

ASPECTS: Mapping[str, tuple[int, int]] = {
    "16:9": (1920, 1080),
    "9:16": (1080, 1920),
    "1:1": (1080, 1080),
}
"""Shapes, and how many pixels wide and high each is."""
PICTURE, CLIP, NARRATION, AUDIO = "picture", "clip", "narration", "audio"
"""Roles of the files that come with a request."""
MOTIONS = ("none", "in", "out", "left", "right")
"""How the view moves over a picture."""
FITS = ("cover", "contain")
"""Cut at the edges to fill the frame, or whole, upon a blurred copy of itself."""
HEAD, BODY, TAIL = "head", "body", "tail"
PLACES = ("bottom", "middle", "top")
CUT = "cut"
TRANSITIONS: Mapping[str, str] = {
    "fade": "fade",
    "black": "fadeblack",
    "dissolve": "dissolve",
    "slide": "slideleft",
    "wipe": "wipeleft",
    "zoom": "zoomin",
}
"""What may stand between two scenes beside a cut, and what ffmpeg calls it."""


@dataclass(frozen=True)
class Scene:
    """A part of a video.

    Attributes
    ----------
    source : `PICTURE` or `CLIP`, which is also the role of its file
    file : which one of that role, from 0
    is_heard : whether the sound of its clip is
    frames : how long it lasts
    transition : how it takes over from the one before it
    narration : which file of that role is spoken over it, if any
    """

    source: str
    file: int
    frames: int
    motion: str = "none"
    fit: str = "cover"
    transition: str = CUT
    title: str = ""
    title_place: str = "bottom"
    is_heard: bool = False
    narration: int | None = None


@dataclass(frozen=True)
class Plan:
    """A video.

    Attributes
    ----------
    audio : seconds of the sound that lies under all of it; 0 where there is none
    subtitles : whether what is said is to be written into it
    language : that is spoken; None finds it out
    """

    aspect: str
    scenes: tuple[Scene, ...]
    audio: float = 0.0
    subtitles: bool = False
    language: str | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Pixels, width and height."""
        return ASPECTS[self.aspect]

    @property
    def frames(self) -> int:
        """How long it lasts."""
        return sum(scene.frames for scene in self.scenes)

    @property
    def starts(self) -> list[int]:
        """The frame that each scene begins with."""
        return [sum(s.frames for s in self.scenes[:at]) for at in range(len(self.scenes))]

    def overlap(self, at: int) -> int:
        """Frames for which a scene is still seen while the next one takes over."""
        is_followed = at + 1 < len(self.scenes)
        return OVERLAP if is_followed and self.scenes[at + 1].transition != CUT else 0

    def parts(self, at: int) -> dict[str, tuple[int, int]]:
        """The frames (first, last + 1) of a scene's film, by what they are for.

        In its `HEAD` it takes over from the scene before, in its `TAIL` the next one does from it.
        """
        frames = self.scenes[at].frames
        before = self.overlap(at - 1) if at else 0
        spans = {
            HEAD: (0, before),
            BODY: (before, frames),
            TAIL: (frames, frames + self.overlap(at)),
        }
        return {part: span for part, span in spans.items() if span[0] < span[1]}

    def as_json(self) -> Json:
        """As a request keeps it."""
        return asdict(self)


def read(kept: Json) -> Plan:
    """The plan that a request keeps."""
    scenes = tuple(Scene(**scene) for scene in kept["scenes"])
    return Plan(**{**kept, "scenes": scenes})
