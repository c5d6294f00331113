"""Enlarging a short video frame by frame: each is shown as long as it was, and the sound stays."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from darkroom.gated import enlarging, files, models
from darkroom.media import ffmpeg, frames, sound
from darkroom.media.enhancing import orders
from darkroom.media.enhancing.result import Enhanced, described, filename, network
from darkroom.media.frames import Footage, Frame
from darkroom.media.requests import Made, Order
from darkroom.media.results import put, thumbnail
from darkroom.queue.task import Task
from darkroom.storage import images, temporary
from darkroom.vision.models import upscaler
from darkroom.vision.upscale import Upscaler

MP4 = "video/mp4"
_PICTURES, _FIRST, _RESULT = "pictures.mp4", "first.png", "result.mp4"


def enlarged(task: Task, order: Order) -> Enhanced:
    """The video of a request, enlarged and stored."""
    started = time.monotonic()
    [given] = order.files["video"]
    with (
        files.original(task, given.asset_id) as path,
        temporary.folder(task.settings.temp_dir) as folder,
    ):
        work = _Work(task, order, folder)
        begins = _pictured(work, path)
        task.progress(0.95, "putting the sound to the pictures")
        _joined(task, path, begins, folder)
        made = [_stored(work, given.filename), thumbnail(task, order, folder / _FIRST)]
    seconds = time.monotonic() - started
    said = described(order, work.engine, work.size, seconds)
    return Enhanced({**said, "frames": work.done}, made, work.engine)


class _Work:
    """A video on its way through a network."""

    def __init__(self, task: Task, order: Order, folder: Path) -> None:
        self.task, self.order, self.folder = task, order, folder
        self.done = 0
        self.engine = ""
        self.size = (0, 0)

    def enlarged(self, footage: Footage, loaded: Upscaler) -> Iterator[Frame]:
        for frame in footage.frames():
            if self.done == orders.MOST_FRAMES:
                raise orders.too_long()
            if not self.done:
                images.save(frame.pixels, self.folder / _FIRST, images.PNG, quality=100)
            yield self._enlarged(frame, loaded)
            self._tell(footage.count)

    def _enlarged(self, frame: Frame, loaded: Upscaler) -> Frame:
        found = loaded.upscale(
            frame.pixels,
            folder=self.folder,
            model=network(self.order),
            scale=self.order.asked["scale"],
            stop=self.task.checkpoint,
        )
        height, width = found.pixels.shape[:2]
        self.engine, self.size = found.engine, (width - width % 2, height - height % 2)
        return replace(frame, pixels=found.pixels)

    def _tell(self, count: int) -> None:
        self.done += 1
        expected = max(count, self.done)
        self.task.progress(
            0.95 * self.done / expected,
            "enlarging: frame {frame} of about {frames}",
            frame=self.done,
            frames=expected,
        )


def _pictured(work: _Work, path: Path) -> float:
    """Write the enlarged pictures; answers how long after the file's begin the first is shown."""
    task = work.task
    model = upscaler(task.settings.weights_dir)
    with models.using(task, model, enlarging.OPERATION) as loaded, frames.opened(path) as footage:
        frames.write(work.enlarged(footage, loaded), footage, work.folder / _PICTURES)
        return footage.begins


def _joined(task: Task, path: Path, begins: float, folder: Path) -> None:
    """Put the video's own sound beside the enlarged pictures."""
    options = [
        "-itsoffset", f"{begins:.6f}", *ffmpeg.given(folder / _PICTURES), *ffmpeg.given(path),
        "-map", "0:v:0", "-map", "1:a:0?", "-sn", "-dn", "-map_metadata", "-1", "-c:v", "copy",
        *sound.kept(sound.look_at(path)), "-movflags", "+faststart", "-f", "mp4", _RESULT,
    ]  # fmt: skip
    ffmpeg.run(options, folder, stop=task.checkpoint)


def _stored(work: _Work, given: str) -> Made:
    path = work.folder / _RESULT
    stored = put(work.task, work.order, path, _RESULT, MP4, work.size)
    return Made("result", stored, filename(work.order, given, "mp4"))
