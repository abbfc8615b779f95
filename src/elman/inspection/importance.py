"""What each column contributes: how far a score falls when the column's cells are shuffled."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from elman.errors import OptionError
from elman.experiment.training import checked_seed
from elman.inspection.shuffling import Encoded, Shuffle, shuffled


class Importance(NamedTuple):
    """How much worse a score gets when the cells of a column are shuffled."""

    mean: float
    """Mean of the repeats: negative where the score gets better."""
    deviation: float
    """Standard deviation of the single repeats; NaN where there is one."""


def permutation_importance(
    scores: Callable[[Sequence[Encoded]], Mapping[str, float]],
    rows: Sequence[Encoded],
    columns: Mapping[str, Shuffle],
    *,
    repeats: int = 5,
    seed: int = 1,
) -> dict[str, dict[str, Importance]]:
    """Measure how far scores fall when the cells of a column are shuffled among the rows.

        I(j) = (1/R) Σᵣ [ s(X) − s(X with column j shuffled by π(j, r)) ]         r = 1 … R

    A shuffled column says nothing about its rows any more, while its values stay those that the
    network was trained on. What two columns both tell is not missed when one of them is shuffled.

    Args:
        scores: measures rows: name of a score → its value, of which higher is better.
        rows: encoded inputs, one a row.
        columns: those to shuffle, one at a time, and how.
        repeats: R, shufflings of each column.
        seed: of the shufflings. That of a column depends on its name and on the order of the rows,
            not on the other columns.

    Returns:
        Name of a score → column → the mean fall and its spread.

    Raises:
        OptionError: `repeats` is below 1, or the seed is out of range.

    Source: Breiman 2001, doi:10.1023/A:1010933404324, §10; Fisher et al. 2019, arXiv:1801.01489,
    §3, as a difference where theirs is a ratio.

    >>> import torch
    >>> from elman.features.places import Places
    >>> rows = [torch.tensor([n, 7.0 * n]) for n in (0.0, 1.0, 2.0, 3.0)]
    >>> def score(rows):
    ...     return {"right": float(np.mean([row[0] == n for n, row in enumerate(rows)]))}
    >>> columns = {"first": Shuffle(Places((0,))), "second": Shuffle(Places((1,)))}
    >>> found = permutation_importance(score, rows, columns)["right"]
    >>> found["first"].mean > 0.5, found["second"].mean
    (True, 0.0)
    """
    if repeats < 1:
        raise OptionError(f"repeats must be at least 1, got {repeats}.")
    checked_seed(seed)
    whole = scores(rows)
    importances: dict[str, dict[str, Importance]] = {name: {} for name in whole}
    for column, shuffle in columns.items():
        key = [seed, zlib.crc32(column.encode(errors="surrogatepass"))]
        measured = [
            scores(shuffled(rows, shuffle, np.random.default_rng([*key, repeat])))
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
