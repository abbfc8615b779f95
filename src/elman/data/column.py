"""One column of a table: a sequence of Python values, converted from Arrow on access."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from elman.data.arrow import to_python
from elman.errors import counted

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK = 1024
"""Number of rows converted to Python values at a time while iterating over a column."""


class Column(Sequence[Any]):
    """The values of one column, converted from Arrow on access.

    A missing value is None. A list of numbers is a NumPy array, (T,) or (T, I, …), in which a
    missing number is NaN; every other list is a list. Iterating holds a thousand values at a
    time.
    """

    def __init__(
        self,
        name: str,
        values: pa.ChunkedArray,
        rows: NDArray[np.int64] | None = None,
        convert: Callable[[Any, int], Any] | None = None,
    ) -> None:
        self.name = name
        self._chunks = values.chunks
        self._starts = [0, *accumulate(len(chunk) for chunk in self._chunks)]
        self._rows = rows
        self._convert = convert
        self._type = values.type

    @property
    def type(self) -> pa.DataType:
        """Arrow's type of the values."""
        return self._type

    def __len__(self) -> int:
        return self._starts[-1] if self._rows is None else len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._gather(self._numbered(range(len(self))[index]))
        row = range(len(self))[index]
        if self._rows is not None:
            row = int(self._rows[row])
        chunk = bisect_right(self._starts, row) - 1
        value = to_python(self._chunks[chunk].slice(row - self._starts[chunk], 1))[0]
        return value if self._convert is None else self._convert(value, row)

    def __iter__(self) -> Iterator[Any]:
        for start in range(0, len(self), BLOCK):
            yield from self._gather(self._numbered(range(len(self))[start : start + BLOCK]))

    def __repr__(self) -> str:
        return f"Column({self.name!r}, {self.type}, {counted(len(self), 'row')})"

    def _numbered(self, rows: range) -> NDArray[np.int64]:
        """Return the row numbers in the chunks of rows of the column."""
        numbers = np.arange(rows.start, rows.stop, rows.step, dtype=np.int64)
        return numbers if self._rows is None else self._rows[numbers]

    def _gather(self, rows: NDArray[np.int64]) -> list[Any]:
        """Return the values of some rows, reading only the chunks that contain them."""
        values: list[Any] = [None] * len(rows)
        chunk_of = np.searchsorted(self._starts, rows, side="right") - 1
        for chunk in np.unique(chunk_of).tolist():
            places = np.flatnonzero(chunk_of == chunk)
            array = self._chunks[chunk].take(indices(rows[places] - self._starts[chunk]))
            for place, value in zip(places.tolist(), to_python(array), strict=True):
                values[place] = value
        if self._convert is not None:
            return [
                self._convert(value, row) for value, row in zip(values, rows.tolist(), strict=True)
            ]
        return values


def indices(rows: NDArray[np.int64]) -> pa.Array:
    """Return row numbers as an Arrow array."""
    import pyarrow as pa

    return pa.array(rows, pa.int64())
