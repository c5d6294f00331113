"""Two readings are one text but for what reading gets wrong; no more than that."""

import pytest

from darkroom.vision.wording import agree, folded, slips


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Lote 4711", "LOTE 47-11"),
        ("Café  molido", "café molido."),
        ("O.K. 100 ml", "0.K. l00 ml"),
        ("a" * 15 + "bcdefghijklmnopqr", "a" * 15 + "bcdefghijklmnopqx"),
    ],
)
def test_what_reading_cannot_tell_apart_agrees(one: str, other: str) -> None:
    assert agree(folded(one), folded(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [("año", "ano"), ("Café", "Caffé"), ("Lote 4711", "Lote 4712"), ("SALE", ""), ("ab", "ba")],
)
def test_one_wrong_letter_in_a_short_text_does_not_agree(one: str, other: str) -> None:
    assert not agree(folded(one), folded(other))


def test_letters_without_counterpart_are_counted() -> None:
    assert slips("lemon", "lomen") == 2
    assert slips("", "abc") == 3
