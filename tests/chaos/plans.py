"""Pipelines of varied shape, drawn by a seed, and what must have come of each in the end."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

Json = dict[str, Any]

LONGEST = 0.3
"""Seconds that the outside takes over one call, at most."""
STORING = 0.3
"""Those that have something to store, where a plan may store anything."""
PACED, CAPPED = "paced", "capped"
"""Providers: calls to one come one by one, to the other two at a time."""


@dataclass(frozen=True)
class Plan:
    """A run to be: its first step's plan, with all that follows from it."""

    title: str
    first: Json

    @property
    def fails(self) -> bool:
        """Whether the run must fail."""
        return _fails(self.first)

    @property
    def keys(self) -> set[str]:
        """The effects there must be if the run completes."""
        return {plan["key"] for plan in _all(self.first) if not plan["breaks"]}

    @property
    def stored(self) -> set[str]:
        """The keys of the steps that store something."""
        return {plan["key"] for plan in _all(self.first) if plan["stores"]}

    @property
    def result(self) -> Json:
        """What its callbacks must have gathered: how many children did well, of how many."""
        return {
            plan["then"]["key"]: [
                sum(not child["breaks"] for child in plan["children"]),
                len(plan["children"]),
            ]
            for plan in _all(self.first)
            if plan["children"]
        }


def draw(random: Random, title: str, *, stores: bool = False, gated: bool = True) -> Plan:
    """A plan of a shape drawn at random; some steps of it store something and pass gates."""
    shape = random.choice([_chain, _fan, _patchy_fan, _nested, _spread, _doomed, _barren])
    first = shape(_Pen(random, title, stores, gated))
    steps = list(_all(first))
    for plan in steps:
        plan["share"] = 1 / len(steps)
    return Plan(title, first)


class _Pen:
    """Writes the plans of single steps, each with a key of its own."""

    def __init__(self, random: Random, title: str, stores: bool, gated: bool) -> None:
        self.random = random
        self._title = title
        self._stores = stores
        self._gated = gated
        self._count = 0

    def step(self, **given: Any) -> Json:
        """A step: most do well at once, some stumble or have to wait first."""
        self._count += 1
        return {
            "key": f"{self._title}.{self._count}",
            "lane": self.random.choices(["io", "cpu", "gpu"], [8, 3, 1])[0],
            "takes": self.random.uniform(0, LONGEST),
            "stumbles": self.random.choices([0, 1, 2], [10, 1, 1])[0],
            "waits": self.random.choices([0, 1, 2], [10, 1, 1])[0],
            "stores": self._stores and self.random.random() < STORING,
            "provider": self._provider(),
            "breaks": False,
            "gathers": False,
            "next": [],
            "children": [],
            "then": None,
            **given,
        }

    def _provider(self) -> str | None:
        drawn = self.random.choices([None, PACED, CAPPED], [6, 1, 2])[0]
        return drawn if self._gated else None

    def fan(self, children: list[Json], **then: Any) -> Json:
        """A step that fans out to children and a callback."""
        return self.step(children=children, then=self.step(gathers=True, **then))


def _chain(pen: _Pen) -> Json:
    plan = pen.step()
    for _ in range(pen.random.randint(2, 5)):
        plan = pen.step(next=[plan])
    return plan


def _fan(pen: _Pen) -> Json:
    return pen.fan([pen.step() for _ in range(pen.random.randint(2, 10))])


def _patchy_fan(pen: _Pen) -> Json:
    good = [pen.step() for _ in range(pen.random.randint(1, 5))]
    bad = [pen.step(breaks=True) for _ in range(pen.random.randint(1, 4))]
    children = good + bad
    pen.random.shuffle(children)
    return pen.fan(children)


def _nested(pen: _Pen) -> Json:
    """A child that fans out itself, and a callback that goes on."""
    inner = pen.fan([pen.step() for _ in range(3)])
    return pen.fan([inner, pen.step(), pen.step(breaks=True)], next=[_fan(pen)])


def _spread(pen: _Pen) -> Json:
    """Steps side by side that nothing gathers."""
    return pen.step(next=[_chain(pen) for _ in range(3)])


def _doomed(pen: _Pen) -> Json:
    return pen.step(next=[pen.step(next=[pen.step(breaks=True)])])


def _barren(pen: _Pen) -> Json:
    """A fan-out of which nothing comes."""
    return pen.fan([pen.step(breaks=True) for _ in range(3)])


def _all(plan: Json) -> Iterator[Json]:
    yield plan
    following = plan["next"] + plan["children"] + ([plan["then"]] if plan["then"] else [])
    for further in following:
        yield from _all(further)


def _fails(plan: Json, child: bool = False) -> bool:
    if plan["breaks"]:
        return not child
    if plan["children"] and all(further["breaks"] for further in plan["children"]):
        return True
    then = [plan["then"]] if plan["then"] else []
    return any(_fails(further) for further in plan["next"] + then) or any(
        _fails(further, child=True) for further in plan["children"]
    )
