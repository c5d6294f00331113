from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from darkroom.settings import ROOT
from darkroom.web import catalog
from darkroom.web.languages import LANGUAGES, SOURCES

FOR_OPERATORS = {"commands", "db", "queue", "sandbox", "storage"}
"""What these say to people, too, is in `words.SENTENCES`."""


def spanish():
    with (SOURCES / "es" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale="es")


def test_every_text_has_its_spanish() -> None:
    known = spanish()
    missing = [
        message.id
        for message in catalog.template()
        if message.id and not _translated(known.get(_key(message.id)))
    ]
    assert missing == []


def test_no_translation_is_left_over_or_uncertain() -> None:
    wanted = {_key(message.id) for message in catalog.template()}
    left = [message.id for message in spanish() if _key(message.id) not in wanted or message.fuzzy]
    assert [text for text in left if text] == []


def test_translations_keep_the_places_of_their_texts() -> None:
    wrong = [message.id for message in spanish() if message.id and list(message.check(spanish()))]
    assert wrong == []


def test_what_people_are_told_is_looked_at_wherever_it_is_said() -> None:
    folders = [folder for folder in (ROOT / "src/darkroom").iterdir() if folder.is_dir()]
    speaking = {
        f"src/darkroom/{folder.name}"
        for folder in folders
        if any(extract_from_dir(folder, catalog.METHODS, keywords=catalog.KEYWORDS))
    }
    assert speaking <= {*catalog.PLACES, *(f"src/darkroom/{name}" for name in FOR_OPERATORS)}


def test_errors_of_steps_are_looked_at() -> None:
    known = {message.id for message in catalog.template()}
    assert "The enlarged picture came out flat." in known
    assert "The device's memory is too full for a single image." in known


def test_every_language_but_english_has_a_catalog() -> None:
    found = {source.parents[1].name for source in SOURCES.glob("*/LC_MESSAGES/messages.po")}
    assert found == set(LANGUAGES) - {"en"}


def _key(text):
    return text if isinstance(text, str) else text[0]


def _translated(message) -> bool:
    if message is None:
        return False
    texts = [message.string] if isinstance(message.string, str) else message.string
    return all(texts)
