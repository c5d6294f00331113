"""Making the video of a portrait: LivePortrait moves it where it is there, else it stays still."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from darkroom.gated import files, models
from darkroom.media import ffmpeg, marks, results, sound
from darkroom.media.marks import Mark
from darkroom.media.portraits import filming, moving
from darkroom.media.portraits.orders import AUDIO, PORTRAIT
from darkroom.media.requests import Made, Order
from darkroom.queue.task import Task
from darkroom.storage import images, temporary
from darkroom.vision import liveportrait
from darkroom.vision.cache import Model
from darkroom.vision.liveportrait import Wishes
from darkroom.web.words import N_

Json = dict[str, Any]

STILL = "ffmpeg"
OPERATION = "animate"
STILL_SIDE, MOVING_SIDE = 1920, 1280
"""Longer sides; LivePortrait would shrink to the second by itself."""
NOT_INSTALLED = N_(
    "LivePortrait is not installed, so the portrait stays still: a video of it with the sound."
)


@dataclass(frozen=True)
class Filmed:
    """A video of a portrait, in the store and without rows yet."""

    result: Json
    files: list[Made]
    engine: str


@dataclass(frozen=True)
class _Work:
    """A request in work: its folder, its portrait (width, height) as a PNG there, and its sound."""

    task: Task
    order: Order
    folder: Path
    portrait: Path
    size: tuple[int, int]
    heard: Path
    seconds: float

    def told(self, low: float, high: float, note: str) -> Callable[[float], None]:
        """Tells seconds of the result as progress between two shares."""
        return lambda done: self.task.progress(
            low + (high - low) * min(1.0, done / max(self.seconds, 0.1)), note
        )


def filmed(task: Task, order: Order) -> Filmed:
    """The video that a request asks for, marked and stored.

    Raises
    ------
    Invalid
        When LivePortrait finds no face.
    Permanent
        When LivePortrait or ffmpeg fails.
    """
    checkout = task.settings.media.liveportrait_dir
    lacking = None if checkout is None else liveportrait.missing(checkout)
    with temporary.folder(task.settings.temp_dir) as folder:
        target = folder / "result.mp4"
        if checkout is not None and lacking is None:
            work = _begun(task, order, folder, MOVING_SIDE)
            _film_moving(work, checkout, target)
            return _finished(work, target, liveportrait.NAME, {})
        work = _begun(task, order, folder, STILL_SIDE)
        _film_still(work, target)
        return _finished(work, target, STILL, {"fallback": _why_still(lacking)})


def _why_still(lacking: str | None) -> str:
    if lacking is None:
        return NOT_INSTALLED
    return f"LivePortrait's checkout lacks {lacking}, so the portrait stays still."


def _begun(task: Task, order: Order, folder: Path, side: int) -> _Work:
    [portrait], [audio] = order.files[PORTRAIT], order.files[AUDIO]
    task.progress(0.02, "preparing the sound")
    with files.original(task, audio.asset_id) as path:
        heard, seconds = filming.take_sound(path, folder, stop=task.checkpoint)
    with files.with_room(task, portrait.asset_id) as path:
        pixels, _ = images.thumbnail(path, side, max_pixels=task.settings.max_pixels)
    picture = folder / "portrait.png"
    images.save(pixels, picture, images.PNG, quality=100)
    return _Work(task, order, folder, picture, results.size_of(pixels), heard, seconds)


def _film_still(work: _Work, target: Path) -> None:
    filming.film(
        filming.still(work.portrait),
        work.heard,
        work.seconds,
        target,
        work.folder,
        label=_label(work, work.size),
        told=work.told(0.1, 0.95, "writing the video"),
        stop=work.task.checkpoint,
    )


def _film_moving(work: _Work, checkout: Path, target: Path) -> None:
    task = work.task
    task.progress(0.05, "listening to the sound")
    heard = sound.samples(work.heard, work.folder, told=lambda done: None, stop=task.checkpoint)
    motion = work.folder / "motion.pkl"
    liveportrait.write_motion(checkout, heard, sound.RATE, motion)
    model = Model(liveportrait.NAME, liveportrait.SIZE, lambda: checkout)
    with models.using(task, model, OPERATION):
        task.progress(0.1, "moving the portrait")
        moved = moving.moved(
            checkout,
            Wishes(**work.order.asked),
            work.portrait,
            motion,
            work.folder,
            stop=task.checkpoint,
        )
    filming.film(
        ffmpeg.given(moved),
        work.heard,
        work.seconds,
        target,
        work.folder,
        label=_label(work, filming.size_of(moved)),
        told=work.told(0.8, 0.95, "writing the video"),
        stop=task.checkpoint,
    )


def _label(work: _Work, size: tuple[int, int]) -> Path | None:
    """The visible mark for pictures of that size, as a picture, where the settings want one."""
    if work.task.settings.media.mark != "visible":
        return None
    path = work.folder / "label.png"
    marks.label_for(size).save(path)
    return path


def _finished(work: _Work, target: Path, engine: str, said: Json) -> Filmed:
    filming.insist_whole(target, work.seconds)
    size = filming.size_of(target)
    kind = marks.COMPOSED if engine == STILL else marks.GENERATED_IN_PART
    marks.embed(target, marks.MP4, Mark(kind, engine))
    work.task.progress(0.97, "storing the video")
    stored = results.put(work.task, work.order, target, "result.mp4", marks.MP4, size)
    made = Made("result", stored, "portrait.mp4")
    return Filmed(
        {"width": size[0], "height": size[1], "duration": round(work.seconds, 2), **said},
        [made, results.thumbnail(work.task, work.order, work.portrait)],
        engine,
    )
