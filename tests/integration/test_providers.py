"""Checking the outside services: by hand, by cron, by the doctor; and a bucket of Google's."""

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from moto.server import ThreadedMotoServer

from darkroom import cli
from darkroom.db.sessions import Database
from darkroom.doctor import providers as doctor
from darkroom.errors import DarkroomError
from darkroom.providers import checking
from darkroom.providers.gcs import Gcs
from darkroom.queue import settle
from darkroom.settings import GcsSettings, ProviderSettings, Settings
from jobs import upkeep
from tests.engine.floor import Floor
from tests.engine.service import Service, serving


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as started:
        yield started


@pytest.fixture
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def with_models(settings: Settings, service: Service, **chains: tuple[str, ...]) -> Settings:
    """Gemini is the service; the others are nowhere."""
    nowhere = {
        name: replace(getattr(settings.providers, name), base_url="http://127.0.0.1:1")
        for name in ("openai", "laozhang", "wordpress", "gcs")
    }
    gemini = ProviderSettings("gemini", service.url, "a key", chains)
    return replace(settings, providers=replace(settings.providers, gemini=gemini, **nowhere))


def listed(*names: str) -> dict[str, Any]:
    return {"models": [{"name": f"models/{name}"} for name in names]}


def of_gemini(settings: Settings) -> checking.Check:
    return next(each for each in checking.check(settings) if each.provider == "gemini")


def test_a_service_that_has_all_our_models_is_well(settings: Settings, service: Service) -> None:
    service.will(200, listed("gemini-2.5-flash-image", "other"))
    found = of_gemini(with_models(settings, service, image=("gemini-2.5-flash-image",)))
    assert (found.level, found.is_sandbox) == ("ok", False)


def test_a_model_that_is_gone_is_named_with_its_setting(
    settings: Settings, service: Service
) -> None:
    service.will(200, listed("b"))
    found = of_gemini(with_models(settings, service, image=("a", "b")))
    assert found.level == "warn"
    assert "no model a: take it out of DARKROOM_GEMINI_IMAGE_MODELS" in found.said
    assert "b is taken instead" in found.said
    assert "no price for a, b: name it in DARKROOM_PRICES" in found.said


def test_a_chain_that_is_used_up_is_a_failure(settings: Settings, service: Service) -> None:
    service.will(200, listed("c"))
    found = of_gemini(with_models(settings, service, image=("c",), text=("a", "b")))
    assert found.level == "fail"
    assert "none of the models a, b" in found.said and "DARKROOM_GEMINI_TEXT_MODELS" in found.said


def test_a_bad_key_is_said_in_words(settings: Settings, service: Service) -> None:
    service.will(403, {"error": {"status": "PERMISSION_DENIED", "message": "Forbidden."}})
    found = of_gemini(with_models(settings, service, image=("a",)))
    assert found.level == "fail" and "GEMINI_API_KEY" in found.said


def test_a_sandbox_that_does_not_run_is_no_failure(settings: Settings, service: Service) -> None:
    found = {each.provider: each for each in checking.check(with_models(settings, service))}
    assert found["openai"].level == "warn" and found["openai"].is_sandbox
    assert "darkroom up" in found["openai"].said
    assert (found["slack"].level, found["cloudinary"].level) == ("unset", "unset")


def test_the_command_checks_them_all_and_says_so_to_programs(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.will(200, listed("gemini-2.5-flash-image"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {
        "DARKROOM_HOME": str(tmp_path),
        "GEMINI_API_KEY": "a key",
        "DARKROOM_GEMINI_URL": service.url,
        "DARKROOM_GEMINI_IMAGE_MODELS": "gemini-2.5-flash-image",
        "DARKROOM_GEMINI_TEXT_MODELS": "gone",
        "DARKROOM_SANDBOX_PORT": str(port),
    }
    done = CliRunner(env=environ).invoke(cli.main, ["providers", "check", "--json"])
    assert done.exit_code == 1
    found = {each["provider"]: each["level"] for each in json.loads(done.stdout)}
    assert found["gemini"] == "fail"
    assert set(found) == {
        "gemini", "openai", "laozhang", "cloudinary", "slack", "wordpress", "gcs",
    }  # fmt: skip
    service.will(200, listed("gemini-2.5-flash-image", "gone"))
    told = CliRunner(env=environ).invoke(cli.main, ["providers", "check"])
    assert "SANDBOX" in told.stdout


def check_models(floor: Floor) -> dict[str, Any]:
    """Run the cron job as a worker does; its result."""
    task = floor.new(floor.owner())
    settle.succeed(floor.database, task.lease, upkeep.check_models(task))
    result: dict[str, Any] = floor.one(
        "SELECT result FROM steps WHERE job_id = :job", job=task.lease.job_id
    )
    return result


def warnings(floor: Floor) -> list[Any]:
    """What the doctor finds wrong with the providers."""
    found = doctor.examine(floor.settings, floor.database)
    return [each for each in found if each.level != "ok"]


def test_every_week_models_that_are_gone_are_noted_and_raise_one_alert(
    database: Database, settings: Settings, service: Service
) -> None:
    floor = Floor(database, with_models(settings, service, image=("a", "b")))
    service.will(200, listed("a")).will(200, listed("a")).will(200, listed("a", "b"))
    told = check_models(floor)
    assert (told["checked"], told["gone"]) == (1, ["gemini b"])
    assert set(told["silent"]) == {"openai", "laozhang"}
    check_models(floor)
    assert floor.alerts() == ["The model b of gemini is gone"]
    [warning] = warnings(floor)
    assert "model b of gemini" in warning.said
    check_models(floor)
    assert warnings(floor) == []
    assert floor.one("SELECT count(*) FROM provider_calls WHERE operation = 'models'") == 9


def bucket(url: str, name: str = "photos") -> Gcs:
    return Gcs(GcsSettings(name, "id", "secret", url))


def test_a_file_goes_into_google_s_bucket(
    moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boto3.client(
        "s3",
        endpoint_url=moto,
        region_name="us-east-1",
        aws_access_key_id="id",
        aws_secret_access_key="secret",
    ).create_bucket(Bucket="photos")
    (tmp_path / "a.jpg").write_bytes(b"photo")
    gcs = bucket(moto)
    sent: list[Any] = []
    gcs._store._client.meta.events.register(
        "before-send.s3", lambda request, **_: sent.append(dict(request.headers))
    )
    assert gcs.put("2026/a.jpg", tmp_path / "a.jpg", "image/jpeg") == f"{moto}/photos/2026/a.jpg"
    assert gcs.exists("2026/a.jpg") and not gcs.exists("2026/b.jpg")
    # Google refuses the checksums and trailers that boto3 sends by default.
    assert not any("checksum" in name.lower() for headers in sent for name in headers)
    gcs.delete("2026/a.jpg")
    assert not gcs.exists("2026/a.jpg")


def test_a_bucket_that_is_not_there_is_named_by_its_settings(moto: str, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"photo")
    with pytest.raises(DarkroomError, match="Google Cloud Storage") as caught:
        bucket(moto, "nowhere").put("a.jpg", tmp_path / "a.jpg", "image/jpeg")
    assert "DARKROOM_S3" not in str(caught.value)
