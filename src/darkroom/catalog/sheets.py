"""CSV files of articles: what each row says, and what is wrong with it; pure."""

import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from darkroom.errors import Invalid

FIELD = "csv"
COLUMNS = ("id", "nombre", "descripcion", "unidad", "categoria", "activo", "imagen")
MOST_ROWS = 10_000
MOST_BYTES = 16 * 1024 * 1024
SEPARATORS = ",;\t"
UTF8, LATIN1 = "utf-8", "latin-1"
WORDS = {
    **dict.fromkeys(("si", "true", "verdadero", "yes", "1", "x"), True),
    **dict.fromkeys(("no", "false", "falso", "0"), False),
}
TEMPLATE = (
    "nombre,descripcion,unidad,categoria,activo,imagen\r\n"
    'Tornillo hexagonal 3/8,"Acero, galvanizado",caja,Tornillería,si,tornillo.jpg\r\n'
    "Tuerca 3/8,,pieza,Tornillería,si,https://example.com/tuerca.png\r\n"
)
"""A file to begin with: a picture of the ZIP, and one of the web."""


@dataclass(frozen=True)
class Row:
    """One row: where it stands, and what is in its cells (stripped) by column; empty ones too."""

    line: int
    cells: Mapping[str, str]
    is_too_long: bool = False


@dataclass(frozen=True)
class Sheet:
    """The rows of a file, and how its letters were written ("utf-8" or "latin-1")."""

    rows: Sequence[Row]
    encoding: str


def read(content: bytes) -> Sheet:
    """The rows of a file.

    Raises
    ------
    Invalid
        Where the file as a whole cannot be read; single rows are judged by whoever takes them.
    """
    if len(content) > MOST_BYTES:
        raise Invalid(f"The CSV is too large: at most {MOST_BYTES // 2**20} MB are allowed.", FIELD)
    text, encoding = _decoded(content)
    rows = list(_rows(text))
    if not rows:
        raise Invalid("The CSV holds no rows.", FIELD)
    if len(rows) > MOST_ROWS:
        raise Invalid(f"The CSV has more than {MOST_ROWS} rows: split it.", FIELD)
    return Sheet(rows, encoding)


def flag(said: str) -> bool:
    """Yes or no, as people write it; an empty cell is yes."""
    word = _plain(said)
    if word and word not in WORDS:
        raise Invalid(f"activo must be si or no, not {said[:60]!r}.", "activo")
    return WORDS.get(word, True)


def number(said: str) -> int:
    """The number of an article."""
    if not (said.isascii() and said.isdecimal() and 0 < int(said[:10]) < 2**31 and len(said) <= 10):
        raise Invalid(f"id must be the number of an article, not {said[:60]!r}.", "id")
    return int(said)


def _decoded(content: bytes) -> tuple[str, str]:
    text, encoding = _read_as_utf8(content), UTF8
    if text is None:
        text, encoding = _read_as_latin1(content), LATIN1
    if "\0" in text or not text.strip():
        raise Invalid("The CSV is empty, or is no text in UTF-8. Save it as “CSV UTF-8”.", FIELD)
    return text, encoding


def _read_as_utf8(content: bytes) -> str | None:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _read_as_latin1(content: bytes) -> str:
    try:
        # What Windows writes: Latin-1 with more signs in it.
        return content.decode("cp1252")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _rows(text: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    try:
        header = _header(next(reader))
        begins = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _row(begins, header, cells)
            begins = reader.line_num + 1
    except csv.Error as error:
        said = f"The CSV cannot be read at line {reader.line_num}: {error}."
        raise Invalid(said, FIELD) from None


def _row(line: int, header: Sequence[str], cells: Sequence[str]) -> Row:
    named = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if name}
    return Row(line, named, any(cell.strip() for cell in cells[len(header) :]))


def _separator(text: str) -> str:
    first = text.lstrip().split("\n", 1)[0]
    return max(SEPARATORS, key=first.count)


def _header(cells: Sequence[str]) -> list[str]:
    names = [_plain(cell) for cell in cells]
    for name in filter(None, names):
        if name not in COLUMNS:
            known = ", ".join(COLUMNS)
            raise Invalid(f"There is no column {name[:60]}. There are: {known}.", FIELD)
        if names.count(name) > 1:
            raise Invalid(f"The column {name} is there twice.", FIELD)
    if "nombre" not in names and "id" not in names:
        raise Invalid("The first line must name the columns, nombre at least.", FIELD)
    return names


def _plain(text: str) -> str:
    """In small letters, without accents and blanks around it."""
    letters = unicodedata.normalize("NFD", text.strip().casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
