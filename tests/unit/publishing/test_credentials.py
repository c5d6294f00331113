from pathlib import Path

import pytest

from darkroom.errors import Invalid, Permanent
from darkroom.publishing import credentials
from darkroom.settings import PublishingSettings, Settings

KEY = "a key for credentials only"


def settings(
    tmp_path: Path, key: str | None = None, secret: str = "a secret for tests"
) -> Settings:
    return Settings(
        home=tmp_path, secret_key=secret, publishing=PublishingSettings(credentials_key=key)
    )


def test_a_secret_is_sealed_and_opened_again(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    sealed = credentials.seal(chosen, "contraseña")
    assert "contraseña" not in sealed
    assert credentials.unseal(chosen, sealed, "a site") == "contraseña"


def test_a_key_of_its_own_outlives_another_secret_key(tmp_path: Path) -> None:
    sealed = credentials.seal(settings(tmp_path, KEY), "word")
    changed = settings(tmp_path, KEY, secret="another secret for tests")
    assert credentials.unseal(changed, sealed, "a site") == "word"


def test_another_key_opens_nothing_and_says_which_to_set(tmp_path: Path) -> None:
    sealed = credentials.seal(settings(tmp_path, KEY), "word")
    with pytest.raises(Permanent, match="a site were sealed with another key"):
        credentials.unseal(settings(tmp_path), sealed, "a site")


def test_a_key_that_is_too_short_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as caught:
        credentials.seal(settings(tmp_path, "short"), "word")
    assert caught.value.field == "DARKROOM_CREDENTIALS_KEY"
