"""Names and meanings of all scores, and the scores of one part of the data."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sized
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from elman.errors import DataError, OptionError, counted, unknown
from elman.evaluation.leading import leading_score

WORST = 20
"""Greatest number of rows in `Scores.details["worst"]`, worst first."""


class Measure(NamedTuple):
    """The title and meaning of one score.

    Attributes:
        title: its name in words.
        higher_is_better: whether a higher value is better.
        meaning: what it is, in one sentence.
        share: whether it is a share of a whole, shown in per cent.
    """

    title: str
    higher_is_better: bool
    meaning: str
    share: bool = False


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "accuracy": Measure("Accuracy", True, "the share of right predictions", share=True),
        "macro_f1": Measure(
            "Macro F1", True, "the mean F1 of all classes, each counted equally", share=True
        ),
        "weighted_f1": Measure(
            "Weighted F1",
            True,
            "the mean F1 of all classes, weighted by the number of rows of each",
            share=True,
        ),
        "micro_f1": Measure("Micro F1", True, "the F1 of all labels counted together", share=True),
        "subset_accuracy": Measure(
            "Subset accuracy", True, "the share of rows whose labels are all right", share=True
        ),
        "precision": Measure(
            "Precision", True, "the share of predicted spans that are right", share=True
        ),
        "recall": Measure("Recall", True, "the share of true spans that are predicted", share=True),
        "f1": Measure("F1", True, "the harmonic mean of precision and recall", share=True),
        "sequence_accuracy": Measure(
            "Whole rows right", True, "the share of rows without any mistake", share=True
        ),
        "log_loss": Measure(
            "Log loss", False, "the mean of −ln of the true class’s predicted probability, in nats"
        ),
        "calibration_error": Measure(
            "Calibration error",
            False,
            "how far, on average, the predicted probability is from the share of right predictions",
            share=True,
        ),
        "mae": Measure("Mean absolute error", False, "in the target’s own unit"),
        "mse": Measure("Mean squared error", False, "in the square of the target’s unit"),
        "rmse": Measure("Root mean squared error", False, "in the target’s own unit"),
        "r2": Measure(
            "R²", True, "the share of the variance explained; 0 for always predicting the mean"
        ),
        "mase": Measure(
            "MASE",
            False,
            "the mean absolute error divided by that of the seasonal naive forecast; below 1 is "
            "better than that forecast",
        ),
        "smape": Measure(
            "sMAPE",
            False,
            "the mean of the error divided by the mean size of truth and forecast, at most 200 %",
            share=True,
        ),
        "weighted_quantile_loss": Measure(
            "Weighted quantile loss",
            False,
            "twice the pinball loss of the quantiles divided by the sum of the true values’ sizes",
        ),
        "coverage": Measure(
            "Coverage",
            True,
            "the share of true values inside their interval; best is the interval’s own "
            "probability, neither less nor more",
            share=True,
        ),
        "coverage_error": Measure(
            "Coverage error",
            False,
            "how far the coverage is from the interval’s own probability",
            share=True,
        ),
        "error_to_signal": Measure(
            "Error-to-signal ratio", False, "the energy of the error divided by that of the target"
        ),
        "error_to_signal_pre_emphasised": Measure(
            "Error-to-signal ratio, pre-emphasised",
            False,
            "the same after a filter that lifts high frequencies",
        ),
        "nll": Measure("Negative log-likelihood", False, "in nats per symbol or step"),
        "perplexity": Measure(
            "Perplexity", False, "e to the power of the negative log-likelihood per symbol, in nats"
        ),
        "bits_per_character": Measure(
            "Bits per character", False, "the negative log-likelihood per character, in bits"
        ),
        "label_error_rate": Measure(
            "Label error rate",
            False,
            "the edits from prediction to target, divided by the symbols of the target",
        ),
        "bleu": Measure(
            "BLEU", True, "how many n-grams of 1 to 4 words are also in a reference, from 0 to 100"
        ),
        "bleu_1": Measure("BLEU-1", True, "how many words are also in a reference, from 0 to 100"),
        "bleu_2": Measure("BLEU-2", True, "the same for n-grams of 1 and 2 words"),
        "bleu_3": Measure("BLEU-3", True, "the same for n-grams of 1 to 3 words"),
        "bleu_4": Measure("BLEU-4", True, "the same for n-grams of 1 to 4 words"),
        "chrf": Measure(
            "chrF",
            True,
            "how many n-grams of 1 to 6 characters are also in a reference, from 0 to 100",
        ),
    }
)
"""Every score there is, by its name."""

_OF = " of "
"""Between the name of a score and that of its target, where there are several targets."""


def of_target(name: str, target: str) -> str:
    """Name the score of one of several targets: `accuracy of priority`."""
    return f"{name}{_OF}{target}"


def measure_of(name: str) -> Measure:
    """Return what a score is, also one of several targets.

    Raises:
        OptionError: there is no such score; a near miss is offered.

    >>> measure_of("accuracy of priority").title, measure_of("mae").title
    ('Accuracy of priority', 'Mean absolute error')
    """
    name, of, target = name.partition(_OF)
    if name not in MEASURES:
        raise unknown("score", name, MEASURES)
    measure = MEASURES[name]
    return measure._replace(title=f"{measure.title}{of}{target}") if target else measure


class Scores(BaseModel):
    """The scores of the predictions for one part of the data.

    Attributes:
        kind: kind of score; a key of `scores.KINDS`, `roll`, or `joint` for several targets.
        main: name of the main score.
        values: name → value, the names being keys of `MEASURES`, or with several targets such a
            key and the target: `accuracy of priority`. All are finite.
        undefined: name of a score that cannot be computed here, or is not finite → why: a clause
            that continues `… is not computed:`.
        count: how many units were scored.
        unit: what they are, in the plural: `rows`, `steps`.
        details: tables behind the numbers, in JSON values.
        notes: what a reader has to know about the numbers, a sentence each.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    main: str
    values: dict[str, FiniteFloat]
    undefined: dict[str, str] = {}
    count: int = Field(ge=1)
    unit: str
    details: dict[str, Any] = {}
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _names_are_known(self) -> Scores:
        for name in (*self.values, *self.undefined):
            measure_of(name)
        self.check_name(self.main)
        return self

    def check_name(self, name: str) -> None:
        """Refuse a score that is not among these, computed or not.

        Raises:
            OptionError: there is no such score; a near miss is offered.
        """
        if name not in self.values and name not in self.undefined:
            raise unknown("score", name, (*self.values, *self.undefined))

    def led_by(self, main: str) -> Scores:
        """Return the same scores with another main score.

        Raises:
            OptionError: there is no such score, or it is not computed here.
        """
        self.check_name(main)
        if main in self.undefined:
            raise OptionError(
                f"{main} cannot be the main score here: {measure_of(main).title} is not computed: "
                f"{self.undefined[main]}."
            )
        return self.model_copy(update={"main": main})

    @property
    def value(self) -> float:
        """The main score; where it is not computed, infinite on the side of the worst."""
        worst = -math.inf if self.higher_is_better else math.inf
        return self.values.get(self.main, worst)

    @property
    def reasons(self) -> list[str]:
        """Why scores are not computed, a sentence each."""
        return [
            f"{measure_of(name).title} is not computed: {why}."
            for name, why in self.undefined.items()
        ]

    @property
    def higher_is_better(self) -> bool:
        """Whether a higher main score is better."""
        return measure_of(self.main).higher_is_better

    @property
    def headlines(self) -> list[str]:
        """Names of the scores that a line can hold: the main one, with several targets one each."""
        mains = [
            of_target(own["main"], target)
            for target, own in self.details.get("targets", {}).items()
        ]
        target = self.main.partition(_OF)[2]
        others = [name for name in mains if name.partition(_OF)[2] != target]
        return [self.main, *others]


class Measured:
    """Collects scores, and the reasons for those not computed, before `Scores` is made of them."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}
        self.undefined: dict[str, str] = {}
        self.notes: list[str] = []

    def add(self, name: str, value: float | None, undefined: str = "it is infinite") -> None:
        """Keep a score, or the reason where it is None or not finite.

        Args:
            name: a key of `MEASURES`.
            value: the score.
            undefined: why it is not computed, if it is not: see `Scores.undefined`.
        """
        if value is None or not math.isfinite(value):
            self.undefined[name] = undefined
        else:
            self.values[name] = value

    def scores(self, *, kind: str, first: str | None = None, **facts: Any) -> Scores:
        """Make `Scores` of them.

        Args:
            kind: kind of score, by which one of them leads; see `leading_score`.
            first: leads before the usual ones.
            facts: other attributes of `Scores`; `main`, where something else chooses it.
        """
        notes = (*self.notes, *facts.pop("notes", ()))
        if "main" not in facts:
            names = (*self.values, *self.undefined)
            facts["main"] = leading_score(kind, names, self.values, first=first)
        return Scores(kind=kind, values=self.values, undefined=self.undefined, notes=notes, **facts)


def check_pairs(truths: Sized, predictions: Sized) -> None:
    """Refuse truths and predictions that do not belong together.

    Raises:
        DataError: there are none, or their numbers differ.
    """
    if len(truths) != len(predictions):
        raise DataError(
            "every row needs a true value and a prediction, got "
            f"{counted(len(truths), 'true value')} and {counted(len(predictions), 'prediction')}."
        )
    if not len(truths):
        raise DataError("there is nothing to score: no row has both a true value and a prediction.")


TOO_LARGE = "it is infinite: predictions lie too far from the true values"


def not_numbers(
    predictions: Collection[NDArray[np.float64]], undefined: Iterable[str]
) -> Measured | None:
    """Return why nothing is computed where predictions are infinite or no numbers; else None.

    Args:
        predictions: the predicted numbers, in arrays of any shape.
        undefined: names of the scores that are not computed then.
    """
    wrong = sum(int((~np.isfinite(each)).sum()) for each in predictions)
    if not wrong:
        return None
    measured = Measured()
    total = counted(sum(each.size for each in predictions), "predicted number")
    for name in undefined:
        measured.add(name, None, f"{wrong:,} of {total} {'is' if wrong == 1 else 'are'} not finite")
    return measured


def check_steps(truths: Collection[Sized], predictions: Collection[Sized]) -> None:
    """Refuse rows whose truth and prediction differ in length.

    Raises:
        DataError: as `check_pairs`; a row has a truth and a prediction of different lengths; or
            there is no step at all.
    """
    check_pairs(truths, predictions)
    for row, (truth, prediction) in enumerate(zip(truths, predictions, strict=True)):
        if len(truth) != len(prediction):
            raise DataError(
                "every step needs a true value and a prediction, got "
                f"{counted(len(truth), 'true value')} and "
                f"{counted(len(prediction), 'prediction')} at row {row}."
            )
    if not any(len(truth) for truth in truths):
        raise DataError("there is nothing to score: no row has a step.")
