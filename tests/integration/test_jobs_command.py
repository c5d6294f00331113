"""`darkroom jobs …` as people and scripts type it."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, text

from darkroom.accounts.audit import AuditRow
from darkroom.cli import main
from darkroom.db.sessions import Database
from darkroom.queue.calls import enqueue
from darkroom.settings import Settings
from tests.engine import steps

Type = Callable[..., Result]


@pytest.fixture
def jobs(database: Database) -> list[int]:
    with database.session() as session:
        calls = [steps.note.call(word=word, label=f"[{word}]") for word in "abc"]
        return enqueue(session, calls, run_id=None)


@pytest.fixture
def darkroom(settings: Settings, jobs: list[int]) -> Type:
    environ = {
        "DATABASE_URL": settings.database_url or "",
        "DARKROOM_HOME": str(settings.home),
        "COLUMNS": "200",
    }

    def typed(*words: str, answer: str = "") -> Result:
        return CliRunner().invoke(main, ["jobs", *words], env=environ, input=answer)

    return typed


def test_a_table_wider_than_the_terminal_is_told_row_by_row(settings: Settings) -> None:
    environ = {
        "DATABASE_URL": settings.database_url or "",
        "DARKROOM_HOME": str(settings.home),
        "COLUMNS": "80",
    }
    said = CliRunner().invoke(main, ["lanes", "list"], env=environ).output
    assert "lane                 gpu\n" in said


def statuses(database: Database) -> list[str]:
    with database.session() as session:
        return list(
            session.scalars(text("SELECT status::text FROM procrastinate_jobs ORDER BY id"))
        )


def test_jobs_are_listed_by_filter(darkroom: Type, jobs: list[int]) -> None:
    said = darkroom("list", "--arg", "word:b").output
    assert f"{jobs[1]}" in said and "steps.note [b]" in said and "1 job" in said
    assert "no worker takes lane io" in said


def test_a_list_goes_on_below_a_job(darkroom: Type, jobs: list[int]) -> None:
    first = json.loads(darkroom("list", "--limit", "2", "--json").output)
    assert [job["id"] for job in first["jobs"]] == jobs[:0:-1]
    rest = json.loads(darkroom("list", "--before", str(first["older"]), "--json").output)
    assert [job["id"] for job in rest["jobs"]] == [jobs[0]]


def test_a_job_is_shown(darkroom: Type, jobs: list[int]) -> None:
    assert '{"word": "a"}' in darkroom("show", str(jobs[0])).output
    assert json.loads(darkroom("show", str(jobs[0]), "--json").output)["args"] == {"word": "a"}
    missing = darkroom("show", "999999")
    assert missing.exit_code == 1 and "There is no such job" in missing.output


def test_a_job_is_shown_with_what_its_attempts_logged(
    darkroom: Type, database: Database, jobs: list[int]
) -> None:
    with database.session() as session:
        session.execute(
            text(
                "INSERT INTO attempts"
                " (job_id, number, worker_id, worker, finished_at, outcome, log)"
                " SELECT :job, n, 1, 'host:1:io', now(), 'given_back', log"
                " FROM unnest(ARRAY['first words', NULL]) WITH ORDINALITY AS a(log, n)"
            ),
            {"job": jobs[0]},
        )
    said = darkroom("show", str(jobs[0])).output
    assert "Attempt 1 logged:\nfirst words" in said and "Attempt 2 logged" not in said
    rows = json.loads(darkroom("show", str(jobs[0]), "--json").output)["attempt_rows"]
    assert [row["log"] for row in rows] == ["first words", None]


def test_a_dry_run_only_counts(darkroom: Type, database: Database) -> None:
    said = darkroom("cancel", "--all", "--dry-run").output
    assert "cancel would touch 3 jobs (steps.note 3)." in said
    told = json.loads(darkroom("cancel", "--text", "note", "--dry-run", "--json").output)
    assert (told["count"], told["dry_run"]) == (3, True)
    assert statuses(database) == ["todo"] * 3


def test_an_action_asks_acts_and_is_taken_back(
    darkroom: Type, database: Database, jobs: list[int]
) -> None:
    refused = darkroom("cancel", str(jobs[0]), answer="n\n")
    assert refused.exit_code == 1 and statuses(database) == ["todo"] * 3
    said = darkroom("cancel", str(jobs[0]), str(jobs[2]), answer="y\n").output
    assert "cancel: 2 jobs." in said and statuses(database) == ["cancelled", "todo", "cancelled"]
    with database.session() as session:
        [row] = session.scalars(select(AuditRow))
        assert (row.actor, row.user_id, row.count) == ("cli", None, 2)
        assert row.filter == {"id": [jobs[0], jobs[2]]}
    assert "Taken back for 2 jobs." in darkroom("undo", str(row.id)).output
    assert statuses(database) == ["todo"] * 3


def test_scripts_act_without_being_asked(darkroom: Type, database: Database) -> None:
    told = json.loads(
        darkroom("reprioritise", "--priority", "5", "--all", "--yes", "--json").output
    )
    assert (told["count"], told["done"], told["undoable"]) == (3, True, True)
    with database.session() as session:
        found = text("SELECT DISTINCT priority FROM procrastinate_jobs")
        assert list(session.scalars(found)) == [5]


@pytest.mark.parametrize("action", ["retry", "cancel", "discard", "run-now"])
def test_an_action_on_everything_must_say_so(
    darkroom: Type, database: Database, action: str
) -> None:
    refused = darkroom(action, "--yes")
    assert refused.exit_code == 1 and "--all" in refused.output
    assert statuses(database) == ["todo"] * 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("list", "--state", "odd"), "There is no state 'odd'"),
        (("list", "--created-after", "soon"), "nor an age like 2h"),
        (("list", "--arg", "word"), "like photo_id:12"),
        (("reprioritise", "--priority", "99999", "--all"), "between -1000 and 1000"),
        (("undo", "7"), "There is no such action"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    darkroom: Type, words: tuple[str, ...], said: str
) -> None:
    answer = darkroom(*words)
    assert answer.exit_code == 1 and said in answer.output and "Traceback" not in answer.output
