"""How often the catalog mistakes an edited picture for another subject, and the other way round.

    python scripts/bench_likeness.py            # make and measure all pairs: some minutes
    python scripts/bench_likeness.py --listed   # take the measures of scripts/likeness/pairs.csv

790 labelled pairs of 79 things (`likeness.pairs` says how they are made). Every second family of
things is held out: weights and bound come from the others, the rates printed first are those of the
held out ones, with the weights and the bound in use. Measuring writes `build/likeness/pairs.csv`,
and the weights that its first half would give are printed.
"""

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path

import cv2
from likeness import takes
from likeness.fitting import Labelled, fitted, rates
from likeness.pairs import pairs
from rich.console import Console
from rich.progress import track
from rich.table import Table

from darkroom.catalog.likeness import Measures, measured
from darkroom.settings import CatalogSettings

HERE = Path(__file__).parent / "likeness"
LISTED = HERE / "pairs.csv"
OUT = Path(__file__).resolve().parents[1] / "build" / "likeness" / "pairs.csv"
SEED = 5
NAMES = [field.name for field in fields(Measures)]
COLUMNS = ["thing", "other", "kind", "is_same", "is_held_out", *NAMES]

console = Console(width=100)


def measure(seed: int) -> Iterator[Labelled]:
    """All pairs, made and measured; each half's other subjects are of its own families."""
    cv2.setNumThreads(1)
    things = takes.load(HERE / "cutouts")
    families = sorted({thing.family for thing in things})
    for is_held_out in (False, True):
        half = [each for each in things if families.index(each.family) % 2 == is_held_out]
        made = pairs(half, seed + is_held_out)
        for pair in track(made, "measuring", total=10 * len(half), console=console):
            yield Labelled(
                pair.thing.name,
                pair.other.name,
                pair.kind,
                pair.is_same,
                is_held_out,
                measured(pair.before, pair.after),
            )


def write(path: Path, found: Sequence[Labelled]) -> None:
    """The pairs as a table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for pair in found:
            said = (pair.thing, pair.other, pair.kind, int(pair.is_same), int(pair.is_held_out))
            table.writerow([*said, *(f"{value:.4f}" for value in asdict(pair.measures).values())])


def read(path: Path) -> list[Labelled]:
    """The pairs of a table."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Labelled(
                row["thing"],
                row["other"],
                row["kind"],
                row["is_same"] == "1",
                row["is_held_out"] == "1",
                Measures(*(float(row[name]) for name in NAMES)),
            )
            for row in csv.DictReader(file)
        ]


def show(found: Sequence[Labelled], most: float) -> None:
    """Tables and, last, the figures that count."""
    held = [pair for pair in found if pair.is_held_out]
    table = Table("kind", "pairs", "taken for another", "taken for the same", title="Held out")
    for kind in dict.fromkeys(pair.kind for pair in held):
        of_kind = rates([pair for pair in held if pair.kind == kind], most)
        rejected = f"{of_kind.rejected:.1%}" if of_kind.same else ""
        accepted = f"{of_kind.accepted:.1%}" if of_kind.different else ""
        table.add_row(kind, str(of_kind.same + of_kind.different), rejected, accepted)
    console.print(table)
    weights = fitted([pair for pair in found if not pair.is_held_out])
    console.print("fitted on the rest:", ", ".join(f"{weight:.3f}" for weight in weights))
    all_ = rates(held, most)
    print(
        f"false_rejects {all_.rejected:.4f} of {all_.same}  "
        f"false_accepts {all_.accepted:.4f} of {all_.different}  bound {most:g}"
    )


def main() -> None:
    """Measure, or read; then show."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listed", action="store_true", help="take the measures of the list")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--bound", type=float, default=CatalogSettings.most_distance)
    given = parser.parse_args()
    found = read(LISTED) if given.listed else list(measure(given.seed))
    if not given.listed:
        write(OUT, found)
    show(found, given.bound)


if __name__ == "__main__":
    main()
