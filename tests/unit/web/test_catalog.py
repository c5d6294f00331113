from babel.messages.pofile import read_po

from darkroom.web import catalog
from darkroom.web.languages import LANGUAGES, SOURCES


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
