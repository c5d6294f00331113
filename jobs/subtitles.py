"""Subtitles of a sound or video file.

    hear ──▶ burn (only where the video is to show the cues; again whenever people ask for it)

What was heard is kept before anything is burnt: where that fails, the cues are there and can be
changed. A burn takes the cues as they are when it starts.
"""

from functools import partial
from pathlib import Path
from uuid import UUID

from darkroom.gated import files
from darkroom.media import burning, fonts, requests, sound
from darkroom.media.requests import Made, Order
from darkroom.media.subtitles import exports, hearing, results, sheets, shots
from darkroom.media.subtitles.hearing import Heard
from darkroom.media.subtitles.sheets import Sheet
from darkroom.media.subtitles.wishes import BURN, NONE, Asked
from darkroom.queue.step import Save, step
from darkroom.queue.task import Task
from darkroom.queue.transaction import Transaction
from darkroom.storage import temporary

FIRST = "v1"
"""What the keys of the first version's files begin with."""


@step(lane="gpu")
def hear(task: Task, request_id: str) -> Save:
    """Write down what is said, and make cues and files of it."""
    order = requests.load(task.database, UUID(request_id))
    asked, [source] = Asked.of(order.asked), order.files["source"]
    with (
        files.original(task, source.asset_id) as path,
        temporary.folder(task.settings.temp_dir) as folder,
    ):
        heard = hearing.hear(task, path, folder, asked.language, upto=0.95)
        task.progress(0.95, "storing the subtitles")
        sheet = _first(order, heard)
        put = partial(files.put, task)
        made = exports.stored(sheet, asked, source.filename, FIRST, folder, put)
        made += shots.stored(order.request_id, path, folder, put)

    def save(tx: Transaction) -> None:
        sheets.begin(tx.session, sheet)
        certainty = heard.transcript.certainty
        result = results.heard(sheet, heard.media, heard.seconds, certainty)
        if asked.mode == NONE or not sheet.cues:
            requests.finish(tx, order, result, made, hearing.ENGINE)
        else:
            results.keep(tx.session, order.request_id, result, made)
            tx.enqueue(burn.call(share=0.5, request_id=request_id))

    return save


@step(lane="cpu")
def burn(task: Task, request_id: str) -> Save:
    """Put the cues into the video: into its pictures, or as a track beside them."""
    order = requests.load(task.database, UUID(request_id))
    asked, [source] = Asked.of(order.asked), order.files["source"]
    with task.database.session() as session:
        sheet = sheets.load(session, order.request_id)
    with (
        files.original(task, source.asset_id) as path,
        temporary.folder(task.settings.temp_dir) as folder,
    ):
        target = _burnt(task, sheet, asked, path, folder)
        task.progress(0.95, "storing the video")
        made = _stored(task, order, target, Path(source.filename).stem)

    def save(tx: Transaction) -> None:
        result = results.burnt(tx.session, order.request_id, sheet.version, asked.mode)
        requests.finish(tx, order, result, [made], hearing.ENGINE)

    return save


def _first(order: Order, heard: Heard) -> Sheet:
    return Sheet(order.request_id, heard.transcript.language, heard.fps, 1, heard.cues)


def _burnt(task: Task, sheet: Sheet, asked: Asked, video: Path, folder: Path) -> Path:
    """The video with the cues, in the folder."""
    media, inside = sound.look_at(video), folder / "burning"
    inside.mkdir()

    def told(share: float) -> None:
        task.progress(0.95 * share, "putting the subtitles into the video")

    told(0.0)
    if asked.mode == BURN:
        target = folder / "burnt.mp4"
        text = "".join(cue.text for cue in sheet.cues)
        font = fonts.choose(task.settings.fonts_dir, asked.font, text)
        burning.burn(
            video, sheet.cues, target, inside,
            style=asked.style, font=font, told=told, stop=task.checkpoint,
        )  # fmt: skip
    else:
        target = folder / f"with-track{burning.container_for(media)}"
        burning.mux(
            video, sheet.cues, target, inside,
            language=sheet.tongue, told=told, stop=task.checkpoint,
        )  # fmt: skip
    return target


def _stored(task: Task, order: Order, target: Path, stem: str) -> Made:
    """Under a key of this step's own: what an older video's link shows does not change."""
    picture = sound.look_at(target).picture
    assert picture is not None
    key = f"media/{order.request_id}/{task.lease.job_id}{target.suffix}"
    stored = files.put(
        task,
        target,
        mime=burning.MIMES[target.suffix],
        key=key,
        pixels=(picture.width, picture.height),
    )
    return Made("result", stored, f"{stem or 'video'}.subtitled{target.suffix}")
