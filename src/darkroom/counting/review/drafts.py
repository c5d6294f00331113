"""What corrections make of the plants on a photo: pure, in the order they were made.

A plant bears the id of its detection, or the key of the correction that added it.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

Json = dict[str, Any]
PlantKey = int | str


@dataclass(frozen=True)
class Plant:
    """A plant's box: its middle and its size in the photo's pixels."""

    center_x: float
    center_y: float
    width_px: float
    height_px: float
    confidence: float
    class_name: str

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x1, y1, x2, y2."""
        across, down = self.width_px / 2, self.height_px / 2
        return (
            self.center_x - across,
            self.center_y - down,
            self.center_x + across,
            self.center_y + down,
        )

    def as_json(self) -> Json:
        """The plant as a correction keeps it."""
        return asdict(self)

    @classmethod
    def of(cls, kept: Json) -> "Plant":
        """The plant that a correction kept."""
        return cls(**{name: kept[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Draft:
    """A correction of a plant. `plant` is the key of the one that it removes or moves."""

    key: str
    action: str
    plant: PlantKey | None
    before: Plant | None
    after: Plant | None

    @classmethod
    def of(cls, key: str, action: str, before: Json | None, after: Json | None) -> "Draft":
        """The draft that a row of `corrections` tells of."""
        return cls(
            key,
            action,
            before["plant"] if before else None,
            Plant.of(before) if before else None,
            Plant.of(after) if after else None,
        )


@dataclass
class Changes:
    """What some drafts come to, taken together.

    `left` are the places where the model saw a plant and a person does not: what is green there is
    no plant, moved or not.
    """

    added: dict[str, Plant] = field(default_factory=dict)
    moved: dict[int, Plant] = field(default_factory=dict)
    removed: set[int] = field(default_factory=set)
    left: dict[int, Plant] = field(default_factory=dict)

    def place_of(self, plant: PlantKey) -> Plant | None:
        """Where these changes have put a plant; None of one that they did not touch."""
        return self.added.get(plant) if isinstance(plant, str) else self.moved.get(plant)

    def is_gone(self, plant: PlantKey) -> bool:
        """Whether these changes took a plant away (or, of an added one, never added it)."""
        return plant not in self.added if isinstance(plant, str) else plant in self.removed


def together(drafts: Iterable[Draft]) -> Changes:
    """What the drafts come to, oldest first."""
    changes = Changes()
    for draft in drafts:
        _add(changes, draft)
    return changes


def _add(changes: Changes, draft: Draft) -> None:
    if draft.action == "add" and draft.after:
        changes.added[draft.key] = draft.after
    elif isinstance(draft.plant, str):
        _change_added(changes.added, draft.plant, draft.after)
    elif draft.plant is not None and draft.before:
        _change_found(changes, draft.plant, draft.before, draft.after)


def _change_added(added: dict[str, Plant], plant: str, after: Plant | None) -> None:
    if after is None:
        added.pop(plant, None)
    elif plant in added:
        added[plant] = after


def _change_found(changes: Changes, plant: int, before: Plant, after: Plant | None) -> None:
    changes.left.setdefault(plant, before)
    if after is None:
        changes.moved.pop(plant, None)
        changes.removed.add(plant)
    else:
        changes.moved[plant] = after
