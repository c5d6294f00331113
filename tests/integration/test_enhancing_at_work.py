"""Enlarging with a real worker: pictures in the answer, videos behind, nothing left over."""

import base64
import io
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from darkroom.db.sessions import Database
from darkroom.media import ffmpeg
from darkroom.settings import ROOT, Settings
from darkroom.web.app import create_app
from tests.integration.conftest import Engine
from tests.integration.test_counting import start_worker  # noqa: F401

Json = dict[str, Any]
NETWORKS = ROOT / ".darkroom" / "weights" / "esrgan"
PATIENCE = 180


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[FlaskClient]:
    app = create_app(settings, database)
    yield app.test_client()
    app.extensions["darkroom"].live.feed.stop()


@pytest.fixture
def work(engine: Engine, start_worker: Callable[..., Any]) -> Callable[[], Any]:  # noqa: F811
    """Starts a worker for which there are no weights to be had: pip finds nothing."""
    engine.environ["PIP_NO_INDEX"] = "1"
    return lambda: start_worker("--lanes", "gpu")


@pytest.fixture
def networks(settings: Settings) -> None:
    """The networks' weights, where this installation has fetched them."""
    if not NETWORKS.is_dir():
        pytest.skip("the weights of Real-ESRGAN are not here: darkroom weights fetch")
    settings.weights_dir.mkdir(parents=True)
    (settings.weights_dir / "esrgan").symlink_to(NETWORKS, target_is_directory=True)


def photo(width: int = 64, height: int = 48) -> Image.Image:
    """A soft picture whose corners differ."""
    corners = np.uint8([[[200, 40, 30], [40, 170, 60]], [[30, 60, 190], [220, 210, 90]]])
    return Image.fromarray(corners).resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def data_url(content: bytes, mime: str = "image/png") -> str:
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


def picture_in(answer: Json) -> bytes:
    return base64.b64decode(answer["image"].partition(",")[2])


def enhance(client: FlaskClient, **sent: Any) -> Json:
    answer = client.post("/enhance-media", json=sent)
    assert answer.status_code == 200, answer.json
    return answer.json


def send_film(client: FlaskClient, path: Path, **sent: Any) -> Json:
    data = {"video": (io.BytesIO(path.read_bytes()), path.name), **sent}
    answer = client.post("/enhance-media", data=data)
    assert answer.status_code == 202, answer.json
    return answer.json


def polled(client: FlaskClient, answer: Json) -> Json:
    return client.get(f"/api/media/{answer['id']}").json


def settled(client: FlaskClient, engine: Engine, answer: Json) -> Json:
    engine.until(lambda: polled(client, answer)["status"] != "processing", seconds=PATIENCE)
    return polled(client, answer)


def filmed(folder: Path, name: str = "clip.mp4", seconds: float = 1, *more: str) -> Path:
    """A clip of 64 × 48 pixels with a tone."""
    drawn = ("-f", "lavfi", "-i", f"testsrc2=size=64x48:rate=25:duration={seconds}")
    heard = ("-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}")
    coded = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac")
    ffmpeg.run([*drawn, *heard, *coded, *more, name], folder)
    return folder / name


def result_of(client: FlaskClient, answer: Json, folder: Path) -> Path:
    [file] = answer["files"]["result"]
    path = folder / "result.mp4"
    path.write_bytes(client.get(file["url"]).data)
    return path


def shown(path: Path) -> tuple[list[float], list[np.ndarray], str | None]:
    """The times and the upright pictures of a video, and its sound's codec."""
    with av.open(str(path)) as container:
        sound = container.streams.audio[0].codec_context.name if container.streams.audio else None
        frames = list(container.decode(video=0))
    turned = [np.rot90(f.to_ndarray(format="rgb24"), f.rotation // 90) for f in frames]
    return [round(float(frame.time), 3) for frame in frames], turned, sound


def left_over(settings: Settings) -> list[Path]:
    folder = settings.temp_dir
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []


def test_a_picture_comes_back_four_times_as_large(
    client: FlaskClient, work, networks: None
) -> None:
    work()
    answer = enhance(client, image=data_url(encoded(photo())), scale=4.0)
    assert (answer["status"], answer["engine"]) == ("success", "real-esrgan")
    assert (answer["width"], answer["height"]) == (256, 192) and "fallback" not in answer
    large = Image.open(io.BytesIO(picture_in(answer)))
    apart = np.abs(np.asarray(large.resize((64, 48), Image.Resampling.BOX), int) - photo())
    assert large.size == (256, 192) and apart.mean() < 6


@pytest.mark.parametrize("model", ["RealESRGAN_x4plus_anime_6B", "animevideov3"])
def test_any_scale_is_made_by_any_network(
    client: FlaskClient, work, networks: None, model: str
) -> None:
    work()
    sent = {"image": (io.BytesIO(encoded(photo(), "JPEG")), "pot.jpg"), "scale": "2.5"}
    answer = client.post("/enhance-media", data={**sent, "model": model}).json
    large = Image.open(io.BytesIO(picture_in(answer)))
    assert (answer["model"], answer["engine"]) == (model, "real-esrgan")
    assert (large.size, large.format) == ((160, 120), "JPEG")
    assert answer["files"]["result"][0]["filename"] == "pot-x2.5.jpg"


def test_without_weights_a_formula_enlarges_and_the_answer_says_so(
    client: FlaskClient, work
) -> None:
    work()
    answer = enhance(client, image=base64.b64encode(encoded(photo())).decode(), scale=2)
    assert answer["engine"] == "bicubic" and "formula" in answer["fallback"]
    assert Image.open(io.BytesIO(picture_in(answer))).size == (128, 96)


def test_transparency_and_sixteen_bits_are_kept(client: FlaskClient, work) -> None:
    work()
    fine = np.zeros((40, 60, 4), np.uint16)
    fine[..., :3] = np.linspace(1000, 1400, 60).astype(np.uint16)[None, :, None]
    fine[:, 30:, 3] = 65_535
    content = cv2.imencode(".png", fine)[1].tobytes()
    made = picture_in(enhance(client, image=data_url(content), scale=3))
    found = cv2.imdecode(np.frombuffer(made, np.uint8), cv2.IMREAD_UNCHANGED)
    assert (found.shape, found.dtype) == ((120, 180, 4), np.uint16)
    assert not found[:, :80, 3].any() and (found[:, 100:, 3] == 65_535).all()
    # Eight bits would have two steps here.
    assert len(np.unique(found[60, 100:, 0])) > 40


def test_who_does_not_wait_is_told_where_to_look(client: FlaskClient, engine: Engine, work) -> None:
    work()
    sent = {"image": data_url(encoded(photo())), "scale": 2}
    answer = client.post("/enhance-media", json=sent, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202
    found = settled(client, engine, answer.json)
    assert (found["status"], found["engine"]) == ("success", "bicubic")


def test_a_video_is_enlarged_by_its_network_and_keeps_its_sound(
    client: FlaskClient, engine: Engine, work, networks: None, tmp_path: Path
) -> None:
    work()
    clip = filmed(tmp_path, "clip.mp4", 0.4)
    found = settled(client, engine, send_film(client, clip, scale="2"))
    assert (found["status"], found["engine"]) == ("success", "real-esrgan"), found
    assert (found["model"], found["frames"]) == ("animevideov3", 10)
    times, pictures, sound = shown(result_of(client, found, tmp_path))
    assert times == shown(clip)[0] and sound == "aac"
    assert pictures[0].shape == (96, 128, 3)


def test_a_turned_video_of_changing_speed_is_shown_as_it_was(
    client: FlaskClient, engine: Engine, work, tmp_path: Path
) -> None:
    work()
    chosen = "select='not(mod(n,3))+not(mod(n,7))'"
    filmed(tmp_path, "straight.mp4", 1, "-vf", chosen, "-fps_mode", "vfr")
    turn = ["-display_rotation", "90", "-i", "straight.mp4", "-c", "copy", "turned.mp4"]
    ffmpeg.run(turn, tmp_path)
    clip = tmp_path / "turned.mp4"
    found = settled(client, engine, send_film(client, clip, scale="1.5"))
    before, after = shown(clip), shown(result_of(client, found, tmp_path))
    assert after[0] == before[0] and len(set(np.diff(before[0]).round(3))) > 1
    assert after[1][0].shape == (96, 72, 3)
    small = cv2.resize(after[1][4], (48, 64), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - before[1][4]).mean() < 12


def test_a_video_without_sound_that_begins_late_is_enlarged(
    client: FlaskClient, engine: Engine, work, tmp_path: Path
) -> None:
    work()
    clip = filmed(tmp_path, "late.mkv", 0.4, "-an", "-output_ts_offset", "5")
    found = settled(client, engine, send_film(client, clip, scale="2"))
    times, _, sound = shown(result_of(client, found, tmp_path))
    assert (found["status"], times[0], sound) == ("success", 0.0, None)


def test_pictures_that_begin_after_the_sound_still_do(
    client: FlaskClient, engine: Engine, work, tmp_path: Path
) -> None:
    work()
    filmed(tmp_path, "straight.mp4", 1)
    apart = ["-i", "straight.mp4", "-itsoffset", "0.4", "-i", "straight.mp4"]
    ffmpeg.run([*apart, "-map", "0:a", "-map", "1:v", "-c", "copy", "apart.mp4"], tmp_path)
    clip = tmp_path / "apart.mp4"
    found = settled(client, engine, send_film(client, clip, scale="2"))
    assert shown(clip)[0][0] == pytest.approx(0.4, abs=0.03)
    assert shown(result_of(client, found, tmp_path))[0][0] == pytest.approx(0.4, abs=0.03)


def test_a_video_cut_short_fails_in_words_or_gives_what_is_there(
    client: FlaskClient, engine: Engine, work, tmp_path: Path
) -> None:
    work()
    clip = filmed(tmp_path, "clip.mp4", 2, "-movflags", "+faststart")
    content = bytearray(clip.read_bytes())
    middle = len(content) // 2
    content[middle:] = bytes(len(content) - middle)
    clip.write_bytes(content)
    found = settled(client, engine, send_film(client, clip, scale="2"))
    assert found["status"] == "success" or "broken" in found["message"]


def test_a_cancelled_video_leaves_nothing(
    client: FlaskClient, engine: Engine, work, settings: Settings, tmp_path: Path
) -> None:
    work()
    asked = send_film(client, filmed(tmp_path, "long.mp4", 40), scale="4")
    engine.until(lambda: polled(client, asked).get("progress", 0) > 0.02, seconds=PATIENCE)
    assert left_over(settings)
    client.post(f"/api/media/{asked['id']}/cancel")
    assert settled(client, engine, asked)["status"] == "cancelled"
    engine.until(lambda: not left_over(settings), seconds=PATIENCE)


def test_a_killed_worker_leaves_nothing_once_another_has_begun(
    client: FlaskClient, engine: Engine, work, settings: Settings, tmp_path: Path
) -> None:
    first = work()
    asked = send_film(client, filmed(tmp_path, "long.mp4", 8), scale="2")
    engine.until(lambda: polled(client, asked).get("progress", 0) > 0.02, seconds=PATIENCE)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert left_over(settings)
    work()
    assert settled(client, engine, asked)["frames"] == 200
    engine.until(lambda: not left_over(settings), seconds=PATIENCE)
