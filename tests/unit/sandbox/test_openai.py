"""OpenAI's wire format and faults, through our own client."""

from datetime import timedelta

import numpy as np
import pytest

from darkroom.errors import DarkroomError, Invalid, ModelGone, Permanent, Refused, Transient
from darkroom.providers import openai
from darkroom.providers.openai import OpenAI, Options
from darkroom.settings import Settings
from tests.sandboxed import Sandboxed

from .pictures import hole, photo, product, read, size_of

MODEL = "gpt-image-2"
ROUTE = "/openai/*"


@pytest.fixture
def client(chosen: Settings) -> OpenAI:
    return openai.connect(chosen)


def raised(client: OpenAI, kind: type[DarkroomError]) -> DarkroomError:
    with pytest.raises(DarkroomError) as caught:
        client.generate(MODEL, "a plant")
    assert type(caught.value) is kind
    return caught.value


@pytest.mark.parametrize("output_format", ["png", "jpeg", "webp"])
def test_pictures_come_in_the_size_and_format_that_were_asked_for(
    client: OpenAI, output_format: str
) -> None:
    options = Options(size="1536x1024", quality="low", output_format=output_format)
    reply = client.generate(MODEL, "a plant", n=2, options=options)
    one, other = openai.pictures(reply.body)
    assert one.mime == f"image/{output_format}" and size_of(one) == (1536, 1024)
    assert one.data != other.data
    assert reply.tokens_in and reply.tokens_out and reply.images == 2


def test_an_edit_changes_what_the_mask_leaves_open(client: OpenAI) -> None:
    before = product("studio", side=1024)[0]
    mask = hole((1024, 1024), (0, 0, 1023, 400))
    sources = [photo(before, "PNG"), photo()]
    reply = client.edit(MODEL, "pop art", sources, mask=mask, options=Options(size="1024x1024"))
    after = read(openai.pictures(reply.body)[0])
    assert (after[450:950] == before[450:950]).all()
    assert np.abs(after[:380].astype(int) - before[:380]).mean() > 10


def test_the_models_are_those_of_the_settings(client: OpenAI, chosen: Settings) -> None:
    assert client.models() == set(chosen.providers.openai.models["image"])


@pytest.mark.parametrize(
    "options",
    [Options(size="17x17"), Options(quality="best"), Options(output_format="gif")],
)
def test_a_wrong_option_is_the_callers_mistake(client: OpenAI, options: Options) -> None:
    with pytest.raises(Invalid):
        client.generate(MODEL, "a plant", options=options)


def test_the_format_of_the_answer_cannot_be_chosen(sandbox: Sandboxed, client: OpenAI) -> None:
    body = {"model": MODEL, "prompt": "x", "response_format": "url"}
    answer = client._http.send("POST", "/v1/images/generations", json=body)
    assert answer.status == 400 and answer.told()["error"]["code"] == "unknown_parameter"


def test_a_mask_of_another_size_is_the_callers_mistake(client: OpenAI) -> None:
    with pytest.raises(Invalid):
        client.edit(MODEL, "x", [photo()], mask=hole((8, 8), (0, 0, 4, 4)))


# Faults.


def test_too_many_requests_tell_how_long_to_wait(sandbox: Sandboxed, client: OpenAI) -> None:
    sandbox.fault(ROUTE, "limit", seconds=7)
    assert raised(client, Transient).retry_after == timedelta(seconds=7)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("quota", Permanent),
        ("blocked", Refused),
        ("gone", ModelGone),
        ("expired", Permanent),
        ("forbidden", Permanent),
        ("error", Transient),
        ("no_picture", Transient),
        ("malformed", Transient),
        ("cut", Transient),
    ],
)
def test_each_fault_is_its_documented_error(
    sandbox: Sandboxed, client: OpenAI, kind: str, error: type[DarkroomError]
) -> None:
    sandbox.fault(ROUTE, kind)
    raised(client, error)
    assert openai.pictures(client.generate(MODEL, "a plant").body)


def test_a_fault_may_be_for_one_model(sandbox: Sandboxed, client: OpenAI) -> None:
    sandbox.fault(ROUTE, "gone", times=None, containing=MODEL)
    raised(client, ModelGone)
    client.generate("gpt-image-1.5", "a plant")
