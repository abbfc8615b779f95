"""Every kind reaches its scores, and what it cannot take is refused in words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from elman.errors import OptionError
from elman.evaluation.scores import KINDS, MEASURES, Scores, score

ONE_OF_EACH: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "classification": (["a", "b"], ["a", "a"], {}),
    "labels": ([["a"], ["b"]], [["a"], []], {}),
    "regression": ([1.0, 2.0], [1.0, 3.0], {"training": [1.0, 4.0]}),
    "tagging": ([["B-X", "O"]], [["B-X", "O"]], {}),
    "series": ([[1.0, 2.0]], [[1.0, 3.0]], {"pre_emphasis": 0.85}),
    "language": (["ab"], ["aa"], {"nll": 1.0, "characters": 2}),
    "transcription": (["ab"], ["aa"], {}),
    "forecast": (
        [[1.0, 2.0]],
        [[1.0, 3.0]],
        {"training": [[1.0, 4.0]], "quantiles": {0.1: [[0.0, 0.0]], 0.9: [[2.0, 4.0]]}},
    ),
    "translation": (["a dog ran home"], ["a dog ran"], {}),
    "caption": (["a dog ran home"], ["a dog ran"], {}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_scored_and_its_main_score_is_among_its_scores(kind: str) -> None:
    truths, predictions, facts = ONE_OF_EACH[kind]
    scores = score(kind, truths, predictions, **facts)
    assert scores.kind == kind
    assert scores == KINDS[kind](truths, predictions, **facts)
    assert scores.value == scores.values[scores.main]
    assert scores.higher_is_better is MEASURES[scores.main].higher_is_better
    assert Scores.model_validate_json(scores.model_dump_json()) == scores


@pytest.mark.parametrize("kind", KINDS)
def test_perfect_predictions_are_never_worse_than_others(kind: str) -> None:
    truths, predictions, facts = ONE_OF_EACH[kind]
    perfect = score(kind, truths, truths, **facts)
    scores = score(kind, truths, predictions, **facts)
    for name, value in scores.values.items():
        better = perfect.values[name] - value
        assert better >= 0 if MEASURES[name].higher_is_better else better <= 0, name


def test_the_main_score_can_be_said() -> None:
    scores = score("classification", ["a", "b"], ["a", "a"], main="macro_f1")
    assert scores.main == "macro_f1"
    with pytest.raises(OptionError, match="unknown score 'macrof1'; did you mean 'macro_f1'"):
        score("classification", ["a"], ["a"], main="macrof1")


def test_probabilities_reach_the_kinds_that_take_them() -> None:
    scores = score("classification", ["a"], ["a"], [[0.5, 0.5]], names=["a", "b"])
    assert "log_loss" in scores.values
    with pytest.raises(OptionError, match="regression scores take no probabilities; leave them"):
        score("regression", [1.0], [1.0], [[1.0]])


def test_what_a_kind_cannot_take_is_refused_in_words() -> None:
    with pytest.raises(OptionError, match="unknown kind of score 'clasification'; did you mean"):
        score("clasification", ["a"], ["a"])
    with pytest.raises(OptionError, match="no argument 'seasons'; they take training, season"):
        score("regression", [1.0], [1.0], seasons=12)
    with pytest.raises(OptionError, match="no argument 'season'; they take names, where"):
        score("transcription", ["a"], ["a"], season=1)
    with pytest.raises(OptionError, match="language scores need nll; pass nll=…"):
        score("language", ["a"], None)


def test_a_score_that_nobody_knows_or_that_is_infinite_is_refused() -> None:
    with pytest.raises(ValidationError, match="unknown score 'acuracy'; did you mean 'accuracy'"):
        Scores(kind="roll", main="acuracy", values={"acuracy": 1.0}, count=1, unit="rows")
    with pytest.raises(ValidationError, match=r"unknown score 'mae'\. Known scores: accuracy"):
        Scores(kind="roll", main="mae", values={"accuracy": 1.0}, count=1, unit="rows")
    with pytest.raises(ValidationError, match="finite"):
        Scores(kind="roll", main="nll", values={"nll": float("inf")}, count=1, unit="rows")
