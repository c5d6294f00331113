"""The web app over a fresh database, clients that sign in, counted photos, and a browser."""

import ctypes.util
import io
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse

from darkroom.accounts import service as accounts
from darkroom.accounts.models import User
from darkroom.counting.models import Container, Detection, Estimation, Photo, PhotoSession
from darkroom.counting.service import Submitted
from darkroom.db.sessions import Database
from darkroom.settings import ROOT, Settings, WebSettings
from darkroom.web.app import create_app
from darkroom.web.services import KEY, Services

CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

_BEGUN = "html[data-begun], html:not(:has(script[src*='js/main']))"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Visitor:
    """A browser without scripts: keeps cookies, and sends forms with their page's CSRF token."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **options: Any) -> TestResponse:
        """Open a page."""
        return self.client.get(path, **options)

    def csrf_token(self, page: str = "/sign-in") -> str:
        """The token that a page's forms carry."""
        found = _TOKEN.search(self.client.get(page, follow_redirects=True).text)
        assert found is not None
        return found.group(1)

    def send(self, path: str, page: str = "/sign-in", **fields: Any) -> TestResponse:
        """Send a form of a page."""
        return self.client.post(path, data={"csrf_token": self.csrf_token(page), **fields})


@dataclass
class Site:
    """An app, and people who visit it."""

    app: Flask

    @property
    def services(self) -> Services:
        """What the app works with."""
        found: Services = self.app.extensions[KEY]
        return found

    @property
    def database(self) -> Database:
        """The app's database."""
        return self.services.database

    def visitor(self) -> Visitor:
        """Somebody with a fresh browser."""
        return Visitor(self.app.test_client())

    def user(self, name: str = "Ana", role: str = "member", password: str | None = None) -> User:
        """A user with an address of that name."""
        email = f"{name.lower()}@example.org"
        with self.database.session() as session:
            return accounts.create_user(
                session, name=name, email=email, role=role, password=password
            )

    def signed_in(self, user: User) -> Visitor:
        """The user in a fresh browser, let in by link."""
        with self.database.session() as session:
            token = accounts.make_sign_in_link(session, user, datetime.now(UTC))
        visitor = self.visitor()
        assert visitor.send(f"/sign-in/{token}", page=f"/sign-in/{token}").status_code == 303
        return visitor

    def token_of(self, user: User) -> dict[str, str]:
        """Headers with an API token of the user."""
        with self.database.session() as session:
            return {"Authorization": f"Bearer {accounts.create_token(session, user, 'test')[1]}"}


@pytest.fixture
def site(settings: Settings, database: Database) -> Site:
    """On loopback, as a newcomer runs it: calls without a token are the local user's."""
    return Site(create_app(settings, database))


@pytest.fixture
def closed_site(settings: Settings, database: Database) -> Site:
    """Where everybody has to sign in."""
    closed = replace(settings, web=replace(WebSettings(), require_login=True))
    return Site(create_app(closed, database))


@pytest.fixture
def visitor(site: Site) -> Visitor:
    """The local user's browser."""
    return site.visitor()


def jpeg(size: tuple[int, int] = (64, 48)) -> io.BytesIO:
    """A small photo."""
    file = io.BytesIO()
    Image.new("RGB", size, "green").save(file, "JPEG")
    file.seek(0)
    return file


Submit = Callable[..., Submitted]


@pytest.fixture
def submit() -> Submit:
    """Sends photos as a user does, and leaves them in the queue."""

    def send(site: Site, user: User, *names: str) -> Submitted:
        files = [FileStorage(jpeg(), filename=name) for name in names or ("a.jpg",)]
        return site.services.counting.receive(files, user.id)

    return send


def count(database: Database, session_id: UUID, *, needs_review: bool = False) -> None:
    """Write what the worker would: on the first photo one container with 2 plants seen, 1 not."""
    with database.session() as db:
        session = db.scalars(
            select(PhotoSession).where(PhotoSession.session_id == session_id)
        ).one()
        photo = db.scalars(
            select(Photo).where(Photo.session_id == session.id, Photo.position == 1)
        ).one()
        photo.status, photo.total_detected, photo.total_estimated = "counted", 2, 1
        _count_container(db, session, photo, needs_review)
        session.total_detected, session.total_estimated = 2, 1
        session.total_unbiased, session.interval_low, session.interval_high = 2.9, 2.1, 4.2
        session.avg_confidence, session.needs_review = 0.83, needs_review
        if needs_review:
            reason = "There is vegetation here, but no plant was detected."
            session.review_reasons = [{"photo": 1, "container": 1, "text": reason, "values": {}}]
        session.counted_at = func.now()


def _count_container(db: Any, session: PhotoSession, photo: Photo, needs_review: bool) -> None:
    square = [[0, 0], [60, 0], [60, 40], [0, 40], [0, 0]]
    place = {"session_id": session.id, "image_id": photo.image_id}
    container = Container(
        **place,
        number=1,
        container_type="plug",
        is_segmented=True,
        confidence=0.9,
        polygon={"type": "Polygon", "coordinates": [square]},
        total_detected=2,
        total_estimated=1,
        total_unbiased=2.9,
        total_buffered=3.0,
        standard_error=0.5,
        interval_low=2.1,
        interval_high=4.2,
        count_confidence=0.9,
        vegetation_fraction=0.4,
        is_empty_container=False,
        needs_review=needs_review,
        review_reason="There is vegetation here, but no plant was detected."
        if needs_review
        else None,
    )
    db.add(container)
    db.flush()
    place["container_id"] = container.id
    for x in (10, 30):
        db.add(
            Detection(
                **place,
                center_x=x,
                center_y=20,
                width_px=8,
                height_px=6,
                confidence=0.8,
                class_name="plant",
            )
        )
    db.add(
        Estimation(
            **place,
            band_number=2,
            band_y_start=10,
            band_y_end=20,
            estimated_count=1,
            estimated_unbiased=0.9,
            area_pixels=48,
            avg_plant_area_px=48,
            calculation_method="band",
            estimation_confidence=0.7,
            vegetation_polygon={"type": "MultiPolygon", "coordinates": [[square]]},
            area_before_suppression=100,
            area_after_suppression=48,
        )
    )


@dataclass
class Served:
    """A site behind the real server, in a process of its own."""

    site: Site
    url: str
    process: subprocess.Popen[bytes]


@pytest.fixture
def served(settings: Settings, database: Database) -> Iterator[Served]:
    """Gunicorn as `Procfile` starts it, with 8 threads and room for 4 streams."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # The socket is open before the server is: who calls early waits, and nobody has to poll.
        bind = f"fd://{listening.fileno()}"
        environ = {
            **os.environ,
            "DATABASE_URL": settings.database_url or "",
            "DARKROOM_HOME": str(settings.home),
            "DARKROOM_SECRET_KEY": settings.secret_key or "",
            "DARKROOM_WEB_THREADS": "8",
            "DARKROOM_MAX_STREAMS": "4",
        }
        command = ["gunicorn", "--config", "python:darkroom.web.gunicorn", "--bind", bind]
        process = subprocess.Popen(
            [sys.executable, "-m", *command, "darkroom.web.wsgi:app"],
            env=environ,
            cwd=ROOT,
            pass_fds=[listening.fileno()],
        )
        port = listening.getsockname()[1]
        yield Served(Site(create_app(settings, database)), f"http://127.0.0.1:{port}", process)
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A Chromium; without one the tests that need it are skipped."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: install Debian's chromium ({CHROMIUM} is missing)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright")
    if ctypes.util.find_library("atomic") is None:
        pytest.skip("no browser: Playwright needs Debian's libatomic1")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_FLAGS)
        yield _Patient(opened)
        opened.close()


class _Patient:
    """A browser whose pages are used when their scripts have begun, as a person would."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser

    def new_context(self, **options: Any) -> Any:
        """As the browser's own."""
        context = self.browser.new_context(**options)
        context.on("page", _wait_for_scripts)
        return context


def _wait_for_scripts(page: Any) -> None:
    for name in ("goto", "reload", "wait_for_url"):
        setattr(page, name, _then_begun(page, getattr(page, name)))


def _then_begun(page: Any, go: Callable[..., Any]) -> Callable[..., Any]:
    def gone(*values: Any, **options: Any) -> Any:
        answer = go(*values, **options)
        page.wait_for_selector(_BEGUN, state="attached")
        return answer

    return gone
