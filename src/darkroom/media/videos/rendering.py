"""A planned video made of the files of its request: scene by scene, then as one."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from darkroom.errors import Permanent
from darkroom.gated import files
from darkroom.media import fonts
from darkroom.media.ffmpeg import Told
from darkroom.media.requests import Order
from darkroom.media.videos import filming, fitting, mixing, titles
from darkroom.media.videos.filming import Shot
from darkroom.media.videos.graphs import Overlay, Sound
from darkroom.media.videos.plan import CLIP, FPS, PICTURE, Plan, Scene
from darkroom.queue.task import Task

_FILMED, _JOINED = 0.55, 0.95
"""The part of the work that is done when every scene is filmed, and when they are one."""
_FITTED = "picture.png"


@dataclass(frozen=True)
class _Work:
    """What every scene of a video is made with."""

    task: Task
    order: Order
    plan: Plan
    folder: Path


def rendered(task: Task, order: Order, plan: Plan, folder: Path) -> Path:
    """The video, without subtitles, in the folder.

    Raises
    ------
    Invalid
        When the clip of a scene is damaged.
    """
    work = _Work(task, order, plan, folder)
    for number in range(len(plan.scenes)):
        _film(work, number)
    pieces = filming.pieces(plan, folder, stop=task.checkpoint)
    target = folder / "video.mp4"
    with _sources(work) as sounds:
        filming.join(
            plan, pieces, sounds, target, folder, told=_joining(work), stop=task.checkpoint
        )
    for film in folder.glob("*.mkv"):
        film.unlink()
    return target


def _film(work: _Work, number: int) -> None:
    """Film one scene."""
    scene, plan = work.plan.scenes[number], work.plan
    told = _filming(work, number)
    told(0.0)
    with _source(work, scene, number) as source:
        titled = _titled(work, scene)
        shot = Shot(number, scene, plan.size, plan.parts(number), source, titled)
        try:
            filming.film(shot, work.folder, told=told, stop=work.task.checkpoint)
        except Permanent as error:
            if scene.source == CLIP:
                raise filming.broken(number + 1) from error
            raise


@contextmanager
def _source(work: _Work, scene: Scene, number: int) -> Iterator[Path]:
    """The clip of a scene, whole, or its picture at the size of the video."""
    asset_id = work.order.files[scene.source][scene.file].asset_id
    if scene.source == PICTURE:
        fitted = work.folder / _FITTED
        with files.pixels_of(work.task, asset_id) as pixels:
            fitting.fit(pixels, work.plan.size, scene.fit, fitted)
        yield fitted
    else:
        with files.original(work.task, asset_id) as clip:
            filming.insist_whole(clip, number + 1)
            yield clip


def _titled(work: _Work, scene: Scene) -> Overlay | None:
    if not scene.title:
        return None
    font = fonts.choose(work.task.settings.fonts_dir, None, scene.title)
    target = work.folder / filming.TITLE
    return titles.draw(scene.title, scene.title_place, font, work.plan.size, target)


@contextmanager
def _sources(work: _Work) -> Iterator[list[tuple[Sound, Path]]]:
    """Every sound of the video with the file that holds it."""
    with ExitStack() as opened:
        found = []
        for each in mixing.heard(work.plan):
            given = work.order.files[each.role][each.file]
            path = opened.enter_context(files.original(work.task, given.asset_id))
            found.append((each.sound, path))
        yield found


def _filming(work: _Work, number: int) -> Told:
    before, count = work.plan.starts[number], len(work.plan.scenes)

    def told(seconds: float) -> None:
        frames = before + min(seconds * FPS, work.plan.scenes[number].frames)
        share = _FILMED * frames / work.plan.frames
        work.task.progress(
            share, "filming scene {scene} of {scenes}", scene=number + 1, scenes=count
        )

    return told


def _joining(work: _Work) -> Told:
    def told(seconds: float) -> None:
        share = min(1.0, seconds * FPS / work.plan.frames)
        work.task.progress(_FILMED + (_JOINED - _FILMED) * share, "joining the scenes")

    return told
