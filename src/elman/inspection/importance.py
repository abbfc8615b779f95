"""What each column contributes: how far a score falls when the column's cells are shuffled."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from elman.data.table import Table
from elman.errors import OptionError
from elman.experiment.training import checked_seed
from elman.inspection.shuffling import KeptSteps, shuffled

NONE_KEPT: Mapping[str, KeptSteps] = MappingProxyType({})


class Importance(NamedTuple):
    """How much worse a score gets when the cells of a column are shuffled."""

    mean: float
    """Mean of the repeats: negative where the score gets better."""
    deviation: float
    """Standard deviation of the single repeats; NaN where there is one."""


def permutation_importance(
    scores: Callable[[Table], Mapping[str, float]],
    table: Table,
    columns: Sequence[str],
    *,
    repeats: int = 5,
    seed: int = 1,
    kept: Mapping[str, KeptSteps] = NONE_KEPT,
) -> dict[str, dict[str, Importance]]:
    """Measure how far scores fall when the cells of a column are shuffled among the rows.

        I(j) = (1/R) Σᵣ [ s(X) − s(X with column j shuffled by π(j, r)) ]         r = 1 … R

    A shuffled column says nothing about its rows any more, while its values stay those that the
    network was trained on. What two columns both tell is not missed when one of them is shuffled.

    Args:
        scores: measures a table: name of a score → its value, of which higher is better.
        table: rows with their targets.
        columns: to shuffle, one at a time.
        repeats: R, shufflings of each column.
        seed: of the shufflings. That of a column depends on its name and on the order of the rows,
            and not on the other columns.
        kept: column → the steps that its cells must keep, see `shuffling`.

    Returns:
        Name of a score → column → the mean fall and its spread.

    Raises:
        OptionError: `repeats` is below 1, the seed is out of range, or there is no such column.

    Source: Breiman 2001, doi:10.1023/A:1010933404324, §10; Fisher et al. 2019, arXiv:1801.01489,
    eq. 3, as a difference where theirs is a ratio.

    >>> table = Table.from_columns({"a": [1, 2, 3, 4], "b": [0, 1, 0, 1]}, origin="data")
    >>> def score(rows):
    ...     return {"right": float(np.mean([a == n for n, a in enumerate(rows.column("a"), 1)]))}
    >>> found = permutation_importance(score, table, ["a", "b"])["right"]
    >>> found["a"].mean > 0.5, found["b"].mean
    (True, 0.0)
    """
    if repeats < 1:
        raise OptionError(f"repeats must be at least 1, got {repeats}.")
    checked_seed(seed)
    whole = scores(table)
    importances: dict[str, dict[str, Importance]] = {name: {} for name in whole}
    for column in columns:
        key = [seed, zlib.crc32(column.encode(errors="surrogatepass"))]
        measured = [
            scores(shuffled(table, column, np.random.default_rng([*key, repeat]), kept.get(column)))
            for repeat in range(repeats)
        ]
        for name, value in whole.items():
            importances[name][column] = _summary([value - each[name] for each in measured])
    return importances


def _summary(falls: Sequence[float]) -> Importance:
    """Return mean and sample standard deviation; a fall without end has no spread."""
    finite = bool(np.isfinite(falls).all())
    deviation = float(np.std(falls, ddof=1)) if finite and len(falls) > 1 else float("nan")
    return Importance(float(np.mean(falls)), deviation)
