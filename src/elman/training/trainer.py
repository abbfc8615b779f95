"""The training loop: epochs of updates, validation, selection, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from elman.batches.batching import Batch, Batches
from elman.batches.streams import windows
from elman.errors import CheckpointError, OptionError
from elman.experiment.training import TrainingSettings
from elman.training.activation_regularisation import activation_regularisation
from elman.training.averaging import averaged, averages
from elman.training.checkpoint import load_checkpoint, load_weights
from elman.training.device import fabric_for
from elman.training.divergence import DivergedError, check_finite, in_words, step_back
from elman.training.history import EpochRecord, History
from elman.training.keeping import BEST, LAST, Keeper, Snapshot
from elman.training.optimizers import optimizer_for
from elman.training.progress import NoProgress, Progress
from elman.training.schedule import learning_rate
from elman.training.seeds import generator_state, restore_generators, seed_everything
from elman.training.validation import Loss, loss_of, mean_loss, run, weight_of
from elman.training.weight_noise import weight_noise

Score = Callable[[nn.Module], float]
"""A network in evaluation mode, on its device → its score, the higher the better."""


def fit(
    network: nn.Module,
    loss: Loss | None,
    train: Batches,
    valid: Batches,
    settings: TrainingSettings,
    *,
    directory: Path,
    seed: int,
    score: Score | None = None,
    resume: bool = False,
    afterwards: float = 0.0,
    progress: Progress | None = None,
) -> History:
    """Train a network and leave it with the best weights by validation.

    Every epoch ends with `checkpoints/last.safetensors`, from which training resumes as if it
    had never stopped, bit for bit; with `checkpoints/best.safetensors` where validation reached
    a new best; and with one line in `metrics.jsonl`. Epochs that take less than two seconds are
    written together, every two seconds, and when training ends or fails.

    Where a loss or a gradient is no longer finite, training goes back to the end of the last epoch
    and on with half the learning rate, three times at most; then it ends with what it has.

    Args:
        network: see `validation.run`.
        loss: mean over the real steps of a batch, or over its rows where each has one target;
            None for the loss of `network.objective`.
        train: training batches.
        valid: validation batches, which select the weights.
        settings: every hyperparameter.
        directory: of the run; holds checkpoints and metrics.
        seed: of dropout masks; initial weights and the order of batches are the caller's.
        score: computed on the validation split after every epoch, beside the loss. The higher the
            better: negate an error. `settings.select` says whether weights are selected by it; an
            epoch whose score is not finite is worse than any other.
        resume: continue from the last checkpoint, if there is one.
        afterwards: how often as long as a validation what follows takes, such as scores of the test
            part: of `max_minutes` so much is left.
        progress: where to show it; None for nowhere.

    Returns:
        One record per epoch, those before an interruption included.

    Raises:
        ExperimentError: the loss or the gradient is no longer finite before an epoch is done, with
            an eighth of the learning rate too.
        CheckpointError: the checkpoint to resume from is corrupt or of other settings.
        OptionError: a setting does not suit this network, these batches or this device.
    """
    seed_everything(seed)
    run = _Run(network, loss, score, settings, directory, seed, afterwards)
    if resume and (directory / LAST).exists():
        run.restore()
    progress = progress or NoProgress()
    done = len(run.history.epochs)
    try:
        with progress.task(directory.name, settings.epochs, done=done) as task:
            while not run.is_over():
                try:
                    record = run.run_epoch(train, valid)
                except DivergedError as error:
                    progress.say(f"{directory.name}: {run.step_back(error)}")
                    continue
                run.save(record)
                task.advance(_describe(record, run.history))
    finally:
        run.keeper.write()
    if run.is_out_of_time():
        progress.say(
            f"{directory.name}: stopped after {run.history.seconds / 60:.1f} minutes, in epoch "
            f"{len(run.history.epochs)} of {settings.epochs}, because training.max_minutes = "
            f"{settings.max_minutes:g}."
        )
    run.load_best()
    return run.history


class _Run:
    """The state of a training run between two epochs, and the step to the next."""

    def __init__(
        self,
        network: nn.Module,
        loss: Loss | None,
        score: Score | None,
        settings: TrainingSettings,
        directory: Path,
        seed: int,
        afterwards: float,
    ) -> None:
        if settings.select == "score" and score is None:
            raise OptionError(
                "training.select = 'score' needs a score to select by; pass one to fit, or select "
                "by the loss."
            )
        self.network = network
        self.loss = loss
        self.score = score
        self.settings = settings
        self.directory = directory
        self.keeper = Keeper(directory)
        self.seed = seed
        self.history = History(select=settings.select)
        self.fabric = fabric_for(settings)
        self.wrapped, self.optimizer = self.fabric.setup(network, optimizer_for(network, settings))
        self.selected: nn.Module = self.wrapped
        self.average: AveragedModel | None = None
        self.first: Snapshot | None = None
        self.began, self.lost = 0.0, 0.0
        self.validation, self.afterwards, self.cut_short = 0.0, afterwards, False
        self._average_if_due()

    def _average_if_due(self) -> None:
        """Start averaging the weights, and selecting the average, once it is due."""
        if self.average is None and averages(self.settings, self.history.costs):
            self.average = averaged(self.network, self.settings)
            self.selected = self.fabric.setup_module(self.average.module)

    def is_over(self) -> bool:
        """Whether all epochs are done, the time is up, or patience has run out."""
        patience = self.settings.patience
        stopped = patience > 0 and self.history.epochs_since_best() >= patience
        done = len(self.history.epochs) >= self.settings.epochs
        return stopped or done or bool(self.history.ended) or self.is_out_of_time()

    def is_out_of_time(self) -> bool:
        """Whether the time is up, and epochs are left, or a part of the last."""
        left = self.settings.epochs > len(self.history.epochs)
        return self.cut_short or (left and self._has_no_time(self.history.seconds))

    def run_epoch(self, train: Batches, valid: Batches) -> EpochRecord:
        """Train on every training batch once, or while there is time, then validate."""
        self.began = time.perf_counter()
        epoch = len(self.history.epochs)
        if not epoch and self.first is None:
            self.first = self._state().copied()
        train_loss, rate = self._learn(train, epoch)
        learned = self._seconds()
        valid_loss = mean_loss(self.selected, self.loss, map(self._to_device, valid.epoch(epoch)))
        check_finite(valid_loss, "the validation loss", epoch, len(train))
        score, seconds = self._score(), self._seconds()
        self.validation = seconds - learned
        return EpochRecord(
            epoch=epoch + 1,
            score=score,
            seconds=seconds,
            train_loss=train_loss,
            valid_loss=valid_loss,
            learning_rate=rate,
        )

    def _seconds(self) -> float:
        """Seconds of training until now, those of attempts that diverged included."""
        return self.history.seconds + self.lost + time.perf_counter() - self.began

    def step_back(self, error: DivergedError) -> str:
        """Go back to the end of the last epoch, or to the beginning; say so, in words.

        Raises:
            ExperimentError: that has been done often enough, and no epoch is done.
        """
        history = step_back(error, self.history, self.settings)
        self.lost = self._seconds() - self.history.seconds
        kept = self.first or self.keeper.last
        if kept is not None:
            self._restore_from(*kept.copied(), self.directory)
        else:
            self.restore()
        self.history = history
        return in_words(error, history, self.settings)

    def _score(self) -> float | None:
        """Score the weights that would be selected; None without a score, or a finite one."""
        if self.score is None:
            return None
        network = self.network if self.average is None else self.average.module
        network.eval()
        with torch.no_grad():
            value = float(self.score(network))
        return value if math.isfinite(value) else None

    def _learn(self, train: Batches, epoch: int) -> tuple[float, float]:
        """Update the weights over one epoch, or while there is time.

        Returns:
            The mean loss, and the last learning rate.
        """
        self.wrapped.train()
        total, weight, rate, state = 0.0, 0, 0.0, None
        for index, batch in enumerate(train.epoch(epoch)):
            parts = list(windows(self._to_device(batch), self._window_length()))
            for part, window in enumerate(parts, start=1):
                rate = self._set_rate(epoch + (index + part / len(parts)) / len(train))
                carried = state if window.continues and self.settings.carry_state else None
                value, state = self._update(window, carried, epoch, index)
                counts = weight_of(self.network, self.loss, window)
                total, weight = total + value * counts, weight + counts
            if index + 1 < len(train) and self._has_no_time(self._seconds() + self.validation):
                self.cut_short = True
                break
        return total / weight, rate

    def _has_no_time(self, seconds: float) -> bool:
        """Whether after so many seconds only the time of what follows training is left."""
        return 0 < 60 * self.settings.max_minutes <= seconds + self.afterwards * self.validation

    def _set_rate(self, moment: float) -> float:
        """Set the learning rate of the next update, `moment` epochs after training began."""
        halved = 0.5**self.history.halvings
        rate: float = halved * learning_rate(self.settings, moment, self.history.costs)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        return rate

    def _update(self, batch: Batch, state: Any, epoch: int, index: int) -> tuple[float, Any]:
        """Take one step of the optimiser; return the loss and the last state."""
        settings = self.settings
        self.optimizer.zero_grad()
        regularised = activation_regularisation(
            self.network,
            alpha=settings.activation_regularisation,
            beta=settings.temporal_activation_regularisation,
        )
        with weight_noise(self.network, settings.weight_noise), regularised as penalty:
            outputs, state = run(self.wrapped, batch, state)
            loss = loss_of(self.network, self.loss)(outputs, batch.target, batch.lengths)
            value = loss.item()
            check_finite(value, "the loss", epoch, index + 1)
            self.fabric.backward(loss + penalty())
        self._clip(epoch, index)
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.network)
        return value, _detached(state)

    def _clip(self, epoch: int, index: int) -> None:
        """Clip the numbers of the gradient, then its norm."""
        if self.settings.clip_value:
            self.fabric.clip_gradients(
                self.wrapped, self.optimizer, clip_val=self.settings.clip_value
            )
        if not self.settings.clip_norm:
            return
        norm = self.fabric.clip_gradients(
            self.wrapped,
            self.optimizer,
            max_norm=self.settings.clip_norm,
            error_if_nonfinite=False,
        )
        if norm is not None:
            check_finite(norm, "the gradient's norm", epoch, index + 1)

    def _window_length(self) -> int:
        return self.settings.chunk_length if self.settings.carry_state else 0

    def _to_device(self, batch: Batch) -> Batch:
        return batch.to(self.fabric.device)

    def save(self, record: EpochRecord) -> None:
        """Add a finished epoch to the history, the checkpoints and the metrics."""
        self.history = self.history.followed_by(record)
        best = None
        if record == self.history.best:
            best = Snapshot(self.selected.state_dict(), {"epoch": record.epoch})
        self._average_if_due()
        self.keeper.keep(self._state(), best, self.history)
        self.first, self.lost = None, 0.0

    def _state(self) -> Snapshot:
        """Return all that training goes on from: tensors, and the other facts."""
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
        return Snapshot(tensors | generator_tensors, facts)

    def restore(self) -> None:
        """Restore the last checkpoint."""
        path = self.directory / LAST
        tensors, facts, _ = load_checkpoint(path)
        try:
            self._check_same_run(facts, path)
            self._restore_from(tensors, facts, path)
        except KeyError as error:
            raise CheckpointError(
                f"{path} is no checkpoint of a training run: it lacks {error}."
            ) from error

    def _restore_from(
        self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any], path: Path
    ) -> None:
        self.history = History.model_validate(facts["history"])
        load_weights(self.network, _under("network.", tensors), origin=path)
        self._average_if_due()
        if self.average is not None:
            load_weights(self.average, _under("average.", tensors), origin=path)
        slots: dict[int, dict[str, Tensor]] = {}
        for name, value in _under("optimizer.", tensors).items():
            index, slot = name.split(".", 1)
            slots.setdefault(int(index), {})[slot] = value
        self.optimizer.load_state_dict({"state": slots, "param_groups": facts["optimizer"]})
        restore_generators(tensors, facts["generators"])

    def _check_same_run(self, facts: Mapping[str, Any], path: Path) -> None:
        """Refuse to resume from a checkpoint of another seed or of other settings."""
        here = {"seed": self.seed} | self.settings.model_dump()
        there = {"seed": facts["seed"]} | facts["settings"]
        for name, value in here.items():
            if there.get(name) != value:
                raise CheckpointError(
                    f"{path} was written with {name} = {there.get(name)!r}, and this run has "
                    f"{value!r}: a run resumes only with its own settings. Train in another "
                    "directory."
                )

    def load_best(self) -> None:
        """Put the selected weights into the network."""
        path = self.directory / BEST
        load_weights(self.network, load_checkpoint(path).tensors, origin=path)


def _detached(state: Any) -> Any:
    """Detach a recurrent state, a tensor or nested tuples and lists of them, from its graph."""
    if isinstance(state, Tensor):
        return state.detach()
    if isinstance(state, list):
        return [_detached(part) for part in state]
    if isinstance(state, tuple):
        parts = [_detached(part) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    return state


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _describe(record: EpochRecord, history: History) -> str:
    """Describe an epoch and the best so far in a line."""
    values = [f"train {record.train_loss:.3f}", f"valid {record.valid_loss:.3f}"]
    if record.score is not None:
        values.append(f"score {record.score:.3f}")
    if history.select == "last":
        return " · ".join(values)
    best = history.best
    by_score = history.select == "score" and best.score is not None
    selected = best.score if by_score else best.valid_loss
    return f"{' · '.join(values)} (best {selected:.3f} in epoch {best.epoch})"
