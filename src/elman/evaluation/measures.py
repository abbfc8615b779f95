"""What a score is called, which way it is better, and the scores of one part of the data."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sized
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from elman.errors import DataError, unknown

WORST = 20
"""Rows that `Scores.details["worst"]` lists at most, worst first."""


class Measure(NamedTuple):
    """What one number says.

    Attributes:
        title: its name in words.
        higher_is_better: which way it is better.
        meaning: what it is, in one sentence.
        share: whether it is a share of a whole, to be read in per cent.
    """

    title: str
    higher_is_better: bool
    meaning: str
    share: bool = False


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "accuracy": Measure("Accuracy", True, "the share of right answers", share=True),
        "macro_f1": Measure(
            "Macro F1", True, "the mean of the F1 of every name, each counting the same", share=True
        ),
        "weighted_f1": Measure(
            "Weighted F1",
            True,
            "the mean of the F1 of every name, weighted by how often it is true",
            share=True,
        ),
        "micro_f1": Measure("Micro F1", True, "the F1 of all names counted together", share=True),
        "subset_accuracy": Measure(
            "Subset accuracy", True, "the share of rows whose names are all right", share=True
        ),
        "precision": Measure(
            "Precision", True, "the share of answered spans that are true", share=True
        ),
        "recall": Measure("Recall", True, "the share of true spans that were found", share=True),
        "f1": Measure("F1", True, "the harmonic mean of precision and recall", share=True),
        "sequence_accuracy": Measure(
            "Whole rows right", True, "the share of rows without any mistake", share=True
        ),
        "log_loss": Measure(
            "Log loss", False, "the mean of −ln of the probability given to the truth, in nats"
        ),
        "calibration_error": Measure(
            "Calibration error",
            False,
            "how far, on average, the given probability is from the share of right answers",
            share=True,
        ),
        "mae": Measure("Mean absolute error", False, "in the target’s own unit"),
        "mse": Measure("Mean squared error", False, "in the square of the target’s unit"),
        "rmse": Measure("Root mean squared error", False, "in the target’s own unit"),
        "r2": Measure("R²", True, "the share of the variance explained; 0 for answering the mean"),
        "mase": Measure(
            "MASE",
            False,
            "the mean absolute error over that of the seasonal naive forecast; below 1 is better "
            "than that forecast",
        ),
        "smape": Measure(
            "sMAPE",
            False,
            "the mean of the error over the mean size of truth and forecast, at most 200 %",
            share=True,
        ),
        "weighted_quantile_loss": Measure(
            "Weighted quantile loss",
            False,
            "twice the pinball loss of the quantiles over the sum of the absolute truths",
        ),
        "coverage": Measure(
            "Coverage",
            True,
            "the share of the truths inside their interval; right is the interval’s own share, "
            "neither less nor more",
            share=True,
        ),
        "coverage_error": Measure(
            "Coverage error",
            False,
            "how far the coverage is from the share that the interval ought to hold",
            share=True,
        ),
        "error_to_signal": Measure(
            "Error-to-signal ratio", False, "the energy of the error over that of the truth"
        ),
        "error_to_signal_pre_emphasised": Measure(
            "Error-to-signal ratio, pre-emphasised",
            False,
            "the same after a filter that lifts high frequencies",
        ),
        "nll": Measure("Negative log-likelihood", False, "in nats, a symbol or a step"),
        "perplexity": Measure(
            "Perplexity", False, "e to the negative log-likelihood of a symbol, in nats"
        ),
        "bits_per_character": Measure(
            "Bits a character", False, "the negative log-likelihood of a character, in bits"
        ),
        "label_error_rate": Measure(
            "Label error rate", False, "edits from answer to truth over symbols of the truth"
        ),
        "bleu": Measure(
            "BLEU", True, "how many runs of 1 to 4 words a reference has too, from 0 to 100"
        ),
        "bleu_1": Measure("BLEU-1", True, "how many words a reference has too, from 0 to 100"),
        "bleu_2": Measure("BLEU-2", True, "the same of runs of 1 and 2 words"),
        "bleu_3": Measure("BLEU-3", True, "the same of runs of 1 to 3 words"),
        "bleu_4": Measure("BLEU-4", True, "the same of runs of 1 to 4 words"),
        "chrf": Measure(
            "chrF", True, "how many runs of 1 to 6 characters a reference has too, from 0 to 100"
        ),
    }
)
"""Every score there is, by its name."""


class Scores(BaseModel):
    """How good the answers to one part of the data are.

    Attributes:
        kind: of what was scored; a key of `scores.KINDS`, or `roll`.
        main: name of the chief score.
        values: name → number, the names being keys of `MEASURES`. All are finite: a score that is
            not defined here is left out, and `notes` say why.
        count: what was scored, in number …
        unit: … and in words, in the plural: `rows`, `steps`.
        details: tables behind the numbers, in JSON values.
        notes: what has to be known about the numbers, in sentences.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    main: str
    values: dict[str, FiniteFloat]
    count: int = Field(ge=1)
    unit: str
    details: dict[str, Any] = {}
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _names_are_known(self) -> Scores:
        for name in self.values:
            if name not in MEASURES:
                raise unknown("score", name, MEASURES)
        if self.main not in self.values:
            raise unknown("score", self.main, self.values)
        return self

    @property
    def value(self) -> float:
        """The chief score."""
        return self.values[self.main]

    @property
    def higher_is_better(self) -> bool:
        """Which way the chief score is better."""
        return MEASURES[self.main].higher_is_better


class Measured:
    """Collects scores, and the reasons why one is left out, until `Scores` is made of them."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}
        self.notes: list[str] = []

    def add(self, name: str, value: float | None, undefined: str) -> None:
        """Keep a score, or a note where it is None or not finite.

        Args:
            name: a key of `MEASURES`.
            value: the score.
            undefined: why it is left out, if it is: a clause that goes on from `… is left out:`.
        """
        if value is None or not math.isfinite(value):
            self.notes.append(f"{MEASURES[name].title} is left out: {undefined}.")
        else:
            self.values[name] = value


def check_pairs(truths: Sized, answers: Sized) -> None:
    """Refuse truths and answers that do not belong together.

    Raises:
        DataError: there are none, or not as many of one as of the other.
    """
    if len(truths) != len(answers):
        raise DataError(
            f"every row needs a truth and an answer, got {len(truths)} truths and {len(answers)} "
            "answers."
        )
    if not len(truths):
        raise DataError("there is nothing to score: no row has both a truth and an answer.")


def check_steps(truths: Collection[Sized], answers: Collection[Sized]) -> None:
    """Refuse rows whose truth and answer have not the same steps.

    Raises:
        DataError: as `check_pairs`; a row has a truth and an answer of different lengths; or there
            is no step at all.
    """
    check_pairs(truths, answers)
    for row, (truth, answer) in enumerate(zip(truths, answers, strict=True)):
        if len(truth) != len(answer):
            raise DataError(
                f"every step needs a truth and an answer, got {len(truth)} truths and "
                f"{len(answer)} answers at row {row}."
            )
    if not any(len(truth) for truth in truths):
        raise DataError("there is nothing to score: no row has a step.")
