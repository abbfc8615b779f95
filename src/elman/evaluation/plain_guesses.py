"""The plainest guesses: what a model has to be better than to be of use."""

from __future__ import annotations

from typing import Any

from elman.evaluation.joint import scores_by_target
from elman.evaluation.measures import Scores


def not_beaten(scores: Scores, name: str) -> str:
    """Say which plain guess a score is not better than; `""` if it is better.

    | score             | plain guess                                                   |
    | ----------------- | ------------------------------------------------------------- |
    | accuracy          | the commonest class, always                                   |
    | rmse, mse         | the mean of these rows, always: R² is 0                       |
    | mase              | the best naive forecast of the same steps, where measured     |

    Args:
        scores: of some rows.
        name: of the score; `accuracy of size` where there are several targets.

    >>> from elman.evaluation.scores import score
    >>> scores = score("classification", ["a", "a", "b"], ["a", "b", "b"])
    >>> not_beaten(scores, "accuracy")
    "no better than always 'a', 0.6667"
    """
    score, _, target = name.partition(" of ")
    of_rows = scores_by_target(scores).get(target, scores) if target else scores
    value, details = of_rows.values.get(score), of_rows.details
    if value is None:
        return ""
    if score == "accuracy" and "commonest" in details:
        return _than_commonest(value, details["commonest"])
    if score in {"rmse", "mse"}:
        r2 = of_rows.values.get("r2")
        return "" if r2 is None or r2 > 0 else f"no better than always their mean, R² {r2:.2g}"
    best = details.get("best_naive")
    naive = None if best is None else details["naive"][best].get(score)
    if naive is not None and naive <= value and not of_rows.higher_is_better:
        than = "worse than" if naive < value else "no better than"
        return f"{than} {best}, {naive:.4g}"
    if score == "mase" and naive is None and value > 1:
        return "worse than the naive forecast is on the training rows, 1"
    return ""


def _than_commonest(accuracy: float, commonest: dict[str, Any]) -> str:
    if accuracy > commonest["share"]:
        return ""
    return f"no better than always {commonest['name']!r}, {commonest['share']:.4g}"
