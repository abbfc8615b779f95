"""The results of a search for better settings: values and JSON."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from elman.evaluation.measures import Measure, measure_of

State = Literal["finished", "pruned", "failed"]


class TrialResult(BaseModel):
    """One trial: a run with settings of its own.

    Attributes:
        number: of the trial, from 0.
        state: whether it was trained to its end, ended early because others were better by then, or
            could not be trained.
        settings: full name of a setting that is varied → its value.
        score: main score of the validation rows; None unless it is finished.
        curve: what the epochs were compared by, from the first on; higher is better.
        epochs: epochs trained.
        seconds: wall-clock seconds of training.
        why: why it failed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int
    state: State
    settings: dict[str, Any]
    score: float | None = None
    curve: list[float] = []
    epochs: int = 0
    seconds: float = 0.0
    why: str = ""


class Contender(BaseModel):
    """One of the two networks that a search ends with: its settings, and its scores by part."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    settings: dict[str, Any]
    scores: dict[str, float]


class SearchResult(BaseModel):
    """A search: its trials in their order, and the best of them beside the default settings.

    Attributes:
        title: of the data or the experiment.
        task: in words.
        score: name of the main score, by which trials are compared on the validation rows.
        rows: part of the data → number of its rows.
        space: full name of a setting → the values that were tried, as declared in TOML.
        trials: in their order.
        importance: setting → share of the differences in score that it explains; empty where there
            are too few trials to tell.
        default: the settings that suit the task, with their scores.
        best: those of the best trial, trained once more.
        best_trial: number of the best trial.
        pruner: what ended trials early.
        seed: random seed.
        machine: name of the processor.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    task: str
    score: str
    rows: dict[str, int]
    space: dict[str, Any]
    trials: list[TrialResult]
    importance: dict[str, float]
    default: Contender
    best: Contender
    best_trial: int
    pruner: str
    seed: int
    machine: str

    @property
    def measure(self) -> Measure:
        """What the main score is."""
        return measure_of(self.score)

    @property
    def finished(self) -> list[TrialResult]:
        """The trials with a score, the best first; of equal ones the earlier."""
        sign = -1 if self.measure.higher_is_better else 1
        scored = [trial for trial in self.trials if trial.score is not None]
        return sorted(scored, key=lambda trial: (sign * (trial.score or 0.0), trial.number))

    def counted(self, state: State) -> int:
        """Return the number of trials in a state."""
        return sum(trial.state == state for trial in self.trials)

    def text(self, value: float) -> str:
        """Write a value of the main score."""
        return f"{100 * value:.1f}%" if self.measure.share else f"{value:.4g}"
