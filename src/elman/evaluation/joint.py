"""The scores of several targets together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from elman.evaluation.measures import Scores, of_target


def joint_scores(each: Mapping[str, Scores], notes: Sequence[str] = ()) -> Scores:
    """Put the scores of several targets side by side, each named after its target.

    Args:
        each: target → its scores.
        notes: on all of them.

    Returns:
        `accuracy of TARGET` and so on. The main score is that of the first target, and `count` is
        the largest of the targets. `details`: `targets`, target → its `Scores` as a dictionary;
        and, where true names were never learned, `never_learned`, target → as of its own details.

    >>> from elman.evaluation.scores import score
    >>> both = {
    ...     "size": score("classification", ["big", "small"], ["big", "big"]),
    ...     "price": score("regression", [1.0, 3.0], [1.0, 4.0]),
    ... }
    >>> scores = joint_scores(both)
    >>> scores.main, scores.value, scores.values["mae of price"], scores.headlines
    ('accuracy of size', 0.5, 0.5, ['accuracy of size', 'rmse of price'])
    """
    first, its = next(iter(each.items()))
    learned = {
        name: scores.details["never_learned"]
        for name, scores in each.items()
        if "never_learned" in scores.details
    }
    return Scores(
        kind="joint",
        main=of_target(its.main, first),
        values={of_target(n, t): v for t, own in each.items() for n, v in own.values.items()},
        undefined={
            of_target(n, t): why for t, own in each.items() for n, why in own.undefined.items()
        },
        count=max(own.count for own in each.values()),
        unit=its.unit,
        details={
            "targets": {name: own.model_dump() for name, own in each.items()},
            **({"never_learned": learned} if learned else {}),
        },
        notes=(*[f"{name}: {note}" for name, own in each.items() for note in own.notes], *notes),
    )


def scores_by_target(scores: Scores) -> dict[str, Scores]:
    """Return target → its scores, of the scores of several targets; `{}` of those of one."""
    return {
        name: Scores.model_validate(own) for name, own in scores.details.get("targets", {}).items()
    }
