"""Spreadsheets, `.xlsx`: one sheet a table, its cells as they are shown.

openpyxl reads them, for it tells what a cell shows: the format that pads a code with zeros, and
which cells hold errors. It loads neither macros nor links.
"""

from __future__ import annotations

import io
import re
import shlex
import struct
import warnings
import zipfile
import zlib
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from elman.data.sources.files import fingerprint_of, read_bytes
from elman.data.sources.header import has_header
from elman.data.sources.skipped import notes_of_last_row
from elman.data.table import NO_HEADER, Table
from elman.errors import DataError, counted, import_extra

SUFFIXES = (".xlsx", ".xlsm")

LARGEST = 256 * 2**20
"""Greatest size in bytes of what a workbook unpacks to: its cells need several times as much."""

MOST_CELLS = 50_000_000
"""Greatest number of cells between the first and the last of a sheet, filled or not."""

SAMPLE = 1000
"""Number of rows from which it is found whether the first is a header."""

_DAMAGED = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What openpyxl raises, from wherever it is, when a part of a workbook is not as it should be."""

_OLD = b"\xd0\xcf\x11\xe0"
"""First bytes of workbooks before .xlsx, and of those with a password."""

_ZEROS = re.compile(r"0{2,}")
"""The format of a whole number that is shown with leading zeros."""

_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^]]*\]')
"""Literal text, colours and conditions in a format: a % in them is no per cent."""

Cell = str | int | float | bool | datetime | date | time | timedelta | None


class _Percent(float):
    """A number that is shown in per cent: 0.19 as 19%."""

    @property
    def shown(self) -> float:
        """The number before the sign, 19."""
        return float(f"{self * 100:.15g}")


class _Row(NamedTuple):
    """A row of a sheet that is not blank."""

    number: int
    """As the spreadsheet counts, from 1."""
    cells: list[Cell]


def read_excel(path: Path) -> Table:
    """Read a sheet of a workbook: the first that is neither hidden nor empty.

    Another one is chosen by its name after the path: `book.xlsx:Sheet 2`. Header and names of
    columns are found as in delimited files; blank rows, and titles above the table, are left out.
    Text stays as it is, with its zeros; whole numbers are whole; dates are strings such as
    2024-01-31. A cell that is merged over several rows holds its value in each. What is assumed
    is noted.

    Raises:
        DataError: the file is no workbook or damaged, has no such sheet, or the sheet has no
            rows.
        MissingDependencyError: openpyxl is not installed.
    """
    path, chosen = split_sheet(path)
    openpyxl = import_extra("openpyxl", "excel", "reading a spreadsheet")
    content = read_bytes(path)
    _refuse_what_is_no_workbook(path, content)
    notes: list[str] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of parts that hold no cells: charts, validation
            book = openpyxl.load_workbook(
                io.BytesIO(content), data_only=True, keep_links=False, rich_text=False
            )
            sheet = _sheet(path, book, chosen, notes)
            rows = _rows(path, sheet, notes)
    except _DAMAGED as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{path} is damaged, or no workbook that can be read ({error}). Open it in a "
            "spreadsheet program and save it again, or save the sheet as CSV."
        ) from error
    name = path.name if chosen is None else f"{path.name}:{chosen}"
    names, rows = _table(path, name, rows, notes)
    first = next(iter(names))
    notes += notes_of_last_row(f"{name}, row {rows[-1].number}", _text(rows[-1].cells[first]))
    columns = {
        column: _column([row.cells[place] for row in rows], rows, f"{column!r} of {name}", notes)
        for place, column in names.items()
    }
    table = Table.from_columns(
        columns,
        name,
        where=lambda row: f"{name}, row {rows[row].number}",
        fingerprint=f"{fingerprint_of([path])} {sheet.title}",
        notes=notes,
    )
    in_percent = [
        column
        for place, column in names.items()
        if _are_percent([row.cells[place] for row in rows])
    ]
    return table.with_columns({}, units=dict.fromkeys(in_percent, "%"))


def split_sheet(path: Path) -> tuple[Path, str | None]:
    """Split the name of a sheet from a path: `book.xlsx:Sheet 2`; None where there is none."""
    text = str(path)
    for suffix in SUFFIXES:
        place = text.lower().rfind(f"{suffix}:")
        if place >= 0 and not path.exists():
            end = place + len(suffix)
            return Path(text[:end]), text[end + 1 :]
    return path, None


def _refuse_what_is_no_workbook(path: Path, content: bytes) -> None:
    if content.startswith(_OLD):
        raise DataError(
            f"{path} is an old workbook, or one with a password. Save it as .xlsx without a "
            "password, or save the sheet as CSV."
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError, struct.error, NotImplementedError) as error:
        raise DataError(
            f"{path} is not a complete workbook: {error}. Copy or save it again; a text file needs "
            "a suffix such as .csv."
        ) from error
    if size > LARGEST:
        raise DataError(
            f"{path} unpacks to {size / 2**20:,.0f} MB, and at most {LARGEST // 2**20} MB are read "
            "from a workbook. Save the sheet as CSV."
        )


def _sheet(path: Path, book: Any, chosen: str | None, notes: list[str]) -> Any:
    """Choose a sheet; where there are several the others are noted."""
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    if chosen is not None:
        if chosen not in sheets:
            known = ", ".join(map(repr, sheets))
            raise DataError(f"{path} has no sheet {chosen!r}; its sheets are {known}.")
        return sheets[chosen]
    filled = [sheet for sheet in sheets.values() if sheet.max_row > 1 or sheet.max_column > 1]
    shown = [sheet for sheet in filled if sheet.sheet_state == "visible"]
    sheet = next(iter(shown or filled), None)
    if sheet is None:
        raise DataError(f"{path} contains no rows: its sheets are empty.")
    others = [other.title for other in filled if other is not sheet]
    if others:
        example = shlex.quote(f"{path}:{others[0]}")
        notes.append(
            f"{path.name}: the sheet {sheet.title!r} was read, and not "
            f"{', '.join(map(repr, others))}; for another one write {example}."
        )
    return sheet


def _rows(path: Path, sheet: Any, notes: list[str]) -> list[_Row]:
    """Return the rows of a sheet that are not blank."""
    if sheet.max_row * sheet.max_column > MOST_CELLS:
        raise DataError(
            f"{path}: the sheet {sheet.title!r} reaches to row {sheet.max_row:,} and column "
            f"{sheet.max_column:,}. Delete the cells far outside the table, or save it as CSV."
        )
    errors: list[tuple[str, str]] = []
    rows = []
    merged = _values_below(sheet)
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        values = [_value(cell, errors) for cell in cells]
        if any(value is not None for value in values):
            for place, value in merged.get(number, {}).items():
                values[place] = value
            rows.append(_Row(number, values))
    if errors:
        first, error = errors[0]
        notes.append(
            f"{counted(len(errors), 'cell')} of {path.name} held errors, the first in {first} "
            f"{error}, and were read as missing."
        )
    if any(row.number in merged for row in rows):
        notes.append(
            f"{path.name}: the value of a cell that is merged over several rows was read in each."
        )
    return rows


def _values_below(sheet: Any) -> dict[int, dict[int, Cell]]:
    """Return the cells that are merged with the one above: row → place of the column → value."""
    below: dict[int, dict[int, Cell]] = {}
    for area in sheet.merged_cells.ranges:
        value = _value(sheet.cell(area.min_row, area.min_col), [])
        for number in range(area.min_row + 1, area.max_row + 1):
            below.setdefault(number, {})[area.min_col - 1] = value
    return below


def _value(cell: Any, errors: list[tuple[str, str]]) -> Cell:
    """Return what a cell shows; an error is missing and added to a list."""
    value: Cell = cell.value
    if cell.data_type == "e":
        errors.append((cell.coordinate, str(value)))
        return None
    if type(value) is int and _ZEROS.fullmatch(cell.number_format) and value >= 0:
        return f"{value:0{len(cell.number_format)}}"
    if _is_number(value) and "%" in _QUOTED.sub("", cell.number_format):
        return _Percent(value)
    return None if isinstance(value, str) and not value.strip() else value


def _table(
    path: Path, name: str, rows: list[_Row], notes: list[str]
) -> tuple[dict[int, str], list[_Row]]:
    """Return the columns, place → name, and the rows below the header."""
    while len(rows) > 1 and _filled(rows[0]) == 1 < max(map(_filled, rows[1:])):
        title = next(_text(cell) for cell in rows[0].cells if cell is not None)
        notes.append(
            f"{name}, row {rows[0].number}: {title[:60]!r} stands above the table and was left out."
        )
        rows = rows[1:]
    places = [p for p in range(len(rows[0].cells)) if any(r.cells[p] is not None for r in rows)]
    numbered = {place: f"column_{number}" for number, place in enumerate(places, start=1)}
    records = [[_text(row.cells[place]) for place in places] for row in rows[:SAMPLE]]
    if not has_header(records):
        notes.append(f"{name} {NO_HEADER}; its columns are {', '.join(numbered.values())}.")
        return numbered, rows
    if len(rows) == 1:
        raise DataError(f"{path} has a header ({', '.join(records[0])}) and no rows.")
    names = {p: _text(rows[0].cells[p]).strip() or numbered[p] for p in places}
    for column in names.values():
        if (count := list(names.values()).count(column)) > 1:
            raise DataError(
                f"{path} has {count} columns named {column!r}. Give every column a name of its own."
            )
    return names, rows[1:]


def _filled(row: _Row) -> int:
    return sum(cell is not None for cell in row.cells)


def _column(cells: list[Cell], rows: list[_Row], title: str, notes: list[str]) -> Any:
    """Return a column: text, numbers, truth values, or times as strings; text where these mix."""
    import pyarrow as pa

    cells = _without_percent(cells, rows, title, notes)
    kinds: dict[str, int] = {}
    for cell, row in zip(cells, rows, strict=True):
        if cell is not None:
            kinds.setdefault(_kind(cell), row.number)
    if not kinds:
        notes.append(
            f"column {title} is empty. If its cells are formulas, open the workbook in a "
            "spreadsheet program and save it: their values are stored then."
        )
    elif len(kinds) > 1:
        each = " and ".join(f"{kind} in row {number}" for kind, number in kinds.items())
        notes.append(f"column {title} holds {each}; all its values were read as text.")
    elif "a number" in kinds:
        numbers = [int(n) if isinstance(n, float) and n.is_integer() else n for n in cells]
        whole = all(n is None or (isinstance(n, int) and abs(n) < 2**63) for n in numbers)
        return pa.array(numbers if whole else cells, pa.int64() if whole else pa.float64())
    elif "a truth value" in kinds:
        return pa.array(cells, pa.bool_())
    dated = any(isinstance(cell, datetime) and cell.time() != time() for cell in cells)
    texts = [None if cell is None else _text(cell, with_time=dated) for cell in cells]
    return pa.array(texts, pa.string())


def _without_percent(
    cells: list[Cell], rows: list[_Row], title: str, notes: list[str]
) -> list[Cell]:
    """Read numbers that are shown in per cent as a CSV file has them, if a column has no others."""
    if not any(isinstance(cell, _Percent) for cell in cells):
        return cells
    place = next(place for place, cell in enumerate(cells) if isinstance(cell, _Percent))
    telling = (place for place, cell in enumerate(cells) if isinstance(cell, _Percent) and cell)
    place = next(telling, place)
    first = cells[place]
    assert isinstance(first, _Percent)
    if _are_percent(cells):
        notes.append(
            f"column {title} is shown in per cent: {float(first)!r} is read as {first.shown:.15g}, "
            "as it would be in a CSV file."
        )
        return [cell.shown if isinstance(cell, _Percent) else cell for cell in cells]
    plain = next(row.number for cell, row in zip(cells, rows, strict=True) if _is_plain(cell))
    notes.append(
        f"column {title} is shown in per cent in row {rows[place].number} and not in row {plain}; "
        f"its numbers are read as the workbook keeps them, {float(first)!r} for "
        f"{first.shown:.15g}%. If that is not what is meant, give the column one format."
    )
    return [float(cell) if isinstance(cell, _Percent) else cell for cell in cells]


def _are_percent(cells: list[Cell]) -> bool:
    """Tell whether a column has numbers, all of which are shown in per cent."""
    numbers = [isinstance(cell, _Percent) for cell in cells if _is_number(cell)]
    return bool(numbers) and all(numbers)


def _is_number(cell: Cell) -> TypeGuard[int | float]:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _is_plain(cell: Cell) -> bool:
    return _is_number(cell) and not isinstance(cell, _Percent)


def _kind(cell: Cell) -> str:
    if isinstance(cell, str):
        return "text"
    if isinstance(cell, bool):
        return "a truth value"
    return "a number" if isinstance(cell, int | float) else "a time"


def _text(cell: Cell, *, with_time: bool = False) -> str:
    """Return a cell as a CSV file would hold it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, datetime):
        midnight = cell.time() == time() and not with_time
        return cell.date().isoformat() if midnight else cell.isoformat(sep=" ")
    if isinstance(cell, timedelta):
        minutes, seconds = divmod(int(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    return str(cell)
