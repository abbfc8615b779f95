"""Columns that number or name the rows of a table, and say nothing else about them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from elman.data.arrow import as_text, is_text
from elman.data.paths import PICTURES, SOUNDS
from elman.data.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

LEAST = 10
"""Fewer rows than this may all differ by chance."""

PROBED = 1_000
"""Rows that are looked at before all of a longer table are."""

FEW_SHAPES = 3
"""Codes that number rows have at most this many shapes, digits aside: `T-00017`, `T-00018`."""

MOST_MISSING = 0.05
"""Largest share of rows without an identifier."""

FEWEST_OWN = 0.95
"""Smallest share of different values, where an address or a name shows a column to identify."""

_THINGS = (
    "account|booking|case|client|customer|device|document|employee|event|invoice|item|member|movie|"
    "object|order|passenger|patient|person|policy|post|product|record|sample|sensor|session|"
    "student|subject|ticket|transaction|user|visit"
)
_NAMED = re.compile(
    rf"(?i:(?:.*[\W_])?(?:id|uuid|guid|idx|nr|no|number|row|key|ref|réf|sku|iban"
    r"|ean|upc|isbn|gtin|mrn|ssn|vin|imei|asin)[\W_]*"
    rf"|(?:(?:{_THINGS}|row|level|df|original|old)[\W_]*)?index|unnamed: \d+|(?:.*\W)?#"
    rf"|\w+nummer|(?:{_THINGS})(?:id|nr|no|num|number))"
    r"|.*[a-z](?:Id|ID|Uuid|UUID|Guid|GUID|Nr|No|Number|Key|Idx)"
)
"""Names of identifiers. An index of something else, of prices or of body mass, measures it."""

_PART = re.compile(r"[A-Z]?[a-zäöüéñ]+|[A-Z]+(?![a-z])")
_OF_TIME = {
    *("age", "cycle", "day", "epoch", "frame", "hour", "iteration", "min", "minute", "month"),
    *("period", "quarter", "sec", "second", "step", "t", "time", "week", "year", "yr"),
}
"""Words of what is counted by one: the time of a row, not its number."""

_FIRST = re.compile("[01]|100+[01]?")
"""Numbers that rows are counted from. From others, values may be set: 20 °C, 21 °C, 22 °C …"""

_WORD = r"^\S+$"
_NUMBERED = r"^\p{L}.*000|^0+(?:-0+)+$"
"""Regular expression of a shape, its digits made zeros: a letter and then three digits, or groups
of digits."""

LONG_NUMBER = 9
"""Digits of a number that counts or measures nothing, if all have equally many."""

_DIGEST = r"^(?:[0-9A-Fa-f]{24}|[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{56}|[0-9A-Fa-f]{64,})$"
_ADDRESSES = (
    r"^[{(]?[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}[)}]?$",
    r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$",
    r"^\d{1,3}(?:\.\d{1,3}){3}$",
    r"^(?:\+|\(|00?)[\d(][\d\s()./-]{5,20}\d$",
)
"""What names one thing or person in the world: UUIDs, e-mail and IP addresses, telephones; and
digests, which have digits and letters, as strings of bits have not."""


def identifies_rows(table: Table, name: str) -> bool:
    """Tell whether a column is an identifier of the rows.

    It is if nearly every row has a value of its own, a whole number or a single word, and the
    column is named like an identifier (`id`, `customer_id`, `Ticket ID`, `index`, `nr`, `SKU` …).
    It is, too, if its numbers go up by one from row to row, from 0, 1, 100, 101, 1000 … on, unless
    it is named like a time, which is counted so; if its words all differ, in their digits alone
    (`T-00017`); or if it holds UUIDs, digests, e-mail addresses or telephone numbers that hardly
    repeat. Paths of pictures and sounds are what they show, whatever their column's name.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    values = table.arrow(name)
    first = [cell for cell in values.slice(0, LEAST).to_pylist() if cell is not None]
    if len(set(first)) < len(first) - 1:
        return False
    if len(table) < LEAST or not may_identify(values):
        return False
    if is_text(values.type):
        text = pc.utf8_trim_whitespace(as_text(values))
        values = text.filter(pc.not_equal(text, "").fill_null(False))
    else:
        values = pa.chunked_array(values.chunks, values.type).drop_null()
    missing = len(table) - len(values)
    if missing > MOST_MISSING * len(table):
        return False
    if not is_text(values.type):
        return _number_rows(values, name, missing)
    if values[0].as_py().lower().endswith(PICTURES + SOUNDS):
        return False
    return _are_addresses(values) or _name_rows(values, name)


def all_differ(table: Table, name: str) -> bool:
    """Tell whether all values of a column are there and differ."""
    import pyarrow.compute as pc

    return bool(pc.count_distinct(table.arrow(name)).as_py() == len(table))


def is_named_like_identifier(name: str) -> bool:
    """Tell whether a column is named like an identifier.

    >>> [is_named_like_identifier(name) for name in ("customer_id", "userId", "humid")]
    [True, True, False]
    """
    return _NAMED.fullmatch(name.strip()) is not None


def words_in(name: str) -> set[str]:
    """Return the words that the name of a column is made of, in lower case and the singular.

    >>> sorted(words_in("createdAt (UTC)")), sorted(words_in("elapsed_days"))
    (['at', 'created', 'utc'], ['day', 'elapsed'])
    """
    words = {word.lower() for word in _PART.findall(name)}
    return {word.removesuffix("s") if len(word) > 2 else word for word in words}


def may_identify(values: pa.ChunkedArray) -> bool:
    """Tell whether values are texts or whole numbers, in whatever type missing ones left them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if is_text(values.type):
        return True
    if not pa.types.is_floating(values.type):
        return bool(pa.types.is_integer(values.type))
    first = values.slice(0, PROBED).drop_null()
    return bool(pc.all(pc.equal(first, pc.floor(first))).as_py()) and bool(
        pc.all(pc.equal(values, pc.floor(values))).as_py()
    )


def _number_rows(values: pa.ChunkedArray, name: str, missing: int) -> bool:
    """Tell whether numbers are those of rows: one from row to row, or by their column's name."""
    import pyarrow.compute as pc

    if is_named_like_identifier(name) or _have_as_many_digits(values):
        return _hardly_repeat(values)
    if words_in(name) & _OF_TIME or _FIRST.fullmatch(str(int(values[0].as_py()))) is None:
        return False
    steps = pc.pairwise_diff(values.slice(0, PROBED).combine_chunks())
    if missing or not pc.all(pc.equal(steps, 1)).as_py():
        return False
    return bool(pc.all(pc.equal(pc.pairwise_diff(values.combine_chunks()), 1)).as_py())


def _name_rows(values: pa.Array, name: str) -> bool:
    """Tell whether words are those of rows: by their column's name, or all but for their digits."""
    import pyarrow.compute as pc

    for rows in (values.slice(0, PROBED), values):
        if not pc.all(pc.match_substring_regex(rows, _WORD)).as_py() or not _hardly_repeat(rows):
            return False
    if is_named_like_identifier(name):
        return True
    shapes = pc.replace_substring_regex(values, r"\d", "0")
    numbered = pc.all(pc.match_substring_regex(shapes, _NUMBERED)).as_py()
    if not numbered or pc.count_distinct(shapes).as_py() > FEW_SHAPES:
        return False
    return _hardly_repeat(values)


def _have_as_many_digits(values: pa.ChunkedArray) -> bool:
    """Tell whether all numbers are long ones, with equally many digits, as those of articles."""
    import pyarrow.compute as pc

    least, most = (int(value) for value in pc.min_max(values).as_py().values())
    return least > 0 and len(str(least)) == len(str(most)) >= LONG_NUMBER


def _are_addresses(values: pa.Array) -> bool:
    """Tell whether all words are of one of the forms that name a thing, and hardly repeat."""
    import pyarrow.compute as pc

    first = values.slice(0, PROBED)
    for pattern in (*_ADDRESSES, _DIGEST):
        if not pc.all(pc.match_substring_regex(first, pattern)).as_py():
            continue
        if pattern is _DIGEST and not all(
            pc.any(pc.match_substring_regex(first, signs)).as_py()
            for signs in ("[0-9]", "[A-Fa-f]")
        ):
            continue
        if pc.all(pc.match_substring_regex(values, pattern)).as_py():
            return _hardly_repeat(values)
    return False


def _hardly_repeat(values: pa.Array | pa.ChunkedArray) -> bool:
    """Tell whether nearly all values differ."""
    import pyarrow.compute as pc

    return all(
        pc.count_distinct(rows).as_py() >= FEWEST_OWN * len(rows)
        for rows in (values.slice(0, PROBED), values)
    )
