"""Columns of text that hold numbers, found once it is known what each column is for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from elman.data.arrow import is_number, is_text
from elman.data.number_formats import EXACT, Numbers, Words, read_numbers, read_truths
from elman.data.strays import FEW, strays_of
from elman.data.table import Table
from elman.data.units import check_units
from elman.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

DecimalMark = str | Mapping[str, str]
"""`.` or `,` of all columns, or of each column where they differ."""

NOT_NUMBERS = "is not read as numbers"
"""Part of the note on a column of mostly numbers that stays as it is written."""

FEW_STRAYS = "such."
"""End of the note where the column can be read as numbers with some cells missing."""

MANY_STRAYS = ", too many to leave out."
"""End of the note where the column cannot be read as numbers before its cells are corrected."""

FEW_CLASSES = 20
"""Maximum number of distinct whole numbers of a target that is a category."""


def with_numbers(
    table: Table,
    *,
    required: Collection[str] = (),
    likely: Collection[str] = (),
    classes: Collection[str] = (),
    decimal: DecimalMark | None = None,
    units: Mapping[str, str] | None = None,
) -> tuple[Table, DecimalMark | None]:
    """Read columns of text as numbers; the table keeps what was written, for printing.

    Args:
        table: as it was read; only its columns of text are looked at.
        required: columns that must hold numbers.
        likely: columns that are numbers if all of their cells are; others stay as written.
        classes: columns among these that stay as written where they hold few distinct whole
            numbers, which are names of classes.
        decimal: decimal mark, where the cells leave it open.
        units: column → its unit in training, of those that had one; None where it is not known.

    Returns:
        The table, and the decimal mark that was settled on, None where no cell depends on it.

    Raises:
        DataError: a cell of a required column is no number, or is in another unit than training.
    """
    texts = [name for name in table.columns if is_text(table.column(name).type)]
    wanted = [name for name in texts if name in required or name in likely]
    read = {name: _read(table, name, None, strict=name not in required) for name in wanted}
    settled = [each for each in read.values() if isinstance(each, Numbers) and not each.open_mark]
    proven = {each.decimal for each in settled} - {None}
    seen = proven.pop() if len(proven) == 1 else None
    columns, notes, used = dict[str, Any](), list[str](), dict[str, str]()
    written_in = dict[str, str]()
    for name, numbers in read.items():
        if isinstance(numbers, Numbers) and numbers.open_mark:
            # A semicolon between cells suggests a decimal comma, and nothing about a point.
            mark = decimal if isinstance(decimal, str) else (decimal or {}).get(name)
            mark = mark or seen or (table.decimal if numbers.open_mark == "," else None)
            if mark is not None:
                numbers = _read(table, name, mark, strict=name not in required)
        if isinstance(numbers, Words):
            if name in required:
                raise _no_number(table, name, numbers)
            notes += _stray(table, name, numbers, decimal)
            continue
        if name in classes and name not in required and _are_classes(numbers.values):
            continue
        columns[name], written_in[name] = numbers.values, numbers.unit or table.units.get(name, "")
        notes += _notes(table, name, numbers, asked=decimal is not None)
        if numbers.decimal is not None:
            used[name] = numbers.decimal
    table = table.with_columns(columns, notes=notes, units=written_in)
    table.notes += check_units(table, {*required, *likely}, units)
    return table, used if len(set(used.values())) > 1 else next(iter(used.values()), None)


def hold_numbers(
    table: Table, columns: Collection[str], *, classes: Collection[str] = ()
) -> frozenset[str]:
    """Return those of some columns that hold numbers, not few whole numbers that are classes.

    Args:
        table: after `with_numbers`.
        columns: names of columns, of which the table may lack some.
        classes: as for `with_numbers`.
    """
    return frozenset(
        name
        for name in table.columns
        if name in columns and is_number(table.column(name).type)
        if not (name in classes and _are_classes(table.arrow(name)))
        if not are_inexact(table.arrow(name))
    )


def are_inexact(values: pa.ChunkedArray) -> bool:
    """Tell whether whole numbers are too large to be exact, as those of identifiers may be."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_integer(values.type) or len(values) == values.null_count:
        return False
    least, most = pc.min_max(values).as_py().values()
    return bool(most > EXACT or least < -EXACT)


def _read(table: Table, name: str, decimal: str | None, *, strict: bool) -> Numbers | Words:
    numbers = read_numbers(table.arrow(name), decimal, strict=strict)
    if isinstance(numbers, Words) and not strict:
        truths = read_truths(table.arrow(name))
        return numbers if truths is None else truths
    return numbers


def _are_classes(values: pa.Array) -> bool:
    """Tell whether numbers are few, whole and repeated, so that a target's are classes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    present = values.drop_null()
    if not pa.types.is_integer(values.type):
        whole = pc.all(pc.equal(pc.floor(present), present)).as_py()
        if not whole or pc.any(pc.is_inf(present)).as_py():
            return False
    return bool(pc.count_distinct(present).as_py() <= min(FEW_CLASSES, len(present) / 2))


def _notes(table: Table, name: str, numbers: Numbers, *, asked: bool) -> list[str]:
    if not numbers.notes:
        return []
    note = f"column {name!r} of {table.source} holds numbers: {'; '.join(numbers.notes)}."
    if numbers.open_mark and not asked:
        note += " If the mark is meant otherwise, set data.decimal to '.' or ',' (--set decimal=,)."
    return [note]


def _stray(table: Table, name: str, words: Words, decimal: DecimalMark | None) -> list[str]:
    """Return a note on a column of mostly numbers that is text, with the cell that makes it so."""
    if words.share < 0.5:
        return []
    cell = table.column(name)[words.row]
    begin = f"column {name!r} {NOT_NUMBERS}: {table.where(words.row)} holds"
    note = f"{begin} {str(cell)[:60]!r}, which {words.why}"
    mark = decimal if isinstance(decimal, str) else (decimal or {}).get(name)
    strays = None
    if words.wrong is not None:
        strays = strays_of(table.arrow(name), mark, most=FEW, found=words)
    if strays is None:
        return [f"{note}{'.' if words.wrong is None else MANY_STRAYS}"]
    are = "is" if strays.number == 1 else "are"
    note += f"; {strays.number:,} of {strays.present:,} cells {are} "
    return [note + (FEW_STRAYS if strays.are_few else f"such{MANY_STRAYS}")]


def _no_number(table: Table, name: str, words: Words) -> DataError:
    cell = table.column(name)[words.row]
    begin = f"{table.where(words.row)}, column {name}: {str(cell)[:60]!r} {words.why}, and the "
    strays = None
    if words.wrong is not None:
        strays = strays_of(table.arrow(name), most=0.0, found=words)
    if strays is None or strays.number == 1:
        return DataError(
            f"{begin}column must hold numbers. Correct the cell, or leave it empty where the "
            "number is missing."
        )
    return DataError(
        f"{begin}column must hold numbers; {strays.number:,} of its {strays.present:,} cells are "
        "such. Correct these cells, or leave them empty where the number is missing."
    )
