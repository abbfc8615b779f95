"""What the report of a run is made of: plain values, ready to be shown.

Nothing here knows a model or a file. Whoever trained fills `RunFacts` in; what it leaves empty is
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


class Column(NamedTuple):
    """A column of the data, and what it was taken for."""

    name: str
    kind: str
    """As the table of `features.feature` names it, with options: `text:word`."""
    why: str = ""
    """How the kind was found: `said`, or what in the data showed it."""


class CurvePoint(NamedTuple):
    """One epoch of the learning curve; None where nothing was measured."""

    epoch: int
    train: float | None = None
    """Mean loss during the epoch."""
    valid: float | None = None
    """Loss of the validation part after it."""
    score: float | None = None
    """Score of the validation part after it, where the run selected by one."""


class WrongAnswer(NamedTuple):
    """A row that was answered wrongly."""

    input: str | SeriesInput | ImageInput
    truth: str
    answer: str
    probability: float | None = None
    """That was given to the answer."""
    where: str = ""
    """File and line."""


class WrittenAnswer(NamedTuple):
    """A sequence that a network wrote, beside what it read and the truth."""

    input: str | SeriesInput | ImageInput
    truth: Sequence[str]
    """Its words, characters or symbols."""
    answer: Sequence[str]
    score: str = ""
    """How near the answer comes, in words: `chrF 43.2`."""
    where: str = ""
    separator: str = " "
    """Between two words; empty between characters."""
    ignores_case: bool = False
    """Whether an answer is right in small letters too."""


class AttendedAnswer(NamedTuple):
    """An answer, and which steps of the source its symbols attended to."""

    read: Sequence[str]
    """Names of the source's steps, S."""
    written: Sequence[str]
    """Names of the symbols, U."""
    weights: ArrayLike
    """(U, S), each row summing to one."""
    where: str = ""


class WrittenSamples(NamedTuple):
    """What a network writes of one value: by search, drawn, and as the data has it."""

    input: str
    likeliest: str
    drawn: Sequence[str]
    truths: Sequence[str] = ()


class TaggedSentence(NamedTuple):
    """A sequence of words with a true and an answered tag each."""

    words: Sequence[str]
    truths: Sequence[str]
    answers: Sequence[str]
    where: str = ""


class Bands(NamedTuple):
    """A long sequence with a true and an answered label a step, to be drawn along time."""

    title: str
    truths: Sequence[str]
    answers: Sequence[str]
    step_seconds: float | None = None
    """How long a step lasts; time is told in steps where it is not known."""


class WeighedText(NamedTuple):
    """Words, or characters, with what each contributed to the answer."""

    words: Sequence[str]
    weights: Sequence[float]
    """For the answer where positive, against it where negative."""
    truth: str
    answer: str
    probability: float | None = None
    where: str = ""
    separator: str = " "
    """Between two words; empty between characters."""


class PredictedSeries(NamedTuple):
    """A true and a predicted series, (T,) each, and the past they go on from."""

    title: str
    truth: ArrayLike
    answer: ArrayLike
    past: ArrayLike = ()
    naive: ArrayLike = ()
    """What a seasonal naive forecast says, (T,); empty where there is none."""
    low: ArrayLike = ()
    """Lower ends of an interval of each value, (T,); empty where there is none."""
    high: ArrayLike = ()
    """Upper ends, likewise."""


class PredictedNumbers(NamedTuple):
    """True and predicted numbers, (N,) each."""

    truths: ArrayLike
    answers: ArrayLike


class GeneratedText(NamedTuple):
    """Text the model wrote."""

    text: str
    prompt: str = ""
    """What it was to go on from."""
    how: str = ""
    """How it was drawn: `temperature 0.8, seed 1`."""


class GeneratedRoll(NamedTuple):
    """Music the model composed, or a real piece to see beside it."""

    title: str
    roll: Roll
    frames_per_beat: int = 1


class Flow(NamedTuple):
    """How the gradient fades in each direction of the last recurrent layer."""

    directions: Mapping[str, GradientFlow]
    """forward, and backward where there is one: see `model_gradient_flow`"""
    per_step: bool
    """Whether the loss followed is that of one step, or the answer's."""
    pooling: str = "last"
    """How one vector is made of all steps, where the answer is one; `attention` where a decoder
    reads them all, `last` where it reads the end alone."""
    delay: int = 0
    """d, steps from the last input to the step that gives the last answer."""
    of_encoder: bool = False
    """Whether the layer is an encoder's, and the loss that of all a decoder wrote."""


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """All that the report of a run can show.

    Attributes:
        title: the run in a few words: `reviews.csv: text → label`.
        category: `many-to-one`, with the words of how it was found if there are any.
        cell: name of the cell, which gives the figures their colour.
        network: what was built, in one line.
        parameters: how many it has.
        scores: part of the data → its scores; the headline speaks of the last part.
        target: what is predicted, as the headline names it.
        source: file or data set.
        inputs, targets: the columns.
        parts: part of the data → rows in it.
        split: how the parts were made.
        notes: what was assumed or left out, in sentences.
        curve: an epoch each.
        selected: the epoch whose weights were kept.
        loss_unit: what a loss of the curve is in: `nats a row`.
        score_title: what a score of the curve is.
        seconds: wall-clock time of training.
        seed, machine, command: how to get the same again.
        settings: section → setting → value, as the experiment has them.
        wrong: the worst mistakes, worst first.
        sentences: examples of tagging.
        bands: examples of labels along time.
        weighed: examples of what the model read.
        weights_said: what a weight is: `gradient × input of each word`.
        numbers: of a regression.
        series: of a forecast or a signal.
        series_said: which were chosen, and what their lines are.
        texts: that the model wrote.
        rolls: that the model composed.
        flow: gradient flow of the trained network.
        captions: pictures with what was written of them.
        written: what a network wrote, in groups: `The best` → rows.
        written_said: how the rows were chosen and ordered.
        samples: what it writes of a value that says little.
        samples_said: how they were drawn.
        attended: what it attended to.
        attended_said: what the names of steps and symbols mean.
    """

    title: str
    category: str
    cell: str
    network: str
    parameters: int
    scores: Mapping[str, Scores]
    target: str = ""
    source: str = ""
    inputs: Sequence[Column] = ()
    targets: Sequence[Column] = ()
    parts: Mapping[str, int] = field(default_factory=dict)
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
    wrong: Sequence[WrongAnswer] = ()
    sentences: Sequence[TaggedSentence] = ()
    bands: Sequence[Bands] = ()
    weighed: Sequence[WeighedText] = ()
    weights_said: str = ""
    numbers: PredictedNumbers | None = None
    series: Sequence[PredictedSeries] = ()
    series_said: str = ""
    texts: Sequence[GeneratedText] = ()
    rolls: Sequence[GeneratedRoll] = ()
    flow: Flow | None = None
    captions: Sequence[WrittenAnswer] = ()
    written: Mapping[str, Sequence[WrittenAnswer]] = field(default_factory=dict)
    written_said: str = ""
    samples: Sequence[WrittenSamples] = ()
    samples_said: str = ""
    attended: Sequence[AttendedAnswer] = ()
    attended_said: str = ""

    def __post_init__(self) -> None:
        """Refuse what could only be drawn wrongly.

        Raises:
            DataError: there are no scores.
            ShapeError: a sequence has not as many truths as answers, words or weights; or the
                weights of attention are not one for each symbol and step.
        """
        if not self.scores:
            raise DataError(
                "the report of a run needs the scores of one part of the data at least."
            )
        for sentence in self.sentences:
            _check_same(words=sentence.words, truths=sentence.truths, answers=sentence.answers)
        for bands in self.bands:
            _check_same(truths=bands.truths, answers=bands.answers)
        for text in self.weighed:
            _check_same(words=text.words, weights=text.weights)
        for each in self.attended:
            if np.shape(each.weights) != (len(each.written), len(each.read)):
                raise ShapeError(
                    "weights of attention must be (U, S) = "
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
        raise ShapeError(f"an example has one of each for every step, got {counts}.")
