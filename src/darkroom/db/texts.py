"""Which texts Postgres takes."""


def is_storable(text: str) -> bool:
    """False for a text with NUL or half a character (a lone surrogate), which Postgres refuses."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
