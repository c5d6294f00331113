"""The catalog in a real browser, with a real worker and the sandbox: from a list to the shop."""

import io
import os
import re
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from darkroom.settings import ROOT, Settings

from .conftest import Served
from .test_browser import expect, page, phone  # noqa: F401  (fixtures)

PROCESSED_MS = 120_000


@pytest.fixture
def at_work(served: Served, settings: Settings) -> Iterator[None]:
    """A worker of lane io and a sandbox, each a process of its own."""
    environ = {
        **os.environ,
        "DATABASE_URL": settings.database_url or "",
        "DARKROOM_HOME": str(settings.home),
        "DARKROOM_SANDBOX_PORT": str(_free_port()),
        "DARKROOM_PACES": "catalog=0.05",
        "DARKROOM_BACKOFF_SECONDS": "0.5",
    }
    command = [sys.executable, "-m", "darkroom.cli"]
    started = [
        subprocess.Popen([*command, *words], env=environ, cwd=ROOT)
        for words in (("sandbox",), ("worker", "--lanes", "io"))
    ]
    yield
    for process in started:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def bolt(seed: int) -> bytes:
    """A photo of a bolt on a grey bench, each longer than the last."""
    image = Image.new("RGB", (640, 480), (150, 146, 140))
    draw = ImageDraw.Draw(image)
    draw.rectangle((200, 210, 380 + 30 * seed, 260), fill=(70, 74, 84))
    draw.regular_polygon((190, 235, 60), 6, fill=(52, 56, 66), rotation=5 * seed)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A table of three articles, the last of which wants a picture that is missing, and a ZIP."""
    table, archive = tmp_path / "tornillos.csv", tmp_path / "fotos.zip"
    rows = [f"Tornillo hexagonal {n}/8;caja;Tornillería;{n}.jpg" for n in (1, 2, 3)]
    table.write_text("\n".join(("nombre;unidad;categoria;imagen", *rows)), "utf-8")
    with zipfile.ZipFile(archive, "w") as packed:
        for n in (1, 2):
            packed.writestr(f"fotos/{n}.jpg", bolt(n))
    return table, archive


def imported(page: Any, files: tuple[Path, Path]) -> None:  # noqa: F811
    page.goto("/catalog/import")
    page.set_input_files("#csv", str(files[0]))
    page.set_input_files("#zip", str(files[1]))
    page.click("[data-import] [type=submit]")
    page.wait_for_selector("[data-report=created]")


def test_pictures_are_imported_planned_edited_compared_and_rolled_back(
    page: Any,  # noqa: F811
    at_work: None,
    files: tuple[Path, Path],
) -> None:
    imported(page, files)
    assert page.text_content("[data-report=created]") == "2"
    assert page.text_content("[data-report=problems]") == "1"

    page.goto("/catalog")
    page.check("[data-select-all]")
    expect(page.locator("[data-selected-count]")).to_have_text("2 selected")
    page.click("text=Edit the pictures…")
    expect(page.locator("h1")).to_have_text("Edit the pictures of 2 articles?")
    expect(page.locator(".figures")).to_contain_text("$0.08")
    page.click("text=Edit 2 pictures")
    page.wait_for_url(re.compile("/catalog/queue$"))
    expect(page.locator("[data-stat=completed]")).to_have_text("2", timeout=PROCESSED_MS)

    page.goto("/catalog/review")
    expect(page.locator(".judge > li")).to_have_count(2)
    page.click(".judge h2 a >> nth=0")
    page.wait_for_selector("[data-pair].is-live")
    assert page.locator(".pair-facts .sandbox-mark").count() == 1
    before = page.locator("[data-plane] img >> nth=0")
    assert "50%" in before.evaluate("image => image.style.clipPath")
    page.locator("[data-cut]").fill("0")
    assert "100%" in before.evaluate("image => image.style.clipPath")

    page.click("text=Roll back to this")
    page.click(".sheet:popover-open [type=submit]")
    page.wait_for_selector("text=Rolled back: the article shows the earlier picture again.")
    expect(page.locator(".version.is-current")).to_contain_text("given")


def test_files_that_are_dropped_go_where_they_belong(
    page: Any,  # noqa: F811
    files: tuple[Path, Path],
) -> None:
    page.goto("/catalog/import")
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["nombre"], "lista.csv"));
          data.items.add(new File(["x"], "fotos.zip"));
          dispatchEvent(new DragEvent("drop", { dataTransfer: data }));
        }"""
    )
    expect(page.locator("#csv")).to_have_value(re.compile(r"\blista\.csv$"))
    expect(page.locator("#zip")).to_have_value(re.compile(r"\bfotos\.zip$"))


def test_pages_fit_a_phone(phone: Any, files: tuple[Path, Path]) -> None:  # noqa: F811
    imported(phone, files)
    for path in ("", "/articles/1", "/queue", "/review", "/history", "/prompts", "/import"):
        phone.goto(f"/catalog{path}")
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390, path
