"""Subtitles with a real worker: heard, changed, put into the video, and what goes wrong."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from flask.testing import FlaskClient

from darkroom.accounts.service import ensure_admin
from darkroom.db.sessions import Database
from darkroom.media import ffmpeg
from darkroom.media.subtitles import reading
from darkroom.media.subtitles.cues import Cue
from darkroom.settings import ROOT, Settings
from darkroom.web.app import create_app
from tests.integration.conftest import Engine
from tests.integration.test_counting import start_worker  # noqa: F401
from tests.web.conftest import Site
from tests.web.subtitled import film, heard

Json = dict[str, Any]
SPEECH = ROOT.parent / "shared" / "speech"
ENGLISH, SPANISH = "jfk_en.flac", "es_demo-moreinfo.wav"
FAST = {"DARKROOM_BACKOFF_SECONDS": "0.1", "DARKROOM_BACKOFF_CAP_SECONDS": "0.2"}
PICTURES = ("-f", "lavfi", "-i", "color=0x204060:size=320x180:rate=25")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[FlaskClient]:
    app = create_app(settings, database)
    yield app.test_client()
    app.extensions["darkroom"].live.feed.stop()


@pytest.fixture
def work(
    engine: Engine,
    settings: Settings,
    whisper_weights: Path,
    start_worker: Callable[..., Any],  # noqa: F811
) -> Callable[..., Any]:
    """Starts a worker that has Whisper's weights."""
    (settings.home / "weights").symlink_to(whisper_weights, target_is_directory=True)
    engine.environ.update(FAST, DARKROOM_SECRET_KEY=settings.secret_key or "")
    return lambda *options: start_worker(*(options or ("--lanes", "cpu,gpu")))


@pytest.fixture
def speech(tmp_path: Path) -> Callable[[str], Path]:
    """Real speech."""

    def find(name: str) -> Path:
        if not (SPEECH / name).is_file():
            pytest.skip(f"there is no {SPEECH / name} here")
        return SPEECH / name

    return find


@pytest.fixture
def video(speech: Callable[[str], Path], tmp_path: Path) -> Callable[..., Path]:
    """A video of real speech: plain pictures of 320 × 180."""

    def make(name: str = ENGLISH, *options: str, suffix: str = ".mp4") -> Path:
        target = tmp_path / f"made{suffix}"
        sound = [*ffmpeg.given(speech(name)), "-shortest", "-c:a", "aac"]
        ffmpeg.run([*PICTURES, *sound, *H264, *options, target.name], tmp_path)
        return target

    return make


def ask(client: FlaskClient, path: Path, name: str = "", **fields: Any) -> Any:
    sent = {"file": (io.BytesIO(path.read_bytes()), name or path.name), **fields}
    return client.post("/api/subtitles", data=sent)


def state(client: FlaskClient, answer: Any) -> Json:
    assert answer.status_code == 202, answer.json
    return client.get(answer.json["poll"]).json


def done(client: FlaskClient, engine: Engine, answer: Any) -> Json:
    engine.until(lambda: state(client, answer)["status"] != "processing", seconds=180)
    return state(client, answer)


def made(client: FlaskClient, found: Json, role: str) -> bytes:
    [file] = found["files"][role]
    answer = client.get(file["url"])
    assert answer.status_code == 200
    return answer.data


def cues_of(client: FlaskClient, found: Json) -> Json:
    return client.get(found["cues_url"]).json


def frame(source: Any, second: float = 2.0) -> np.ndarray:
    with av.open(source if isinstance(source, io.BytesIO) else str(source)) as container:
        for shown in container.decode(video=0):
            if shown.time >= second:
                return shown.to_ndarray(format="rgb24").astype(np.int16)
    raise AssertionError(f"it ends before second {second}")


def left_behind(settings: Settings) -> list[Path]:
    return list(settings.temp_dir.glob("*")) if settings.temp_dir.is_dir() else []


def ffmpegs(settings: Settings) -> list[str]:
    """Processes that work in the temporary folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            where = str((folder / "cwd").readlink())
        except OSError:
            continue
        if where.startswith(str(settings.temp_dir)):
            found.append(where)
    return found


def test_speech_comes_back_as_cues_and_files(client: FlaskClient, engine: Engine, work, speech):
    work()
    found = done(client, engine, ask(client, speech(ENGLISH)))
    assert (found["status"], found["language"], found["version"]) == ("success", "en", 1)
    assert found["duration"] == pytest.approx(11, abs=0.1)
    assert set(found["files"]) == {"source", "srt", "vtt", "ass", "json", "txt"}
    assert "ask not what your country can do for you" in made(client, found, "txt").decode()
    sheet = cues_of(client, found)
    for kind in ("srt", "vtt", "ass", "json"):
        read = reading.read(made(client, found, kind).decode(), kind)
        assert [list(cue.lines) for cue in read] == [cue["lines"] for cue in sheet["cues"]]
    assert sheet["report"]["avoidable"] == 0
    assert found["report"]["rules"] == sheet["report"]["rules"]


def test_spanish_is_known_by_its_sound(client: FlaskClient, engine: Engine, work, speech):
    work()
    found = done(client, engine, ask(client, speech(SPANISH), formats="srt"))
    assert (found["language"], set(found["files"])) == ("es", {"source", "srt"})
    assert "sistema operativo" in " ".join(made(client, found, "srt").decode().lower().split())


def test_a_video_shows_its_cues_and_after_a_change_the_new_ones(
    client: FlaskClient, engine: Engine, work, video
):
    work()
    path = video()
    found = done(client, engine, ask(client, path, mode="burn", size="80", colour="#ffff00"))
    assert (found["status"], found["burnt"]) == ("success", {"version": 1, "mode": "burn"})
    assert [file["width"] for file in found["files"]["result"]] == [320]
    assert [file["mime"] for file in found["files"]["thumbnail"]] == ["image/jpeg"]
    burnt = made(client, found, "result")
    assert np.abs(frame(io.BytesIO(burnt)) - frame(path)).max() > 100

    sent = {"version": 1, "cues": [{"start": 0, "end": 4, "lines": ["W" * 30]}]}
    assert client.put(found["cues_url"], json=sent).status_code == 200
    burn = f"/api/subtitles/{found['id']}/burn"
    again = done(client, engine, client.post(burn, json={"position": "top"}))
    assert again["burnt"] == {"version": 2, "mode": "burn"}
    new = frame(io.BytesIO(made(client, again, "result")))
    assert np.abs(new - frame(path))[:90].max() > 100
    assert np.abs(new - frame(path))[90:].max() < 60

    soft = done(client, engine, client.post(burn, json={"mode": "soft"}))
    with av.open(io.BytesIO(made(client, soft, "result"))) as container:
        assert [stream.language for stream in container.streams.subtitles] == ["eng"]
        assert len(container.streams.audio) == 1


def test_a_turned_video_of_uneven_frames_is_burnt_as_it_is_seen(
    client: FlaskClient, engine: Engine, work, video, tmp_path: Path
):
    work()
    path = video(ENGLISH, "-vf", "select='not(between(n,10,40))'", "-fps_mode", "vfr")
    turned = ["-display_rotation", "90", *ffmpeg.given(path), "-c", "copy", "turned.mp4"]
    ffmpeg.run(turned, tmp_path)
    found = done(client, engine, ask(client, tmp_path / "turned.mp4", "IMG_1.HEIC", mode="burn"))
    [result] = found["files"]["result"]
    assert (found["status"], result["width"], result["height"]) == ("success", 180, 320)
    with av.open(io.BytesIO(made(client, found, "result"))) as container:
        times = [shown.time for shown in container.decode(video=0)]
    gaps = np.diff(times)
    assert (gaps.max(), times[-1]) == (pytest.approx(1.28, abs=0.02), pytest.approx(11, abs=0.2))


def test_silence_has_no_cues_and_says_so(client: FlaskClient, engine: Engine, work, tmp_path: Path):
    work()
    path = film(tmp_path, "-af", "volume=0")
    found = done(client, engine, ask(client, path, mode="burn"))
    assert (found["status"], found["cues"], found["language"]) == ("success", 0, None)
    assert "Nobody speaks" in found["note"]
    assert "result" not in found["files"]


def test_cues_outlive_a_burn_that_fails(client: FlaskClient, engine: Engine, work, tmp_path: Path):
    request_id = kept(client, tmp_path, [Cue(0, 2000, ("日本語",))])
    work("--lanes", "cpu")
    burn = f"/api/subtitles/{request_id}/burn"
    failed = done(client, engine, client.post(burn, json={}))
    assert (failed["status"], failed["burnt"]) == ("success", None)
    assert "has no letters for: 日 本 語" in failed["message"]
    sheet = cues_of(client, failed)
    changed = {"version": 1, "cues": [{**sheet["cues"][0], "lines": ["Nihongo"]}]}
    assert client.put(failed["cues_url"], json=changed).status_code == 200
    again = done(client, engine, client.post(burn, json={}))
    assert (again["burnt"], "message" in again) == ({"version": 2, "mode": "burn"}, False)


def kept(client: FlaskClient, folder: Path, cues: list[Cue], path: Path | None = None) -> str:
    """The id of a request of the local user's that was heard."""
    site = Site(client.application)
    with site.database.session() as session:
        owner = ensure_admin(session)
    return str(heard(site, owner, folder, cues, path))


def long_film(folder: Path) -> Path:
    """A minute and a half of what takes its time to burn."""
    pictures = ["-f", "lavfi", "-i", "color=0x204060:size=1920x1080:rate=25:duration=90"]
    sound = ["-f", "lavfi", "-i", "sine=frequency=440:duration=90", "-c:a", "aac"]
    ffmpeg.run([*pictures, *sound, *H264, "long.mp4"], folder)
    return folder / "long.mp4"


def burning(client: FlaskClient, engine: Engine, folder: Path) -> Any:
    """The answer to a burn that is under way."""
    request_id = kept(client, folder, [Cue(0, 2000, ("Hola.",))], long_film(folder))
    answer = client.post(f"/api/subtitles/{request_id}/burn", json={})
    engine.until(lambda: state(client, answer).get("progress", 0) > 0.02, seconds=120)
    return answer


def test_a_cancel_ends_the_burning_and_leaves_nothing(
    client: FlaskClient, engine: Engine, work, tmp_path: Path, settings: Settings
):
    work("--lanes", "cpu")
    answer = burning(client, engine, tmp_path)
    assert ffmpegs(settings)
    assert client.post(f"{answer.json['poll']}/cancel").status_code == 202
    ended = done(client, engine, answer)
    assert (ended["status"], ended["burnt"]) == ("success", None)
    engine.until(lambda: not ffmpegs(settings) and not left_behind(settings), seconds=60)
    assert client.get(f"/api/subtitles/{answer.json['id']}/cues").status_code == 200


def test_a_killed_worker_leaves_nothing_and_another_one_ends_its_work(
    client: FlaskClient, engine: Engine, work, tmp_path: Path, settings: Settings
):
    doomed = work("--lanes", "cpu")
    answer = burning(client, engine, tmp_path)
    doomed.kill()
    doomed.wait()
    engine.until(lambda: not ffmpegs(settings), seconds=60)
    work("--lanes", "cpu")
    found = done(client, engine, answer)
    assert (found["status"], found["burnt"]) == ("success", {"version": 1, "mode": "burn"})
    assert left_behind(settings) == []


def test_hearing_ends_when_it_is_cancelled(
    client: FlaskClient, engine: Engine, work, speech, tmp_path: Path, settings: Settings
):
    long = ["-stream_loop", "5", *ffmpeg.given(speech(ENGLISH)), "-c:a", "flac", "long.flac"]
    ffmpeg.run(long, tmp_path)
    work()
    answer = ask(client, tmp_path / "long.flac")
    engine.until(lambda: state(client, answer).get("progress", 0) > 0.09, seconds=180)
    client.post(f"{answer.json['poll']}/cancel")
    assert done(client, engine, answer)["status"] == "cancelled"
    engine.until(lambda: not left_behind(settings), seconds=120)
    assert client.get(f"/api/subtitles/{answer.json['id']}/cues").status_code == 404
