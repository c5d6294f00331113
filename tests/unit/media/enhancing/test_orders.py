"""What may be asked of the enlarging service, and what its refusals say."""

from collections.abc import Callable
from typing import Any

import pytest

from darkroom.errors import Invalid
from darkroom.media.enhancing import orders, result
from darkroom.media.requests import Order, Received, Wish
from darkroom.media.sound import Media, Picture
from darkroom.storage.assets import StoredFile
from darkroom.vision import esrgan

Json = dict[str, Any]
MOST = 64_000_000


def received(width: int, height: int) -> Received:
    stored = StoredFile("0", 1, "image/png", width, height, "media/a.png", "local")
    return Received("picture", "pot.png", stored)


def clip(width: int = 320, height: int = 180, seconds: float = 5.0, fps: float = 25) -> Received:
    stored = StoredFile("0", 1, "video/mp4", None, None, "media/a.mp4", "local")
    seen = Media(seconds, Picture(width, height, fps, "h264"), "aac", "mov")
    return Received("video", "clip.mp4", stored, seen)


def picture(sent: Json, file: Received) -> Wish:
    return orders.picture(orders.asked(sent, orders.PICTURE), file, MOST, "image")


def film(sent: Json, file: Received) -> Wish:
    return orders.film(orders.asked(sent, orders.VIDEO), file, MOST, "image")


def refused(make: Callable[[Json, Received], Wish], sent: Json, file: Received) -> Invalid:
    with pytest.raises(Invalid) as error:
        make(sent, file)
    return error.value


def test_four_times_by_the_network_for_photos_is_usual() -> None:
    wish = picture({}, received(100, 80))
    assert wish.asked == {"kind": "picture", "scale": 4.0, "model": "RealESRGAN_x4plus"}


def test_videos_have_a_network_of_their_own() -> None:
    assert film({}, clip()).asked["model"] == "animevideov3"


@pytest.mark.parametrize("model", orders.MODELS)
def test_every_model_is_one_of_the_networks(model: str) -> None:
    order = Order(None, 1, {"model": model}, {})  # type: ignore[arg-type]
    assert result.network(order) in esrgan.MODELS


@pytest.mark.parametrize("scale", [0.5, 4.01, True, "large", "nan", None, [2], -1])
def test_a_scale_that_is_none_is_named(scale: Any) -> None:
    assert refused(picture, {"scale": scale}, received(10, 10)).field == "scale"


@pytest.mark.parametrize("scale", [1, 2.5, "2.5", "4"])
def test_any_number_up_to_four_is_a_scale(scale: Any) -> None:
    wish = picture({"scale": scale}, received(10, 10))
    assert wish.asked["scale"] == float(scale)


def test_too_large_a_result_is_refused_with_the_largest_that_fits() -> None:
    error = refused(picture, {"scale": 4}, received(4000, 3000))
    assert error.field == "scale" and "at most 2.3 times" in error.message
    picture({"scale": 2.3}, received(4000, 3000))


def test_a_picture_that_fits_at_no_scale_is_at_fault_itself() -> None:
    assert refused(picture, {"scale": 1}, received(9000, 9000)).field == "image"


def test_a_video_has_no_larger_frames_than_players_decode() -> None:
    error = refused(film, {"scale": 4}, clip(1920, 1080))
    assert error.field == "scale" and "at most 2.13 times" in error.message


@pytest.mark.parametrize(("seconds", "fps"), [(61, 10), (50, 60)])
def test_a_long_video_is_refused(seconds: float, fps: float) -> None:
    assert refused(film, {}, clip(seconds=seconds, fps=fps)).code == "too_long"


def test_sound_alone_is_no_video() -> None:
    file = clip()
    sound = Received("video", "a.mp3", file.stored, Media(3.0, None, "mp3", "mp3"))
    assert "only sound" in refused(film, {}, sound).message


@pytest.mark.parametrize("model", ["ESRGAN", 4, ["animevideov3"]])
def test_an_unknown_model_is_refused_with_those_there_are(model: Any) -> None:
    error = refused(picture, {"model": model}, received(10, 10))
    assert error.field == "model" and "animevideov3" in error.message
