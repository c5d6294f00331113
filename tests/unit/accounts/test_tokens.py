from darkroom.accounts import tokens


def test_api_tokens_bear_their_prefix_and_differ() -> None:
    first, second = tokens.new_api_token(), tokens.new_api_token()
    assert first.startswith("dk_")
    assert first != second
    assert len(first) >= 46


def test_digest_does_not_hold_the_token() -> None:
    token = tokens.new_api_token()
    assert len(tokens.digest(token)) == 32
    assert token.encode() not in tokens.digest(token)


def test_hint_shows_only_the_end() -> None:
    assert tokens.hint("dk_abcdefgh") == "dk_…efgh"
