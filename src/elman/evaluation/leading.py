"""Which score leads for a task and its data, and which stands beside it: said here alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from elman.evaluation.measures import Scores

LEADING: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "classification": ("accuracy",),
        "labels": ("micro_f1",),
        "regression": ("mase", "rmse"),
        "tagging": ("f1", "accuracy"),
        "series": ("rmse",),
        "language": ("bits_per_character", "perplexity"),
        "transcription": ("label_error_rate", "sequence_accuracy"),
        "translation": ("bleu", "chrf"),
        "caption": ("bleu_4", "chrf"),
        "roll": ("nll",),
    }
)
"""Kind of score → the scores that can lead, the first that is computed before the others.

Rows without one of them pass it over: there is no `mase` without a series, no `f1` without spans,
no `bits_per_character` where symbols are words. A forecast chooses by its own horizon, and of
several targets the first leads, by its own kind.
"""
SHORT = 5
"""Fewer words an answer than this, on average, is short: few n-grams of 4 words, so BLEU says
little, and what counts is whether the answer is right."""
OF_SHORT = "sequence_accuracy"
"""Leads where answers are short."""
OF_SOUNDS = "error_to_signal"
"""Leads where the target is a sound."""
UNEVEN = 2.0
"""Classes are uneven where the commonest has at least so many times the rows of the rarest."""
MOST_NAMED = 3
"""Maximum number of classes that a line names."""


def leading_score(
    kind: str, names: Collection[str], computed: Collection[str], *, first: str | None = None
) -> str:
    """Return the name of the score that leads.

    Args:
        kind: a key of `LEADING`.
        names: of the scores of some rows, computed or not.
        computed: those that are.
        first: leads before those of `LEADING`, for what the data are: `OF_SHORT`, `OF_SOUNDS`.

    >>> leading_score("translation", ["bleu", "chrf"], ["chrf"])
    'chrf'
    """
    candidates = [name for name in filter(None, (first, *LEADING[kind])) if name in names]
    return next((name for name in candidates if name in computed), candidates[0])


def are_short(words: int, answers: int) -> bool:
    """Tell whether so many answers of so many words in all are short."""
    return words < SHORT * answers


def beside(scores: Scores, name: str) -> tuple[str, ...]:
    """Return the scores that stand beside a leading one wherever it does.

    Macro F1 stands beside accuracy and micro F1 where classes are uneven: there a share of right
    answers is high even if a rare class is never found.

    Args:
        scores: of some rows.
        name: of the score; `accuracy of size` where there are several targets.
    """
    score, of, target = name.partition(" of ")
    if score not in {"accuracy", "micro_f1"} or not is_uneven(
        _details(scores, target).get("classes", ())
    ):
        return ()
    macro = f"macro_f1{of}{target}"
    return (macro,) if macro in scores.values else ()


def missed_classes(scores: Scores, name: str) -> str:
    """Name the true classes that are never predicted, of a score that may hide them; else `""`."""
    score, _, target = name.partition(" of ")
    if score not in {"accuracy", "micro_f1"}:
        return ""
    details = _details(scores, target)
    unknown = {each["name"] for each in details.get("never_learned", ())}
    return never_predicted(details.get("classes", ()), unknown)


def _details(scores: Scores, target: str) -> Mapping[str, Any]:
    """Return the tables behind the scores, of one of several targets where one is named."""
    if not target:
        return scores.details
    details: Mapping[str, Any] = scores.details["targets"].get(target, {}).get("details", {})
    return details


def is_uneven(classes: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether the commonest of the true classes has `UNEVEN` times the rows of the rarest."""
    supports = [each["support"] for each in classes if each["support"]]
    return bool(supports) and max(supports) >= UNEVEN * min(supports)


def never_predicted(classes: Sequence[Mapping[str, Any]], unknown: Collection[Any] = ()) -> str:
    """Name the true classes that are never predicted; `""` where there are none.

    Args:
        classes: as of `ClassScores`.
        unknown: names that were never learned, of which something else is said.

    >>> never_predicted([{"name": "a", "support": 3, "answered": 0}])
    "never predicted: 'a' (3)"
    """
    missed = [
        each
        for each in classes
        if each["support"] and not each["answered"] and each["name"] not in unknown
    ]
    missed.sort(key=lambda each: -each["support"])
    listed = [f"{each['name']!r} ({each['support']:,})" for each in missed[:MOST_NAMED]]
    more = len(missed) - len(listed)
    return f"never predicted: {', '.join(listed + [f'{more} more'] * (more > 0))}" if missed else ""
