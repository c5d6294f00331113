"""Real workers, killed after the provider's answer came: the provider is asked once."""

import base64
import fcntl
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.engine import steps
from tests.engine.service import Service, serving
from tests.integration.conftest import Engine


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as started:
        started.answers = [picture(f"picture-{n}") for n in range(9)]
        yield started


def picture(word: str) -> tuple[int, dict[str, str], bytes]:
    data = {"inlineData": {"data": base64.b64encode(word.encode()).decode()}}
    answer = {"candidates": [{"content": {"parts": [data]}, "finishReason": "STOP"}]}
    return 200, {}, json.dumps(answer).encode()


def shop(service: Service) -> dict[str, str]:
    return {
        "GEMINI_API_KEY": "a key",
        "DARKROOM_GEMINI_URL": service.url,
        "DARKROOM_GEMINI_IMAGE_MODELS": "one-model",
        "DARKROOM_PRICES": "one-model=0.04",
    }


def value(engine: Engine, query: str) -> Any:
    with engine.database.session() as session:
        return session.scalar(text(query))


def assert_bought_once(engine: Engine, service: Service) -> None:
    assert engine.marks() == ["one-model picture-0"]
    assert len(service.heard) == 1
    assert str(value(engine, "SELECT sum(amount) FROM charges")) == "0.040000"
    assert value(engine, "SELECT count(*) FROM provider_calls") == 1
    assert value(engine, "SELECT count(*) FROM provider_answers") == 1
    assert list((Path(engine.environ["DARKROOM_HOME"]) / "spool").glob("*")) == []


def test_killed_while_the_store_takes_the_answer(
    engine: Engine, service: Service, tmp_path: Path
) -> None:
    files = Path(engine.environ["DARKROOM_HOME"]) / "files"
    files.mkdir()
    spool = Path(engine.environ["DARKROOM_HOME"]) / "spool"
    (tmp_path / "go").touch()
    with (files / ".lock").open("wb") as lock:
        # Whoever removes files holds it alone; a store that takes one waits for that.
        fcntl.flock(lock, fcntl.LOCK_EX)
        doomed = engine.start_worker("io", **shop(service))
        run_id = engine.start_run(steps.purchase.call(key="a", go=str(tmp_path / "go")))
        engine.until(lambda: spool.is_dir() and any(p for p in spool.iterdir() if p.name[0] != "."))
        doomed.kill()
        doomed.wait()
    engine.start_worker("io", **shop(service))
    assert engine.ended(run_id).status == "completed"
    assert_bought_once(engine, service)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["same machine", "another machine"])
def test_killed_while_the_database_takes_the_answer(
    engine: Engine, service: Service, tmp_path: Path, elsewhere: bool
) -> None:
    (tmp_path / "go").touch()
    home = Path(engine.environ["DARKROOM_HOME"])
    with engine.database.engine.connect() as holder, holder.begin():

        def once_locked(handler: Any) -> None:
            holder.execute(text("LOCK TABLE provider_calls IN ACCESS EXCLUSIVE MODE"))
            status, _, data = service.answers.pop(0)
            handler.send_response(status)
            handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            handler.wfile.write(data)

        service.instead = once_locked
        doomed = engine.start_worker("io", **shop(service))
        run_id = engine.start_run(steps.purchase.call(key="a", go=str(tmp_path / "go")))
        waits = (
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation ="
            " (SELECT oid FROM pg_class WHERE relname = 'provider_calls')"
        )
        engine.until(lambda: value(engine, waits))
        doomed.kill()
        doomed.wait()
    service.instead = None
    if elsewhere:
        shutil.rmtree(home / "spool")
    engine.start_worker("io", **shop(service))
    assert engine.ended(run_id).status == "completed"
    assert_bought_once(engine, service)


def test_killed_once_it_is_all_on_record(engine: Engine, service: Service, tmp_path: Path) -> None:
    doomed = engine.start_worker("io", **shop(service))
    run_id = engine.start_run(steps.purchase.call(key="a", go=str(tmp_path / "go")))
    engine.until((tmp_path / "go.bought").exists)
    doomed.kill()
    doomed.wait()
    (tmp_path / "go").touch()
    engine.start_worker("io", **shop(service))
    assert engine.ended(run_id).status == "completed"
    assert_bought_once(engine, service)
