"""How well the checks of Smart Anchors tell variants that kept from variants that drifted.

    python scripts/measure_anchors.py --pictures 12

Every picture is a drawn scene with a label. Kept pairs are edits that leave alone what an anchor
holds fast, drifted pairs are edits that do not; for a reference, pictures that show it (smaller,
turned, from a side, relit) and pictures that show another one. Each row gives the distances of both
and the threshold at the usual strictness, with the pairs it gets wrong. Identity is not measured:
it needs InsightFace's weights. The exit code is 1 where more than one pair in twenty is wrong.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

import numpy as np
from rich.console import Console
from rich.table import Table
from scenes import anchored
from scenes.anchored import Edit, Pixels

from darkroom.variants.anchors import Anchor, Kind
from darkroom.variants.checks import Check, Tools, check
from darkroom.vision.text import TextReader

ASSET = UUID(int=1)
KEEP_COLOURS: dict[str, Edit] = anchored.CAREFUL | {
    name: anchored.REFRAMED[name] for name in ("mirrored", "upside down", "turned 15")
}
KEEP_LAYOUT: dict[str, Edit] = anchored.CAREFUL | {
    name: anchored.RECOLOURED[name] for name in ("hue +40", "hue 180", "warm cast", "sepia")
}
MOST_WRONG = 0.05


@dataclass(frozen=True)
class Pair:
    """One check whose outcome is known."""

    is_kept: bool
    found: Check


def colours(pictures: Sequence[Pixels], tools: Tools) -> Iterator[Pair]:
    """The same colours in another frame, and other colours in the same frame."""
    yield from _edited("colours", pictures, KEEP_COLOURS, anchored.RECOLOURED, tools)


def composition(pictures: Sequence[Pixels], tools: Tools) -> Iterator[Pair]:
    """The same frame in other colours, other frames, and other pictures."""
    yield from _edited("composition", pictures, KEEP_LAYOUT, anchored.REFRAMED, tools)
    for one, other in pairwise(pictures):
        yield Pair(False, check(Anchor("composition"), one, other, tools))


def text(pictures: Sequence[Pixels], tools: Tools) -> Iterator[Pair]:
    """The same words after careful edits, garbled words, and no words."""
    for seed, original in enumerate(pictures):
        careful = list(anchored.CAREFUL.values())[seed % len(anchored.CAREFUL)]
        wrong = anchored.WRONG_TEXTS[seed % len(anchored.WRONG_TEXTS)]
        for is_kept, variant in (
            (True, careful(original)),
            (False, careful(anchored.picture(seed, wrong))),
            (False, careful(anchored.picture(seed, ()))),
        ):
            yield Pair(is_kept, check(Anchor("text"), original, variant, tools))


def reference(pictures: Sequence[Pixels], tools: Tools) -> Iterator[Pair]:
    """Pictures that show the reference, and pictures that show another thing or nothing."""
    for seed, scene in enumerate(pictures):
        thing, other = anchored.product(seed), anchored.product(seed + 1)
        with_thing = Tools(tools.reader, {ASSET: thing})
        for is_kept, variant in (
            (True, anchored.shown(thing, scene, seed)),
            (False, anchored.shown(other, scene, seed)),
            (False, scene),
        ):
            anchor = Anchor("reference", asset_id=ASSET)
            yield Pair(is_kept, check(anchor, scene, variant, with_thing))


MEASURED: Mapping[Kind, Callable[[Sequence[Pixels], Tools], Iterator[Pair]]] = {
    "text": text,
    "colours": colours,
    "composition": composition,
    "reference": reference,
}


def _edited(
    kind: Kind,
    pictures: Sequence[Pixels],
    keeping: Mapping[str, Edit],
    losing: Mapping[str, Edit],
    tools: Tools,
) -> Iterator[Pair]:
    edits = [(True, edit) for edit in keeping.values()]
    edits += [(False, edit) for edit in losing.values()]
    for original in pictures:
        for is_kept, edit in edits:
            yield Pair(is_kept, check(Anchor(kind), original, edit(original), tools))


def _row(kind: Kind, pairs: Sequence[Pair]) -> tuple[str, ...]:
    kept = [pair.found.measure for pair in pairs if pair.is_kept]
    drifted = [pair.found.measure for pair in pairs if not pair.is_kept]
    figures = (*_quantiles(kept, 50, 95, 100), *_quantiles(drifted, 0, 5, 50))
    said = (f"{figure:.3f}" for figure in figures)
    numbers = f"{len(kept)} / {len(drifted)}"
    limit = pairs[0].found.threshold
    return kind, numbers, *said, f"{limit:.3f}", f"{_wrong(pairs, True)} / {_wrong(pairs, False)}"


def _quantiles(measures: Sequence[float | None], *percents: float) -> list[float]:
    return [float(np.percentile(np.array(measures, float), percent)) for percent in percents]


def _wrong(pairs: Sequence[Pair], is_kept: bool) -> int:
    return sum(pair.found.kept is not is_kept for pair in pairs if pair.is_kept is is_kept)


def _table() -> Table:
    table = Table("anchor", "kept / drifted", title="Distances of known pairs")
    for heading in ("kept 50 %", "95 %", "most", "drifted least", "5 %", "50 %", "threshold"):
        table.add_column(heading, justify="right")
    table.add_column("wrong")
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pictures", type=int, default=12)
    pictures = [anchored.picture(seed) for seed in range(parser.parse_args().pictures)]
    tools, table = Tools(TextReader()), _table()
    found = {kind: list(measure(pictures, tools)) for kind, measure in MEASURED.items()}
    for kind, pairs in found.items():
        table.add_row(*_row(kind, pairs))
    Console(width=120).print(table)
    everything = [pair for pairs in found.values() for pair in pairs]
    wrong = _wrong(everything, True) + _wrong(everything, False)
    print(f"wrong {wrong} of {len(everything)}")
    return int(wrong > MOST_WRONG * len(everything))


if __name__ == "__main__":
    sys.exit(main())
