"""Elman's own training, of a recipe, in bursts: the loop of `elman train` with a clock in it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile, record_function

from elman import _kernels
from elman.batches.batching import Batch, Batches
from elman.experiment import read_experiment
from elman.models.network import untrained_network
from elman.prediction.predictors import predictor_of
from elman.runs.run import prepare
from elman.training.trainer import fit
from elman.training.validation import mean_loss, run
from training_sets import RECIPES, Burst, Scale

MOST_ROWS = {"imdb": 8_000}
"""Rows that are read, where there are more."""
MOST_VALIDATED = {"imdb": 200, "trec": 400, "ptb": 300}
"""Rows that are evaluated, where there are more."""
STREAMS = ("ptb",)
"""Sets whose rows are joined into a stream."""
KERNEL = "elman kernel"
KERNELS = ("forward", "backward", "scan", "scan_backward", "Packed")
PROFILED = 1.5
"""Seconds of a burst whose operators are counted."""


class Enough(Exception):
    """The last burst is over."""


class Elman:
    """A recipe, ready to be trained.

    Args:
        name: of the set.
        directory: of the run.
    """

    def __init__(self, name: str, directory: Path) -> None:
        begun = time.perf_counter()
        given = read_experiment(RECIPES[name])
        changes: dict[str, object] = {"training.patience": 0}
        changes |= {"training.folds": 0} if given.training.folds else {}
        changes |= {"data.max_rows": MOST_ROWS[name]} if name in MOST_ROWS else {}
        given = given.override(changes)
        self.experiment, self.task, self.parts = prepare(given)
        experiment, task, parts = self.experiment, self.task, self.parts
        self.settings, self.directory = experiment.training, directory
        cache = directory / "encoded" if parts.train.stored else None
        self.training: Batches
        self.training, self.validation = task.batches(
            parts.train, parts.valid, experiment, self.settings, experiment.seed, cache
        )
        self.seconds = time.perf_counter() - begun
        self.network = untrained_network(experiment, task, parts.train)
        self.updates = self.settings.epochs * len(self.training)
        self.losses: list[torch.Tensor] = []
        self.shares: dict[str, float] = {}
        steps, rows = map(sum, zip(*map(size_of, self.training.epoch(0)), strict=True))
        self.steps_a_row = steps / (len(parts.train) if name in STREAMS else rows)
        few = parts.valid
        most = MOST_VALIDATED.get(name, len(few))
        if len(few) > most:
            spread = np.linspace(0, len(few) - 1, most).astype(int)
            few = few.select(spread)
        self.few = few
        self.evaluation = list(task.evaluation_batches(few, self.settings.batch_size).epoch(0))
        windows = sum(size_of(batch)[1] for batch in self.evaluation)
        self.validation_rows = len(few) if name in STREAMS else windows

    def loss(self, batch: Batch) -> float:
        """Return the loss of a batch without dropout."""
        self.network.eval()
        with torch.no_grad():
            outputs, _ = run(self.network, batch)
            value: float = self.network.objective.loss(outputs, batch.target, batch.lengths).item()
        return value

    def train(self, between: Callable[[Burst], None], scale: Scale) -> None:
        """Train in bursts, with `between` called after each, then once more with a profiler."""
        own = self.network.objective.loss

        def noted(*arguments: torch.Tensor) -> torch.Tensor:
            loss: torch.Tensor = own(*arguments)
            if loss.requires_grad:  # the average, a copy with this function, is validated by it
                self.losses.append(loss.detach())
            return loss

        self.network.objective.loss = noted
        paced = Paced(self.training, between, scale)
        try:
            fit(
                self.network,
                None,
                paced,
                self.validation,
                self.settings,
                directory=self.directory,
                seed=self.experiment.seed,
                score=(lambda _: 0.0) if self.settings.select == "score" else None,
            )
        except Enough:
            pass
        finally:
            self.network.objective.loss = own
        self.shares = paced.shares

    def validate(self) -> float:
        """Return the mean loss of the rows to evaluate."""
        return mean_loss(self.network, None, self.evaluation)

    def score(self) -> object:
        """Score the same rows, read and encoded anew."""
        return predictor_of(self.task, self.network, self.experiment).scores(self.few)


class Paced:
    """Training batches, with a clock that stops between bursts and epochs."""

    def __init__(self, batches: Batches, between: Callable[[Burst], None], scale: Scale) -> None:
        self.batches, self.between = batches, between
        self.limits = [scale.seconds / 2, *[scale.seconds] * scale.rounds]
        self.clock, self.seconds, self.updates, self.steps = 0.0, 0.0, 0, 0
        self.profiling: Profiling | None = None
        self.shares: dict[str, float] = {}

    def __len__(self) -> int:
        """Number of batches an epoch."""
        return len(self.batches)

    def epoch(self, n: int) -> Iterator[Batch]:
        """Yield the batches of an epoch, and hand over whenever a burst is over."""
        self._go()
        for batch in self.batches.epoch(n):
            yield batch
            self.updates += 1
            self.steps += size_of(batch)[0]
            if self.seconds + time.perf_counter() - self.clock >= self.limits[0]:
                self._stop()
                self._hand_over()
                self._go()
        self._stop()

    def _go(self) -> None:
        if self.profiling is not None:
            self.profiling.begin()
        self.clock = time.perf_counter()

    def _stop(self) -> None:
        self.seconds += time.perf_counter() - self.clock
        if self.profiling is not None:
            self.profiling.end()

    def _hand_over(self) -> None:
        """Let the others train; after the last burst profile one more, and end."""
        if self.profiling is not None:
            self.shares = self.profiling.shares(self.seconds)
            raise Enough
        self.between(Burst(self.seconds, self.updates, self.steps))
        self.limits.pop(0)
        if not self.limits:
            self.limits = [PROFILED]
            self.profiling = Profiling()
        self.seconds, self.updates, self.steps = 0.0, 0, 0


class Profiling:
    """Sums the time inside operators of PyTorch, Elman's kernels and the optimiser."""

    def __init__(self) -> None:
        self.inside: Counter[str] = Counter()
        self.profiler: profile | None = None
        self.stack = ExitStack()

    def begin(self) -> None:
        """Start counting."""
        self.stack.enter_context(named_kernels())
        self.profiler = profile(activities=[ProfilerActivity.CPU])
        self.profiler.__enter__()

    def end(self) -> None:
        """Stop counting, and sum."""
        assert self.profiler is not None
        self.profiler.__exit__(None, None, None)
        self.stack.close()
        for event in self.profiler.key_averages():
            self.inside[_kind(event.key)] += event.self_cpu_time_total / 1e6

    def shares(self, seconds: float) -> dict[str, float]:
        """Return the share of each kind in the time of the bursts."""
        return {f"share, {kind}": its / seconds for kind, its in self.inside.items() if kind}


def _kind(name: str) -> str:
    """Tell what an event of the profiler is; nothing where it is Python, or a frame around it."""
    if name == KERNEL:
        return "kernels"
    if name.startswith("Optimizer.step"):
        return "optimiser, in Python"
    return "operators" if name.startswith("aten::") else ""


@contextmanager
def named_kernels() -> Iterator[None]:
    """Let the profiler see the calls of Elman's kernels."""
    own = {name: getattr(_kernels, name) for name in KERNELS}

    def seen(call: Callable[..., object]) -> Callable[..., object]:
        def named(*arguments: object, **options: object) -> object:
            with record_function(KERNEL):
                return call(*arguments, **options)

        return named

    for name, call in own.items():
        setattr(_kernels, name, seen(call))
    try:
        yield
    finally:
        for name, call in own.items():
            setattr(_kernels, name, call)


def size_of(batch: Batch) -> tuple[int, int]:
    """Return the real steps and the rows of a batch."""
    return int(batch.lengths.sum()), len(batch.lengths)
