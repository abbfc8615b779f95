"""The importance of a column is the fall of the score without it: known answers, to the bit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
import torch

from elman.errors import OptionError
from elman.features.places import Places
from elman.inspection.importance import Importance, permutation_importance
from elman.inspection.shuffling import Encoded, Shuffle

COLUMNS = {name: Shuffle(Places((place,))) for place, name in enumerate(("a", "b", "noise"))}


def drawn(rows: int, seed: int = 0) -> list[Encoded]:
    return list(torch.from_numpy(np.random.default_rng(seed).normal(size=(rows, 3))))


def measure_of(rows: Sequence[Encoded]) -> dict[int, float]:
    """The true values a + 2 b, by row."""
    return {n: float(row[0] + 2 * row[1]) for n, row in enumerate(rows)}


def error_of(truths: Mapping[int, float], rows: Sequence[Encoded]) -> Mapping[str, float]:
    """Minus the mean squared error of a network that has learned a + 2 b."""
    squares = [(float(row[0] + 2 * row[1]) - truths[n]) ** 2 for n, row in enumerate(rows)]
    return {"−mse": -float(np.mean(squares)), "constant": 3.0}


def importance(rows: Sequence[Encoded], repeats: int = 5, seed: int = 1) -> dict[str, Importance]:
    truths = measure_of(rows)
    found = permutation_importance(
        lambda given: error_of(truths, given), rows, COLUMNS, repeats=repeats, seed=seed
    )
    assert all(each.mean == 0.0 for each in found["constant"].values())
    return found["−mse"]


def test_a_column_that_is_not_read_contributes_nothing() -> None:
    assert importance(drawn(40))["noise"] == (0.0, 0.0)


def test_a_linear_network_loses_twice_the_square_of_the_weight() -> None:
    # E (w x − w x′)² = 2 w² Var(x) of independent x, x′; Var(x) = 1 here.
    found = importance(drawn(2_000), repeats=6)
    assert found["a"].mean == pytest.approx(2, rel=0.05)
    assert found["b"].mean == pytest.approx(8, rel=0.05)
    assert 0 < found["b"].deviation < 0.4


def test_the_same_seed_gives_the_same_bits_and_another_one_others() -> None:
    rows = drawn(30)
    assert importance(rows) == importance(rows)
    assert importance(rows)["a"] != importance(rows, seed=2)["a"]


def test_a_column_does_not_depend_on_the_other_columns() -> None:
    rows, together = drawn(30), importance(drawn(30))
    truths = measure_of(rows)
    for name, shuffle in COLUMNS.items():
        alone = permutation_importance(lambda given: error_of(truths, given), rows, {name: shuffle})
        assert alone["−mse"] == {name: together[name]}


def test_another_order_of_the_rows_is_like_another_seed() -> None:
    rows = drawn(2_000)
    found, reversed_ = importance(rows)["a"], importance(rows[::-1])["a"]
    assert reversed_.mean == pytest.approx(found.mean, abs=4 * (found.deviation + 1e-9))


def test_the_mean_and_the_spread_are_those_of_the_single_shufflings() -> None:
    rows = drawn(30)
    once, thrice = importance(rows, repeats=1)["a"], importance(rows, repeats=3)["a"]
    assert math.isnan(once.deviation)
    assert thrice.deviation > 0
    seen: list[float] = []
    truths = measure_of(rows)

    def watched(given: Sequence[Encoded]) -> Mapping[str, float]:
        seen.append(error_of(truths, given)["−mse"])
        return {"−mse": seen[-1]}

    permutation_importance(watched, rows, {"a": COLUMNS["a"]}, repeats=3)
    falls = seen[0] - np.array(seen[1:])
    assert thrice == (pytest.approx(falls.mean()), pytest.approx(falls.std(ddof=1)))
    assert once.mean == falls[0]


def test_a_score_that_is_lost_altogether_has_no_spread() -> None:
    values = iter([1.0, 0.5, -math.inf])
    found = permutation_importance(
        lambda _: {"score": next(values)}, drawn(5), {"a": COLUMNS["a"]}, repeats=2
    )
    assert found["score"]["a"].mean == math.inf
    assert math.isnan(found["score"]["a"].deviation)


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(OptionError, match="repeats must be at least 1, got 0"):
        importance(drawn(5), repeats=0)
    with pytest.raises(OptionError, match="seed must lie in 0"):
        importance(drawn(5), seed=-1)
