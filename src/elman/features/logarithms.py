"""Numbers as their logarithms, and back."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from elman.features.scaling import Floats


class Logarithms:
    """Encodes numbers, (…, n), as their natural logarithms.

        code(y) = ln y; of a number that is not above 0, that of the lowest learned

    Args:
        lowest: the lowest number above 0 of each column, (n,).
    """

    def __init__(self, lowest: Floats) -> None:
        self.lowest = lowest

    @classmethod
    def fitted(cls, columns: int, numbers: Iterable[Floats]) -> Logarithms:
        """Learn the lowest numbers above 0 of some arrays, (T, n) each; 1 where there is none."""
        lowest = np.full(columns, np.inf)
        for each in numbers:
            above = np.where(each > 0, each, np.inf)
            lowest = np.minimum(lowest, above.min(0, initial=np.inf))
        return cls(np.where(np.isfinite(lowest), lowest, 1.0))

    def code(self, numbers: Floats) -> Floats:
        """Return logarithms, (…, n); NaN stays NaN."""
        return np.asarray(np.log(np.where(numbers <= 0, self.lowest, numbers)))

    def uncode(self, logarithms: Floats) -> Floats:
        """Return the numbers of logarithms, (…, n)."""
        return np.asarray(np.exp(logarithms))
