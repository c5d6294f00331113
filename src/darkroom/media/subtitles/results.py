"""What a request of subtitles answers beside its files; it follows its cues."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from darkroom.media import requests
from darkroom.media.models import MediaRequest
from darkroom.media.requests import Made
from darkroom.media.sound import Media
from darkroom.media.subtitles import sheets
from darkroom.media.subtitles.sheets import Sheet
from darkroom.web.words import N_

Json = dict[str, Any]

SILENT = N_("Nobody speaks in this, so there is nothing to read.")


def heard(sheet: Sheet, media: Media, seconds: float, certainty: float) -> Json:
    """Of a file that was just heard, whose sound lasts so many seconds."""
    seen = media.picture
    result = {
        **_of_cues(sheet),
        "language": sheet.language,
        "language_certainty": round(certainty, 3),
        "duration": round(seconds, 3),
        "width": seen.width if seen else None,
        "height": seen.height if seen else None,
        "burnt": None,
    }
    return result if sheet.cues else {**result, "note": SILENT}


def burnt(session: Session, request_id: UUID, version: int, mode: str) -> Json:
    """Once the video holds the cues of that version."""
    before = _row(session, request_id).result or {}
    return {**before, "burnt": {"version": version, "mode": mode}}


def changed(session: Session, sheet: Sheet, files: Sequence[Made]) -> None:
    """Write what a change of the cues makes of the result, and their new files."""
    keep(session, sheet.request_id, _of_cues(sheet), files)


def keep(session: Session, request_id: UUID, result: Json, files: Sequence[Made]) -> None:
    """Write a part of the result, and files of a request that is not finished by them."""
    row = _row(session, request_id)
    row.result = {**(row.result or {}), **result}
    requests.attach(session, request_id, files)


def _row(session: Session, request_id: UUID) -> MediaRequest:
    """Locked: people change the cues while the video is burnt."""
    return session.get_one(MediaRequest, request_id, with_for_update=True, populate_existing=True)


def _of_cues(sheet: Sheet) -> Json:
    where = f"/api/subtitles/{sheet.request_id}/cues"
    report = sheets.summary(sheet.report)
    return {"version": sheet.version, "cues": len(sheet.cues), "cues_url": where, "report": report}
