"""Sends generated nursery photos through a running Darkroom and prints counted against true.

make demo            or            .venv/bin/python scripts/demo.py --photos 10
"""

import argparse
import io
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import requests
from make_photos import load_shared, make_photo
from PIL import Image
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from darkroom.settings import Settings

# Training uses seeds below this; see the model card.
FIRST_SEED = 900_000
SIZE = (2000, 1500)
PATIENCE_SECONDS = 300
API = "/api/v1/stock"

console = Console()


@dataclass
class Sent:
    """One generated photo on its way: its truth, and what the server says of it."""

    name: str
    jpeg: bytes
    true: int
    task: str = ""
    answer: dict | None = None

    @property
    def over(self) -> bool:
        """True once the server has nothing more to do for it."""
        return self.answer is not None and self.answer["status"] in ("completed", "failed")

    @property
    def progress(self) -> float:
        """0 to 1; what is counted counts as done, though it may still be drawn."""
        return 1.0 if self.over else (self.answer or {}).get("progress", 0.0)

    @property
    def counted(self) -> int | None:
        """Plants counted, detected and estimated; None when the photo was lost."""
        if self.answer is None or self.answer["status"] != "completed":
            return None
        return self.answer["total_detected"] + self.answer["total_estimated"]


def main() -> int:
    """Generate, send, follow, compare. Exit code 1 when a photo was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=10)
    parser.add_argument("--seed", type=int, default=FIRST_SEED)
    parser.add_argument("--url", default=_address())
    given = parser.parse_args()
    session = requests.Session()
    token = os.environ.get("DARKROOM_TOKEN")
    if token:
        session.headers["Authorization"] = f"Bearer {token}"
    if not _answers(session, given.url):
        console.print(f"No Darkroom answers at {given.url}. Start it with: make run")
        console.print("If it runs at another port, set DARKROOM_PORT here too, or give --url.")
        return 2
    photos = _generated(given.photos, given.seed)
    _send_and_follow(session, given.url, photos)
    return _report(photos)


def _address() -> str:
    web = Settings.from_env(os.environ).web
    return f"http://{web.host}:{web.port}"


def _answers(session: requests.Session, url: str) -> bool:
    try:
        return session.get(f"{url}/healthz", timeout=5).ok
    except requests.ConnectionError:
        return False


def _generated(count: int, seed: int) -> list[Sent]:
    real = load_shared()
    with _bar() as progress:
        task = progress.add_task("drawing photos", total=count)
        photos = []
        for number in range(count):
            photo = make_photo(seed + number, SIZE, real=real)
            file = io.BytesIO()
            Image.fromarray(photo.image).save(file, "JPEG", quality=92)
            photos.append(Sent(f"demo_{seed + number}.jpg", file.getvalue(), len(photo.plants)))
            progress.advance(task)
    return photos


def _send_and_follow(session: requests.Session, url: str, photos: list[Sent]) -> None:
    with _bar() as progress:
        uploads = progress.add_task("uploading", total=len(photos))
        for photo in photos:
            parts = {"file": (photo.name, photo.jpeg, "image/jpeg")}
            answer = session.post(f"{url}{API}/photo", files=parts, timeout=60)
            answer.raise_for_status()
            photo.task = answer.json()["task_id"]
            progress.advance(uploads)
        counting = progress.add_task("counting", total=len(photos))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not all(photo.over for photo in photos) and time.monotonic() < deadline:
            _ask(session, url, [photo for photo in photos if not photo.over])
            done = sum(photo.progress for photo in photos)
            progress.update(counting, completed=done)
            time.sleep(0.5)


def _ask(session: requests.Session, url: str, photos: list[Sent]) -> None:
    def ask(photo: Sent) -> None:
        photo.answer = session.get(f"{url}{API}/tasks/{photo.task}", timeout=60).json()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, photos))


def _report(photos: list[Sent]) -> int:
    table = Table("photo", "true", "counted", "detected", "estimated", "80 % interval", "error")
    for photo in photos:
        table.add_row(photo.name, str(photo.true), *_row(photo))
    console.print(table)
    lost = sum(photo.counted is None for photo in photos)
    true = sum(photo.true for photo in photos)
    counted = sum(photo.counted or 0 for photo in photos)
    off = sum(abs((photo.counted or 0) - photo.true) for photo in photos)
    console.print(
        f"counted {counted} of {true} true, total error {abs(counted - true) / max(true, 1):.1%}, "
        f"mean error a photo {off / max(true, 1):.1%}, photos lost {lost}"
    )
    return 1 if lost else 0


def _row(photo: Sent) -> list[str]:
    answer = photo.answer
    if photo.counted is None or answer is None:
        return ["lost", "", "", "", (answer or {}).get("error") or "no answer in time"]
    low, high = answer["interval_80"]
    off = (photo.counted - photo.true) / max(photo.true, 1)
    return [
        str(photo.counted),
        str(answer["total_detected"]),
        str(answer["total_estimated"]),
        f"{low:.0f} to {high:.0f}",
        f"{off:+.1%}",
    ]


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description:>15}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        console=console,
    )


if __name__ == "__main__":
    sys.exit(main())
