"""Publishing while services fail and workers die: every picture is on the site once.

`PUBLISHES` says how many requests for pictures there are, `CHAOS_SEED` what befalls them.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from flask.testing import FlaskClient

from darkroom.db.sessions import Database
from tests.chaos import books, figures
from tests.chaos.conftest import SEED
from tests.integration.conftest import Engine, engine  # noqa: F401
from tests.integration.test_counting import start_worker  # noqa: F401
from tests.integration.test_publishing_at_work import (  # noqa: F401
    MEDIA,
    PICTURES,
    POSTS,
    client,
    demo,
    library,
    work,
)
from tests.sandboxed import Sandboxed

PUBLISHES = int(os.environ.get("PUBLISHES", "10"))
PATIENCE = 60.0 + 6 * PUBLISHES
A_DEATH = 5
"""So many requests are asked for between two deaths."""
TYPES = "/api/publishing/sites/default/types/planessemanales"
STATUS, RETRY = "/api/images/upload-status", "/api/images/upload-status/retry"
# Also those that a later picture of the same field hides.
FAILED = """
    SELECT wp_post_id, count(*) AS pictures FROM publication_pictures
    JOIN publications ON publications.id = publication_id
    WHERE wp_status = 'failed' GROUP BY wp_post_id"""
FORBIDDEN = "prohibido"
ANYWHERE = ("limit", "error", "cut", "malformed", "slow")
KINDS = ("one", "same field", "some", "gallery", "same gallery", "no field", "not allowed")
NOT_ALLOWED = 0.15
"""So many of those for a field or gallery that they share with others are refused."""
FAULTS = [
    *((PICTURES, kind) for kind in ANYWHERE),
    *((MEDIA, kind) for kind in (*ANYWHERE, "expired", "forbidden", "unfinished")),
    *((f"{POSTS}/*", kind) for kind in (*ANYWHERE, "expired")),
    *(("/gcs/*", kind) for kind in ("error", "cut", "slow")),
]


@dataclass(frozen=True)
class Asked:
    """A request; `explained_by` is in the reason of one that must fail."""

    post: int
    prompt: str
    n: int = 1
    field: str | None = None
    explained_by: str = ""


def draw(random: Random, number: int) -> Asked:
    """Most are for one picture or some; some for a field that is there not, or not allowed."""
    post = 1000 + number
    prompt = f"Actividad {number}"
    kind = random.choices(KINDS, [4, 4, 4, 3, 3, 1, 1])[0]
    shared, reason = prompt, ""
    if random.random() < NOT_ALLOWED:
        shared, reason = f"{prompt} {FORBIDDEN}", "safety"
    return {
        "one": Asked(post, prompt),
        "same field": Asked(999, shared, explained_by=reason),
        "same gallery": Asked(998, shared, random.randint(1, 3), "galeria", reason),
        "some": Asked(post, prompt, random.randint(2, 3)),
        "gallery": Asked(post, prompt, random.randint(1, 4), "galeria"),
        "no field": Asked(post, prompt, field="fotografia", explained_by="ignored"),
        "not allowed": Asked(post, f"{prompt} {FORBIDDEN}", explained_by="safety"),
    }[kind]


def test_every_picture_is_there_once_and_every_failure_is_explained(
    client: FlaskClient,  # noqa: F811
    engine: Engine,  # noqa: F811
    work: Callable[[], Any],  # noqa: F811
    sandbox: Sandboxed,
    database: Database,
) -> None:
    began, random = time.monotonic(), Random(f"{SEED} publishing")
    engine.environ["DARKROOM_BREAKER_FAILURES"] = "1000"
    client.put(TYPES, json={"fields": ["foto", "foto_2", "foto_3"], "gallery": "galeria"})
    forbid(sandbox)
    asked = [draw(random, number) for number in range(PUBLISHES)]
    worker, deaths = work(), 0
    for portion in portions(asked):
        for each in portion:
            befall(random, sandbox)
            assert send(client, each).status_code == 202
        at = random.random()
        engine.until(lambda at=at: is_at_work(sandbox, at) or is_over(database), PATIENCE)
        worker.kill()
        worker.wait()
        worker, deaths = work(), deaths + 1
    engine.until(lambda: is_over(database), PATIENCE)
    check_statuses(client, asked)
    failed = {row.wp_post_id: row.pictures for row in books.ask(database, FAILED)}
    sandbox.state.faults.clear()
    forbid(sandbox)
    for post in failed:
        assert client.post(RETRY, query_string=place(post)).status_code == 202
    engine.until(lambda: is_over(database), PATIENCE)
    check_statuses(client, asked)
    check_reasons(database, asked)
    check_attachments(sandbox, database)
    check_fields(sandbox, database)
    failures = sum(failed.values())
    figures.REPORTS.append(report(sandbox, database, deaths, began, failures))


def forbid(sandbox: Sandboxed) -> None:
    """Have some prompts refused for good."""
    sandbox.fault(PICTURES, "blocked", times=None, containing=FORBIDDEN)


def befall(random: Random, sandbox: Sandboxed) -> None:
    """Have something go wrong soon."""
    route, kind = random.choice(FAULTS)
    options = {"seconds": 0.3} if kind in ("slow", "limit") else {}
    sandbox.fault(route, kind, after=random.randrange(4), **options)


def portions(asked: Sequence[Asked]) -> Iterator[Sequence[Asked]]:
    """What is asked for between deaths."""
    return (asked[at : at + A_DEATH] for at in range(0, len(asked), A_DEATH))


def place(post: int) -> dict[str, Any]:
    """Which post a request is about."""
    return {"wp_post_id": post, "run_id": f"chaos-{post}"}


def send(client: FlaskClient, each: Asked) -> Any:  # noqa: F811
    """Ask, and do not wait for it."""
    wanted = {"prompt": each.prompt, "n": each.n, "field": each.field, **place(each.post)}
    at_once = {"Prefer": "wait=0"}
    return client.post("/api/images/created_img", json=wanted, headers=at_once)


def is_at_work(sandbox: Sandboxed, portion: float) -> bool:
    """Whether a call is going on; which kind is a matter of luck."""
    route = (PICTURES, MEDIA, f"{POSTS}/*", "/gcs/*")[int(4 * portion)]
    return any(each.status is None for each in sandbox.journal(route))


def is_over(database: Database) -> bool:
    """Whether every run has ended."""
    return books.ask(database, "SELECT count(*) FROM runs WHERE open_steps > 0")[0][0] == 0


def check_statuses(client: FlaskClient, asked: Sequence[Asked]) -> None:  # noqa: F811
    """Nothing is on its way, and every failure is explained."""
    for post in {each.post for each in asked}:
        said = client.get(STATUS, query_string=place(post)).json
        assert said["status"] != "processing", said
        found = [failed["error"] for failed in said.get("failed_fields", [])]
        assert all(found) and bool(found) == (said["status"] == "failed"), said


def check_reasons(database: Database, asked: Sequence[Asked]) -> None:
    """What had to fail has, for its own reason, and nothing else."""
    rows = books.ask(
        database,
        """SELECT prompt, wp_status, coalesce(error, '') AS error FROM publication_pictures
            JOIN publications ON publications.id = publication_id""",
    )
    known = {each.prompt: each for each in asked}
    assert {row.prompt for row in rows} == set(known)
    for row in rows:
        reason = known[row.prompt].explained_by
        assert row.wp_status == ("failed" if reason else "completed"), row
        assert reason in row.error, row


def check_attachments(sandbox: Sandboxed, database: Database) -> None:
    """Each picture that was made is in the library once, with its post, and in the bucket."""
    rows = books.ask(
        database,
        """SELECT media_id, wp_post_id, copy_url FROM publication_pictures
            JOIN publications ON publications.id = publication_id WHERE asset_id IS NOT NULL""",
    )
    there = {(id, media.post) for id, media in library(sandbox).items()}
    assert there == {(row.media_id, row.wp_post_id) for row in rows}
    assert len(there) == len(rows) and all(row.copy_url for row in rows)
    assert not any(media.missing for media in library(sandbox).values())


def check_fields(sandbox: Sandboxed, database: Database) -> None:
    """Each field holds what came last of what was asked for, each gallery all of it once."""
    rows = books.ask(
        database,
        """SELECT wp_post_id, p.field, in_gallery,
            array_agg(media_id ORDER BY publications.created_at DESC, publications.id DESC) AS ids
            FROM publication_pictures p JOIN publications ON publications.id = publication_id
            WHERE wp_status = 'completed'
            GROUP BY wp_post_id, p.field, in_gallery""",
    )
    assert rows
    for row in rows:
        held = demo(sandbox).post("planessemanales", row.wp_post_id).fields[row.field]
        assert (sorted(held) == sorted(row.ids)) if row.in_gallery else held == row.ids[0], row


def report(
    sandbox: Sandboxed, database: Database, deaths: int, began: float, failed: int
) -> figures.Report:
    """What went on; `repeats` are pictures that were asked for again."""
    counts = books.ask(
        database,
        """SELECT (SELECT count(*) FROM publication_pictures WHERE asset_id IS NOT NULL) AS made,
            (SELECT count(*) FROM runs) AS runs, (SELECT count(*) FROM steps) AS steps,
            count(*) AS attempts, count(*) FILTER (WHERE outcome = 'lost') AS lost FROM attempts""",
    )[0]
    met = sum(each.fault not in ("", "blocked") for each in sandbox.journal())
    answered = sum(each.status == 200 for each in sandbox.journal(PICTURES))
    return figures.Report(
        name="pictures_are_published",
        runs=counts.runs,
        steps=counts.steps,
        attempts=counts.attempts,
        faults=met + deaths,
        lost=counts.lost,
        repeats=answered - counts.made,
        seconds=time.monotonic() - began,
        remark=f"{counts.made} pictures, {failed} failed first, {deaths} deaths",
    )
