"""CSV files of articles: what is read from them, and what is said of those that cannot be."""

import pytest

from darkroom.catalog import sheets
from darkroom.errors import Invalid


def cells(content: str | bytes) -> list[dict[str, str]]:
    raw = content.encode() if isinstance(content, str) else content
    return [dict(row.cells) for row in sheets.read(raw).rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf8_is_read_with_and_without_its_mark(encoding: str):
    sheet = sheets.read("nombre\nTuerca año".encode(encoding))
    assert (sheet.rows[0].cells, sheet.encoding) == ({"nombre": "Tuerca año"}, "utf-8")


def test_what_is_not_utf8_is_read_as_latin1_which_is_said():
    sheet = sheets.read("nombre,unidad\nTuerca año,10 €".encode("cp1252"))
    assert sheet.rows[0].cells == {"nombre": "Tuerca año", "unidad": "10 €"}
    assert sheet.encoding == "latin-1"


def test_columns_come_in_any_order_and_letters_with_any_separator():
    assert cells("Descripción;NOMBRE\n M8 ; Tuerca\n") == [
        {"descripcion": "M8", "nombre": "Tuerca"}
    ]


def test_cells_may_hold_separators_and_lines_and_rows_know_where_they_begin():
    sheet = sheets.read(b'nombre,descripcion\r\nA,"1, 2\nand 3"\r\n\r\nB,\r\n')
    assert [(row.line, row.cells["nombre"]) for row in sheet.rows] == [(2, "A"), (5, "B")]
    assert sheet.rows[0].cells["descripcion"] == "1, 2\nand 3"


def test_row_that_is_longer_than_the_header_is_marked():
    [row] = sheets.read(b"nombre,unidad\nTuerca,caja,10\n").rows
    assert row.is_too_long


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"nombre\n", "no rows"),
        (b"name\nTuerca\n", "no column name"),
        (b"nombre,Nombre\na,b\n", "twice"),
        (b"unidad\ncaja\n", "nombre at least"),
        (b'nombre\n"Tuerca\n', "line 2"),
        ("nombre\nTuerca".encode("utf-16"), "UTF-8"),
    ],
)
def test_file_that_cannot_be_read_is_refused_in_words(content: bytes, said: str):
    with pytest.raises(Invalid, match=said) as caught:
        sheets.read(content)
    assert caught.value.field == "csv"


@pytest.mark.parametrize(("said", "meant"), [("Sí", True), ("NO", False), ("1", True), ("", True)])
def test_yes_and_no_are_read_as_people_write_them(said: str, meant: bool):
    assert sheets.flag(said) is meant


def test_template_can_be_read_itself():
    assert [row.cells["nombre"] for row in sheets.read(sheets.TEMPLATE.encode()).rows] == [
        "Tornillo hexagonal 3/8",
        "Tuerca 3/8",
    ]


@pytest.mark.parametrize("said", ["0", "-1", "x", "1.5", "99999999999", "²"])
def test_what_is_no_number_of_an_article_is_refused(said: str):
    with pytest.raises(Invalid, match="id must be"):
        sheets.number(said)
