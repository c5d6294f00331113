import pytest

from darkroom.errors import Invalid
from darkroom.settings import Settings, TokenSettings


def read(**environ: str) -> TokenSettings:
    return Settings.from_env(environ).tokens


def test_defaults_need_nothing() -> None:
    assert read() == TokenSettings(20, {"unlock": 5, "upscale": 3, "preview": 0})


def test_prices_that_are_given_take_the_place_of_the_usual_ones() -> None:
    found = read(DARKROOM_TOKEN_PRICES="unlock=7, preview=1", DARKROOM_TOKENS_AT_START="0")
    assert found == TokenSettings(0, {"unlock": 7, "upscale": 3, "preview": 1})


@pytest.mark.parametrize("price", ["2.5", "-1", "five", "1000001", "9" * 5000])
def test_a_price_that_is_no_number_of_tokens_is_refused(price: str) -> None:
    with pytest.raises(Invalid, match=r"DARKROOM_TOKEN_PRICES \(unlock\) must be a whole number"):
        read(DARKROOM_TOKEN_PRICES=f"unlock={price}")


def test_a_price_of_nothing_known_is_refused_with_what_there_is() -> None:
    with pytest.raises(Invalid, match="'unlok'; there are: unlock, upscale, preview") as refused:
        read(DARKROOM_TOKEN_PRICES="unlok=5")
    assert refused.value.field == "DARKROOM_TOKEN_PRICES"


def test_a_starting_grant_below_zero_is_refused() -> None:
    with pytest.raises(Invalid, match="DARKROOM_TOKENS_AT_START must be a whole number"):
        read(DARKROOM_TOKENS_AT_START="-1")
