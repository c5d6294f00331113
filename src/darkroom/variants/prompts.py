"""What is asked of the model for a variant."""

from collections.abc import Iterable

from darkroom.variants.analysis import Analysis
from darkroom.variants.anchors import clause
from darkroom.variants.slots import Slot

TASKS = {
    "FORENSIC": (
        "Restore this photo faithfully. Remove noise, blur, dust, colour casts and compression "
        "artefacts, correct the exposure, and recover detail. Add nothing, remove nothing, and "
        "reinterpret nothing: every object stays where and what it is."
    ),
    "CREATIVE": (
        "Reimagine this photo as a striking picture of the same subject: better light, a bolder "
        "composition, a setting that suits it. The subject must stay recognisable."
    ),
    "BALANCED": (
        "Improve this photo as a good photographer would have taken it: clean light, true colours, "
        "a tidy background, sharp where it matters. Keep the subject and the composition."
    ),
}
ONLY = "Answer with the picture alone, in the same orientation, without frames or watermarks."


def compiled(slot: Slot, found: Analysis) -> str:
    """The prompt of a slot for a photo."""
    task = slot.look.prompt if slot.look is not None else TASKS[slot.variant]
    sentences = [task, *_facts(slot, found), *(clause(anchor) for anchor in slot.anchors), ONLY]
    return "\n".join(sentence for sentence in sentences if sentence)


def _facts(slot: Slot, found: Analysis) -> Iterable[str]:
    if found.subject:
        yield f"The photo shows: {found.subject}. Scene: {found.scene or 'not described'}."
    if found.faults and slot.variant != "CREATIVE":
        yield f"Its faults: {'; '.join(found.faults)}."
    if found.suggested_edits and slot.variant == "BALANCED":
        yield f"What would help: {'; '.join(found.suggested_edits[:3])}."
    if found.text_present and found.texts:
        yield f"Keep these texts readable, letter for letter: {'; '.join(found.texts)}."
