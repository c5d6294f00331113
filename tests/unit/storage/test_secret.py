"""The installation's secret: given, made once, shared by processes that race for it."""

import subprocess
import sys
from pathlib import Path

import pytest

from darkroom.errors import Invalid
from darkroom.settings import Settings
from darkroom.storage.secret import secret_key

ASK = """
import sys
from pathlib import Path
from darkroom.settings import Settings
from darkroom.storage.secret import secret_key
print("ready", flush=True)
sys.stdin.readline()
print(secret_key(Settings(home=Path(sys.argv[1]))))
"""


def test_secret_that_is_given_is_taken_and_nothing_is_written(tmp_path: Path) -> None:
    given = "a secret for tests"
    assert secret_key(Settings(home=tmp_path, secret_key=given)) == given
    assert list(tmp_path.iterdir()) == []


def test_short_secret_is_refused_by_the_name_of_its_setting(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="DARKROOM_SECRET_KEY must have at least 16"):
        secret_key(Settings(home=tmp_path, secret_key="12345"))


def test_made_secret_stays_the_same_and_is_private(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "new home")
    made = secret_key(settings)
    assert len(made) >= 64 and secret_key(settings) == made
    assert (settings.home / "secret").stat().st_mode & 0o777 == 0o600


def test_two_installations_have_different_secrets(tmp_path: Path) -> None:
    assert secret_key(Settings(home=tmp_path / "a")) != secret_key(Settings(home=tmp_path / "b"))


def test_secret_torn_by_a_crash_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("torn")
    assert len(secret_key(Settings(home=tmp_path))) >= 64


def test_processes_that_race_get_one_secret(tmp_path: Path) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", ASK, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdout is not None and racer.stdout.readline() == "ready\n"
    answers = {racer.communicate("\n", timeout=60)[0] for racer in racers}
    assert len(answers) == 1 and answers.pop().strip() == secret_key(Settings(home=tmp_path))
