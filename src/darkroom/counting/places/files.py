"""Files of places and products, CSV or GeoJSON, as rows of fields; pure."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from darkroom.counting.places.kinds import KINDS, LOCATIONS, Kind
from darkroom.errors import Invalid

MOST_ROWS = 5000
MOST_BYTES = 8 * 1024 * 1024
FIELD = "file"
KIND_COLUMN = "kind"
EXPECTED = {
    "expected_product": "expected_product_id",
    "expected_product_state": "expected_product_state_id",
    "expected_container_type": "expected_container_type_id",
    "counts_whole_location": "counts_whole_location",
}
"""What a row of a location may say of its configuration, and the field it goes to."""

ALIASES = {
    "geojson": "geojson_coordinates",
    "outline": "geojson_coordinates",
    "area": "storage_area_id",
    "location": "storage_location_id",
}
"""Other names that columns go by."""


@dataclass(frozen=True)
class Row:
    """One row of a file.

    Parameters
    ----------
    line
        Where it stands: the line of a CSV file, the number of the feature of a GeoJSON file.
    given
        What it says, by column; as it stands in the file.
    """

    line: int
    given: dict[str, Any] = field(default_factory=dict)

    @property
    def said_kind(self) -> str:
        """What it says it is, or nothing."""
        return str(self.given.get(KIND_COLUMN) or "").strip()


def read(content: bytes, filename: str) -> list[Row]:
    """The rows of a file; by its content it is GeoJSON or CSV.

    Raises
    ------
    Invalid
        Where the file as a whole cannot be read; single rows are judged later.
    """
    if len(content) > MOST_BYTES:
        limit = MOST_BYTES // 2**20
        raise Invalid(f"The file “{filename}” is too large: at most {limit} MB are allowed.", FIELD)
    text = _decoded(content, filename)
    if not text.strip():
        raise Invalid(f"The file “{filename}” is empty.", FIELD)
    rows = list(_features(text) if text.lstrip().startswith(("{", "[")) else _lines(text))
    if not rows:
        raise Invalid("The file holds no rows.", FIELD)
    if len(rows) > MOST_ROWS:
        raise Invalid(f"The file has more than {MOST_ROWS} rows: split it.", FIELD)
    return rows


def kind_of(row: Row, usual: Kind) -> Kind:
    """What a row is of: what it says itself, or the kind chosen for the file."""
    said = row.said_kind.lower().replace("_", "-").replace(" ", "-")
    if not said:
        return usual
    for kind in KINDS.values():
        if said in {kind.name, kind.name.removesuffix("s"), kind.one.lower().replace(" ", "-")}:
            return kind
    raise Invalid(f"There is no kind “{row.said_kind}”. There are: {', '.join(KINDS)}.", "kind")


def values_of(row: Row, kind: Kind) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a row says by field name, of itself and (a location) of what is expected there.

    Raises
    ------
    Invalid
        Naming a column that says nothing.
    """
    names = _columns(kind)
    own: dict[str, Any] = {}
    expected: dict[str, Any] = {}
    for column, value in row.given.items():
        name = column.strip().lower()
        # An empty cell says nothing: it leaves what is there.
        if name in (KIND_COLUMN, "problem") or value is None or value == "":
            continue
        if kind is LOCATIONS and name in EXPECTED:
            expected[EXPECTED[name]] = value
        elif name in names:
            own[names[name]] = value
        else:
            raise Invalid(
                f"There is no field called {column[:60]}. There are: {', '.join(columns(kind))}.",
                column[:60],
            )
    return _with_point(own, kind), expected


def column_of(row: Row, name: str) -> str:
    """The column of a row that holds a field, as the file calls it; the field where none does."""
    for column in row.given:
        said = column.strip().lower()
        if ALIASES.get(said, said) in (name, name.removesuffix("_id")):
            return column
    return name


def columns(kind: Kind) -> list[str]:
    """The columns that a file of a kind may have."""
    return own_columns(kind) + (list(EXPECTED) if kind is LOCATIONS else [])


def own_columns(kind: Kind) -> list[str]:
    """The columns of a kind's own fields, references without their “_id”."""
    return [one.name.removesuffix("_id") for one in kind.fields if one.name != "ml_user_id"]


def table(header: Sequence[str], rows: Sequence[Mapping[str, str]]) -> str:
    """Rows by field name as CSV under these columns."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    for row in rows:
        cells = {name.removesuffix("_id"): value for name, value in row.items()}
        writer.writerow([_cell(cells[name]) for name in header])
    return text.getvalue()


def as_csv(rows: Sequence[Row], problems: Mapping[int, str]) -> str:
    """Rows as they were given, as CSV with what is wrong with each in the column `problem`."""
    names = list(dict.fromkeys(name for row in rows for name in row.given if name != "problem"))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*names, "problem"])
    for row in rows:
        cells = [_cell(row.given.get(name)) for name in names]
        writer.writerow([*cells, problems[row.line]])
    return text.getvalue()


def _columns(kind: Kind) -> dict[str, str]:
    """Field names by the columns that may hold them."""
    names = {one.name: one.name for one in kind.fields}
    names |= {one.name.removesuffix("_id"): one.name for one in kind.fields}
    names |= {column: name for column, name in ALIASES.items() if name in names}
    return names | ({"latitude": "latitude", "longitude": "longitude"} if kind is LOCATIONS else {})


def _with_point(values: dict[str, Any], kind: Kind) -> dict[str, Any]:
    latitude, longitude = values.pop("latitude", None), values.pop("longitude", None)
    if kind is LOCATIONS and (latitude or longitude) and not values.get("geospatial_point"):
        decimal = [str(part or "").strip().replace(",", ".") for part in (latitude, longitude)]
        values["geospatial_point"] = ", ".join(decimal)
    return values


def _decoded(content: bytes, filename: str) -> str:
    for encoding in ("utf-8-sig", "utf-16") if content[:2] in _BOMS else ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Invalid(f"“{filename}” is neither text in UTF-8 nor the CSV of a spreadsheet.", FIELD)


_BOMS = (b"\xff\xfe", b"\xfe\xff")


def _features(text: str) -> Iterator[Row]:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"The file is not readable as GeoJSON: {error}.", FIELD) from None
    if isinstance(given, dict) and given.get("type") == "Feature":
        given = {"type": "FeatureCollection", "features": [given]}
    features = given.get("features") if isinstance(given, dict) else None
    if not isinstance(features, list):
        raise Invalid("The file is no GeoJSON FeatureCollection.", FIELD)
    for number, feature in enumerate(features, start=1):
        yield Row(number, _of_feature(feature))


def _of_feature(feature: object) -> dict[str, Any]:
    if not isinstance(feature, dict):
        return {}
    properties = feature.get("properties")
    given = dict(properties) if isinstance(properties, dict) else {}
    geometry = feature.get("geometry")
    if isinstance(geometry, dict):
        name = "geospatial_point" if geometry.get("type") == "Point" else "geojson_coordinates"
        given[name] = geometry
    return given


def _lines(text: str) -> Iterator[Row]:
    try:
        reader = csv.reader(io.StringIO(text, newline=""), _dialect(text), strict=True)
        header = [name.strip() for name in next(reader)]
        _check_header(header)
        begins = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield Row(begins, _of_cells(header, cells))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise Invalid(f"The file is not readable as CSV: {error}.", FIELD) from None


def _dialect(text: str) -> type[csv.Dialect]:
    """Commas, or the semicolons and tabs of spreadsheets, whichever its first line has most of."""
    first = text.lstrip().split("\n", 1)[0]

    class Found(csv.excel):
        delimiter = max(",;\t", key=first.count)

    return Found


def _check_header(header: Sequence[str]) -> None:
    named = [name for name in header if name]
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice is not None:
        raise Invalid(f"The column {twice[:60]} is there twice.", FIELD)
    if "code" not in [name.lower() for name in named] and len(named) < 2:
        raise Invalid("The first line must name the columns, such as code,name,area.", FIELD)


def _of_cells(header: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
    given: dict[str, Any] = {name: cell for name, cell in zip(header, cells, strict=False) if name}
    left = [cell for cell in cells[len(header) :] if cell.strip()]
    # A value with a comma in it that was not quoted: named, rather than lost.
    return given | ({"(beyond the last column)": ", ".join(left)} if left else {})


def _cell(value: object) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value)
    text = "" if value is None else str(value)
    # A spreadsheet would take it for a formula; numbers stay what they are.
    harmless = text[:1] not in "=+@\t\r" and not (text[:1] == "-" and not text[1:2].isdigit())
    return text if not text or harmless else f"'{text}"
