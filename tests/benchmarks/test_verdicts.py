from __future__ import annotations

import pytest

from bursts import Timed
from record import Row
from verdicts import Goal, best_peer, lead, mine, nearest_floor, verdict


def row(**microseconds: float) -> Row:
    first = next(iter(microseconds.values()))
    names = {"elman": "Elman", "stepper": "Elman, stepper", "torch": "torch.nn", "jax": "JAX"}
    timed = {
        names[name]: Timed(us * 1e-6, 0.01, us / first, us * 1e-6)
        for name, us in microseconds.items()
    }
    facts = {"arithmetic": 3e-6, "bytes": 1e-6}
    return Row({"cell": "gru", "rows": 8, "steps": 1, "size": 32}, timed, facts)


@pytest.mark.parametrize(
    ("measured", "bound", "at_least", "said"),
    [
        (2.0, 1.5, True, "met"),
        (1.5, 1.5, True, "met"),
        (1.2, 1.5, True, "**missed** by 25%"),
        (1.499, 1.5, True, "**missed** by 1%"),
        (0.5, 1.5, True, "**missed** by a factor of 3.0"),
        (1.0, 1.5, False, "met"),
        (1.8, 1.5, False, "**missed** by 20%"),
        (6.0, 1.5, False, "**missed** by a factor of 4.0"),
    ],
)
def test_a_verdict_says_by_how_much_a_goal_is_missed(
    measured: float, bound: float, at_least: bool, said: str
) -> None:
    assert verdict(measured, bound, at_least=at_least) == said


def test_a_goal_is_judged_by_the_worst_value() -> None:
    values = [("lstm", 1.0), ("gru", 3.0), ("simple", 2.0)]
    goal = Goal("key", "what", "≤ 1.5")
    judged = goal.by_worst(values, 1.5, at_least=False)
    assert judged.verdict == "**missed** by a factor of 2.0"
    assert judged.measured == "lstm 1.00; gru 3.00; simple 2.00"
    assert goal.by_worst(values, 2.0, at_least=True).verdict == "**missed** by a factor of 2.0"
    assert goal.by_worst([], 2.0, at_least=True).verdict == "not measured"


def test_the_best_peer_is_the_fastest_of_the_others() -> None:
    assert best_peer(row(elman=1, stepper=0.5, torch=9, jax=7)) == "JAX"


def test_a_point_counts_by_the_faster_of_our_own_doors() -> None:
    point = row(elman=8, stepper=2, torch=6)
    assert mine(point) == "Elman, stepper"
    assert lead(point, "torch.nn") == pytest.approx(3.0)
    assert lead(point, "torch.nn", "Elman") == pytest.approx(0.75)
    assert mine(row(elman=8, stepper=9, torch=6)) == "Elman"


def test_the_nearest_floor_is_the_higher_one_as_a_share_of_the_time() -> None:
    kind, share = nearest_floor(row(elman=6, torch=9))
    assert kind == "arithmetic"
    assert share == pytest.approx(0.5)
