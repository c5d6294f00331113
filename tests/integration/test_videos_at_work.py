"""Videos with a real worker: pictures, clips and sounds in, an MP4 out that is what was asked."""

import base64
import io
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from darkroom.db.sessions import Database
from darkroom.media import ffmpeg
from darkroom.settings import Settings
from darkroom.storage.temporary import clear_abandoned
from darkroom.web.app import create_app
from tests.integration.conftest import Engine
from tests.integration.test_counting import start_worker  # noqa: F401
from tests.integration.test_subtitles_at_work import ENGLISH, speech  # noqa: F401

Json = dict[str, Any]
AT_WORK = 300
"""Seconds that a video may take on a machine that is busy with other tests."""


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[FlaskClient]:
    app = create_app(settings, database)
    yield app.test_client()
    app.extensions["darkroom"].live.feed.stop()


@pytest.fixture
def work(start_worker: Callable[..., Any]) -> Callable[..., Any]:  # noqa: F811
    return start_worker


def picture(colour: str, size: tuple[int, int] = (640, 360), **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


def clip(folder: Path, *options: str, source: str = "color=blue:size=320x180:rate=25") -> bytes:
    """Two seconds, with a tone unless the options say otherwise."""
    drawn = ["-f", "lavfi", "-t", "2", "-i", source]
    heard = [] if "-an" in options else ["-f", "lavfi", "-i", "sine=duration=2", "-shortest"]
    quick = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    ffmpeg.run([*drawn, *heard, *quick, *options, "clip.mp4"], folder)
    return (folder / "clip.mp4").read_bytes()


def tone(folder: Path, seconds: float) -> bytes:
    ffmpeg.run(["-f", "lavfi", "-i", f"sine=duration={seconds}", "tone.wav"], folder)
    return (folder / "tone.wav").read_bytes()


def asked(client: FlaskClient, path: str, sent: Json) -> Json:
    answer = client.post(path, json=sent)
    assert answer.status_code == 202, answer.json
    assert answer.headers["X-RateLimit-Limit"]
    return answer.json


def found(client: FlaskClient, told: Json) -> Json:
    return client.get(told["poll"]).json


def made(client: FlaskClient, engine: Engine, told: Json) -> Json:
    """The request once it is over."""
    engine.until(lambda: found(client, told)["status"] != "processing", seconds=AT_WORK)
    return found(client, told)


def saved(client: FlaskClient, answer: Json, folder: Path, role: str = "result") -> Path:
    assert answer["status"] == "success", answer
    path = folder / f"{role}.mp4"
    path.write_bytes(client.get(answer["files"][role][0]["url"]).data)
    return path


def frame(path: Path, second: float) -> np.ndarray:
    with av.open(str(path)) as container:
        for each in container.decode(video=0):
            if each.time >= second:
                return each.to_ndarray(format="rgb24").astype(np.int16)
    raise AssertionError(f"{path} ends before second {second}")


def loudness(path: Path, first: float, last: float) -> float:
    with av.open(str(path)) as container:
        parts = [
            each.to_ndarray().astype(np.float32)
            for each in container.decode(audio=0)
            if first <= each.time < last
        ]
    return float(np.concatenate(parts, axis=1).std())


def is_colour(pixels: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(np.median(pixels, axis=(0, 1)) - colour).max() < 24)


RED, GREEN, BLUE = (255, 0, 0), (0, 128, 0), (0, 0, 255)


def test_pictures_become_a_video_with_titles_and_sound(
    client: FlaskClient, engine: Engine, work: Callable[..., Any], tmp_path: Path
) -> None:
    work()
    sent = {
        "images": [base64_of(picture("red")), base64_of(picture("green", (301, 203)))],
        "titles": ["¡Hola, señor Ñandú!"],
        "audio": base64_of(tone(tmp_path, 5)),
        "durations": [1.5, 1],
        "transition": "fade",
    }
    answer = made(client, engine, asked(client, "/render-video", sent))
    assert (answer["seconds"], answer["width"], answer["height"]) == (2.5, 1920, 1080)
    video = saved(client, answer, tmp_path)
    with av.open(str(video)) as container:
        shown = container.streams.video[0]
        assert (shown.codec_context.name, shown.frames) == ("h264", 75)
        assert (shown.width, shown.height) == (1920, 1080)
        assert container.streams.audio[0].codec_context.name == "aac"
        assert container.duration == pytest.approx(2_500_000, abs=34_000)
    titled, plain = frame(video, 0.75)[800:], frame(video, 0.75)[:700]
    assert (np.abs(titled - RED).max(axis=2) > 80).mean() > 0.02
    assert is_colour(plain, RED) and is_colour(frame(video, 2.3), GREEN)
    assert not is_colour(frame(video, 1.75), GREEN)
    assert loudness(video, 0, 1) > 0.01
    assert set(answer["files"]) == {"picture", "audio", "result", "thumbnail"}
    assert video.read_bytes().index(b"moov") < video.read_bytes().index(b"mdat")


def test_scenes_of_every_kind_become_one_video(
    client: FlaskClient, engine: Engine, work: Callable[..., Any], tmp_path: Path
) -> None:
    work()
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    uneven = ("-vf", "select='not(between(n,5,20))'", "-fps_mode", "vfr", "-an")
    turned = Image.Exif()
    turned[0x0112] = 6
    on_its_side = picture("red", (400, 300), exif=turned)
    large = clip(tmp_path / "a", source="color=blue:size=3840x2160:rate=24")
    silent = clip(tmp_path / "b", *uneven, source="color=green:size=322x182:rate=25")
    scenes = [
        {"video": base64_of(large), "duration": 1, "fit": "contain"},
        {"image": base64_of(on_its_side), "audio": base64_of(tone(tmp_path, 1.2)), "motion": "in"},
        {"video": base64_of(silent), "duration": 3, "transition": "wipe", "text": "100 %:\\n'"},
    ]
    sent = {"scenes": scenes, "aspect_ratio": "9:16"}
    answer = made(client, engine, asked(client, "/render-multi-scene", sent))
    assert (answer["scenes"], answer["seconds"]) == (3, 5.2)
    video = saved(client, answer, tmp_path)
    with av.open(str(video)) as container:
        shown = container.streams.video[0]
        assert (shown.width, shown.height, shown.frames) == (1080, 1920, 156)
    assert is_colour(frame(video, 0.5), BLUE)
    assert is_colour(frame(video, 1.5), RED)
    # The clip is over by then; its last picture stays.
    assert is_colour(frame(video, 5.1)[:1400], (0, 128, 0))
    assert loudness(video, 0.1, 0.9) > 0.01 and loudness(video, 1.2, 2) > 0.01
    assert loudness(video, 3.0, 5) < 0.001


def test_a_clip_that_is_cut_short_is_named(
    client: FlaskClient, engine: Engine, work: Callable[..., Any], tmp_path: Path
) -> None:
    work()
    noise = "nullsrc=size=640x360:rate=25,geq=random(1)*255:128:128"
    whole = clip(tmp_path, "-movflags", "+faststart", source=noise)
    scenes = [
        {"image": base64_of(picture("red")), "duration": 0.5},
        {"video": base64_of(whole[: len(whole) // 3])},
    ]
    answer = made(client, engine, asked(client, "/render-multi-scene", {"scenes": scenes}))
    assert answer["status"] == "error"
    assert answer["message"] == ("The clip of scene 2 is damaged or cut short: send it again.")


@pytest.fixture
def hearing(
    settings: Settings, whisper_weights: Path, work: Callable[..., Any]
) -> Callable[..., Any]:
    """Starts a worker that has Whisper's weights."""
    (settings.home / "weights").symlink_to(whisper_weights, target_is_directory=True)
    return work


def test_what_is_said_is_written_into_the_video(
    client: FlaskClient,
    engine: Engine,
    hearing: Callable[..., Any],
    speech: Callable[[str], Path],  # noqa: F811
    tmp_path: Path,
) -> None:
    hearing()
    sent = {
        "images": [base64_of(picture("blue"))],
        "audio": base64_of(speech(ENGLISH).read_bytes()),
        "ken_burns": False,
        "aspect_ratio": "1:1",
        "generate_subtitles": True,
    }
    answer = made(client, engine, asked(client, "/render-video", sent))
    with_words, without = (saved(client, answer, tmp_path, role) for role in ("result", "film"))
    assert answer["language"] == "en" and answer["cues"] >= 2
    subtitles = client.get(answer["files"]["srt"][0]["url"]).data.decode()
    assert "country" in subtitles and "-->" in subtitles
    change = np.abs(frame(with_words, 2) - frame(without, 2)).max(axis=2)
    assert (change[700:] > 80).mean() > 0.01 and (change[:600] > 80).mean() < 0.001


def test_where_nobody_speaks_the_video_comes_without_subtitles(
    client: FlaskClient, engine: Engine, hearing: Callable[..., Any], tmp_path: Path
) -> None:
    hearing()
    sent = {
        "images": [base64_of(picture("blue"))],
        "audio": base64_of(tone(tmp_path, 2)),
        "generate_subtitles": True,
    }
    answer = made(client, engine, asked(client, "/render-video", sent))
    assert (answer["cues"], answer["note"][:13]) == (0, "Nobody speaks")
    assert is_colour(frame(saved(client, answer, tmp_path), 1), BLUE)


def many(seconds: float = 20) -> Json:
    """What takes long enough to be stopped."""
    images = [base64_of(picture(colour)) for colour in ("red", "green", "blue")]
    return {"images": images, "duration": seconds}


def children_of(worker: Any) -> set[int]:
    """The ffmpegs of a worker."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "stat").read_text().rpartition(")")[2].split()
            line = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if int(words[1]) == worker.pid and b"-filter_complex" in line:
            found.add(int(folder.name))
    return found


def test_a_cancel_ends_ffmpeg_and_leaves_nothing(
    client: FlaskClient, engine: Engine, work: Callable[..., Any], settings: Settings
) -> None:
    worker = work()
    told = asked(client, "/render-video", many())
    engine.until(lambda: children_of(worker), seconds=AT_WORK)
    assert client.post(f"{told['poll']}/cancel").status_code == 202
    engine.until(lambda: not children_of(worker), seconds=AT_WORK)
    engine.until(lambda: not list(settings.temp_dir.glob("*")), seconds=AT_WORK)
    engine.until(lambda: found(client, told)["status"] == "cancelled", seconds=AT_WORK)


def test_a_killed_worker_takes_ffmpeg_along_and_another_makes_the_video(
    client: FlaskClient, engine: Engine, work: Callable[..., Any], settings: Settings
) -> None:
    worker = work()
    told = asked(client, "/render-video", many(2))
    engine.until(lambda: children_of(worker), seconds=AT_WORK)
    started = children_of(worker)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    engine.until(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in started))
    clear_abandoned(settings.temp_dir)
    assert not list(settings.temp_dir.glob("*"))
    work()
    answer = made(client, engine, told)
    assert (answer["status"], answer["seconds"]) == ("success", 6.0)
