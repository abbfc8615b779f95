"""Columns that number or name the rows of a table, and say nothing else about them."""

from __future__ import annotations

import re

from elman.data.arrow import as_text, is_text
from elman.data.table import Table

LEAST = 10
"""Fewer rows than this may all differ by chance."""

_NAMED = re.compile(
    r"(?i:(?:.*[\W_])?(?:id|uuid|guid|index|idx|nr|no|number|row|key|ref|réf|sku|iban)[\W_]*"
    r"|unnamed: \d+|(?:.*\W)?#|\w+nummer)|.*[a-z](?:Id|ID)"
)


def identifies_rows(table: Table, name: str) -> bool:
    """Tell whether a column is an identifier of the rows.

    It is if every row has a value of its own, a whole number or a single word, and the column is
    named like an identifier (`id`, `customer_id`, `Ticket ID`, `index`, `nr`, `SKU` …) or its
    numbers go up by one from row to row.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    column = table.column(name)
    if len(table) < LEAST or not (is_text(column.type) or pa.types.is_integer(column.type)):
        return False
    values = table.arrow(name)
    if values.null_count or pc.count_distinct(values).as_py() < len(table):
        return False
    if pa.types.is_integer(column.type):
        numbers = pc.pairwise_diff(values.combine_chunks())
        if pc.all(pc.equal(numbers, 1)).as_py():
            return True
        return is_named_like_identifier(name)
    words = pc.match_substring_regex(pc.utf8_trim_whitespace(as_text(values)), r"^\S+$")
    return bool(pc.all(words).as_py()) and is_named_like_identifier(name)


def is_named_like_identifier(name: str) -> bool:
    """Tell whether a column is named like an identifier.

    >>> [is_named_like_identifier(name) for name in ("customer_id", "userId", "humid")]
    [True, True, False]
    """
    return _NAMED.fullmatch(name.strip()) is not None
