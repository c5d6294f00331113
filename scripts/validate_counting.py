"""How well counting counts, against the seed's formula and the detections alone.

    python scripts/validate_counting.py --out build/validation --seeds 3 --photos 40

First the estimate by itself, on drawn containers whose plants a detector of known recall finds: one
thing varies at a time (recall, cover, perspective, moss, hue, resolution, size, sparse, all
detected, empty, several containers). Then whole photos through the models. The targets are checked
and printed; the exit code is 1 where one is missed. With `../shared/photos` beside the repository
half of the photos show real plants, and the real tray is counted, too.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from make_photos import load_shared, make_photo
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scenes.figures import counter
from validation import photos, plots
from validation.axes import cases
from validation.figures import HEADINGS, Figures
from validation.methods import METHODS, Count, Grid, true_grid
from validation.photos import Result
from validation.targets import Measured, Target, targets, timing

from darkroom.vision.runtime import prepare

ROOT = Path(__file__).resolve().parents[1]
FIRST_PHOTO = 8_400_000
SIZES = ((1200, 900), (1600, 1200), (2000, 1500), (2400, 1800))

console = Console(width=110)


def validate_scenes(seeds: range, out: Path) -> list[Target]:
    """The estimate by itself: tables, plots, and its targets."""
    found = list(cases(seeds))
    truths = [true_grid(case) for case in found]
    counts = {
        name: [method(case) for case in track(found, name, console=console)]
        for name, method in METHODS.items()
    }
    axes = list(dict.fromkeys(case.axis for case in found))
    chosen = {axis: [n for n, case in enumerate(found) if case.axis == axis] for axis in axes}
    by_axis = {
        f"{axis} ({len(places)})": _figures(truths, counts, places)
        for axis, places in chosen.items()
    }
    whole = {f"all ({len(found)})": _figures(truths, counts, range(len(found)))}
    _show("Drawn containers, detector of known recall", by_axis | whole)
    true = [float(grid.sum()) for grid in truths]
    plots.scatter(out / "scenes.png", true, counts)
    plots.intervals(out / "intervals.png", true, counts["ours"])
    errors = {axis: {name: f.mape for name, f in rows.items()} for axis, rows in by_axis.items()}
    plots.by_axis(out / "axes.png", errors)
    return [*targets(Measured(found, counts["ours"])), timing()]


def validate_photos(number: int, out: Path, cache: Path) -> list[Target]:
    """Whole photos through the models: table, plots, and its target."""
    prepare(cache)
    counting, real = counter(ROOT, cache), load_shared()
    results = [
        photos.count(
            counting, make_photo(FIRST_PHOTO + n, SIZES[n % 4], real=real if n % 2 else None)
        )
        for n in track(range(number), "photos", console=console)
    ]
    rows = {f"photos ({number})": _of_results(results)}
    kept = [result for result in results if not result.needs_review]
    rows[f"not for review ({len(kept)})"] = _of_results(kept)
    if real is not None:
        rows["the real tray"] = _of_results([photos.count(counting, real.photo)])
    _show("Whole photos through the models", rows)
    true = [float(result.truth.sum()) for result in results]
    counts = {name: [result.counts[name] for result in results] for name in METHODS}
    plots.scatter(out / "photos.png", true, counts)
    plots.intervals(out / "photo_intervals.png", true, counts["ours"])
    ours = rows[f"photos ({number})"]["ours"]
    off, held = ours.total_error, ours.coverage or 0.0
    return [
        Target("photos: total error under 10 %", f"{off:+.1%}", abs(off) < 0.10),
        Target("photos: the 80 % interval holds in 70 to 90 %", f"{held:.0%}", 0.7 <= held <= 0.9),
    ]


def _of_results(results: Sequence[Result]) -> dict[str, Figures]:
    counts = {name: [result.counts[name] for result in results] for name in METHODS}
    return _figures([result.truth for result in results], counts, range(len(results)))


def _figures(
    truths: Sequence[Grid], counts: Mapping[str, Sequence[Count]], places: Sequence[int]
) -> dict[str, Figures]:
    return {
        name: Figures.of([truths[n] for n in places], [found[n] for n in places])
        for name, found in counts.items()
    }


def _show(title: str, rows: Mapping[str, Mapping[str, Figures]]) -> None:
    table = Table("", "", *HEADINGS, title=title)
    for column in table.columns[2:]:
        column.justify = "right"
    for label, methods in rows.items():
        for number, (name, figures) in enumerate(methods.items()):
            table.add_row(label if not number else "", name, *figures.row())
        table.add_section()
    console.print(table)


def main() -> int:
    """Validate, print, save the plots."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "validation")
    parser.add_argument("--seeds", type=int, default=2, help="each gives some fifty scenes")
    parser.add_argument("--photos", type=int, default=40, help="0: without the models")
    parser.add_argument("--cache", type=Path, default=ROOT / ".darkroom" / "cache")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    found = validate_scenes(range(options.seeds), options.out)
    if options.photos:
        found += validate_photos(options.photos, options.out, options.cache)
    for target in found:
        mark = "met   " if target.is_met else "MISSED"
        console.print(f"{mark} {target.name}: {target.measured}", highlight=False)
    console.print(f"plots in {options.out}")
    return 0 if all(target.is_met for target in found) else 1


if __name__ == "__main__":
    sys.exit(main())
