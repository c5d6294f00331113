"""LaoZhang's four shapes of answers and its faults, through our own client."""

from functools import partial
from pathlib import Path

import pytest

from darkroom.errors import DarkroomError, ModelGone, Permanent, Refused, Transient
from darkroom.providers import fetching, laozhang
from darkroom.providers.failures import NoPicture
from darkroom.providers.laozhang import LaoZhang
from darkroom.providers.pictures import Picture, mime_of
from darkroom.settings import Settings
from tests.sandboxed import Sandboxed

from .pictures import photo, size_of

NATIVE, COMPATIBLE = "gemini-3.1-flash-image", "gpt-image-2"


@pytest.fixture
def client(chosen: Settings) -> LaoZhang:
    return laozhang.connect(chosen)


def fetched(folder: Path, url: str) -> Picture:
    """A hosted picture, through the guarded fetcher."""
    file = folder / "picture"
    fetching.fetch(url, file, max_bytes=10_000_000, private=True)
    return Picture(file.read_bytes(), mime_of(file.read_bytes()))


def never(url: str) -> Picture:
    raise AssertionError(url)


@pytest.mark.parametrize("model", [NATIVE, COMPATIBLE])
@pytest.mark.parametrize("pictures", [[], [photo()]])
def test_a_picture_comes_in_the_models_own_format(
    sandbox: Sandboxed, client: LaoZhang, model: str, pictures: list[Picture]
) -> None:
    made = laozhang.picture(client.edit(model, "white background", pictures).body, never)
    assert size_of(made) == (1024, 1024)
    native = sandbox.count("/laozhang/v1beta/*")
    assert native == (model == NATIVE)


def test_a_conversation_answers_with_a_data_url(client: LaoZhang) -> None:
    reply = client.chat(NATIVE, "white background", [photo()])
    assert b"data:image/png;base64," in reply.body
    assert laozhang.picture(reply.body, never).mime == "image/png"


def test_a_conversation_answers_with_a_hosted_picture(client: LaoZhang, tmp_path: Path) -> None:
    reply = client.chat(COMPATIBLE, "a plant")
    assert size_of(laozhang.picture(reply.body, partial(fetched, tmp_path))) == (1024, 1024)


def test_the_models_are_those_of_the_settings(client: LaoZhang, chosen: Settings) -> None:
    assert client.models() == set(chosen.providers.laozhang.models["image"])


def test_a_model_without_a_channel_is_gone(client: LaoZhang) -> None:
    with pytest.raises(ModelGone) as caught:
        client.edit("dall-e-2", "a plant")
    assert caught.value.http_status == 503


@pytest.mark.parametrize("model", [NATIVE, COMPATIBLE])
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("limit", Transient),
        ("quota", Permanent),
        ("blocked", Refused),
        ("no_picture", NoPicture),
        ("gone", ModelGone),
        ("error", Transient),
        ("malformed", Transient),
        ("cut", Transient),
    ],
)
def test_each_fault_is_its_documented_error(
    sandbox: Sandboxed, client: LaoZhang, model: str, kind: str, error: type[DarkroomError]
) -> None:
    sandbox.fault("/laozhang/*", kind)
    with pytest.raises(DarkroomError) as caught:
        client.edit(model, "a plant")
    assert type(caught.value) is error


def test_a_conversation_may_end_without_a_picture(sandbox: Sandboxed, client: LaoZhang) -> None:
    sandbox.fault("/laozhang/*", "no_picture")
    with pytest.raises(NoPicture):
        client.chat(COMPATIBLE, "a plant")
