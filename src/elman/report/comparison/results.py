"""The results of a comparison of cells: values, JSON and tables."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict, Field

from elman.training.history import EpochRecord

__all__ = ["HEADINGS", "CellResult", "Comparison", "EpochRecord", "SeedResult", "Spread"]

HEADINGS = (
    "cell",
    "hidden",
    "parameters",
    "valid nll",
    "test nll",
    "seconds",
    "s/epoch",
    "published",
)


class Spread(BaseModel):
    """The mean of one quantity over seeds, and its sample standard deviation (0 of one seed)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mean: float
    std: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Summarise the values, one a seed."""
        deviation = statistics.stdev(values) if len(values) > 1 else 0.0
        return cls(mean=statistics.fmean(values), std=deviation)

    def __str__(self) -> str:
        return f"{self.mean:.2f} ± {self.std:.2f}"


class SeedResult(BaseModel):
    """One trained network: its losses in nats a frame, its cost and its learning curve.

    Attributes:
        seed: of the initial weights, the order of the batches and the dropout masks.
        train_nll, valid_nll, test_nll: of the selected weights, on the whole split, without
            dropout.
        best_epoch: the epoch whose weights were selected, by `valid_nll` alone.
        epochs: epochs trained; fewer than asked for where training stopped early.
        seconds: wall-clock seconds of training, validation included.
        seconds_per_epoch: their mean over the epochs.
        curve: one record an epoch.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int
    train_nll: float
    valid_nll: float
    test_nll: float
    best_epoch: int
    epochs: int
    seconds: float
    seconds_per_epoch: float
    curve: list[EpochRecord]


class CellResult(BaseModel):
    """One cell over all seeds.

    Attributes:
        cell: the cell's name.
        hidden_size: units of every recurrent layer, as solved for the parameter budget.
        parameters: the network's own number of parameters.
        published: test loss of the literature, where there is one.
        published_source: where that number stands.
        seeds: one result a seed.
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

    @property
    def train(self) -> Spread:
        """Loss on the training split, nats a frame."""
        return self._over_seeds(lambda result: result.train_nll)

    @property
    def valid(self) -> Spread:
        """Loss on the validation split, nats a frame."""
        return self._over_seeds(lambda result: result.valid_nll)

    @property
    def test(self) -> Spread:
        """Loss on the test split, nats a frame."""
        return self._over_seeds(lambda result: result.test_nll)

    @property
    def seconds(self) -> Spread:
        """Wall-clock seconds of training."""
        return self._over_seeds(lambda result: result.seconds)

    @property
    def seconds_per_epoch(self) -> Spread:
        """Wall-clock seconds an epoch."""
        return self._over_seeds(lambda result: result.seconds_per_epoch)

    @property
    def best_epoch(self) -> Spread:
        """The epoch whose weights were selected."""
        return self._over_seeds(lambda result: result.best_epoch)

    def scored(self, spread: Spread) -> str:
        """Return a score as text: of one seed the number alone, as it has no deviation."""
        return str(spread) if len(self.seeds) > 1 else f"{spread.mean:.2f}"

    @property
    def best_seed(self) -> SeedResult:
        """The seed that validation prefers: the one to look at, never to report."""
        return min(self.seeds, key=lambda result: result.valid_nll)


class Comparison(BaseModel):
    """Several cells on one data set, on equal terms.

    Attributes:
        dataset: the data set's name.
        title: the comparison in a few words.
        parameters: the budget that every hidden size was solved for; None where the sizes were
            given.
        epochs: the greatest number of epochs of a run.
        threads: of PyTorch, in every run.
        machine: the processor.
        command: what was typed to get this.
        caveat: what the losses do not measure, where that has to be said.
        results: one a cell.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str
    title: str
    parameters: int | None
    epochs: int
    threads: int
    machine: str
    command: str
    caveat: str = ""
    results: list[CellResult] = Field(min_length=1)

    def rows(self) -> list[tuple[str, ...]]:
        """Return the table's cells as text, a row a cell, under `HEADINGS`."""
        return [
            (
                result.cell,
                " ".join(map(str, _as_list(result.hidden_size))),
                f"{result.parameters:,}",
                result.scored(result.valid),
                result.scored(result.test),
                f"{result.seconds.mean:.0f}",
                f"{result.seconds_per_epoch.mean:.3f}",
                "–" if result.published is None else f"{result.published:.2f}",
            )
            for result in self.results
        ]

    def to_markdown(self) -> str:
        """Return the table and the circumstances it was measured in, as Markdown."""
        lines = [
            f"# {self.title}",
            "",
            _markdown_row(HEADINGS),
            _markdown_row(["---"] * len(HEADINGS)),
            *map(_markdown_row, self.rows()),
            "",
            self.circumstances(),
            "",
            self.sources(),
            "",
            f"`{self.command}`",
            "",
        ]
        return "\n".join(lines)

    def circumstances(self) -> str:
        """Say in one sentence what the numbers are and where they were measured."""
        seeds = len(self.results[0].seeds)
        over = f"mean ± standard deviation over {seeds} seeds" if seeds > 1 else "one seed"
        measured = (
            "Negative log-likelihood in nats, summed over the keys, mean over every frame of every "
            f"piece; {over}; weights selected on the validation split within {self.epochs} epochs; "
            f"{self.threads} thread{'s' if self.threads > 1 else ''} of {self.machine}."
        )
        return f"{measured} {self.caveat}".strip()

    def sources(self) -> str:
        """Say in one sentence where the published numbers stand."""
        cells: dict[str, list[str]] = {}
        for result in self.results:
            if result.published_source is not None:
                cells.setdefault(result.published_source, []).append(result.cell)
        if not cells:
            return "No published numbers are known for this data set."
        places = "; ".join(f"{source} ({', '.join(of)})" for source, of in cells.items())
        return f"Published, on the test split: {places}."


def _as_list(size: int | list[int]) -> list[int]:
    return size if isinstance(size, list) else [size]


def _markdown_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
