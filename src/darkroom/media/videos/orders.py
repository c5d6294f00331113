"""Orders of videos: what was asked and the files that came with it, as one plan."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask import request

from darkroom.errors import Invalid
from darkroom.media import receiving
from darkroom.media.fields import Fields, flat
from darkroom.media.requests import Received, Wish
from darkroom.media.videos import asking, mixing
from darkroom.media.videos.asking import Asked, Whole
from darkroom.media.videos.plan import (
    AUDIO,
    CLIP,
    FPS,
    LONGEST,
    NARRATION,
    PICTURE,
    SHORTEST,
    USUAL_SECONDS,
    Plan,
    Scene,
)
from darkroom.web.services import services
from darkroom.web.words import N_

Json = Mapping[str, Any]

SERVICE = "videos"
_SILENT = N_("There is no sound in this file.")
_ENDLESS = N_("This file does not say how long it lasts: send it as MP4.")


@dataclass(frozen=True)
class _Sound:
    """A file that is heard: which one of its role, from 0, and how long it lasts."""

    file: int
    seconds: float


@dataclass
class _Files:
    """The files of a request, as they come in."""

    received: list[Received] = field(default_factory=list)

    def add(self, file: Received) -> int:
        """Which one of its role the file is, from 0."""
        number = sum(other.role == file.role for other in self.received)
        self.received.append(file)
        return number


def slideshow(sent: Json) -> Wish:
    """A video of pictures: `images`, one after the other, and one `audio` under them.

    Stores the files: call it outside of any transaction.
    """
    files, values = _Files(), flat(sent)
    fields = Fields({**values, **_lines(values, "titles"), **_lines(values, "durations")})
    asked = asking.slides(fields, _count(values))
    asking.insist_drawable(asked, "titles.{}", services().settings.fonts_dir)
    chosen = asking.whole(fields)
    audio = _heard(values, "audio", AUDIO, files)
    usual = USUAL_SECONDS
    if audio is not None:
        usual = max(audio.seconds / len(asked), SHORTEST)
    scenes = [_slide(values, scene, usual, files) for scene in asked]
    return _wish(chosen, scenes, files, "images", 0.0 if audio is None else audio.seconds)


def scenes(sent: Json) -> Wish:
    """A video of `scenes`, each with its own files.

    Stores the files: call it outside of any transaction.
    """
    files, values = _Files(), flat(sent)
    fields = Fields(_begun(values))
    asked, chosen = asking.scenes(fields), asking.whole(fields)
    asking.insist_drawable(asked, "scenes.{}.text", services().settings.fonts_dir)
    return _wish(chosen, [_scene(values, scene, files) for scene in asked], files, "scenes")


def _wish(
    chosen: Whole, scenes: Sequence[Scene], files: _Files, name: str, audio: float = 0.0
) -> Wish:
    plan = Plan(chosen.aspect, tuple(scenes), audio, chosen.subtitles, chosen.language)
    if plan.frames > LONGEST * FPS:
        raise Invalid(f"All together must last at most {LONGEST:g} seconds.", name)
    if plan.subtitles and not mixing.heard(plan):
        raise Invalid(
            N_("Nothing is heard in this video: send sound, or ask for no subtitles."),
            "generate_subtitles",
        )
    title = next((scene.title for scene in scenes if scene.title), N_("Video"))
    return Wish(SERVICE, title, plan.as_json(), files.received)


def _slide(values: Json, asked: Asked, usual: float, files: _Files) -> Scene:
    name = f"images.{asked.number}"
    parts = _parts("images")
    part = parts[asked.number] if parts else receiving.part(values, name)
    picture = files.add(receiving.picture(part, PICTURE, name))
    return _planned(asked, PICTURE, picture, asked.seconds or usual)


def _scene(values: Json, asked: Asked, files: _Files) -> Scene:
    name = f"scenes.{asked.number}"
    narration = _heard(values, f"{name}.audio", NARRATION, files)
    spoken = 0.0 if narration is None else narration.seconds
    still = receiving.part(values, f"{name}.image", optional=True)
    if still is not None and receiving.part(values, f"{name}.video", optional=True) is not None:
        raise Invalid(N_("A scene has a picture or a clip, not both."), f"{name}.video")
    if still is not None:
        picture = files.add(receiving.picture(still, PICTURE, f"{name}.image"))
        seconds = asked.seconds or spoken or USUAL_SECONDS
        made = _planned(asked, PICTURE, picture, max(seconds, spoken))
    else:
        made = _clip(values, asked, f"{name}.video", spoken, files)
    return made if narration is None else replace(made, narration=narration.file)


def _clip(values: Json, asked: Asked, name: str, spoken: float, files: _Files) -> Scene:
    part = receiving.part(values, name, optional=True)
    if part is None:
        number = asked.number + 1
        raise Invalid(
            f"Scene {number} has neither picture nor clip: send image or video.",
            f"scenes.{asked.number}.image",
            code="missing",
        )
    clip = receiving.media(part, CLIP, name)
    seen = clip.media
    if seen is None or seen.picture is None:
        raise Invalid(N_("This is sound alone: there are no pictures in it."), name)
    seconds = asked.seconds or seen.seconds
    if not seconds:
        raise Invalid(_ENDLESS, name)
    made = _planned(asked, CLIP, files.add(clip), max(seconds, spoken, SHORTEST))
    return replace(made, is_heard=seen.sound is not None)


def _heard(values: Json, name: str, role: str, files: _Files) -> _Sound | None:
    """The sound of that name, if one was sent."""
    part = receiving.part(values, name, optional=True)
    if part is None:
        return None
    file = receiving.media(part, role, name)
    if file.media is None or file.media.sound is None:
        raise Invalid(_SILENT, name)
    if not file.media.seconds:
        raise Invalid(_ENDLESS, name)
    return _Sound(files.add(file), file.media.seconds)


def _planned(asked: Asked, source: str, file: int, seconds: float) -> Scene:
    return Scene(
        source,
        file,
        math.ceil(round(seconds * FPS, 3)),
        asked.motion,
        asked.fit,
        asked.transition,
        asked.title,
        asked.title_place,
    )


def _parts(name: str) -> list[Any]:
    """The parts of a form that bear this name, but for the fields that were left empty."""
    return [part for part in request.files.getlist(name) if part.filename]


def _count(values: Json) -> int:
    return len(_parts("images")) or len(Fields(values).numbers("images"))


def _begun(values: Json) -> Json:
    """The fields, of a form without those of scenes that nothing was put into."""
    if request.mimetype != "multipart/form-data":
        return values
    sent = {name for name, part in request.files.items() if part.filename}
    sent |= {name for name, value in values.items() if name.endswith(".text") and value.strip()}
    begun = {name.split(".")[1] for name in sent if name.startswith("scenes.")}
    every = {**dict.fromkeys(sent), **values}
    return {
        name: value
        for name, value in every.items()
        if not name.startswith("scenes.") or name.split(".")[1] in begun
    }


def _lines(values: Json, name: str) -> dict[str, str]:
    """A list that came as one text, a value a line."""
    given = values.get(name)
    lines = given.splitlines() if isinstance(given, str) else []
    return {f"{name}.{number}": line for number, line in enumerate(lines)}
