"""Numbers as people write them: which columns of text hold them, and what they are.

A column of text holds numbers if every cell that is not missing is a number, all in one format:

| written                        | read as            | because                                  |
| ------------------------------ | ------------------ | ---------------------------------------- |
| `12`, `-3.5`, `1e5`, `inf`     | itself             | plain                                    |
| `3,5`                          | 3.5                | a decimal comma                          |
| `1,000,775.50`, `1.000.775,50` | 1000775.5          | thousands marks: `,` `.` `'` or a space  |
| `$5`, `5 €`, `USD 5`, `42 %`   | 5, 5, 5, 42        | one currency, or all per cent            |
| `(5)`                          | −5                 | as accounts write it                     |
| `NA`, `null`, `?`, `-`         | missing            | one of `MISSING`                         |
| `0010`                         | text               | a leading zero: a code                   |
| `9007199254740993`             | text               | beyond 2⁵³: an identifier, not a measure |
| `1E5`, and all others like it  | text               | a code: measures have points or signs    |

Whether `1,234` is 1234 or 1.234 is settled by the other cells of the column; else by the decimal
mark that is asked for, by the other columns of the table, or by what suits its source; else it is
1234. A column that holds no numbers stays as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from elman.data.arrow import as_text
from elman.errors import counted

if TYPE_CHECKING:
    import pyarrow as pa

MISSING = (
    *("", "na", "n/a", "n.a.", "<na>", "nan", "-nan", "nat", "null", "(null)", "none", "nil"),
    *("?", "-", "--", "–", "—", "."),
    *("#n/a", "#na", "#null!", "#div/0!", "#value!", "#ref!", "#name?", "#num!"),
)
"""Cells that stand for a missing number, in lower case; the last are errors of spreadsheets."""

EXACT = 2**53
"""Whole numbers beyond it are not exact in floating point."""

PLAIN = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
"""Regular expression of a plain number."""

PROBED = 1_000
"""Cells at the start of a longer column that are looked at first."""

_INFINITE = r"[-+]?(?:inf|Inf|INF|infinity|Infinity)"
_PLAIN = f"^(?:{PLAIN}|{_INFINITE})$"
_CODE = r"[-+]?0\d+"
_DIAGNOSIS = r"^\d+[Ee]\d+$"
"""Regular expression of cells that are codes where a column has no others: 1E5, 2E10."""

_CURRENCIES = (
    r"[$€£¥₹₩₽₺₪฿₫₴]|(?:US|CA|AU|NZ|HK|R|C|A)\$|CHF|EUR|USD|GBP|JPY|CNY|INR|AUD|CAD|SEK|NOK|DKK|"
    r"PLN|CZK|HUF|BRL|MXN|ZAR|KRW|RUB|TRY|Fr\.|kr\.?|zł|Kč|Ft|Rs\.?"
)
_MARKED = (
    r"^(?P<open>\(?)(?P<sign>[-+]?) ?(?P<before>" + _CURRENCIES + r")? ?(?P<inner>[-+]?)"
    r"(?P<body>\d(?:[\d.,' ]*\d)?[.,]?(?:[eE][-+]?\d+)?|[.,]\d+) ?(?P<after>"
    + _CURRENCIES
    + r"|%)?"
    r"(?P<close>\)?)$"
)
_FORMATS = ((".", ""), (",", ""), (".", ","), (",", "."), (".", " "), (",", " "), (".", "'"))
"""Decimal mark and thousands mark, tried in this order."""


class Numbers(NamedTuple):
    """The numbers of a column of text."""

    values: Any
    """Arrow array of int64 or float64, null where a number is missing."""
    decimal: str | None
    """Decimal mark by which they were read, `.` or `,`; None where no cell depends on it."""
    open_mark: str
    """Mark that may as well separate thousands, or decimals; empty where the cells settle it."""
    notes: list[str]
    """What was read in another way than it stands, a clause each."""
    unit: str = ""
    """The currency, or `%`, as it is written; empty where the cells have none."""


class Words(NamedTuple):
    """Why a column of text holds no numbers."""

    row: int
    """The first row whose cell breaks the rule."""
    why: str
    """In words, after the cell: `is no number`."""
    share: float
    """Share of cells, without missing ones, that are numbers."""
    present: int = 1
    """Cells that are not missing, or 1 for any number of them."""
    wrong: Any = None
    """Which cells break the rule, an Arrow array; None where only the first is known."""


def read_numbers(
    column: pa.ChunkedArray, decimal: str | None = None, *, strict: bool = True
) -> Numbers | Words:
    """Read a column of text as numbers, or say why it holds none.

    Args:
        column: of text.
        decimal: decimal mark, where the cells leave it open.
        strict: whether codes and identifiers are no numbers.
    """
    cells = as_text(column)
    if len(cells) > 2 * PROBED:  # one word among the first makes a long column text
        first = _read(cells.slice(0, PROBED), decimal, strict=strict)
        if isinstance(first, Words) and first.present > 0 and first.share < 0.5:
            return first._replace(wrong=None)
    return _read(cells, decimal, strict=strict)


def _read(cells: pa.Array, decimal: str | None, *, strict: bool) -> Numbers | Words:
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.utf8_trim_whitespace(cells)
    notes: list[str] = []
    cells = without_cells(text, pc.equal(text, ""))
    values = _cast_at_once(cells)
    if values is None:
        absent = pc.is_in(pc.utf8_lower(text), value_set=pa.array(MISSING, pa.large_string()))
        absent = pc.or_(absent, text.is_null())
        cells = without_cells(text, absent)
        if cells.null_count == len(cells):
            return Words(0, "is no number", 0.0, 0)
        notes = _missing_marks(text, absent)
    plain = pc.match_substring_regex(cells, _PLAIN) if values is None else cells.is_valid()
    if values is not None or pc.all(plain).as_py():
        code = _code_in(cells) if strict else None
        if code is not None:
            return code
        dotted = pc.any(pc.match_substring(cells, ".")).as_py()
        grouped = dotted and _fits(cells, ",", ".")
        if not (grouped and decimal == ","):
            values = _cast(cells) if values is None else values
            return Numbers(values, "." if dotted else None, "." * grouped, notes)
    return _marked_numbers(cells, decimal, notes, plain)


def without_cells(text: pa.Array, absent: pa.Array) -> pa.Array:
    """Return cells with some of them missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pc.any(absent).as_py():
        return text
    return pc.replace_with_mask(text, absent.fill_null(False), pa.scalar(None, pa.large_string()))


def _cast_at_once(cells: pa.Array) -> pa.Array | None:
    """Cast cells that are all plain numbers, as most columns of numbers are; None if one is not."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if cells.null_count == len(cells):
        return None
    for kind in (pa.int64(), pa.float64()):
        try:
            values = cells.cast(kind)
        except pa.ArrowInvalid:
            continue
        if pa.types.is_floating(kind):
            return None if pc.any(pc.is_nan(values)).as_py() else values
        hexadecimal = (pc.any(pc.starts_with(cells, mark)).as_py() for mark in ("0x", "0X"))
        return None if any(hexadecimal) else values
    return None


def looks_like_numbers(texts: Iterable[str]) -> list[float] | None:
    """Return the numbers that some texts are by the rule for columns; None if they are none."""
    import pyarrow as pa

    numbers = read_numbers(pa.chunked_array([pa.array(list(texts), pa.large_string())]))
    if isinstance(numbers, Words) or numbers.values.null_count:
        return None
    return [float(value) for value in numbers.values.to_pylist()]


def read_truths(column: pa.ChunkedArray) -> Numbers | None:
    """Read true and false as 1 and 0; None for any other column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.utf8_lower(pc.utf8_trim_whitespace(as_text(column)))
    is_truth = pc.is_in(text, value_set=pa.array(["true", "false"], pa.large_string()))
    absent = pc.is_in(text, value_set=pa.array(MISSING, pa.large_string()))
    known = pc.or_(pc.or_(is_truth, absent), text.is_null())
    if not pc.all(known).as_py():
        return None
    values = pc.if_else(is_truth, pc.equal(text, "true").cast(pa.int64()), None)
    return Numbers(values, None, "", [])


def _code_in(cells: pa.Array) -> Words | None:
    """Find a whole number with a leading zero, or one that is too large to be exact."""
    import pyarrow.compute as pc

    first = cells.slice(0, PROBED)
    if all(pc.all(pc.match_substring_regex(part, _DIAGNOSIS)).as_py() for part in (first, cells)):
        row = pc.index(cells.is_valid(), True).as_py()
        return Words(row, "is written like a code, with an E between digits", 1.0)
    zeros = pc.starts_with(cells, "0")
    for sign in "-+":
        zeros = pc.or_(zeros, pc.starts_with(cells, f"{sign}0"))
    long = pc.greater_equal(pc.binary_length(cells), 16)
    for likely, pattern, why in (
        (zeros, f"^{_CODE}$", "has a leading zero, as codes have"),
        (long, r"^[-+]?\d{16,}$", "has too many digits to be a measured number"),
    ):
        rows = pc.indices_nonzero(likely.fill_null(False))
        found = pc.match_substring_regex(cells.take(rows), pattern)
        for row in rows.filter(found).to_pylist():
            if why.startswith("has a") or abs(int(cells[row].as_py())) > EXACT:
                return Words(row, why, 1.0)
    return None


def _marked_numbers(
    cells: pa.Array, decimal: str | None, notes: list[str], plain: pa.Array
) -> Numbers | Words:
    """Read numbers with thousands marks, decimal commas, currencies and per cent signs.

    Args:
        cells: of text, without those that stand for a missing number.
        decimal: decimal mark, where the cells leave it open.
        notes: of what was assumed before.
        plain: which cells are plain numbers.
    """
    import pyarrow.compute as pc

    usual = cells
    for marks, mark in (("[\u00a0\u202f\u2009]", " "), ("[’`]", "'"), ("−", "-")):
        usual = pc.replace_substring_regex(usual, marks, mark)
    parts = pc.extract_regex(usual, _MARKED)
    part = {name: pc.struct_field(parts, name) for name in _GROUPS}
    odd = pc.not_equal(pc.equal(part["open"], "("), pc.equal(part["close"], ")")).fill_null(False)
    wrong = pc.or_(pc.and_(parts.is_null(), cells.is_valid()), odd)
    share = float(pc.mean(plain).as_py())
    if pc.any(wrong).as_py():
        share = max(share, _share_beside(cells, wrong, decimal, plain))
        present = len(cells) - cells.null_count
        return Words(pc.index(wrong, True).as_py(), "is no number", share, present, wrong)
    units = _units(part["before"], part["after"])
    if isinstance(units, Words):
        return units
    unit, said = units
    body = part["body"]
    formats = [pair for pair in _FORMATS if _fits(body, *pair)]
    if not formats:
        return _first_misfit(body, share)
    used = {mark for mark in ",." if pc.any(pc.match_substring(body, mark)).as_py()}
    rivals = [pair for pair in formats if used <= set(pair)]
    wanted = [pair for pair in rivals if pair[0] == (decimal or ".")]
    chosen = [*wanted, *rivals, *formats][0]
    values = _negated(body, chosen, part)
    rivals_differ = bool(used) and len({pair[0] for pair in rivals}) > 1
    return Numbers(
        values,
        chosen[0] if used else None,
        min(used) if rivals_differ else "",
        [*notes, *said, *_example(cells, values, chosen)],
        unit,
    )


_GROUPS = ("open", "sign", "before", "inner", "body", "after", "close")


def _share_beside(cells: pa.Array, wrong: pa.Array, decimal: str | None, plain: pa.Array) -> float:
    """Return the share of the first cells that are numbers in one format, beside others."""
    import pyarrow.compute as pc

    cells, wrong, plain = (each.slice(0, 10 * PROBED) for each in (cells, wrong, plain))
    rest = without_cells(cells, wrong)
    present = len(cells) - cells.null_count
    numbers = len(rest) - rest.null_count
    if numbers < present / 2:
        return 0.0
    found = _marked_numbers(rest, decimal, [], pc.and_(plain, pc.invert(wrong)))
    return float(numbers / present * (found.share if isinstance(found, Words) else 1.0))


def _pattern(decimal: str, thousands: str) -> str:
    """Return the regular expression of a number without sign in a format."""
    point = re.escape(decimal)
    whole = r"\d+"
    if thousands:
        mark = re.escape(thousands)
        whole = rf"(?:\d+|[1-9]\d{{0,2}}(?:{mark}\d{{3}})+|[1-9]\d?(?:{mark}\d\d)+{mark}\d{{3}})"
    return rf"^(?:[-+]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][-+]?\d+)?)$"


def _fits(body: pa.Array, decimal: str, thousands: str) -> bool:
    import pyarrow.compute as pc

    return bool(pc.all(pc.match_substring_regex(body, _pattern(decimal, thousands))).as_py())


def _first_misfit(body: pa.Array, share: float) -> Words:
    """Name the first cell that breaks the format which fits most cells."""
    import pyarrow.compute as pc

    best: tuple[float, Any] = (-1.0, None)
    for pair in _FORMATS:
        fits = pc.match_substring_regex(body, _pattern(*pair))
        best = max(best, (pc.mean(fits).as_py(), fits), key=lambda each: each[0])
    wrong = pc.and_(pc.invert(best[1]), body.is_valid()).fill_null(False)
    row = pc.index(wrong, True).as_py()
    why = "is written unlike the other numbers"
    return Words(row, why, max(share, best[0]), len(body) - body.null_count, wrong)


def _units(before: pa.Array, after: pa.Array) -> tuple[str, list[str]] | Words:
    """Check that all cells have one currency, or all a per cent sign.

    Returns:
        The unit, and what was removed in words; or which cells have another one than most.
    """
    import pyarrow.compute as pc

    both = pc.if_else(pc.not_equal(before, ""), before, after)
    counts = {each["values"]: each["counts"] for each in pc.value_counts(both).to_pylist()}
    counts.pop(None, None)
    marks = [mark for mark in counts if mark]
    if not marks:
        return "", []
    marks.sort(key=counts.__getitem__, reverse=True)
    unit = marks[0]
    why = ""
    if len(marks) > 1:
        why, wrong = f"has another unit than {unit!r}", pc.not_equal(both, unit)
        if unit != "%":  # a number without a sign may be of any currency
            wrong = pc.and_(wrong, pc.not_equal(both, ""))
    elif "" in counts and unit == "%" and counts["%"] >= counts[""]:
        why, wrong = "has no %, as other cells have", pc.equal(both, "")
    elif "" in counts and unit == "%":
        why, wrong = "has a %, as other cells have not", pc.equal(both, "%")
    if why:
        wrong = wrong.fill_null(False)
        return Words(pc.index(wrong, True).as_py(), why, 1.0, len(both) - both.null_count, wrong)
    without = f"; {counts['']:,} have none" if counts.get("") else ""
    return unit, [f"{unit!r} is the unit of {counted(counts[unit], 'cell')}{without}"]


def _negated(body: pa.Array, chosen: tuple[str, str], part: dict[str, Any]) -> pa.Array:
    """Turn bodies, signs and parentheses into numbers."""
    import pyarrow.compute as pc

    decimal, thousands = chosen
    if thousands:
        body = pc.replace_substring(body, thousands, "")
    if decimal != ".":
        body = pc.replace_substring(body, decimal, ".")
    values = _cast(body)
    minus = pc.or_(pc.equal(part["sign"], "-"), pc.equal(part["inner"], "-"))
    minus = pc.or_(minus, pc.equal(part["open"], "("))
    return pc.if_else(minus, pc.negate(values), values)


def _cast(cells: pa.Array) -> pa.Array:
    """Turn plain numbers into int64, or where one has a fraction, into float64."""
    import pyarrow as pa
    import pyarrow.compute as pc

    bare = pc.replace_substring_regex(cells, r"^\+", "")
    if pc.all(pc.match_substring_regex(bare, r"^-?\d{1,18}$")).as_py():
        return bare.cast(pa.int64())
    return bare.cast(pa.float64())


def _example(cells: pa.Array, values: pa.Array, chosen: tuple[str, str]) -> list[str]:
    """Show how the first cell is read that does not stand for itself."""
    import pyarrow.compute as pc

    plain = pc.match_substring_regex(cells, f"^{PLAIN}$").fill_null(True)
    if chosen[1]:
        grouped = pc.match_substring(cells, chosen[1]).fill_null(False)
        plain = pc.and_(plain, pc.invert(grouped))
    if pc.all(plain).as_py():
        return []
    row = pc.index(plain, False).as_py()
    return [f"{cells[row].as_py()!r} is read as {values[row].as_py():.15g}"]


def _missing_marks(text: pa.Array, absent: pa.Array) -> list[str]:
    """Count the cells that say in words that a number is missing."""
    import pyarrow.compute as pc

    words = text.filter(pc.and_(absent, pc.not_equal(text, "")).fill_null(False))
    counts = pc.value_counts(words).to_pylist()
    listed = [f"{each['values']!r} in {counted(each['counts'], 'cell')}" for each in counts]
    return [f"{' and '.join(listed)} is a missing value"] if listed else []
