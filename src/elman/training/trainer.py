"""The training loop: epochs of updates, validation, selection, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from elman.data.batching import Batch
from elman.errors import CheckpointError, ExperimentError, OptionError
from elman.training.checkpoint import (
    load_checkpoint,
    load_weights,
    save_checkpoint,
    write_atomically,
)
from elman.training.history import EpochRecord, History
from elman.training.progress import NoProgress, Progress
from elman.training.schedule import learning_rate
from elman.training.seeds import generator_state, restore_generators, seed_everything
from elman.training.settings import TrainingSettings
from elman.training.weight_noise import weight_noise

if TYPE_CHECKING:
    from lightning_fabric import Fabric

BEST = Path("checkpoints", "best.safetensors")
LAST = Path("checkpoints", "last.safetensors")
METRICS = "metrics.jsonl"

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Outputs (T, B, O), targets (T, B, O) and lengths (B,) → mean over the real steps."""


class Batches(Protocol):
    """A split of a data set as batches; the same epoch gives the same batches."""

    def __len__(self) -> int:
        """Batches an epoch."""

    def epoch(self, n: int) -> Iterator[Batch]:
        """Yield the batches of epoch n, counted from 0."""


def fit(
    network: nn.Module,
    loss: Loss,
    train: Batches,
    valid: Batches,
    settings: TrainingSettings,
    *,
    directory: Path,
    seed: int,
    resume: bool = False,
    progress: Progress | None = None,
) -> History:
    """Train a network and leave in it the weights that validation prefers.

    Every epoch ends with `checkpoints/last.safetensors`, from which training resumes as if it
    had never stopped, bit for bit; with `checkpoints/best.safetensors` where validation reached
    a new low; and with one line in `metrics.jsonl`.

    Args:
        network: called as `network(x, state, lengths=lengths)`, returns outputs and state.
        loss: mean over the real steps of a batch.
        train: batches to learn from.
        valid: batches to select weights by.
        settings: every hyperparameter.
        directory: of the run; holds checkpoints and metrics.
        seed: of dropout masks; initial weights and the order of batches are the caller's.
        resume: go on from the last checkpoint, where there is one.
        progress: where to show it; None for nowhere.

    Returns:
        One record an epoch, those before an interruption included.

    Raises:
        ExperimentError: the loss or the gradient is no longer finite.
        CheckpointError: the checkpoint to resume from is corrupt or of other settings.
    """
    seed_everything(seed)
    run = _Run(network, loss, settings, directory, seed)
    if resume and (directory / LAST).exists():
        run.restore()
    with (progress or NoProgress()).task(
        directory.name, settings.epochs, done=len(run.history.epochs)
    ) as task:
        while not run.is_over():
            record = run.run_epoch(train, valid)
            run.save(record)
            task.advance(_describe(record, run.history))
    run.load_best()
    return run.history


class _Run:
    """The state of one training run between two epochs, and what moves it on by one."""

    def __init__(
        self,
        network: nn.Module,
        loss: Loss,
        settings: TrainingSettings,
        directory: Path,
        seed: int,
    ) -> None:
        self.network = network
        self.loss = loss
        self.settings = settings
        self.directory = directory
        self.seed = seed
        self.history = History()
        self.fabric = _fabric(settings)
        self.wrapped, self.optimizer = self.fabric.setup(network, _optimizer(network, settings))
        self.selected: nn.Module = self.wrapped
        self.average: AveragedModel | None = None
        if settings.average_decay:
            update = get_ema_multi_avg_fn(settings.average_decay)
            self.average = AveragedModel(network, multi_avg_fn=update)
            self.selected = self.fabric.setup_module(self.average.module)

    def is_over(self) -> bool:
        """Whether all epochs are done, or validation has waited too long for a new low."""
        patience = self.settings.patience
        stopped = patience > 0 and self.history.epochs_since_best() >= patience
        return stopped or len(self.history.epochs) >= self.settings.epochs

    def run_epoch(self, train: Batches, valid: Batches) -> EpochRecord:
        """Learn from every training batch once, then validate."""
        began = time.perf_counter()
        epoch = len(self.history.epochs)
        train_nll, rate = self._learn(train, epoch)
        valid_nll = mean_loss(self.selected, self.loss, map(self._to_device, valid.epoch(epoch)))
        if not math.isfinite(valid_nll):
            raise self._divergence(f"the validation loss is {valid_nll}", epoch, len(train))
        return EpochRecord(
            epoch=epoch + 1,
            seconds=self.history.seconds + time.perf_counter() - began,
            train_nll=train_nll,
            valid_nll=valid_nll,
            learning_rate=rate,
        )

    def _learn(self, train: Batches, epoch: int) -> tuple[float, float]:
        """Update the weights over one epoch; return its mean loss and its last learning rate."""
        self.wrapped.train()
        losses = [record.valid_nll for record in self.history.epochs]
        total, steps, rate = 0.0, 0, 0.0
        for index, batch in enumerate(train.epoch(epoch)):
            rate = learning_rate(self.settings, epoch + (index + 1) / len(train), losses)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            state = None
            for window in windows(self._to_device(batch), self._window_length()):
                value, state = self._update(window, state, epoch, index)
                real = window.real_steps
                total, steps = total + value * real, steps + real
        return total / steps, rate

    def _update(self, batch: Batch, state: Any, epoch: int, index: int) -> tuple[float, Any]:
        """Take one step of the optimiser; return the loss and the state to go on from."""
        self.optimizer.zero_grad()
        with weight_noise(self.network, self.settings.weight_noise):
            outputs, state = self.wrapped(batch.input, state, lengths=batch.lengths)
            loss = self.loss(outputs, batch.target, batch.lengths)
            value = loss.item()
            if not math.isfinite(value):
                raise self._divergence(f"the loss is {value}", epoch, index + 1)
            self.fabric.backward(loss)
        if self.settings.clip_norm:
            norm = self.fabric.clip_gradients(
                self.wrapped,
                self.optimizer,
                max_norm=self.settings.clip_norm,
                error_if_nonfinite=False,
            )
            if norm is not None and not torch.isfinite(norm):
                raise self._divergence(f"the gradient's norm is {norm.item()}", epoch, index + 1)
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.network)
        return value, _detached(state)

    def _window_length(self) -> int:
        return self.settings.chunk_length if self.settings.carry_state else 0

    def _to_device(self, batch: Batch) -> Batch:
        return Batch(*self.fabric.to_device(tuple(batch)))

    def _divergence(self, what: str, epoch: int, step: int) -> ExperimentError:
        clip = self.settings.clip_norm
        return ExperimentError(
            f"training diverged in epoch {epoch + 1}, step {step}: {what}. Try a lower "
            f"training.learning_rate (now {self.settings.learning_rate:g}) or "
            f"{'a lower' if clip else 'a'} training.clip_norm (now {clip:g})."
        )

    def save(self, record: EpochRecord) -> None:
        """Add a finished epoch to the history, the checkpoints and the metrics."""
        self.history = self.history.followed_by(record)
        selected = self.selected.state_dict()
        if record == self.history.best:
            save_checkpoint(self.directory / BEST, selected, {"epoch": record.epoch})
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        if self.average is not None:
            tensors |= {f"average.{name}": v for name, v in self.average.state_dict().items()}
        optimizer = self.optimizer.state_dict()
        for index, slots in optimizer["state"].items():
            for name, value in slots.items():
                if value is not None:
                    tensors[f"optimizer.{index}.{name}"] = value
        generator_tensors, generators = generator_state()
        facts = {
            "seed": self.seed,
            "settings": self.settings.model_dump(),
            "history": self.history.model_dump(),
            "optimizer": optimizer["param_groups"],
            "generators": generators,
        }
        save_checkpoint(self.directory / LAST, tensors | generator_tensors, facts)
        # Whole rather than appended: an interruption can then never leave half a line.
        lines = [f"{epoch.model_dump_json()}\n" for epoch in self.history.epochs]
        write_atomically(self.directory / METRICS, "".join(lines).encode())

    def restore(self) -> None:
        """Go back to where the last checkpoint was written."""
        path = self.directory / LAST
        tensors, facts, _ = load_checkpoint(path)
        try:
            self._check_same_run(facts, path)
            self._restore_from(tensors, facts, path)
        except KeyError as error:
            raise CheckpointError(
                f"{path} is no checkpoint of a training run: it lacks {error}."
            ) from error

    def _restore_from(self, tensors: dict[str, Tensor], facts: dict[str, Any], path: Path) -> None:
        load_weights(self.network, _under("network.", tensors), origin=path)
        if self.average is not None:
            load_weights(self.average, _under("average.", tensors), origin=path)
        slots: dict[int, dict[str, Tensor]] = {}
        for name, value in _under("optimizer.", tensors).items():
            index, slot = name.split(".", 1)
            slots.setdefault(int(index), {})[slot] = value
        self.optimizer.load_state_dict({"state": slots, "param_groups": facts["optimizer"]})
        restore_generators(tensors, facts["generators"])
        self.history = History.model_validate(facts["history"])

    def _check_same_run(self, facts: dict[str, Any], path: Path) -> None:
        """Refuse to go on from a checkpoint of another seed or of other settings."""
        here = {"seed": self.seed} | self.settings.model_dump()
        there = {"seed": facts["seed"]} | facts["settings"]
        for name, value in here.items():
            if there.get(name) != value:
                raise CheckpointError(
                    f"{path} was written with {name} = {there.get(name)!r}, and this run has "
                    f"{value!r}: a run resumes with its own settings only. Train anew in another "
                    "directory."
                )

    def load_best(self) -> None:
        """Put the selected weights into the network."""
        path = self.directory / BEST
        load_weights(self.network, load_checkpoint(path).tensors, origin=path)


def windows(batch: Batch, length: int) -> Iterator[Batch]:
    """Cut a batch in time, so that gradients flow through at most `length` steps.

    Args:
        batch: of whole sequences.
        length: steps a window; 0 for one window.

    Yields:
        Batches of the same rows in the order of time; a row that has ended has length 0.
    """
    steps = batch.input.shape[0]
    if not 0 < length < steps:
        yield batch
        return
    for start in range(0, steps, length):
        yield Batch(
            batch.input[start : start + length],
            batch.target[start : start + length],
            (batch.lengths - start).clamp(0, min(length, steps - start)),
        )


def mean_loss(network: nn.Module, loss: Loss, batches: Iterator[Batch]) -> float:
    """Return the mean loss over all real steps of the batches, without dropout or gradients."""
    network.eval()
    total, steps = 0.0, 0
    with torch.no_grad():
        for batch in batches:
            outputs, _ = network(batch.input, lengths=batch.lengths)
            real = batch.real_steps
            total += loss(outputs, batch.target, batch.lengths).item() * real
            steps += real
    return total / steps


def _fabric(settings: TrainingSettings) -> Fabric:
    """Set up the device; Lightning is imported only now, for it takes seconds."""
    from lightning_fabric import Fabric

    accelerator = settings.accelerator
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(accelerator, True):
        raise OptionError(
            f"training.accelerator = {accelerator!r} asks for a device that PyTorch does not see "
            "here; use 'auto' or 'cpu'."
        )
    fabric = Fabric(accelerator=accelerator, devices=1, precision=settings.precision)
    fabric.launch()
    return fabric


def _optimizer(network: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    learned = [weight for weight in network.parameters() if weight.requires_grad]
    rate, decay, momentum = settings.learning_rate, settings.weight_decay, settings.momentum
    weights = [
        {"params": [weight for weight in learned if weight.dim() > 1], "weight_decay": decay},
        {"params": [weight for weight in learned if weight.dim() <= 1], "weight_decay": 0.0},
    ]
    if settings.optimizer == "adam":
        return torch.optim.Adam(weights, rate)
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(weights, rate)
    if settings.optimizer == "rmsprop":
        return torch.optim.RMSprop(weights, rate, momentum=momentum)
    return torch.optim.SGD(weights, rate, momentum=momentum)


def _detached(state: Any) -> Any:
    """Cut a recurrent state, a tensor or nested tuples and lists of them, off its history."""
    if isinstance(state, Tensor):
        return state.detach()
    if isinstance(state, list):
        return [_detached(part) for part in state]
    if isinstance(state, tuple):
        parts = [_detached(part) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    return state


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _describe(record: EpochRecord, history: History) -> str:
    return (
        f"train {record.train_nll:.3f} · valid {record.valid_nll:.3f} "
        f"(best {history.best.valid_nll:.3f} in epoch {history.best.epoch})"
    )
