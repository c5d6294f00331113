"""`darkroom counting`: what is done with counts beside the pages."""

from datetime import UTC, datetime
from pathlib import Path

import click

from darkroom.settings import Settings


@click.group()
def counting() -> None:
    """Counts: export what people corrected."""


@counting.command("export-dataset")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--since", type=click.DateTime(), help="Only photos reviewed since then (UTC).")
@click.pass_obj
def export_dataset(settings: Settings, folder: Path, since: datetime | None) -> None:
    """Write the reviewed photos to the new folder DIR as a YOLO data set (data.yaml).

    Train on it with: python scripts/train_demo_weights.py --only plants --data DIR/data.yaml
    """
    from darkroom.counting.review import dataset
    from darkroom.db.opening import open_database
    from darkroom.storage.store import open_store

    moment = since.replace(tzinfo=UTC) if since else None
    with open_database(settings, pool_size=1) as database:
        made = dataset.export(database, open_store(settings), settings, folder, moment)
    click.echo(
        f"{made.tiles} tiles with {made.plants} plants ({', '.join(made.names) or 'no class'}) "
        f"from {made.train + made.val} photos: {made.train} to train on, {made.val} to validate."
    )
    if made.left_out:
        click.echo(
            f"{made.left_out} containers are painted over: they hold more or fewer plants than are "
            "marked. Mark them all on the review page to have them in the set."
        )
    click.echo(f"Train with --data {folder / 'data.yaml'}")
