"""The training loop: epochs of updates, validation, selection, checkpoints."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from elman.batches.batching import Batch, Batches
from elman.batches.streams import windows
from elman.experiment.training import TrainingSettings
from elman.files import remove_leftovers
from elman.training.activation_regularisation import activation_regularisation
from elman.training.callbacks import Callback, Callbacks, StepRecord, StopTraining
from elman.training.divergence import DivergedError, check_finite, in_words, step_back
from elman.training.history import EpochRecord, History
from elman.training.keeping import Keeper, Snapshot
from elman.training.position import Position, detached
from elman.training.progress import NoProgress, Progress, Task
from elman.training.resuming import is_begun
from elman.training.run_state import RunState, Score, check_score
from elman.training.seeds import seed_everything
from elman.training.stopping import StoppedError, StopRequest
from elman.training.validation import Loss, loss_of, mean_loss, run, weight_of
from elman.training.weight_noise import weight_noise


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
    callbacks: Sequence[Callback] = (),
    progress: Progress | None = None,
) -> History:
    """Train a network and leave it with the best weights by validation.

    Every epoch ends with `checkpoints/last.safetensors`, from which training resumes as if it
    had never stopped, bit for bit; with `checkpoints/best.safetensors` where validation reached
    a new best; and with one line in `metrics.jsonl`. Epochs that take less than two seconds are
    written together, every two seconds, and when training ends or fails. Within an epoch,
    `checkpoints/within.safetensors` is written every `settings.checkpoint_minutes`, and when
    Ctrl-C, SIGTERM or SIGHUP asks training to stop, which it then does after the step under way.

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
        callbacks: are told of every step, epoch and checkpoint.
        progress: where to show it; None for nowhere.

    Returns:
        One record per epoch, those before an interruption included.

    Raises:
        ExperimentError: the loss or the gradient is no longer finite before an epoch is done, with
            an eighth of the learning rate too.
        CheckpointError: the checkpoint to resume from is corrupt or of other settings.
        OptionError: a setting does not suit this network, these batches or this device.
        KeyboardInterrupt: training was asked to stop, and has; its checkpoint is written.
    """
    seed_everything(seed)
    check_score(settings, score)
    progress, told = progress or NoProgress(), Callbacks(callbacks)
    state = RunState(network, settings, directory, seed)
    stop = StopRequest(progress.say)
    trainer = _Trainer(state, loss, score, afterwards, told, stop, progress)
    if resume and is_begun(directory):
        trainer.resume()
    done = len(state.history.epochs)
    try:
        with stop.listening(), progress.task(directory.name, settings.epochs, done=done) as task:
            while not trainer.is_over():
                trainer.run_epoch(train, valid, task)
    finally:
        trainer.keeper.write()
    if trainer.is_out_of_time():
        progress.say(
            f"{directory.name}: stopped after {state.history.seconds / 60:.1f} minutes, in epoch "
            f"{len(state.history.epochs)} of {settings.epochs}, because training.max_minutes = "
            f"{settings.max_minutes:g}."
        )
    state.load_best()
    told.on_end(state.history)
    return state.history


class _Trainer:
    """The loop over epochs, and what it knows beside the state that is saved."""

    def __init__(
        self,
        state: RunState,
        loss: Loss | None,
        score: Score | None,
        afterwards: float,
        callback: Callback,
        stop: StopRequest,
        progress: Progress,
    ) -> None:
        self.state = state
        self.settings = state.settings
        self.loss = loss
        self.score = score
        self.callback = callback
        self.stop = stop
        self.progress = progress
        self.keeper = Keeper(state.directory, callback)
        self.position = Position()
        self.first: Snapshot | None = state.snapshot().copied()
        self.began, self.lost = time.perf_counter(), 0.0
        self.validation, self.afterwards = 0.0, afterwards
        self.cut_short = self.is_ended = False

    def resume(self) -> None:
        """Go on from the checkpoint that holds most of the run."""
        remove_leftovers(self.state.directory)
        self.position = self.state.restore(self.progress.say)
        if self.state.history.epochs:
            self.first = None
        self.keeper.write_metrics(self.state.history)

    def is_over(self) -> bool:
        """Whether all epochs are done, the time is up, or patience has run out."""
        history, patience = self.state.history, self.settings.patience
        stopped = patience > 0 and history.epochs_since_best() >= patience
        done = len(history.epochs) >= self.settings.epochs
        return stopped or done or self.is_ended or bool(history.ended) or self.is_out_of_time()

    def is_out_of_time(self) -> bool:
        """Whether the time is up, and epochs are left, or a part of the last."""
        history = self.state.history
        left = self.settings.epochs > len(history.epochs)
        return self.cut_short or (left and self._has_no_time(history.seconds))

    def run_epoch(self, train: Batches, valid: Batches, task: Task) -> None:
        """Train on every training batch once, or while there is time, then validate."""
        try:
            self._learn(train, task)
            record = self._validate(train, valid)
        except DivergedError as error:
            self.progress.say(f"{self.state.directory.name}: {self._step_back(error)}")
            return
        self._save(record)
        task.advance(_describe(record, self.state.history))
        try:
            self.callback.on_epoch(record)
        except StopTraining:
            self.is_ended = True
        if self.stop.number is not None and not self.is_over():
            self.keeper.write()
            raise StoppedError(self.stop.number, f"after epoch {record.epoch}")

    def _seconds(self) -> float:
        """Seconds of training until now, those of attempts that diverged included."""
        return self.lost + time.perf_counter() - self.began

    def _begin_clock(self) -> None:
        self.began = time.perf_counter() - self.position.seconds

    def _learn(self, train: Batches, task: Task) -> None:
        """Update the weights over what is left of an epoch, or while there is time."""
        self.state.wrapped.train()
        self._begin_clock()
        epoch, begun = len(self.state.history.epochs), self.position.batch
        for index, batch in enumerate(islice(train.epoch(epoch), begun, None), start=begun):
            self._learn_batch(batch, epoch, index, len(train))
            done = index + 1
            task.within(done / len(train), f"epoch {epoch + 1}: {done}/{len(train)} batches")
            if self.is_ended:
                break
            if done < len(train) and self._has_no_time(self._seconds() + self.validation):
                self.cut_short = True
                break

    def _learn_batch(self, batch: Batch, epoch: int, index: int, count: int) -> None:
        """Update the weights by what is left of the windows of a batch."""
        parts = list(windows(self._to_device(batch), self._window_length()))
        begun = self.position.window
        for part, window in enumerate(parts[begun:], start=begun + 1):
            before = self.position
            rate = self.state.set_rate(epoch + (index + part / len(parts)) / count)
            carries = window.continues and self.settings.carry_state
            value, norm, state = self._update(
                window, before.state if carries else None, epoch, index
            )
            terms = weight_of(self.state.network, self.loss, window)
            is_last = part == len(parts)
            self.position = Position(
                batch=index + is_last,
                window=0 if is_last else part,
                total=before.total + value * terms,
                weight=before.weight + terms,
                rate=rate,
                seconds=self._seconds(),
                state=state,
            )
            self._tell_step(epoch, index, count, value, norm)
            self._stop_if_asked()
            if self.keeper.is_due_within(self.settings.checkpoint_minutes):
                self.keeper.write_within(self.state.snapshot(self.position))

    def _tell_step(
        self, epoch: int, index: int, count: int, value: float, norm: float | None
    ) -> None:
        record = StepRecord(
            epoch=epoch + 1,
            step=index + 1,
            steps=count,
            loss=value,
            gradient_norm=norm,
            learning_rate=self.position.rate,
            seconds=self.position.seconds,
        )
        try:
            self.callback.on_step(record)
        except StopTraining:
            self.is_ended = True

    def _stop_if_asked(self) -> None:
        """Write a checkpoint and stop, if a signal has asked for it.

        Raises:
            StoppedError: it has.
        """
        if self.stop.number is None:
            return
        self.keeper.write_within(self.state.snapshot(self.position))
        epoch = len(self.state.history.epochs) + 1
        raise StoppedError(
            self.stop.number, f"in epoch {epoch}, after {self.position.batch} batches"
        )

    def _validate(self, train: Batches, valid: Batches) -> EpochRecord:
        """Measure the weights that would be selected on the validation rows."""
        epoch, learned = len(self.state.history.epochs), self._seconds()
        selected = self.state.selected
        valid_loss = mean_loss(selected, self.loss, self._until_stopped(valid.epoch(epoch)))
        check_finite(valid_loss, "the validation loss", epoch, len(train))
        score, seconds = self.state.score(self.score), self._seconds()
        self.validation = seconds - learned
        return EpochRecord(
            epoch=epoch + 1,
            score=score,
            seconds=seconds,
            train_loss=self.position.total / self.position.weight,
            valid_loss=valid_loss,
            learning_rate=self.position.rate,
        )

    def _until_stopped(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Yield batches on the device, while nobody asks training to stop."""
        for batch in batches:
            self._stop_if_asked()
            yield self._to_device(batch)

    def _step_back(self, error: DivergedError) -> str:
        """Go back to the end of the last epoch, or to the beginning; say so, in words.

        Raises:
            ExperimentError: that has been done often enough, and no epoch is done.
        """
        state = self.state
        history = step_back(error, state.history, self.settings)
        self.lost = self._seconds() - state.history.seconds
        kept = self.first or self.keeper.last
        if kept is not None:
            state.restore_from(*kept.copied(), state.directory)
        else:
            state.restore_last_epoch()
        state.history = history
        self.position = Position(seconds=history.seconds)
        return in_words(error, history, self.settings)

    def _save(self, record: EpochRecord) -> None:
        """Add a finished epoch to the history, the checkpoints and the metrics."""
        state = self.state
        state.history = state.history.followed_by(record)
        best = None
        if record == state.history.best:
            best = Snapshot(state.selected.state_dict(), {"epoch": record.epoch})
        state.average_if_due()
        self.keeper.keep(state.snapshot(), best, state.history)
        self.position = Position(seconds=record.seconds)
        self.first, self.lost = None, 0.0

    def _has_no_time(self, seconds: float) -> bool:
        """Whether after so many seconds only the time of what follows training is left."""
        return 0 < 60 * self.settings.max_minutes <= seconds + self.afterwards * self.validation

    def _update(
        self, batch: Batch, state: Any, epoch: int, index: int
    ) -> tuple[float, float | None, Any]:
        """Take one step of the optimiser; return the loss, the gradient's norm and the state."""
        settings, network = self.settings, self.state.network
        self.state.optimizer.zero_grad()
        regularised = activation_regularisation(
            network,
            alpha=settings.activation_regularisation,
            beta=settings.temporal_activation_regularisation,
        )
        with weight_noise(network, settings.weight_noise), regularised as penalty:
            outputs, state = run(self.state.wrapped, batch, state)
            loss = loss_of(network, self.loss)(outputs, batch.target, batch.lengths)
            value = loss.item()
            check_finite(value, "the loss", epoch, index + 1)
            self.state.fabric.backward(loss + penalty())
        norm = self._clip(epoch, index)
        self.state.optimizer.step()
        if self.state.average is not None:
            self.state.average.update_parameters(network)
        return value, norm, detached(state)

    def _clip(self, epoch: int, index: int) -> float | None:
        """Clip the numbers of the gradient, then its norm; return the norm before, if computed."""
        fabric, wrapped, optimizer = self.state.fabric, self.state.wrapped, self.state.optimizer
        if self.settings.clip_value:
            fabric.clip_gradients(wrapped, optimizer, clip_val=self.settings.clip_value)
        if not self.settings.clip_norm:
            return None
        norm = fabric.clip_gradients(
            wrapped, optimizer, max_norm=self.settings.clip_norm, error_if_nonfinite=False
        )
        if norm is None:
            return None
        value = norm.item() if isinstance(norm, Tensor) else float(norm)
        check_finite(value, "the gradient's norm", epoch, index + 1)
        return value

    def _window_length(self) -> int:
        return self.settings.chunk_length if self.settings.carry_state else 0

    def _to_device(self, batch: Batch) -> Batch:
        return batch.to(self.state.fabric.device)


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
