"""Which column repeats another, or determines it, by more than chance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data.arrow import as_text, is_list, is_number, is_text
from elman.data.number_formats import EXACT
from elman.data.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

ROUNDING = 1e-5
"""Largest share of a column's variance by which the same numbers in other units may miss it."""

FEW = 10
"""Fewer different numbers than this may lie on a line by chance."""

LARGEST_EXPONENT = 50.0
"""Numbers above this are no logarithms."""

MOST_COUNTED = 10_000_000
"""Largest number up to which different numbers are counted one by one."""

Codes = NDArray[np.int64]
Chosen = NDArray[np.int64] | NDArray[np.bool_]


class Coded(NamedTuple):
    """A column as numbers of its different values."""

    codes: Codes
    """Number of each row's value, (rows,); a blank cell has the number `different`."""
    different: int
    """Different values, blank ones not counted."""
    numbers: NDArray[np.float64] | None
    """The values, NaN where one is missing; None where they are no numbers."""

    @property
    def blanks(self) -> NDArray[np.bool_]:
        """Which cells are blank, (rows,)."""
        blank: NDArray[np.bool_] = self.codes == self.different
        return blank

    @property
    def repeats(self) -> bool:
        """Whether values have two rows or more each on average."""
        return self.different * 2 <= len(self.codes)

    def take(self, rows: Chosen) -> Coded:
        """Return some of the rows."""
        numbers = None if self.numbers is None else self.numbers[rows]
        return Coded(self.codes[rows], self.different, numbers)


def coded(table: Table, name: str) -> Coded | None:
    """Number the values of a column, case and spaces around aside; None of lists and the like."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = table.arrow(name)
    kind, numbers = values.type, None
    if is_text(kind):
        encoded = _plain_text(values).dictionary_encode()
    elif is_number(kind) or pa.types.is_boolean(kind) or pa.types.is_temporal(kind):
        array = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], kind)
        if pa.types.is_floating(kind):
            array = pc.if_else(pc.is_nan(array), pa.scalar(None, kind), array)
        if not pa.types.is_temporal(kind):
            numbers = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        encoded = array.dictionary_encode()
    else:
        return None
    count = len(encoded.dictionary)
    codes = encoded.indices.cast(pa.int64()).fill_null(count).to_numpy(zero_copy_only=False)
    return Coded(codes, count, numbers)


def same_cells(table: Table, one: str, other: str) -> bool:
    """Tell whether two columns have the same cells, case and spaces around aside.

    Rows in which one of the two is blank do not count. Lists are compared as they are.
    """
    import pyarrow.compute as pc

    columns = table.arrow(one), table.arrow(other)
    if any(is_list(values.type) for values in columns):
        return columns[0].type == columns[1].type and bool(columns[0].equals(columns[1]))
    if all(is_number(values.type) for values in columns):
        equal = pc.equal(*map(_as_numbers, columns))
    else:
        equal = pc.equal(*map(_as_plain_text, columns))
    return equal.null_count * 2 < len(equal) and bool(pc.all(equal).as_py())


def _as_numbers(values: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = values.cast(pa.float64(), safe=False)
    return pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)


def _as_plain_text(values: pa.ChunkedArray) -> pa.Array:
    """Return cells as they are written, whole numbers without a point."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if is_text(values.type):
        return _plain_text(values)
    if pa.types.is_floating(values.type):
        largest = pc.max(pc.abs(values)).as_py()
        if largest is not None and largest <= EXACT and _are_whole(values):
            values = values.cast(pa.int64())
    return _plain_text(values.cast(pa.string()))


def _are_whole(values: pa.ChunkedArray) -> bool:
    import pyarrow.compute as pc

    return bool(pc.all(pc.equal(pc.floor(values), values)).as_py())


def determines(one: Codes, other: Codes) -> bool:
    """Tell whether each value of a column has one value of another."""
    width = int(other.max(initial=0)) + 1
    return different(one * width + other) == different(one)


def different(codes: Codes) -> int:
    """Count the different numbers among some from 0 up."""
    if int(codes.max(initial=0)) <= MOST_COUNTED:
        return int(np.count_nonzero(np.bincount(codes)))
    return len(np.unique(codes))


def log_of_chance(one: Codes, other: Codes) -> float:
    """Return about the logarithm of the probability that a column determines another by chance.

    It is the smaller of two estimates, for n rows of which n_v have value v and n_c the other's c:

        log P ≈ Σ_v log Σ_c (n_c / n)^n_v             rows of one value agree if drawn one by one
        log P ≤ m log k − log n! + Σ_c log n_c!       m values take one of k each, of all orders

    Args:
        one: values that each have one value of the other.
        other: values that are shuffled.
    """
    counts = np.bincount(other)
    counts = counts[counts > 0]
    logs = np.log(counts / len(other))
    rows = np.bincount(one) if int(one.max(initial=0)) <= MOST_COUNTED else _rows_of(one)
    sizes, often = np.unique(rows[rows > 0], return_counts=True)
    drawn = 0.0
    for size, times in zip(sizes.tolist(), often.tolist(), strict=True):
        scaled = size * logs
        most = scaled.max()
        drawn += times * (most + math.log(np.exp(scaled - most).sum()))
    orders = math.lgamma(len(other) + 1) - sum(math.lgamma(count + 1) for count in counts.tolist())
    return min(drawn, int(often.sum()) * math.log(len(counts)) - orders)


def _rows_of(codes: Codes) -> NDArray[np.int64]:
    return np.unique(codes, return_counts=True)[1]


def is_rescaled(one: Coded, other: Coded) -> bool:
    """Tell whether numbers are those of another column in other units: y = a x + b."""
    pair = _pair(one, other)
    return pair is not None and _on_a_line(*pair)


def is_curved(one: Coded, other: Coded) -> bool:
    """Tell whether numbers are a power, the logarithm or the exponential of another column's.

    Then log x, exp x or x lies on a line with log y, exp y or y, where these exist.
    """
    pair = _pair(one, other)
    if pair is None:
        return False
    x, y = pair
    curves = ((_log(x), y), (_exp(x), y), (x, _log(y)), (x, _exp(y)), (_log(x), _log(y)))
    return any(u is not None and v is not None and _on_a_line(u, v) for u, v in curves)


def _pair(one: Coded, other: Coded) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return the numbers of rows where both columns have one; None if there are too few."""
    if one.numbers is None or other.numbers is None or min(one.different, other.different) < FEW:
        return None
    both = np.isfinite(one.numbers) & np.isfinite(other.numbers)
    if both.sum() * 2 < len(both):
        return None
    return one.numbers[both], other.numbers[both]


def _on_a_line(x: NDArray[np.float64], y: NDArray[np.float64]) -> bool:
    """Tell whether points are on a line, all of them, and the middle half of values alone.

    A single row far from all others, such as that of the totals, puts any two columns on a line.
    """
    if not _correlate(x, y):
        return False
    values = np.unique(y)
    low, high = values[len(values) // 4], values[3 * len(values) // 4]
    middle = (low <= y) & (y <= high)
    return _correlate(x[middle], y[middle])


def _correlate(x: NDArray[np.float64], y: NDArray[np.float64]) -> bool:
    x, y = x - x.mean(), y - y.mean()
    spread = float((x @ x) * (y @ y))
    return spread > 0 and 1 - float(x @ y) ** 2 / spread <= ROUNDING


def _log(x: NDArray[np.float64]) -> NDArray[np.float64] | None:
    return np.log(x) if x.min() > 0 else None


def _exp(x: NDArray[np.float64]) -> NDArray[np.float64] | None:
    return np.exp(x) if np.abs(x).max() <= LARGEST_EXPONENT else None


def _plain_text(values: pa.ChunkedArray) -> pa.Array:
    """Return texts in lower case without the spaces around them, blank ones as missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.utf8_lower(pc.utf8_trim_whitespace(as_text(values)))
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text)
