"""Scenes and whole videos, made by ffmpeg in a folder of the step's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from darkroom.errors import Invalid
from darkroom.media import ffmpeg
from darkroom.media.ffmpeg import Stop, Told
from darkroom.media.videos import graphs
from darkroom.media.videos.graphs import Overlay, Sound
from darkroom.media.videos.plan import BODY, FPS, HEAD, OVERLAP, PICTURE, TAIL, Plan, Scene

TITLE = "title.png"
_LIST = "pieces.txt"
_INTERMEDIATE = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "14", "-f", "matroska")
_FINAL = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p")
_SPOKEN = ("-c:a", "aac", "-b:a", "192k")
_LATITUDE, _PART = 1.0, 0.05
"""What a clip may lack of what it says it has: seconds, or that part of it."""


@dataclass(frozen=True)
class Shot:
    """A scene as it is filmed.

    Attributes
    ----------
    number : of the scene, from 0
    parts : the frames of its film, as `Plan.parts` has them
    source : its clip, or a PNG of the video's size in the folder
    overlay : where its title lies, which is `TITLE` in the folder
    """

    number: int
    scene: Scene
    size: tuple[int, int]
    parts: Mapping[str, tuple[int, int]]
    source: Path
    overlay: Overlay | None

    @property
    def lasts(self) -> int:
        """Frames of all parts."""
        return max(last for _, last in self.parts.values())


def film(shot: Shot, folder: Path, *, told: Told, stop: Stop) -> None:
    """Write the pictures of one scene, without sound, into the folder: a file a part.

    Raises
    ------
    Permanent
        When ffmpeg fails.
    """
    if shot.scene.source == PICTURE:
        graph = graphs.picture(shot.lasts, shot.scene.motion, shot.overlay)
        opened = _still(shot.source.name)
    else:
        graph = graphs.clip(shot.size, shot.lasts, shot.scene.fit, shot.overlay)
        opened = ffmpeg.given(shot.source)
    spans = list(shot.parts.values())
    options = [
        *opened, *(_still(TITLE) if shot.overlay else ()),
        "-filter_complex", f"{graph};{graphs.cut(spans)}",
    ]  # fmt: skip
    for at, (part, (first, last)) in enumerate(shot.parts.items()):
        written = ["-frames:v", str(last - first), *_INTERMEDIATE, name(shot.number, part)]
        options += ["-map", f"[p{at}]", *written]
    ffmpeg.run(options, folder, told=told, stop=stop)


def name(number: int, part: str) -> str:
    """What the film of a part of a scene (from 0) is called."""
    return f"scene-{number}-{part}.mkv"


def pieces(plan: Plan, folder: Path, *, stop: Stop) -> list[str]:
    """The names of all that the video consists of, in order; transitions are made here."""
    found = []
    for at, scene in enumerate(plan.scenes):
        parts = plan.parts(at)
        if HEAD in parts:
            _take_over(at, scene.transition, folder, stop)
            found.append(name(at, "transition"))
        if BODY in parts:
            found.append(name(at, BODY))
    return found


def join(
    plan: Plan,
    found: Sequence[str],
    sounds: Sequence[tuple[Sound, Path]],
    target: Path,
    folder: Path,
    *,
    told: Told,
    stop: Stop,
) -> None:
    """Write the MP4 of all pieces with its sounds.

    One is opened after the other: all at once would be in memory as far as they are decoded.

    Parameters
    ----------
    found : the names of the pieces in the folder
    sounds : what is heard when, and the files that hold it
    """
    listed = "".join(f"file {piece}\n" for piece in found)
    (folder / _LIST).write_text(listed, encoding="ascii")
    graph = [graphs.joined()]
    if sounds:
        placed = [sound for sound, _ in sounds]
        graph.append(graphs.heard(placed, 1, plan.frames / FPS))
    heard = [option for _, path in sounds for option in ffmpeg.given(path)]
    options = [
        "-f", "concat", "-i", f"file:{_LIST}", *heard,
        "-filter_complex", ";".join(graph), "-map", "[v]",
        *(("-map", "[a]", *_SPOKEN) if sounds else ()), "-frames:v", str(plan.frames),
        *_FINAL, "-movflags", "+faststart", "-f", "mp4", f"file:{target.resolve()}",
    ]  # fmt: skip
    ffmpeg.run(options, folder, told=told, stop=stop)


def _take_over(at: int, transition: str, folder: Path, stop: Stop) -> None:
    """Write how a scene takes over from the one before it."""
    options = [
        "-i", f"file:{name(at - 1, TAIL)}", "-i", f"file:{name(at, HEAD)}",
        "-filter_complex", graphs.taking_over(transition), "-map", "[v]",
        "-frames:v", str(OVERLAP), *_INTERMEDIATE, name(at, "transition"),
    ]  # fmt: skip
    ffmpeg.run(options, folder, stop=stop)


def insist_whole(clip: Path, number: int) -> None:
    """`Invalid`, naming the scene (from 1), where a clip's pictures end before it says they do."""
    import av

    options = {"format_whitelist": ffmpeg.CONTAINERS, "protocol_whitelist": "file"}
    try:
        with av.open(f"file:{clip.resolve()}", options=options) as container:
            said, found = _seconds(container)
    except (av.FFmpegError, ValueError) as error:
        raise broken(number) from error
    if found < said - max(_LATITUDE, _PART * said):
        raise broken(number)


def broken(number: int) -> Invalid:
    """What is said of a scene (from 1) whose clip cannot be used."""
    return Invalid(
        f"The clip of scene {number} is damaged or cut short: send it again.",
        f"scenes.{number - 1}.video",
    )


def _seconds(container: Any) -> tuple[float, float]:
    """How long the pictures of a clip last as it says (0: it does not), and as they do."""
    [stream, *_] = container.streams.video
    begins = stream.start_time or 0
    shown = (packet.pts for packet in container.demux(stream) if packet.pts is not None)
    last = max(shown, default=begins) - begins
    return float((stream.duration or 0) * stream.time_base), float(last * stream.time_base)


def _still(name: str) -> list[str]:
    return ["-f", "image2", "-framerate", str(FPS), "-i", f"file:{name}"]
