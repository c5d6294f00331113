import pytest
from argon2 import PasswordHasher

from darkroom.accounts import passwords
from darkroom.errors import Invalid


def test_password_of_ten_characters_is_taken() -> None:
    assert passwords.check_new("0123456789") == "0123456789"


@pytest.mark.parametrize("password", ["", "012345678", "x" * 201])
def test_password_of_wrong_length_is_refused_by_name(password: str) -> None:
    with pytest.raises(Invalid) as caught:
        passwords.check_new(password)
    assert caught.value.field == "password"


def test_hash_matches_only_its_password() -> None:
    kept = passwords.hashed("a short sentence")
    assert passwords.matches("a short sentence", kept)
    assert not passwords.matches("another sentence", kept)


def test_nothing_matches_where_there_is_no_hash() -> None:
    assert not passwords.matches("nobody has this password", None)


def test_broken_hash_matches_nothing() -> None:
    assert not passwords.matches("a short sentence", "not a hash")


def test_hash_with_other_parameters_is_outdated() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("a short sentence")
    assert passwords.outdated(weak)
    assert not passwords.outdated(passwords.hashed("a short sentence"))
