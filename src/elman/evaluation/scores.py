"""One entry to every score: what was answered, what is true, how good that is."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from elman.errors import OptionError, unknown
from elman.evaluation.classification import classification_scores
from elman.evaluation.forecasting import forecast_scores
from elman.evaluation.labels import labels_scores
from elman.evaluation.language import language_scores
from elman.evaluation.measures import MEASURES, Measure, Scores
from elman.evaluation.regression import regression_scores, series_scores
from elman.evaluation.sequence_labels import tagging_scores
from elman.evaluation.transcription import transcription_scores
from elman.evaluation.translation import caption_scores, translation_scores

__all__ = ["KINDS", "MEASURES", "Measure", "Scores", "score"]

KINDS: Mapping[str, Callable[..., Scores]] = MappingProxyType(
    {
        "classification": classification_scores,
        "labels": labels_scores,
        "regression": regression_scores,
        "tagging": tagging_scores,
        "series": series_scores,
        "language": language_scores,
        "transcription": transcription_scores,
        "forecast": forecast_scores,
        "translation": translation_scores,
        "caption": caption_scores,
    }
)
"""What an answer is → how it is scored."""


def score(
    kind: str,
    truths: Any,
    answers: Any,
    probabilities: Any = None,
    *,
    main: str | None = None,
    **facts: Any,
) -> Scores:
    """Score the answers to one part of the data.

    | kind             | a truth and an answer are            | facts                          |
    | ---------------- | ------------------------------------ | ------------------------------ |
    | `classification` | one of a few names                   | names                          |
    | `labels`         | any of a few names                   | names                          |
    | `regression`     | a number, or several                 | training, season               |
    | `tagging`        | a tag a step                         | names, spans                   |
    | `series`         | a number, or several, a step         | training, season, pre_emphasis |
    | `language`       | the next symbol, at every step       | nll (needed), characters       |
    | `transcription`  | symbols, as many as there are        |                                |
    | `forecast`       | a number, or several, a step ahead   | quantiles, training, season,   |
    |                  |                                      | items, interval                |
    | `translation`    | a text; a truth may be several       | tokenize, lowercase            |
    | `caption`        | likewise                             | tokenize, lowercase            |

    Args:
        kind: what an answer is.
        truths: one a row, decoded: as the data has them.
        answers: one a row, likewise; for `language` None where they are not known.
        probabilities: of every name, (n,) or (T, n) a row; for `classification`, `labels` and
            `tagging`.
        main: the chief score where it is not to be the kind's own.
        facts: what else the kind's scores need, see its function in `KINDS`.

    Raises:
        OptionError: there is no such kind, fact or score, or one of them is out of range.
        DataError: truths and answers do not belong together, or there are none.
        ShapeError: arrays have other axes than asked for.

    >>> scores = score("classification", ["cat", "dog", "cat"], ["cat", "cat", "cat"])
    >>> scores.main, round(scores.value, 3), scores.higher_is_better
    ('accuracy', 0.667, True)
    """
    if kind not in KINDS:
        raise unknown("kind of score", kind, KINDS)
    measure = KINDS[kind]
    parameters = inspect.signature(measure).parameters
    known = [p.name for p in parameters.values() if p.kind is inspect.Parameter.KEYWORD_ONLY]
    for fact in facts:
        if fact not in known:
            takes = f"takes {', '.join(known)}" if known else "takes none"
            raise OptionError(f"{kind} scores need no fact {fact!r}: this kind {takes}.")
    for name, parameter in parameters.items():
        if name in known and parameter.default is inspect.Parameter.empty and name not in facts:
            raise OptionError(f"{kind} scores need {name}; pass {name}=….")
    if probabilities is not None:
        if "probabilities" not in parameters:
            raise OptionError(f"{kind} scores make nothing of probabilities; leave them out.")
        facts["probabilities"] = probabilities
    scores = measure(truths, answers, **facts)
    if main is None:
        return scores
    if main not in scores.values:
        raise unknown("score", main, scores.values)
    return scores.model_copy(update={"main": main})
