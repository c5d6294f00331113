import hashlib
import json
from email import message_from_bytes

import pytest

from darkroom.errors import Permanent, Transient
from darkroom.providers import cloudinary
from darkroom.providers.cloudinary import Cloudinary
from darkroom.providers.http import Http, Timeouts
from darkroom.providers.pictures import Picture
from darkroom.settings import CloudinarySettings
from tests.engine.service import Heard, Service

PHOTO = Picture(b"\xff\xd8\xff", "image/jpeg")
UPLOADED = {
    "public_id": "articles/7",
    "version": 3,
    "secure_url": "https://res.cloudinary.com/demo/image/upload/v3/articles/7.jpg",
    "width": 10,
    "height": 20,
    "bytes": 3,
}


@pytest.fixture
def client(service: Service) -> Cloudinary:
    chosen = CloudinarySettings("demo", "1234", "abcd")
    http = Http("Cloudinary", service.url, secrets=["abcd"], timeouts=Timeouts(total=10))
    return Cloudinary(http, chosen, now=lambda: 1315060510.7)


def form(heard: Heard) -> dict[str, bytes]:
    head = f"Content-Type: {heard.headers['Content-Type']}\r\n\r\n".encode()
    parts = message_from_bytes(head + heard.body).get_payload()
    named = {str(part.get_param("name", header="content-disposition")): part for part in parts}
    return {name: part.get_payload(decode=True) for name, part in named.items()}


def test_a_signature_is_that_of_the_documentation() -> None:
    # The worked example of cloudinary.com/documentation/authentication_signatures.
    fields = {
        "eager": "w_400,h_300,c_pad|w_260,h_200,c_crop",
        "public_id": "sample_image",
        "timestamp": "1315060510",
    }
    assert cloudinary.sign(fields, "abcd") == "bfd09f95f331f558cbd1320e67aa8d488770583e"


def test_files_keys_and_empty_fields_are_not_signed() -> None:
    signed = {"public_id": "a", "timestamp": "1"}
    unsigned = {
        "file": "f",
        "cloud_name": "c",
        "resource_type": "image",
        "api_key": "k",
        "tags": "",
    }
    assert cloudinary.sign(signed | unsigned, "s") == cloudinary.sign(signed, "s")
    text = "public_id=a&timestamp=1s"
    assert cloudinary.sign(signed, "s") == hashlib.sha1(text.encode()).hexdigest()


def test_an_upload_is_signed_and_named_by_us(service: Service, client: Cloudinary) -> None:
    service.will(200, UPLOADED)
    found = client.upload(PHOTO, "articles/7")
    heard, fields = service.last, form(service.last)
    assert (heard.method, heard.path) == ("POST", "/v1_1/demo/image/upload")
    assert fields["file"] == PHOTO.data
    assert (fields["public_id"], fields["timestamp"]) == (b"articles/7", b"1315060510")
    said = {name: value.decode() for name, value in fields.items() if name != "file"}
    assert said.pop("signature") == cloudinary.sign(said, "abcd")
    assert found.url == UPLOADED["secure_url"] and found.version == 3
    assert b"abcd" not in heard.body


def test_what_is_removed_twice_is_gone_all_the_same(service: Service, client: Cloudinary) -> None:
    service.will(200, {"result": "ok"}).will(200, {"result": "not found"})
    assert [client.destroy("a"), client.destroy("a")] == [True, False]
    assert service.last.path == "/v1_1/demo/image/destroy"


def test_what_was_not_removed_is_tried_again(service: Service, client: Cloudinary) -> None:
    service.will(200, {"result": "error"})
    with pytest.raises(Transient, match="did not remove a"):
        client.destroy("a")


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [(401, Permanent, "CLOUDINARY_URL"), (420, Transient, "Rate"), (503, Transient, "503")],
)
def test_refusals_are_read(service: Service, client: Cloudinary, status, kind, words) -> None:
    service.will(status, {"error": {"message": "Rate or signature: abcd"}})
    with pytest.raises(kind, match=words) as caught:
        client.upload(PHOTO, "a")
    assert "abcd" not in caught.value.message


@pytest.mark.parametrize("body", [{}, {"public_id": "a"}, [], None])
def test_an_upload_that_names_no_url_is_tried_again(service: Service, client, body) -> None:
    service.will(200, json.dumps(body))
    with pytest.raises(Transient):
        client.upload(PHOTO, "a")


def test_a_ping_shows_who_we_are(service: Service, client: Cloudinary) -> None:
    service.will(200, {"status": "ok"})
    client.ping()
    assert service.last.headers["Authorization"] == "Basic MTIzNDphYmNk"
