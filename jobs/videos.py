"""Videos of pictures and clips.

    render ──▶ hear ──▶ burn      (only where what is said is to be written into the video)

The video without subtitles is kept before anybody listens to it: where hearing fails, a retry goes
on from there.
"""

from functools import partial
from pathlib import Path
from uuid import UUID

from darkroom.gated import files
from darkroom.media import burning, fonts, requests
from darkroom.media.requests import Made, Order
from darkroom.media.subtitles import exports, hearing, reading, shots
from darkroom.media.subtitles.results import SILENT
from darkroom.media.subtitles.sheets import Sheet
from darkroom.media.subtitles.style import Style
from darkroom.media.subtitles.wishes import Asked
from darkroom.media.videos import plan, rendering
from darkroom.media.videos.plan import Plan
from darkroom.queue.step import Save, step
from darkroom.queue.task import Task
from darkroom.queue.transaction import Transaction
from darkroom.storage import temporary

ENGINE = "ffmpeg"
FILM = "film"
"""The role of a video that is to get subtitles, before it has them."""
MIME = "video/mp4"
FILES = Asked(formats=("srt", "vtt"))


@step(lane="cpu")
def render(task: Task, request_id: str) -> Save:
    """Make the video of its scenes."""
    order = requests.load(task.database, UUID(request_id))
    wanted = plan.read(order.asked)
    with temporary.folder(task.settings.temp_dir) as folder:
        video = rendering.rendered(task, order, wanted, folder)
        task.progress(0.95, "storing the video")
        made = [_stored(task, order, wanted, video, FILM if wanted.subtitles else "result")]
        made += shots.stored(order.request_id, video, folder, partial(files.put, task))

    def save(tx: Transaction) -> None:
        if wanted.subtitles:
            requests.attach(tx.session, order.request_id, made)
            tx.enqueue(hear.call(share=0.2, request_id=request_id))
        else:
            requests.finish(tx, order, _said(wanted), made, ENGINE)

    return save


@step(lane="gpu")
def hear(task: Task, request_id: str) -> Save:
    """Write down what is said in the video."""
    order = requests.load(task.database, UUID(request_id))
    wanted, [film] = plan.read(order.asked), order.files[FILM]
    with (
        files.original(task, film.asset_id) as video,
        temporary.folder(task.settings.temp_dir) as folder,
    ):
        heard = hearing.hear(task, video, folder, wanted.language)
        sheet = Sheet(order.request_id, heard.transcript.language, heard.fps, 1, heard.cues)
        made = _written(task, sheet, film.filename, folder)
        if not heard.cues:
            made = [_stored(task, order, wanted, video, "result")]
    said = {**_said(wanted), "language": sheet.language, "cues": len(sheet.cues)}

    def save(tx: Transaction) -> None:
        if heard.cues:
            requests.attach(tx.session, order.request_id, made)
            tx.enqueue(burn.call(share=0.2, request_id=request_id, said=said))
        else:
            requests.finish(tx, order, {**said, "note": SILENT}, made, ENGINE)

    return save


@step(lane="cpu")
def burn(task: Task, request_id: str, said: requests.Json) -> Save:
    """Put what is said into the video."""
    order = requests.load(task.database, UUID(request_id))
    wanted, [film], [srt] = plan.read(order.asked), order.files[FILM], order.files["srt"]
    with files.original(task, srt.asset_id) as path:
        cues = reading.read(path.read_text(encoding="utf-8"), "srt")
    with (
        files.original(task, film.asset_id) as video,
        temporary.folder(task.settings.temp_dir) as folder,
    ):
        inside, target = folder / "burning", folder / "subtitled.mp4"
        inside.mkdir()
        font = fonts.choose(task.settings.fonts_dir, None, "".join(cue.text for cue in cues))
        burning.burn(
            video, cues, target, inside, style=Style(), font=font,
            told=lambda share: task.progress(0.95 * share, "putting the subtitles into the video"),
            stop=task.checkpoint,
        )  # fmt: skip
        made = _stored(task, order, wanted, target, "result")
    return lambda tx: requests.finish(tx, order, said, [made], f"{ENGINE}, {hearing.ENGINE}")


def _said(wanted: Plan) -> requests.Json:
    """What is answered of every video."""
    width, height = wanted.size
    return {
        "seconds": round(wanted.frames / plan.FPS, 3),
        "width": width,
        "height": height,
        "scenes": len(wanted.scenes),
    }


def _written(task: Task, sheet: Sheet, filename: str, folder: Path) -> list[Made]:
    """The cues as files; none where there are no cues."""
    put = partial(files.put, task)
    return exports.stored(sheet, FILES, filename, "cues", folder, put) if sheet.cues else []


def _stored(task: Task, order: Order, wanted: Plan, video: Path, role: str) -> Made:
    """Under a key of this step's own: a step that runs twice never changes what a link shows."""
    key = f"media/{order.request_id}/{role}-{task.lease.job_id}.mp4"
    stored = files.put(task, video, mime=MIME, key=key, pixels=wanted.size)
    return Made(role, stored, "video.mp4")
