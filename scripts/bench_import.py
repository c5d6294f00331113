"""Importing articles with their pictures, and queueing their edits, in one call of the API.

    python scripts/bench_import.py                # 500 articles, best of three

The call is `POST /api/articulos/import` as a client sends it: multipart, a CSV and a ZIP of JPEGs
of about 50 KB, `procesar=true`. It is answered by the app in this process, with a Postgres and a
file store of its own in a temporary folder, both with their usual settings. Each repetition begins
anew. The last line is what is to be compared: `import_s`, the best time in seconds.
"""

import argparse
import io
import os
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from flask.testing import FlaskClient
from PIL import Image
from rich.console import Console
from rich.table import Table

from darkroom.db import embedded, migrate
from darkroom.db.sessions import Database
from darkroom.settings import Settings
from darkroom.web.app import create_app

SIZE = (640, 480)
GRAIN = (64, 48)
QUALITY = 75


@contextmanager
def fresh_client() -> Iterator[FlaskClient]:
    """A client of an app of its own."""
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as name:
        folder = Path(name)
        # Run by root, Postgres is somebody else.
        os.chmod(folder, 0o755)
        with embedded.running(folder / "postgres") as url:
            migrate.migrate(url)
            database = Database(url)
            yield create_app(Settings(home=folder, database_url=url), database).test_client()
            database.close()


def picture(generator: np.random.Generator) -> bytes:
    """A JPEG of about 50 KB."""
    coarse = Image.fromarray(generator.integers(0, 256, (*GRAIN[::-1], 3), dtype=np.uint8))
    buffer = io.BytesIO()
    coarse.resize(SIZE, Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def archive(pictures: list[bytes]) -> bytes:
    """A ZIP of the pictures, as `fotos/<place>.jpg`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for place, content in enumerate(pictures):
            file.writestr(f"fotos/{place}.jpg", content)
    return buffer.getvalue()


def table(count: int) -> bytes:
    """The CSV that names them."""
    rows = [f"Tornillo {place},Acero,caja,Tornillería,si,{place}.jpg" for place in range(count)]
    return "\n".join(["nombre,descripcion,unidad,categoria,activo,imagen", *rows]).encode()


def seconds(client: FlaskClient, count: int, content: bytes) -> float:
    """How long the call takes; it must import and queue them all."""
    data = {
        "csv": (io.BytesIO(table(count)), "articulos.csv"),
        "zip": (io.BytesIO(content), "fotos.zip"),
        "procesar": "true",
    }
    began = time.perf_counter()
    answer = client.post("/api/articulos/import", data=data)
    lasted = time.perf_counter() - began
    told = answer.get_json()["data"]
    assert (told["creados"], told["imagenes"], told["en_cola"]) == (count, count, count), told
    return lasted


def main() -> None:
    """Print each repetition, and the best."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--articles", type=int, default=500)
    parser.add_argument("--repeat", type=int, default=3)
    asked = parser.parse_args()
    generator = np.random.default_rng(1)
    pictures = [picture(generator) for _ in range(asked.articles)]
    shown = Table("repetition", "articles", "pictures, MB", "seconds", "articles a second")
    times = []
    for repetition in range(1, asked.repeat + 1):
        content = archive(pictures)
        with fresh_client() as client:
            times.append(seconds(client, asked.articles, content))
        figures = (len(content) / 2**20, times[-1], asked.articles / times[-1])
        shown.add_row(str(repetition), str(asked.articles), *(f"{each:.1f}" for each in figures))
    Console().print(shown)
    print(f"import_s {min(times):.2f}")


if __name__ == "__main__":
    main()
