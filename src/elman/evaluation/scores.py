"""One function for every score: from true values and predictions to numbers."""

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
"""Kind of prediction → its scoring function."""


def score(
    kind: str,
    truths: Any,
    predictions: Any,
    probabilities: Any = None,
    *,
    main: str | None = None,
    **facts: Any,
) -> Scores:
    """Score the predictions for one part of the data.

    | kind             | a truth and a prediction are         | facts                          |
    | ---------------- | ------------------------------------ | ------------------------------ |
    | `classification` | a class                              | names, learned, where          |
    | `labels`         | a set of labels                      | names, learned, where          |
    | `regression`     | one or several numbers               | training, season               |
    | `tagging`        | a tag a step                         | names, spans, learned, where   |
    | `series`         | one or several numbers a step        | training, season, sound,       |
    |                  |                                      | pre_emphasis                   |
    | `language`       | the next symbol at every step        | nll (required), characters     |
    | `transcription`  | a sequence of symbols                | names, where                   |
    | `forecast`       | one or several numbers a step ahead  | quantiles, training, season,   |
    |                  |                                      | items, interval                |
    | `translation`    | a text; several texts may be true    | tokenize, lowercase            |
    | `caption`        | likewise                             | tokenize, lowercase            |

    Args:
        kind: kind of prediction.
        truths: one a row, decoded: as the data has them.
        predictions: one a row, likewise; for `language` None where they are not known.
        probabilities: of every class, (n,) or (T, n) a row; for `classification`, `labels` and
            `tagging`.
        main: name of the main score; by default the kind's own.
        facts: keyword arguments of the kind's function in `KINDS`.

    Raises:
        OptionError: there is no such kind, fact or score, or one of them is out of range.
        DataError: truths and predictions differ in number, or there are none.
        ShapeError: arrays have the wrong axes.

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
            raise OptionError(
                f"{kind} scores have no argument {fact!r}; they take {', '.join(known)}."
            )
    for name, parameter in parameters.items():
        if name in known and parameter.default is inspect.Parameter.empty and name not in facts:
            raise OptionError(f"{kind} scores need {name}; pass {name}=….")
    if probabilities is not None:
        if "probabilities" not in parameters:
            raise OptionError(f"{kind} scores take no probabilities; leave them out.")
        facts["probabilities"] = probabilities
    scores = measure(truths, predictions, **facts)
    return scores if main is None else scores.led_by(main)
