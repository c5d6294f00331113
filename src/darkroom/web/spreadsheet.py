"""CSV for spreadsheets: lines that open in one, and do nothing there."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime

FORMULA = "=+-@\t\r"


def line(values: Iterable[object]) -> str:
    """One line. A text that a spreadsheet would take for a formula gets an apostrophe before it."""
    text = io.StringIO()
    csv.writer(text).writerow([_harmless(value) for value in values])
    return text.getvalue()


def _harmless(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple(FORMULA) else value
