"""From the picture's being there to its answer: what publishing adds for who waits.

    python scripts/bench_publishing.py                  # 8 clients, 10 requests each

The real server, a worker and the sandbox as processes of their own, an empty database; clients ask
by HTTP, all at once, each for one picture after another. A picture is there when the transaction
that keeps it begins; its answer is, when the client has read all of it. Both clocks are this
machine's. Uploads of earlier pictures go on meanwhile, as in life.
"""

import argparse
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from darkroom.db import embedded, migrate
from darkroom.db.sessions import Database
from darkroom.settings import ROOT

GOAL_MS = 300
FIRST_POST = 1000
PATIENCE = 130.0
# extract(epoch …) of the newest picture of each post.
MADE = """
    SELECT wp_post_id, extract(epoch FROM max(assets.created_at))::float8 AS at
    FROM publications
    JOIN publication_pictures ON publication_id = publications.id
    JOIN assets ON assets.id = asset_id
    GROUP BY wp_post_id"""


@contextlib.contextmanager
def installation() -> Iterator[tuple[Database, str]]:
    """A whole Darkroom of its own; its database and its address."""
    with contextlib.ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="darkroom-bench-"))
        # Run by root, Postgres is somebody else.
        os.chmod(name, 0o755)
        url = stack.enter_context(embedded.running(Path(name) / "postgres"))
        migrate.migrate(url)
        web, sandbox = free_port(), free_port()
        environ = {
            **os.environ,
            "DATABASE_URL": url,
            "DARKROOM_HOME": f"{name}/home",
            "DARKROOM_PORT": str(web),
            "DARKROOM_SANDBOX_PORT": str(sandbox),
        }
        serve = ["gunicorn", "--config", "python:darkroom.web.gunicorn", "darkroom.web.wsgi:app"]
        for command in (
            ["darkroom.cli", "sandbox"],
            ["darkroom.cli", "worker", "--lanes", "io"],
            serve,
        ):
            stack.enter_context(running(command, environ))
        address = f"http://127.0.0.1:{web}"
        wait_for(address)
        wait_for(f"http://127.0.0.1:{sandbox}")
        database = Database(url)
        stack.callback(database.close)
        yield database, address


@contextlib.contextmanager
def running(module: list[str], environ: dict[str, str]) -> Iterator[None]:
    """A process while it is needed."""
    process = subprocess.Popen([sys.executable, "-m", *module], env=environ, cwd=ROOT)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def wait_for(address: str) -> None:
    """Until somebody answers there."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            visitor().get(address, timeout=PATIENCE)
            return
        except requests.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def visitor() -> requests.Session:
    """A client of our own machine, whatever proxies are set."""
    session = requests.Session()
    session.trust_env = False
    return session


def client(address: str, posts: range, together: threading.Barrier) -> dict[int, float]:
    """Ask for a picture of each post; when each answer was read, in seconds since 1970."""
    session, read = visitor(), {}
    together.wait()
    for post in posts:
        asked = {"prompt": f"Actividad {post}", "wp_post_id": post, "run_id": "bench", "n": 1}
        answer = session.post(f"{address}/api/images/created_img", json=asked, timeout=PATIENCE)
        read[post] = time.time()
        assert answer.status_code == 200, answer.text[:500]
        assert answer.json()["previews"][0]["data_url"]
    return read


def measured(database: Database, address: str, clients: int, requests_each: int) -> list[float]:
    """Milliseconds from each picture's being there to its answer, in order."""
    client(address, range(1, 3), threading.Barrier(1))
    together = threading.Barrier(clients)
    first = [FIRST_POST + number * requests_each for number in range(clients)]
    with ThreadPoolExecutor(clients) as pool:
        asked = [
            pool.submit(client, address, range(post, post + requests_each), together)
            for post in first
        ]
        read = {post: at for each in asked for post, at in each.result().items()}
    with database.session() as session:
        made = {row.wp_post_id: row.at for row in session.execute(text(MADE))}
    return sorted(1000 * (at - made[post]) for post, at in read.items())


def main() -> None:
    """Measure, print, and say whether it is as good as it has to be."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--requests", type=int, default=10, help="of each client")
    options = parser.parse_args()
    with installation() as (database, address):
        found = measured(database, address, options.clients, options.requests)
    p50, p95 = statistics.median(found), statistics.quantiles(found, n=20, method="inclusive")[-1]
    table = Table(title=f"From the picture to its answer, {options.clients} clients at once")
    for column in ("answers", "p50 ms", "p95 ms", "max ms"):
        table.add_column(column, justify="right")
    table.add_row(str(len(found)), f"{p50:.0f}", f"{p95:.0f}", f"{found[-1]:.0f}")
    Console(file=sys.stdout).print(table)
    print(f"p50_ms {p50:.0f} p95_ms {p95:.0f} goal_ms {GOAL_MS} is_met {p95 < GOAL_MS}")


if __name__ == "__main__":
    main()
