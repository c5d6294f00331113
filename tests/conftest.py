"""A throw-away Postgres for the session, and a fresh migrated database for each test."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from darkroom.db import embedded, migrate
from darkroom.db.sessions import Database
from darkroom.errors import Permanent
from darkroom.settings import QueueSettings, Settings
from darkroom.vision import whisper
from tests.sandboxed import Sandboxed, sandboxing

# The same examples in every run: a failure is one of the change, not of the day.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")

TEMPLATE = "darkroom_template"
# Nothing of a test outlives a crash, so nothing needs to reach the disk.
HASTY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

_numbers = count(1)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """`TEST_DATABASE_URL`, or an embedded server that ends with the session."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    with _open_folder() as folder, embedded.running(folder, settings=HASTY) as url:
        yield url


@contextmanager
def _open_folder() -> Iterator[Path]:
    """A folder that others may enter: run by root, Postgres runs as somebody else."""
    with tempfile.TemporaryDirectory(prefix="darkroom-tests-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def database_of(server_url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def template(server_url: str) -> Iterator[str]:
    """A migrated database to copy from."""
    name = f"{TEMPLATE}_{os.getpid()}"
    _create(server_url, name)
    migrate.migrate(database_of(server_url, name))
    yield name
    _drop(server_url, name)


@pytest.fixture(scope="session")
def make_database(server_url: str, template: str) -> Callable[[], Iterator[str]]:
    """A context manager that gives the URL of a fresh database."""

    @contextmanager
    def fresh() -> Iterator[str]:
        name = f"darkroom_test_{os.getpid()}_{next(_numbers)}"
        _create(server_url, name, template)
        try:
            yield database_of(server_url, name)
        finally:
            _drop(server_url, name)

    return fresh


@pytest.fixture
def database_url(make_database: Callable[[], Iterator[str]]) -> Iterator[str]:
    """The URL of a fresh migrated database, dropped after the test."""
    with make_database() as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh migrated database."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where models are exported to, once for all tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def whisper_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of weights that has Whisper's."""
    folder = tmp_path_factory.mktemp("weights")
    try:
        whisper.fetch(folder)
    except Permanent as error:
        pytest.skip(f"Whisper's weights cannot be had here: {error}")
    return folder


@pytest.fixture
def settings(tmp_path: Path, database_url: str, model_cache: Path) -> Settings:
    """Settings of an installation in the test's own folder, with short engine times."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "cache").symlink_to(model_cache, target_is_directory=True)
    return Settings(
        home=home,
        database_url=database_url,
        secret_key="a secret for tests only",
        queue=QueueSettings(
            poll_seconds=1,
            heartbeat_seconds=0.3,
            stale_seconds=2,
            rescue_seconds=0.3,
            grace_seconds=5,
            backoff_seconds=0.1,
        ),
    )


@pytest.fixture
def sandbox() -> Iterator[Sandboxed]:
    """The sandbox of the outside services, fresh and in a thread; see `tests/sandboxed.py`."""
    with sandboxing() as running:
        yield running


def _create(server_url: str, name: str, template: str = "template0") -> None:
    _execute(
        server_url,
        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template)
        ),
    )


def _drop(server_url: str, name: str) -> None:
    _execute(
        server_url, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    )


def _execute(server_url: str, statement: sql.Composed) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement)
