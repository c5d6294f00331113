from decimal import Decimal

import pytest

from darkroom.errors import Invalid
from darkroom.providers import prices
from darkroom.providers.pictures import Reply
from darkroom.settings import Price, ProvidersSettings, Settings


def read(**environ: str) -> ProvidersSettings:
    return Settings.from_env(environ).providers


def test_without_a_key_every_service_is_the_sandbox() -> None:
    found = read()
    assert found == ProvidersSettings()
    assert found.sandboxed == ("gemini", "openai", "laozhang", "wordpress", "gcs")
    assert found.gemini.base_url == "http://127.0.0.1:5050/gemini"
    assert (found.gemini.key, found.gemini.is_sandbox) == ("sandbox", True)
    assert found.cloudinary is None


def test_the_sandbox_s_port_moves_all_of_them() -> None:
    found = read(DARKROOM_SANDBOX_PORT="6000")
    assert found.openai.base_url == "http://127.0.0.1:6000/openai"
    assert found.wordpress.base_url == "http://127.0.0.1:6000/wordpress/demo"
    assert found.gcs.base_url == "http://127.0.0.1:6000/gcs"


def test_a_key_makes_a_service_the_real_one() -> None:
    found = read(
        GEMINI_API_KEY="k", DARKROOM_OPENAI_URL="https://proxy.example/", OPENAI_API_KEY="l"
    )
    assert found.gemini.base_url == "https://generativelanguage.googleapis.com"
    assert found.openai.base_url == "https://proxy.example"
    assert found.sandboxed == ("laozhang", "wordpress", "gcs")


def test_chains_of_models_are_settings() -> None:
    found = read(DARKROOM_GEMINI_IMAGE_MODELS="b, a")
    assert found.gemini.models["image"] == ("b", "a")
    assert found.gemini.models["text"] == ProvidersSettings().gemini.models["text"]


def test_every_model_of_the_usual_chains_has_a_price() -> None:
    found = read()
    for chosen in found.with_models:
        for chain in chosen.models.values():
            assert all(prices.price(found, chosen.name, model) for model in chain)


def test_prices_are_dollars_an_image_or_a_million_tokens() -> None:
    found = read(DARKROOM_PRICES="a=0.05,b=0.30/2.50,gemini-2.5-flash-image=0.039").prices
    assert found["a"] == Price(Decimal("0.05"))
    assert found["b"] == Price(million_in=Decimal("0.30"), million_out=Decimal("2.50"))
    assert found["gemini-2.5-flash-image"].image == Decimal("0.039")
    assert found["gpt-image-2"] == ProvidersSettings().prices["gpt-image-2"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DARKROOM_PRICES", "a"),
        ("DARKROOM_PRICES", "a=x"),
        ("DARKROOM_PRICES", "a=1/2/3"),
        ("DARKROOM_GEMINI_URL", "ftp://x"),
        ("CLOUDINARY_URL", "https://cloudinary.com"),
        ("CLOUDINARY_URL", "cloudinary://key@cloud"),
        ("DARKROOM_WORDPRESS_USER", "ana"),
        ("DARKROOM_GCS_BUCKET", "photos"),
    ],
)
def test_what_cannot_be_is_named(name: str, value: str) -> None:
    with pytest.raises(Invalid, match=name):
        read(**{name: value})


def test_the_other_services_are_read() -> None:
    found = read(
        CLOUDINARY_URL="cloudinary://key:sec%2Fret@Demo",
        DARKROOM_WORDPRESS_URL="https://site.example/",
        DARKROOM_WORDPRESS_USER="ana",
        DARKROOM_WORDPRESS_APP_PASSWORD="a b",
        DARKROOM_GCS_BUCKET="photos",
        DARKROOM_GCS_ACCESS_KEY_ID="id",
        DARKROOM_GCS_SECRET_ACCESS_KEY="secret",
    )
    assert found.cloudinary is not None
    assert (found.cloudinary.cloud, found.cloudinary.secret) == ("Demo", "sec/ret")
    assert (found.wordpress.base_url, found.wordpress.is_sandbox) == ("https://site.example", False)
    assert (found.gcs.bucket, found.gcs.is_sandbox, found.gcs.region) == ("photos", False, "auto")


def test_a_bucket_of_another_s3_has_its_region() -> None:
    found = read(
        DARKROOM_GCS_BUCKET="photos",
        DARKROOM_GCS_ACCESS_KEY_ID="id",
        DARKROOM_GCS_SECRET_ACCESS_KEY="secret",
        DARKROOM_GCS_URL="https://s3.eu-west-1.amazonaws.com",
        DARKROOM_GCS_REGION="eu-west-1",
    )
    assert found.gcs.region == "eu-west-1"


def test_no_secret_is_in_the_settings_representation() -> None:
    found = read(
        GEMINI_API_KEY="hush-1",
        CLOUDINARY_URL="cloudinary://key:hush-2@demo",
        DARKROOM_WORDPRESS_URL="https://site.example/",
        DARKROOM_WORDPRESS_USER="ana",
        DARKROOM_WORDPRESS_PASSWORD="hush-3",
        DARKROOM_GCS_BUCKET="photos",
        DARKROOM_GCS_ACCESS_KEY_ID="id",
        DARKROOM_GCS_SECRET_ACCESS_KEY="hush-4",
    )
    assert "hush" not in repr(found)


@pytest.mark.parametrize(
    ("provider", "model", "reply", "cost"),
    [
        ("gemini", "gemini-2.5-flash-image", Reply(b"", images=1, tokens_in=9), "0.04"),
        ("openai", "gpt-image-2", Reply(b"", images=3), "0.159"),
        ("laozhang", "gpt-image-2", Reply(b"", images=1), "0.03"),
        ("gemini", "gemini-3.5-flash-lite", Reply(b"", tokens_in=1000, tokens_out=200), "0.0008"),
        ("gemini", "unheard-of", Reply(b"", images=1), "0"),
    ],
)
def test_an_answer_costs_what_the_table_says(provider, model, reply, cost: str) -> None:
    assert prices.cost(ProvidersSettings(), provider, model, reply) == Decimal(cost)


def test_the_dearest_of_a_chain_is_reserved() -> None:
    chain = ("gemini-2.5-flash-image", "gemini-3-pro-image")
    assert prices.estimate(ProvidersSettings(), "gemini", chain) == Decimal("0.134")
