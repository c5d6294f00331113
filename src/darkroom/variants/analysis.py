"""What a model sees in a photo, asked once and used by every variant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

LONGEST, MOST = 500, 12
QUESTION = (
    "Look at this photo as a retoucher would. Say what its subject is, what the scene is, what "
    "faults it has (noise, blur, colour cast, exposure, dust, clutter), which texts or logos are "
    "in it, how many human faces, and which edits would help most. Be brief and concrete."
)
_TEXTS = {"type": "ARRAY", "items": {"type": "STRING"}, "maxItems": MOST}
SCHEMA: Json = {
    "type": "OBJECT",
    "properties": {
        "subject": {"type": "STRING", "description": "the main subject, in a few words"},
        "scene": {"type": "STRING", "description": "the scene and its light, in a few words"},
        "faults": {**_TEXTS, "description": "what is wrong with the photo"},
        "text_present": {"type": "BOOLEAN", "description": "whether text or a logo is readable"},
        "texts": {**_TEXTS, "description": "the texts, as written"},
        "faces": {"type": "INTEGER", "description": "the number of human faces"},
        "suggested_edits": {**_TEXTS, "description": "edits that would help, the best first"},
    },
    "required": [
        "subject", "scene", "faults", "text_present", "texts", "faces", "suggested_edits",
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Analysis:
    """What is known of a photo."""

    subject: str
    scene: str
    faults: tuple[str, ...]
    text_present: bool
    texts: tuple[str, ...]
    faces: int
    suggested_edits: tuple[str, ...]

    @property
    def as_json(self) -> Json:
        """As it is stored and answered."""
        return {
            "subject": self.subject,
            "scene": self.scene,
            "faults": list(self.faults),
            "text_present": self.text_present,
            "texts": list(self.texts),
            "faces": self.faces,
            "suggested_edits": list(self.suggested_edits),
        }


def read(found: object) -> Analysis:
    """An answer as an analysis; what is missing or of another type is left empty."""
    given: Mapping[str, Any] = found if isinstance(found, dict) else {}
    faces = given.get("faces")
    return Analysis(
        _text(given.get("subject")),
        _text(given.get("scene")),
        _texts(given.get("faults")),
        given.get("text_present") is True,
        _texts(given.get("texts")),
        faces if isinstance(faces, int) and not isinstance(faces, bool) and faces > 0 else 0,
        _texts(given.get("suggested_edits")),
    )


def _text(given: object) -> str:
    return " ".join(given.split())[:LONGEST] if isinstance(given, str) else ""


def _texts(given: object) -> tuple[str, ...]:
    listed: Sequence[object] = given if isinstance(given, list) else ()
    return tuple(text for text in map(_text, listed) if text)[:MOST]
