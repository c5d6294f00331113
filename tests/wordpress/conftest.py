"""A real WordPress, for the session; without one the tests are skipped, with the reason."""

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from darkroom.providers import wordpress
from darkroom.providers.http import Timeouts
from darkroom.providers.wordpress import WordPress
from darkroom.settings import ROOT, WordPressSettings
from tests.integration.conftest import Engine, engine
from tests.integration.test_counting import start_worker
from tests.integration.test_publishing_at_work import client, work
from tests.integration.test_sandbox_process import free_port

__all__ = ["client", "engine", "start_worker", "work"]

Json = dict[str, Any]
UP, DOWN = ROOT / "scripts" / "wordpress_up.sh", ROOT / "scripts" / "wordpress_down.sh"
UNAVAILABLE = 77
POSTS = "/wp-json/wp/v2/planessemanales"
MEDIA = "/wp-json/wp/v2/media"


@dataclass(frozen=True)
class RealSite:
    """The site, as its administrator sees it."""

    folder: Path
    login: Json
    door: WordPress

    def order(self, what: str, said: str = "") -> None:
        """Have something go wrong: see `scripts/wordpress/mu-plugins/trials.php`."""
        (self.folder / what).write_text(said)

    def post(self) -> int:
        """A new post of the type of activities."""
        new = {"title": "Actividad", "status": "publish"}
        return int(self.door.call("POST", POSTS, json=new).json()["id"])

    def media_of(self, post_id: int) -> list[Json]:
        """The attachments of a post, as an editor sees them."""
        asked = {"parent": post_id, "context": "edit", "per_page": 100}
        found: list[Json] = self.door.call("GET", MEDIA, params=asked).json()
        return found

    def fields_of(self, post_id: int) -> Json:
        """The custom fields of a post."""
        found: Json = self.door.post("planessemanales", post_id)["acf"]
        return found

    def way_in(self, way: str) -> Json:
        """What publishing is told of the site, to enter it by `application` or `jwt`."""
        secret = {"application": "app_password", "jwt": "password"}[way]
        return {
            "name": "Real",
            "base_url": self.login["url"],
            "username": self.login["user"],
            "way": way,
            "secret": self.login[secret],
        }


@pytest.fixture(scope="session")
def real_site() -> Iterator[RealSite]:
    """A WordPress of its own in a short folder: its database's socket is there, too."""
    with tempfile.TemporaryDirectory(prefix="wp-") as name:
        try:
            command = [UP, name, str(free_port())]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode == UNAVAILABLE:
                pytest.skip(done.stderr.splitlines()[-1])
            assert done.returncode == 0, done.stderr
            login = json.loads(done.stdout)
            entered = WordPressSettings(login["url"], login["user"], None, login["app_password"])
            yield RealSite(Path(name), login, wordpress.site(entered, Timeouts(total=60)))
        finally:
            subprocess.run([DOWN, name], check=True)


Publishing = Callable[..., "Publisher"]


@dataclass(frozen=True)
class Publisher:
    """Somebody who publishes on the real site, pictures of one post."""

    client: FlaskClient
    engine: Engine
    post_id: int
    run_id: str

    def create(self, **changed: Any) -> Any:
        """Ask for pictures."""
        asked = {"prompt": "Una familia “feliz” & su perro", "n": 1, **self.place, **changed}
        return self.client.post("/api/images/created_img", json=asked)

    def settled(self) -> Json:
        """The status once nothing is on its way."""
        self.engine.until(lambda: self.status()["status"] != "processing", seconds=120)
        return self.status()

    def status(self) -> Json:
        """How far it is."""
        answer = self.client.get("/api/images/upload-status", query_string=self.place)
        assert answer.status_code == 200, answer.json
        found: Json = answer.json
        return found

    def retry(self) -> Json:
        """Try again what failed; answers the status when that is settled."""
        assert self.client.post(self.status()["retry_url"]).status_code == 202
        return self.settled()

    @property
    def place(self) -> Json:
        """Which post it is about."""
        return {"wp_post_id": self.post_id, "run_id": self.run_id}


@pytest.fixture
def publishing(client: FlaskClient, engine: Engine, real_site: RealSite) -> Publishing:
    """Publishes on the real site by a way in; each time for a new post."""

    def enter(way: str = "application", **changed: str) -> Publisher:
        added = client.post("/api/publishing/sites", json={**real_site.way_in(way), **changed})
        assert added.status_code == 201, added.json
        return Publisher(client, engine, real_site.post(), f"run-{uuid4().hex[:8]}")

    return enter
