"""The results of a comparison of cells: values, JSON and tables."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from elman.errors import counted
from elman.evaluation.measures import Measure, measure_of
from elman.experiment.training import Criterion
from elman.report.comparison.published import recalled_in_words
from elman.training.history import EpochRecord

__all__ = ["CellResult", "Comparison", "EpochRecord", "SeedResult", "Spread"]

_UNITS = {
    "bits_per_character": "bits per character",
    "sequence_accuracy": "of the rows without a mistake",
}
"""Scores that a sentence names by their unit."""

LONG_NAME = 12
"""A score whose name has more characters has it on its own line of a heading."""


class Spread(BaseModel):
    """The mean of a quantity over seeds, and its sample standard deviation (0 for one seed)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mean: float
    std: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Summarise the values, one per seed."""
        deviation = statistics.stdev(values) if len(values) > 1 else 0.0
        return cls(mean=statistics.fmean(values), std=deviation)

    def __str__(self) -> str:
        return f"{self.mean:.2f} ± {self.std:.2f}"


class SeedResult(BaseModel):
    """One trained network: its scores, its cost and its learning curve.

    Attributes:
        seed: random seed of the initial weights, the order of the batches and the dropout masks.
        score: name of the main score, a key of `MEASURES`.
        scores: part of the data → name of a score → its value, with the selected weights on all
            rows of the part, without dropout.
        best_epoch: the epoch whose weights were selected, by the validation rows alone.
        epochs: epochs trained; fewer than the maximum where training stopped early.
        seconds: wall-clock seconds of training, validation included.
        seconds_per_epoch: mean seconds per epoch.
        curve: one record per epoch.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int
    score: str
    scores: dict[str, dict[str, FiniteFloat]]
    best_epoch: int
    epochs: int
    seconds: float
    seconds_per_epoch: float
    curve: list[EpochRecord]

    @model_validator(mode="before")
    @classmethod
    def _read_losses_of_rolls(cls, values: Any) -> Any:
        """Read files of the first version, for piano rolls alone, with one loss per part."""
        if not isinstance(values, Mapping) or "test_nll" not in values:
            return values
        losses = {part: values[f"{part}_nll"] for part in ("train", "valid", "test")}
        kept = {name: value for name, value in values.items() if not name.endswith("_nll")}
        return {
            "score": "nll",
            "scores": {part: {"nll": loss} for part, loss in losses.items()},
            **kept,
        }

    def value(self, part: str) -> float:
        """Return the main score of a part."""
        return self.scores[part][self.score]


class CellResult(BaseModel):
    """One cell over all seeds.

    Attributes:
        cell: the cell's name.
        hidden_size: units of the recurrent layers, solved for the parameter budget.
        parameters: number of parameters of the network.
        published: published main score on the test rows, where there is one.
        published_source: its source.
        seeds: one result per seed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cell: str
    hidden_size: int | list[int]
    parameters: int
    published: float | None = None
    published_source: str | None = None
    seeds: list[SeedResult] = Field(min_length=1)

    def _over_seeds(self, quantity: Callable[[SeedResult], float]) -> Spread:
        return Spread.of([quantity(result) for result in self.seeds])

    def chief(self, part: str) -> Spread:
        """Return the main score of a part of the data."""
        return self._over_seeds(lambda result: result.value(part))

    def score(self, part: str, name: str) -> Spread | None:
        """Return any score of a part; None where a seed has none of that name."""
        values = [seed.scores[part].get(name) for seed in self.seeds]
        known = [value for value in values if value is not None]
        return Spread.of(known) if len(known) == len(values) else None

    @property
    def train(self) -> Spread:
        """The main score on the training rows, where it was measured."""
        return self.chief("train")

    @property
    def valid(self) -> Spread:
        """The main score on the validation rows."""
        return self.chief("valid")

    @property
    def test(self) -> Spread:
        """The main score on the test rows."""
        return self.chief("test")

    @property
    def seconds(self) -> Spread:
        """Wall-clock seconds of training."""
        return self._over_seeds(lambda result: result.seconds)

    @property
    def seconds_per_epoch(self) -> Spread:
        """Wall-clock seconds per epoch."""
        return self._over_seeds(lambda result: result.seconds_per_epoch)

    @property
    def best_epoch(self) -> Spread:
        """The epoch whose weights were selected."""
        return self._over_seeds(lambda result: result.best_epoch)

    @property
    def sizes(self) -> list[int]:
        """Units of the recurrent layers; one number where all have the same."""
        return self.hidden_size if isinstance(self.hidden_size, list) else [self.hidden_size]


class Comparison(BaseModel):
    """Several cells on one data set, on equal terms.

    Attributes:
        version: version of the format of the file; files without one hold losses of piano rolls.
        dataset: name of the data set.
        title: the comparison in a few words.
        task: input, target and category, in words.
        kind: kind of the scores, see `Scores.kind`.
        counts: part of the data → number of its rows.
        loss_unit: unit of the losses of the learning curves.
        parameters: the budget that every hidden size was solved for; None where the sizes were
            given.
        terms: where that budget comes from, a clause, where it was not given.
        notes: other differences between the cells, one sentence each.
        select: what selected the weights on the validation part.
        epochs: the maximum number of epochs of a run.
        threads: threads of PyTorch in every run.
        machine: the processor.
        command: the command line.
        caveat: what the losses do not measure, if there is something to say.
        results: one result per cell.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[2] = 2
    dataset: str
    title: str
    task: str = ""
    kind: str = "roll"
    counts: dict[str, int] = {}
    loss_unit: str = "nats per frame"
    parameters: int | None
    terms: str = ""
    notes: list[str] = []
    select: Criterion = "loss"
    epochs: int
    threads: int
    machine: str
    command: str
    caveat: str = ""
    results: list[CellResult] = Field(min_length=1)

    @property
    def of_rolls(self) -> bool:
        """Whether the data are piano rolls, which have music to hear and published numbers."""
        return self.kind == "roll"

    @property
    def score(self) -> str:
        """Name of the main score."""
        return self.results[0].seeds[0].score

    @property
    def measure(self) -> Measure:
        """The main score: its name in words, whether higher is better, its meaning."""
        return measure_of(self.score)

    @property
    def score_name(self) -> str:
        """Name of the main score inside a sentence: `accuracy`, `MASE`, `macro F1`."""
        title = self.measure.title
        return title if title.isupper() else f"{title[0].lower()}{title[1:]}"

    @property
    def unit(self) -> str:
        """Unit of the main score, where a sentence gives it instead of the name; else empty."""
        if self.of_rolls and self.score == "nll":
            return "nats per frame"
        return _UNITS.get(self.score, "")

    @property
    def part(self) -> str:
        """The part of the data that decides: test, or validation where there are no test rows."""
        return "test" if "test" in self.results[0].seeds[0].scores else "valid"

    @property
    def ranked(self) -> list[CellResult]:
        """The cells, the best first."""
        sign = -1 if self.measure.higher_is_better else 1
        return sorted(self.results, key=lambda result: sign * result.chief(self.part).mean)

    def text(self, result: CellResult, part: str, name: str | None = None) -> str:
        """Write a score of a part, with its standard deviation if there are several seeds.

        Args:
            result: the result of a cell.
            part: the part of the data.
            name: name of the score; None for the main one.
        """
        name = name or self.score
        spread, decimals = result.score(part, name), self._digits(name)
        if spread is None:
            return "–"
        mean = number_text(spread.mean, name, decimals)
        if len(result.seeds) < 2:
            return mean
        return f"{mean} ± {number_text(spread.std, name, decimals)}"

    def number(self, value: float, *, signed: bool = False) -> str:
        """Write a value, or a difference, of the main score as the tables do."""
        return number_text(value, self.score, self._digits(self.score), signed=signed)

    def _digits(self, name: str) -> int:
        """Return how many decimals of a score distinguish the cells."""
        spreads = [result.score(self.part, name) for result in self.results]
        return digits(name, (spread.mean for spread in spreads if spread is not None))

    def headings(self) -> tuple[str, ...]:
        """Return the headings of the table; a score's long name is on a line of its own."""
        name = self.score.replace("_", " ")
        between = "\n" if len(name) > LONG_NAME else " "
        scores = [f"{part}{between}{name}" for part in ("valid", "test") if self._has(part)]
        published = ["published"] if self.of_rolls else []
        return "cell", "hidden", "parameters", *scores, "seconds", "s/epoch", *published

    def _has(self, part: str) -> bool:
        return part in self.results[0].seeds[0].scores

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows of the table as text, one per cell, under `headings`."""
        return [
            (
                result.cell,
                " ".join(map(str, result.sizes)),
                f"{result.parameters:,}",
                *[self.text(result, part) for part in ("valid", "test") if self._has(part)],
                f"{result.seconds.mean:.0f}",
                f"{result.seconds_per_epoch.mean:.3f}",
                *([self._published(result)] if self.of_rolls else []),
            )
            for result in self.results
        ]

    def _published(self, result: CellResult) -> str:
        return "–" if result.published is None else self.number(result.published)

    def to_markdown(self) -> str:
        """Return the table and how it was measured, as Markdown."""
        headings = [heading.replace("\n", " ") for heading in self.headings()]
        lines = [
            f"# {self.title}",
            "",
            _markdown_row(headings),
            _markdown_row(["---"] * len(headings)),
            *map(_markdown_row, self.rows()),
            "",
            *[line for sentences in self.said() for line in (sentences, "")],
            f"`{self.command}`",
            "",
        ]
        return "\n".join(lines)

    def said(self) -> list[str]:
        """Say in sentences what the numbers are, and name the sources of published ones."""
        return [sentences for sentences in (self.circumstances(), self.sources()) if sentences]

    def circumstances(self) -> str:
        """Say in a few sentences what the numbers are and how they were measured."""
        seeds = len(self.results[0].seeds)
        over = f"mean ± standard deviation over {seeds} seeds" if seeds > 1 else "one seed"
        what, how = f"{self.measure.title}: {self.measure.meaning}", ""
        if self.unit == "nats per frame":
            what = (
                "Negative log-likelihood in nats, summed over the keys, mean over every frame of "
                "every piece"
            )
        else:
            how = f"{'higher' if self.measure.higher_is_better else 'lower'} is better; "
        by = " by their score" if self.select == "score" else ""
        kept = f"weights selected on the validation split{by} within"
        if self.select == "last":
            kept = "the last weights of"
        measured = (
            f"{what}; {how}{over}; {kept} "
            f"{counted(self.epochs, 'epoch')}; "
            f"{self.threads} thread{'s' if self.threads > 1 else ''} of {self.machine}."
        )
        budget = ""
        if self.terms:
            budget = f"The budget is {self.parameters:,} parameters, {self.terms}."
        return " ".join(filter(None, [measured, budget, *self.notes, self.caveat]))

    def sources(self) -> str:
        """Name the sources of the published numbers of piano rolls; empty for others."""
        if not self.of_rolls:
            return ""
        cells: dict[str, list[str]] = {}
        for result in self.results:
            if result.published_source is not None:
                cells.setdefault(result.published_source, []).append(result.cell)
        if not cells:
            return "No published numbers are known for this data set."
        places = "; ".join(f"{source} ({', '.join(of)})" for source, of in cells.items())
        earlier = recalled_in_words(self.dataset)
        return f"Published, on the test split: {places}.{f' {earlier}' if earlier else ''}"


def digits(score: str, means: Iterable[float]) -> int:
    """Return how many decimals distinguish cells: one for a percentage, three figures below 1."""
    if measure_of(score).share:
        return 1
    sizes = [abs(mean) for mean in means if mean]
    if not sizes or max(sizes) >= 1:
        return 0 if sizes and max(sizes) >= 1000 else 2
    return 2 - math.floor(math.log10(max(sizes)))


def number_text(value: float, score: str, decimals: int, *, signed: bool = False) -> str:
    """Write a value of a score: a share as a percentage, anything else as it is."""
    sign = "+" if signed else ""
    if measure_of(score).share:
        text = f"{100 * value:{sign}.{decimals}f}%"
    else:
        text = f"{value:{sign}.{decimals}f}"
    return text.replace("-", "−")


def _markdown_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
