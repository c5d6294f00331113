import pytest
from flask import Flask
from flask_babel import Babel, force_locale

from darkroom.providers import wordpress
from darkroom.web.languages import compiled
from darkroom.web.words import SENTENCES, STATES, say, word


@pytest.fixture(autouse=True)
def translations(tmp_path):
    app = Flask(__name__)
    Babel(app, default_translation_directories=str(compiled(tmp_path)))
    with app.test_request_context():
        yield


def test_sentence_with_places_is_translated_and_filled() -> None:
    with force_locale("es"):
        said = say("preparing photo {photo} of {photos}", {"photo": 2, "photos": 3})
    assert said == "preparando la foto 2 de 3"


def test_filled_sentence_is_recognised() -> None:
    with force_locale("es"):
        assert say("The file “a b.jpg” is empty.") == "El archivo «a b.jpg» está vacío."
        assert say("12 photos") == "12 fotos"


def test_longest_sentence_wins_over_a_shorter_one() -> None:
    with force_locale("es"):
        assert say("60 photos at once; at most 50 are taken.").startswith("60 fotos a la vez")


def test_a_sentence_that_says_more_wins_over_one_that_fits_anything() -> None:
    said = "WordPress answered 403 (rest_forbidden): No. Give the user the right to do that."
    with force_locale("es"):
        assert "Give the user" not in say(said)


def test_unknown_sentence_stays() -> None:
    with force_locale("es"):
        assert say("Something of a provider: 50 % {left}") == "Something of a provider: 50 % {left}"


def test_missing_value_leaves_the_sentence_readable() -> None:
    assert say("photo {photo} of {photos}", {"photo": 1}) == "photo {photo} of {photos}"


def test_unknown_state_speaks_for_itself() -> None:
    assert word(STATES, "half_done") == "half done"


def test_catalogs_are_compiled_anew_only_when_changed(tmp_path) -> None:
    first = compiled(tmp_path)
    [catalog] = first.glob("*/LC_MESSAGES/messages.mo")
    before = catalog.stat().st_mtime_ns
    assert compiled(tmp_path) == first
    assert catalog.stat().st_mtime_ns == before


@pytest.mark.parametrize("reason", [wordpress.NOBODY, wordpress.EDIT])
def test_why_wordpress_does_not_let_us_in_is_a_whole_sentence(reason: str) -> None:
    assert f"WordPress answered {{status}}: {{said}} {reason}" in SENTENCES
