"""What the report of a run shows: plain values.

Nothing here knows a model or a file. `report.facts` fills in `RunFacts`; what it leaves empty is
left out of the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from elman.errors import DataError, ShapeError
from elman.evaluation.measures import Scores
from elman.features.feature import ImageInput, SeriesInput
from elman.features.roll import Roll
from elman.inspection.gradient_flow import GradientFlow
from elman.report.run.column_falls import ColumnFalls


class Column(NamedTuple):
    """A column of the data and its kind."""

    name: str
    kind: str
    """As the table of `features.feature` names it, with options: `text:word`."""
    why: str = ""
    """How the kind was found: `given`, or what in the data showed it."""


class CurvePoint(NamedTuple):
    """One epoch of the learning curve; None where nothing was measured."""

    epoch: int
    train: float | None = None
    """Mean loss during the epoch."""
    valid: float | None = None
    """Loss of the validation part after it."""
    score: float | None = None
    """Score of the validation part after it, where there is one."""


class Mistake(NamedTuple):
    """A row with a wrong prediction."""

    input: str | SeriesInput | ImageInput
    truth: str
    prediction: str
    probability: float | None = None
    """Of the prediction."""
    where: str = ""
    """File and line."""


class WrittenOutput(NamedTuple):
    """A sequence that a network wrote, beside its input and its target."""

    input: str | SeriesInput | ImageInput
    truth: Sequence[str]
    """Its words, characters or symbols."""
    output: Sequence[str]
    score: str = ""
    """How near the output is to the target, in words: `chrF 43.2`."""
    where: str = ""
    separator: str = " "
    """Between two words; empty between characters."""
    ignores_case: bool = False
    """Whether upper and lower case count as equal."""


class AttendedOutput(NamedTuple):
    """An output, and the steps of the source that its symbols attended to."""

    read: Sequence[str]
    """Names of the source's steps, S."""
    written: Sequence[str]
    """Names of the output's symbols, U."""
    weights: ArrayLike
    """(U, S), each row summing to one."""
    where: str = ""


class WrittenSamples(NamedTuple):
    """What a network writes for one value: most likely, sampled, and the targets."""

    input: str
    likeliest: str
    sampled: Sequence[str]
    truths: Sequence[str] = ()


class TaggedSentence(NamedTuple):
    """A sequence of words with a true and a predicted tag each."""

    words: Sequence[str]
    truths: Sequence[str]
    predictions: Sequence[str]
    where: str = ""


class Bands(NamedTuple):
    """A long sequence with a true and a predicted tag per step, to be shown over time."""

    title: str
    truths: Sequence[str]
    predictions: Sequence[str]
    step_seconds: float | None = None
    """Duration of a step; time is counted in steps where it is not known."""


class WeighedText(NamedTuple):
    """Words, or characters, with what each contributed to the prediction."""

    words: Sequence[str]
    weights: Sequence[float]
    """For the prediction where positive, against it where negative."""
    truth: str
    prediction: str
    probability: float | None = None
    where: str = ""
    separator: str = " "
    """Between two words; empty between characters."""


class PredictedSeries(NamedTuple):
    """A true and a predicted series, (T,) each, and the past before them."""

    title: str
    truth: ArrayLike
    prediction: ArrayLike
    past: ArrayLike = ()
    naive: ArrayLike = ()
    """A naive forecast, (T,); empty where there is none."""
    low: ArrayLike = ()
    """Lower bounds of an interval of each value, (T,); empty where there is none."""
    high: ArrayLike = ()
    """Upper bounds, likewise."""
    times: ArrayLike = ()
    """When the steps of the past and the prediction are: dates (`datetime64`) or numbers; empty
    where they are counted."""


class PredictedNumbers(NamedTuple):
    """True and predicted numbers, (N,) each."""

    truths: ArrayLike
    predictions: ArrayLike


class GeneratedText(NamedTuple):
    """Text that the model generated."""

    text: str
    prompt: str = ""
    """The text that it continues."""
    how: str = ""
    """How it was sampled: `temperature 0.8, seed 1`."""


class GeneratedRoll(NamedTuple):
    """Music that the model composed, or a real piece to compare it with."""

    title: str
    roll: Roll
    frames_per_beat: int = 1


class Flow(NamedTuple):
    """How the gradient vanishes in each direction of the last recurrent layer."""

    directions: Mapping[str, GradientFlow]
    """forward, and backward where there is one: see `model_gradient_flow`"""
    per_step: bool
    """Whether the loss is that of one step, or that of the whole prediction."""
    pooling: str = "last"
    """How one vector is made of all steps, where there is one prediction per row; `attention` where
    a decoder attends to all steps, `last` where it reads only the last one."""
    delay: int = 0
    """d, steps from the last input to the step of the last prediction."""
    of_encoder: bool = False
    """Whether the layer is an encoder's, and the loss that of the whole output."""


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """All that the report of a run can show.

    Attributes:
        title: what is predicted from what: `label predicted from text (reviews)`.
        category: `many-to-one`.
        cell: name of the cell, which gives the figures their colour.
        network: the network in one line.
        parameters: how many it has.
        scores: part of the data → its scores; the headline speaks of the last part.
        target: what is predicted, as the headline names it: `“label”`.
        answers: with several targets the facts of each, whose scores, target and examples are its
            own; empty with one.
        source: file or data set.
        inputs, targets: the columns.
        parts: part of the data → rows in it.
        rows_name: what these rows are called.
        split: how the data was split.
        notes: what was assumed or left out, in sentences.
        curve: one point per epoch.
        selected: the epoch whose weights were kept.
        loss_unit: unit of the losses of the curve: `nats per row`.
        score_title: name of the scores of the curve.
        seconds: wall-clock time of training.
        seed, machine, command: how to repeat the run.
        settings: section → setting → value, as the experiment has them.
        importance: what each column contributes, a list of columns a score.
        importance_note: why it was not measured.
        wrong: the most confident mistakes, in this order.
        sentences: examples of tagging.
        bands: examples of tags over time.
        weighed: examples of texts with what each word contributed.
        weights_note: what a weight is: `integrated gradients of each word`.
        numbers: of a regression.
        ahead: forecasts of what comes after the data.
        series: of a forecast or a signal.
        series_note: which were chosen, and what their lines are.
        texts: that the model generated.
        rolls: that the model composed.
        flow: gradient flow of the trained network.
        captions: pictures with the captions that were written.
        written: outputs of a network that writes, in groups: `Best` → rows.
        written_note: how the rows were chosen and ordered.
        samples: outputs for a value that says little.
        samples_note: how they were sampled.
        attended: attention maps.
        attended_note: what the names of steps and symbols mean.
    """

    title: str
    category: str
    cell: str
    network: str
    parameters: int
    scores: Mapping[str, Scores]
    target: str = ""
    answers: Sequence[RunFacts] = ()
    source: str = ""
    inputs: Sequence[Column] = ()
    targets: Sequence[Column] = ()
    parts: Mapping[str, int] = field(default_factory=dict)
    rows_name: str = "rows"
    split: str = ""
    notes: Sequence[str] = ()
    curve: Sequence[CurvePoint] = ()
    selected: int | None = None
    loss_unit: str = "loss"
    score_title: str = "score"
    seconds: float | None = None
    seed: int | None = None
    machine: str = ""
    command: str = ""
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    importance: Sequence[ColumnFalls] = ()
    importance_note: str = ""
    wrong: Sequence[Mistake] = ()
    sentences: Sequence[TaggedSentence] = ()
    bands: Sequence[Bands] = ()
    weighed: Sequence[WeighedText] = ()
    weights_note: str = ""
    numbers: PredictedNumbers | None = None
    ahead: Sequence[PredictedSeries] = ()
    series: Sequence[PredictedSeries] = ()
    series_note: str = ""
    texts: Sequence[GeneratedText] = ()
    rolls: Sequence[GeneratedRoll] = ()
    flow: Flow | None = None
    captions: Sequence[WrittenOutput] = ()
    written: Mapping[str, Sequence[WrittenOutput]] = field(default_factory=dict)
    written_note: str = ""
    samples: Sequence[WrittenSamples] = ()
    samples_note: str = ""
    attended: Sequence[AttendedOutput] = ()
    attended_note: str = ""

    def __post_init__(self) -> None:
        """Refuse facts that contradict each other.

        Raises:
            DataError: there are no scores.
            ShapeError: a sequence has other numbers of true values and predictions, words or
                weights; or attention has not one weight for each symbol and step.
        """
        if not self.scores:
            raise DataError(
                "the report of a run needs the scores of at least one part of the data."
            )
        for sentence in self.sentences:
            _check_same(
                words=sentence.words, truths=sentence.truths, predictions=sentence.predictions
            )
        for bands in self.bands:
            _check_same(truths=bands.truths, predictions=bands.predictions)
        for text in self.weighed:
            _check_same(words=text.words, weights=text.weights)
        for each in self.attended:
            if np.shape(each.weights) != (len(each.written), len(each.read)):
                raise ShapeError(
                    "attention weights must be (U, S) = "
                    f"({len(each.written)}, {len(each.read)}), got {np.shape(each.weights)}."
                )

    @property
    def part(self) -> str:
        """The part the headline speaks of: the last that was scored."""
        return list(self.scores)[-1]

    @property
    def final(self) -> Scores:
        """Its scores."""
        return self.scores[self.part]


def _check_same(**sequences: Sequence[Any]) -> None:
    if len({len(values) for values in sequences.values()}) > 1:
        counts = ", ".join(f"{len(values)} {name}" for name, values in sequences.items())
        raise ShapeError(f"an example must have one of each for every step, got {counts}.")
