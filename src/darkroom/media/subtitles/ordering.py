"""Orders of subtitles, as requests bring them: begun, changed, burnt again."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from darkroom.errors import Conflict, Invalid
from darkroom.gated.uploads import storing
from darkroom.media import fonts, receiving, requests
from darkroom.media.models import MediaRequest
from darkroom.media.requests import Made, Wish
from darkroom.media.subtitles import exports, results, sheets, wishes
from darkroom.media.subtitles.cues import Cue
from darkroom.media.subtitles.sheets import Sheet
from darkroom.media.subtitles.wishes import Asked
from darkroom.queue import runs
from darkroom.queue.calls import Call
from darkroom.storage import assets, temporary
from darkroom.storage.assets import StoredFile
from darkroom.web.auth import current_user, scope
from darkroom.web.idempotency import Keep
from darkroom.web.services import services
from darkroom.web.words import N_

Json = dict[str, Any]
Change = Callable[[Sheet], list[Cue] | tuple[Cue, ...]]

SERVICE = "subtitles"


def begin(keep: Keep) -> UUID:
    """Take a file and have it written down; the run's id."""
    found, sent = services(), receiving.body()
    asked = wishes.read(sent, families())
    source = receiving.media(receiving.part(sent, "file"), "source", "file")
    assert source.media is not None
    wishes.insist_fits(asked, source.media)
    wish = Wish(SERVICE, Path(source.filename).stem, asked.as_json(), [source])
    share = 1.0 if asked.mode == wishes.NONE else 0.5
    with found.database.session() as session:
        owner_id = current_user().id
        return requests.begin(session, owner_id, wish, "subtitles.hear", "gpu", keep, share=share)


def families() -> list[str]:
    """The names of the fonts that there are."""
    return list(fonts.families(services().settings.fonts_dir))


def sheet_of(request_id: UUID) -> Sheet:
    """The cues of a request of the caller's."""
    with services().database.session() as session:
        requests.of(session, scope(), request_id)
        return sheets.load(session, request_id)


def change(request_id: UUID, version: int, how: Change) -> Sheet:
    """Change the cues of that version; the next version of them, with its files.

    Raises
    ------
    Conflict
        When somebody else changed them meanwhile.
    """
    with services().database.session() as session:
        found = requests.of(session, scope(), request_id)
        sheet = sheets.load(session, request_id)
    sheets.insist_version(version, sheet.version)
    new = replace(sheet, cues=tuple(how(sheet)), version=version + 1)
    files = _exported(new, Asked.of(found.row.asked), found.files["source"][0].filename)
    with services().database.session() as session:
        # The request before its cues, as a delete locks them.
        results.changed(session, new, files)
        sheets.change(session, new)
    return new


def burn_again(request_id: UUID, sent: Mapping[str, Any], keep: Keep) -> UUID:
    """Put the cues as they are now into the video; the run's id."""
    known = families()
    with services().database.session() as session:
        row = requests.of(session, scope(), request_id).row
        session.refresh(row, with_for_update=True)
        _insist_idle(session, row)
        if not sheets.load(session, request_id).cues:
            raise Invalid(N_("There are no cues to put into the video."), "cues")
        asked = _burning(Asked.of(row.asked), sent, known)
        wishes.insist_shown(asked.mode, bool((row.result or {}).get("width")))
        return _begun(session, row, asked, keep)


def _insist_idle(session: Session, row: MediaRequest) -> None:
    run = None if row.run_id is None else runs.get(session, row.run_id)
    if run is not None and not run.is_over:
        raise Conflict("This is being worked on. Wait for its end, or cancel its run first.")


def _burning(before: Asked, sent: Mapping[str, Any], known: list[str]) -> Asked:
    """What is asked for now; what is not said is as it was."""
    said = {**vars(before.style), "font": before.font, **_named(sent)}
    mode = sent.get("mode") or before.mode
    asked = wishes.read({**said, "mode": wishes.BURN if mode == wishes.NONE else mode}, known)
    return replace(asked, language=before.language, formats=before.formats)


def _named(sent: Mapping[str, Any]) -> Json:
    return {name: value for name, value in sent.items() if value not in (None, "")}


def _begun(session: Session, row: MediaRequest, asked: Asked, keep: Keep) -> UUID:
    run = runs.create(session, pipeline=SERVICE, title=row.title, owner_id=row.owner_id)
    arguments = {"request_id": str(row.id)}
    run.params = arguments
    runs.begin(session, run, Call("subtitles.burn", "cpu", arguments, share=1.0))
    row.asked, row.run_id = asked.as_json(), run.id
    row.status, row.error = "processing", None
    keep(session, run.id)
    return run.id


def _exported(sheet: Sheet, asked: Asked, name: str) -> list[Made]:
    """Its files, stored under keys of this change alone: two may be made at once."""
    mark = f"v{sheet.version}-{uuid4().hex[:12]}"
    with temporary.folder(services().settings.temp_dir) as folder:
        return exports.stored(sheet, asked, name, mark, folder, _put)


def _put(path: Path, *, mime: str, key: str, pixels: tuple[int, int] | None = None) -> StoredFile:
    found = services()
    with storing(found.database, found.settings.gates.breaker):
        return assets.put(found.store, path, mime=mime, key=key, pixels=pixels)
