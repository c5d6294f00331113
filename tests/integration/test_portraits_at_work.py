"""Portraits with a real worker: a still video, or what a checkout of LivePortrait makes of them."""

import base64
import io
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from flask.testing import FlaskClient

from darkroom.db.sessions import Database
from darkroom.media import ffmpeg
from darkroom.settings import Settings
from darkroom.vision import liveportrait
from darkroom.web.app import create_app
from tests import faces
from tests.integration.conftest import Engine
from tests.integration.test_counting import start_worker  # noqa: F401

Json = dict[str, Any]
PATIENCE = 180

# Stands in for the program of others: it takes LivePortrait's options, notes them, and films.
PROGRAM = """
import os, pathlib, signal, subprocess, sys
options = sys.argv[1:]
here = pathlib.Path(__file__).parent
if (here / "faceless").exists():
    sys.exit("Exception: No face detected in the source image!")
(here / "seen").write_text(" ".join([*options, *sorted(os.environ)]))
if (here / "stuck").exists():
    (here / "pid").write_text(str(os.getpid()))
    signal.pause()
target = pathlib.Path(options[options.index("--output-dir") + 1]) / "portrait--motion.mp4"
film = ["-f", "lavfi", "-i", "testsrc2=size=320x376:rate=25:duration=3", "-pix_fmt", "yuv420p"]
subprocess.run(["ffmpeg", "-loglevel", "error", *film, str(target)], check=True)
"""


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[FlaskClient]:
    yield from opened(settings, database)


@pytest.fixture
def checkout(settings: Settings, tmp_path: Path) -> Path:
    """A folder like LivePortrait's, whose program is another."""
    folder = tmp_path / "LivePortrait"
    weights = (f"pretrained_weights/{name}" for name in liveportrait.WEIGHTS)
    for name in (liveportrait.TALKING, *weights):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    frames = [{"exp": np.zeros((1, 21, 3), np.float32)}] * 3
    (folder / liveportrait.TALKING).write_bytes(pickle.dumps({"motion": frames}))
    (folder / liveportrait.PROGRAM).write_text(PROGRAM)
    return folder


@pytest.fixture
def moving(
    settings: Settings, database: Database, checkout: Path, engine: Engine
) -> Iterator[FlaskClient]:
    """A client of an installation with that folder."""
    engine.environ["DARKROOM_LIVEPORTRAIT_DIR"] = str(checkout)
    media = replace(settings.media, liveportrait_dir=checkout)
    yield from opened(replace(settings, media=media), database)


def opened(settings: Settings, database: Database) -> Iterator[FlaskClient]:
    app = create_app(settings, database)
    yield app.test_client()
    app.extensions["darkroom"].live.feed.stop()


def tone(folder: Path, name: str = "voice.mp3", seconds: float = 2.5) -> bytes:
    ffmpeg.run(["-f", "lavfi", "-i", f"sine=frequency=300:duration={seconds}", name], folder)
    return (folder / name).read_bytes()


def send(client: FlaskClient, audio: bytes, **more: Any) -> Any:
    sent = {
        "portrait": (io.BytesIO(faces.encoded(faces.portrait())), "grace.jpg"),
        "audio": (io.BytesIO(audio), "voice.mp3"),
        "consent": "true",
    }
    return client.post("/live-portrait", data={**sent, **more})


def settled(client: FlaskClient, engine: Engine, answer: Any) -> Json:
    assert answer.status_code == 202, answer.json
    where = answer.json["poll"]
    engine.until(lambda: client.get(where).json["status"] != "processing", seconds=PATIENCE)
    return client.get(where).json


def seen(client: FlaskClient, told: Json) -> tuple[float, tuple[int, int], np.ndarray, bytes]:
    """Seconds, size and the last picture of the video; and the file."""
    content = client.get(told["files"]["result"][0]["url"]).data
    with av.open(io.BytesIO(content)) as container:
        assert container.streams.audio
        last = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][-1]
        return (container.duration or 0) / 1e6, last.shape[1::-1], last, content


def nothing_left(settings: Settings) -> bool:
    return not [path for path in settings.temp_dir.rglob("*") if path.is_file()]


def is_alive(process: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    return False


def test_without_liveportrait_the_portrait_stays_still(
    client: FlaskClient,
    engine: Engine,
    start_worker: Callable[..., Any],  # noqa: F811
    settings: Settings,
    tmp_path: Path,
) -> None:
    start_worker("--lanes", "cpu")
    odd = faces.portrait()[:599, :511]
    answer = send(client, tone(tmp_path), portrait=(io.BytesIO(faces.encoded(odd)), "odd.jpg"))
    assert answer.headers["X-RateLimit-Limit"] == "5"
    told = settled(client, engine, answer)
    assert (told["status"], told["engine"]) == ("success", "ffmpeg"), told
    assert "stays still" in told["fallback"] and told["duration"] == pytest.approx(2.5, abs=0.1)
    seconds, size, last, content = seen(client, told)
    assert seconds == pytest.approx(2.5, abs=0.15) and size == (510, 598)
    assert np.abs(last.astype(int) - odd[:598, :510]).mean() < 8
    assert b"digitalsourcetype/compositeCapture" in content
    assert nothing_left(settings)


def test_who_prefers_to_wait_gets_the_video_at_once(
    client: FlaskClient,
    start_worker: Callable[..., Any],  # noqa: F811
    tmp_path: Path,
) -> None:
    start_worker("--lanes", "cpu")
    portrait = base64.b64encode(faces.encoded(faces.portrait())).decode()
    audio = base64.b64encode(tone(tmp_path, "voice.wav", 1)).decode()
    sent = {"portrait": portrait, "audio": audio, "consent": True}
    answer = client.post("/live-portrait", json=sent, headers={"Prefer": f"wait={PATIENCE}"})
    assert (answer.status_code, answer.json["status"]) == (200, "success"), answer.json


def test_liveportrait_moves_it_where_its_checkout_is(
    moving: FlaskClient,
    engine: Engine,
    start_worker: Callable[..., Any],  # noqa: F811
    checkout: Path,
    settings: Settings,
    tmp_path: Path,
) -> None:
    start_worker("--lanes", "gpu")
    answer = send(moving, tone(tmp_path), lip_zero="false", eye_retargeting="true")
    told = settled(moving, engine, answer)
    assert (told["status"], told["engine"]) == ("success", "liveportrait"), told
    assert "fallback" not in told
    seconds, size, _, content = seen(moving, told)
    assert seconds == pytest.approx(2.5, abs=0.15) and size == (320, 376)
    assert b"compositeWithTrainedAlgorithmicMedia" in content
    options = (checkout / "seen").read_text().split()
    assert {"--no-flag-normalize-lip", "--flag-eye-retargeting", "--flag-stitching"} <= set(options)
    assert not {"DATABASE_URL", "DARKROOM_HOME"} & set(options)
    assert nothing_left(settings)


def test_a_checkout_without_its_weights_is_said(
    moving: FlaskClient,
    engine: Engine,
    start_worker: Callable[..., Any],  # noqa: F811
    checkout: Path,
    tmp_path: Path,
) -> None:
    (checkout / "pretrained_weights" / liveportrait.WEIGHTS[0]).unlink()
    start_worker("--lanes", "gpu")
    told = settled(moving, engine, send(moving, tone(tmp_path)))
    assert told["engine"] == "ffmpeg" and liveportrait.WEIGHTS[0] in told["fallback"]


def test_a_portrait_without_a_face_is_refused_in_words(
    moving: FlaskClient,
    engine: Engine,
    start_worker: Callable[..., Any],  # noqa: F811
    checkout: Path,
    tmp_path: Path,
) -> None:
    (checkout / "faceless").touch()
    start_worker("--lanes", "gpu")
    told = settled(moving, engine, send(moving, tone(tmp_path)))
    assert told["status"] == "error" and "no face in portrait" in told["message"]


def test_cancelling_ends_the_program_and_leaves_nothing(
    moving: FlaskClient,
    engine: Engine,
    start_worker: Callable[..., Any],  # noqa: F811
    checkout: Path,
    settings: Settings,
    tmp_path: Path,
) -> None:
    (checkout / "stuck").touch()
    start_worker("--lanes", "gpu")
    answer = send(moving, tone(tmp_path))
    engine.until((checkout / "pid").exists, seconds=PATIENCE)
    process = int((checkout / "pid").read_text())
    moving.post(f"/api/media/{answer.json['id']}/cancel")
    engine.until(lambda: not is_alive(process) and nothing_left(settings), seconds=PATIENCE)
    assert settled(moving, engine, answer)["status"] == "cancelled"


def test_a_killed_worker_takes_the_program_along_and_another_goes_on(
    moving: FlaskClient,
    engine: Engine,
    start_worker: Callable[..., Any],  # noqa: F811
    checkout: Path,
    settings: Settings,
    tmp_path: Path,
) -> None:
    (checkout / "stuck").touch()
    doomed = start_worker("--lanes", "gpu")
    answer = send(moving, tone(tmp_path))
    engine.until((checkout / "pid").exists, seconds=PATIENCE)
    process = int((checkout / "pid").read_text())
    doomed.kill()
    doomed.wait()
    engine.until(lambda: not is_alive(process), seconds=PATIENCE)
    (checkout / "stuck").unlink()
    start_worker("--lanes", "gpu")
    assert settled(moving, engine, answer)["status"] == "success"
    assert nothing_left(settings)


def test_wrong_files_and_wishes_are_refused(client: FlaskClient, tmp_path: Path) -> None:
    silent = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=1", "silent.mp4"]
    ffmpeg.run(silent, tmp_path)
    mute = (tmp_path / "silent.mp4").read_bytes()
    sound = tone(tmp_path)
    for answer, field in (
        (send(client, sound, consent="false"), "consent"),
        (send(client, mute), "audio"),
        (send(client, b""), "audio"),
        (send(client, b"nothing that is heard"), "audio"),
        (send(client, sound, portrait=(io.BytesIO(sound), "grace.jpg")), "portrait"),
    ):
        assert (answer.status_code, answer.json["status"]) == (400, "error")
        assert answer.json["error"]["field"] == field


def test_a_recording_that_lasts_too_long_is_refused(moving: FlaskClient, tmp_path: Path) -> None:
    answer = send(moving, tone(tmp_path, seconds=61))
    assert answer.status_code == 400 and "60 seconds" in answer.json["message"]


def test_a_folder_that_is_no_checkout_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"must be a folder that holds inference\.py"):
        Settings.from_env({"DARKROOM_LIVEPORTRAIT_DIR": str(tmp_path)})
