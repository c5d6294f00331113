import pytest

from darkroom.errors import Invalid
from darkroom.settings import Settings


def test_without_a_setting_the_device_says_what_models_may_take() -> None:
    settings = Settings.from_env({})
    assert (settings.models.memory_gb, settings.models.empty_cache_every) == (None, 10)
    assert settings.originals_cache_bytes == 1024**3
    assert settings.max_pixels == 100_000_000


def test_each_can_be_set() -> None:
    settings = Settings.from_env(
        {
            "DARKROOM_MODEL_MEMORY_GB": "7.5",
            "DARKROOM_EMPTY_DEVICE_CACHE_EVERY": "3",
            "DARKROOM_ORIGINALS_CACHE_MB": "0",
        }
    )
    assert (settings.models.memory_gb, settings.models.empty_cache_every) == (7.5, 3)
    assert settings.originals_cache_bytes == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DARKROOM_MODEL_MEMORY_GB", "0"),
        ("DARKROOM_EMPTY_DEVICE_CACHE_EVERY", "0"),
        ("DARKROOM_ORIGINALS_CACHE_MB", "-1"),
        ("DARKROOM_MODEL_MEMORY_GB", "much"),
    ],
)
def test_what_makes_no_sense_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(Invalid, match=name):
        Settings.from_env({name: value})
