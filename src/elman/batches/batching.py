"""From examples to batches: next-step examples, chunks, and buckets of similar length."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, Protocol, get_args, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from elman.batches.inputs import STEPS, Form, InputLayout
from elman.errors import DataError, OptionError, ShapeError, unknown

JITTER = 0.1
"""Relative noise added to lengths before rows are sorted into batches.

It gives a row other neighbours in every epoch and costs a few per cent of padding.
"""

NO_LABEL = -1
"""Padding of targets that are sequences of their own length."""

Targets = Literal["step", "row", "sequence"]
"""What has a target: every step, (T, …), or the row as a whole, (…); or the target is a sequence
of ids of its own length, (S,), such as a transcription."""


class Example(NamedTuple):
    """The encoded input and target of one row."""

    input: Any
    """(T, …), the axis of time first; (…) where there is no time; or a tuple of such parts"""
    target: Tensor
    """(T, …), (…) or (S,): see `Targets`"""


@runtime_checkable
class LazyExamples(Protocol):
    """Examples that are read on access, with lengths known in advance."""

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Steps of every example."""

    def __len__(self) -> int:
        """Number of examples."""

    def __getitem__(self, index: int) -> Example:
        """Read one example."""


class Batch(NamedTuple):
    """Rows side by side, padded with zeros after a row's end."""

    input: Any
    """(T, B, …), T being the longest row's length; (B, …) where there is no time; or a
    `PartsInput`"""
    target: Tensor
    """(T, B, …), (B, …), or (S, B) padded with −1: see `Targets`"""
    lengths: Tensor
    """Real steps of each row, (B,), int64; all 1 where there is no time"""
    per_step: bool = True
    """Whether every step has a target."""
    continues: bool = False
    """Whether each row continues its row of the previous batch, with its state."""

    @property
    def weight(self) -> int:
        """Number of terms in the batch's mean loss: real steps with a target, or rows."""
        return int(self.lengths.sum()) if self.per_step else len(self.lengths)

    def to(self, device: torch.device | str) -> Batch:
        """Return the batch on a device."""
        return self._replace(
            input=self.input.to(device),
            target=self.target.to(device),
            lengths=self.lengths.to(device),
        )


class Batches(Protocol):
    """A split of a data set as batches; the same epoch gives the same batches."""

    def __len__(self) -> int:
        """Batches an epoch."""

    def epoch(self, n: int) -> Iterator[Batch]:
        """Yield the batches of epoch n, counted from 0."""


def next_step(sequence: Tensor) -> Example:
    """Make the example that predicts every element of a sequence from those before it.

        input  = 0, x(1), …, x(T−1)
        target = x(1), x(2), …, x(T)

    The first element is predicted too, from an input of zeros. Among ids, 0 is the unknown or
    missing one.

    Args:
        sequence: x, (T, …); T may be 0.

    Returns:
        Input and target, both (T, …). They share memory.

    Raises:
        ShapeError: there is no axis of time.
    """
    if sequence.ndim == 0:
        raise ShapeError("sequence must be (T, …), got a single number.")
    # One buffer of T + 1 steps for both takes half the memory of two.
    padded = torch.cat([sequence.new_zeros(1, *sequence.shape[1:]), sequence])
    return Example(input=padded[:-1], target=padded[1:])


def chunks(examples: Iterable[Example], length: int, inputs: InputLayout = STEPS) -> list[Example]:
    """Cut long examples into chunks of at most `length` steps, in order, losing no step.

    The chunks of an example are as even as possible: 10 steps cut at 4 give 4, 3 and 3. Each chunk
    is a separate example, which a network starts with a fresh state; so cut for training, and
    evaluate whole sequences.

    Args:
        examples: examples of any length with one target a step.
        length: greatest number of steps in a chunk, at least 1.
        inputs: what an input is.

    Returns:
        The chunks; they share memory with the examples.
    """
    if length < 1:
        raise OptionError(f"length of a chunk must be at least 1 step, got {length}.")
    cut = []
    for example in examples:
        count = max(1, math.ceil(len(example.target) / length))
        parts = zip(
            inputs.chunks(example.input, count),
            torch.tensor_split(example.target, count),
            strict=True,
        )
        cut += [Example(*part) for part in parts]
    return cut


class BucketedBatches:
    """Batches of rows of similar length, so that a batch has little padding.

    With `shuffle`, an epoch sorts the rows by length, with random noise of up to a tenth, cuts
    them into batches and shuffles the batches. Without it, rows are sorted from short to long. The
    batches of epoch n depend on `(seed, n)` alone, in whatever order or process they are made.

    A row without steps is allowed where there is one target a row; a batch has at least one step.

    Args:
        examples: at least one, all of the same sizes and types. `LazyExamples` are read and
            checked one batch at a time; others all at once.
        batch_size: rows per batch; one batch of an epoch may have fewer.
        seed: random seed, at least 0.
        shuffle: whether the order of rows and batches changes from epoch to epoch.
        inputs: what an input is: one tensor, with an axis of time or not, or several parts.
        targets: what has a target.
        max_steps: greatest T · B of a batch, padding included: long rows come in smaller batches,
            and a row longer than that is a batch by itself. None for no limit.

    Raises:
        DataError: there are no examples, an example has no step for its target, or a label is
            negative.
        ShapeError: an example's axes do not fit together, or not with the first example's.
        OptionError: an option is out of range, or two contradict each other.

    >>> examples = [next_step(torch.ones(steps, 88)) for steps in (9, 5, 8, 4)]
    >>> batches = BucketedBatches(examples, batch_size=2, seed=0, shuffle=False)
    >>> [batch.lengths.tolist() for batch in batches.epoch(0)]
    [[4, 5], [8, 9]]
    """

    def __init__(
        self,
        examples: Iterable[Example] | LazyExamples,
        batch_size: int,
        *,
        seed: int,
        shuffle: bool = True,
        inputs: InputLayout = STEPS,
        targets: Targets = "step",
        max_steps: int | None = None,
    ) -> None:
        self.examples: Sequence[Example] | LazyExamples
        # Once: what a protocol has is looked up anew by every isinstance, at each row of a batch.
        self._are_read = isinstance(examples, LazyExamples)
        self.examples = examples if isinstance(examples, LazyExamples) else list(examples)
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.inputs = inputs
        self.targets = targets
        self.max_steps = max_steps
        self._check_options()
        if not len(self.examples):
            raise DataError("there are no examples to make batches of; is the data set empty?")
        self._form = _form(self.examples[0], inputs, targets)
        self._lengths = self._checked_lengths()
        self._cuts = self._batch_boundaries()

    def _check_options(self) -> None:
        if self.batch_size < 1:
            raise OptionError(f"batch_size must be at least 1, got {self.batch_size}.")
        if self.seed < 0:
            raise OptionError(f"seed must be at least 0, got {self.seed}.")
        if self.max_steps is not None and self.max_steps < 1:
            raise OptionError(f"max_steps must be at least 1, got {self.max_steps}.")
        if self.targets not in get_args(Targets):
            raise unknown("kind of targets", self.targets, get_args(Targets))
        if self.targets == "step" and not self.inputs.has_steps:
            raise OptionError("targets = 'step' needs inputs with steps; use targets = 'row'.")

    def _checked_lengths(self) -> NDArray[np.int64]:
        """Return the steps of every example; check the examples that are in memory."""
        if isinstance(self.examples, LazyExamples):
            lengths = np.asarray(self.examples.lengths)
            if self.targets == "step" and not lengths.all():
                raise _no_steps(int(lengths.argmin()))
        else:
            for index, example in enumerate(self.examples):
                self._check(index, example)
            lengths = np.array([self.inputs.steps(x) for x, _ in self.examples])
        return lengths if self.inputs.has_steps else np.ones_like(lengths)

    def _check(self, index: int, example: Example) -> None:
        """Refuse an example that does not fit into a batch."""
        form = _form(example, self.inputs, self.targets)
        _check_target(index, self.inputs.steps(example.input), example.target, self.targets)
        if form != self._form:
            raise ShapeError(f"example {index} must be like example 0, {self._form}; got {form}.")

    def __len__(self) -> int:
        """Number of batches per epoch."""
        return len(self._cuts) + 1

    @property
    def real_steps(self) -> int:
        """Number of steps per epoch, without padding."""
        return int(self._lengths.sum())

    def epoch(self, n: int) -> Iterator[Batch]:
        """Yield the batches of epoch n, n ≥ 0."""
        if n < 0:
            raise OptionError(f"epochs are counted from 0, got {n}.")
        for rows in self._arrange(n):
            yield self._collate([self._read(int(row)) for row in rows])

    def _arrange(self, n: int) -> list[NDArray[np.int64]]:
        """Return the rows of every batch of epoch n."""
        if not self.shuffle:
            return np.split(np.argsort(self._lengths, kind="stable"), self._cuts)
        random = np.random.default_rng([self.seed, n])
        noisy = self._lengths * random.uniform(1 - JITTER, 1 + JITTER, len(self._lengths))
        batches = np.split(np.argsort(noisy, kind="stable"), self._cuts)
        return [batches[i] for i in random.permutation(len(batches))]

    def _batch_boundaries(self) -> list[int]:
        """Return where sorted rows are cut into batches, the same in every epoch."""
        count = len(self._lengths)
        if self.max_steps is None:
            return list(range(self.batch_size, count, self.batch_size))
        # The k-th of the rows sorted by noisy lengths is at most this factor longer than the k-th
        # of the rows sorted by true lengths.
        factor = (1 + JITTER) / (1 - JITTER) if self.shuffle else 1.0
        in_order = np.sort(self._lengths)
        cuts, start = [], 0
        for row, steps in enumerate(np.minimum(in_order * factor, in_order[-1]).tolist()):
            rows = row - start + 1
            if row > start and (rows > self.batch_size or rows * steps > self.max_steps):
                cuts.append(row)
                start = row
        return cuts

    def _read(self, row: int) -> Example:
        example = self.examples[row]
        if self._are_read:
            self._check(row, example)
        return example

    def _collate(self, examples: Sequence[Example]) -> Batch:
        """Put examples side by side, padding the shorter ones."""
        inputs, targets = [x for x, _ in examples], [y for _, y in examples]
        if self.targets == "row":
            target = torch.stack(targets)
        else:
            padding = NO_LABEL if self.targets == "sequence" else 0
            target = pad_sequence(targets, padding_value=padding)
        return Batch(
            input=self.inputs.collate(inputs),
            target=target,
            lengths=torch.tensor([self.inputs.steps(x) for x in inputs]),
            per_step=self.targets == "step",
        )


class _Form(NamedTuple):
    """What all examples have in common: types, and all sizes but the length."""

    input: Form
    target: Form

    def __str__(self) -> str:
        return f"input {_in_words(self.input)} and target {_in_words(self.target)}"


def _in_words(form: Form) -> str:
    """Describe the form of a tensor, (axes, type), or of several, (forms, their number)."""
    axes, kind = form
    if isinstance(kind, int):
        return f"({'; '.join(map(_in_words, axes))})"
    return f"({', '.join(map(str, axes))}) {kind}"


def _form(example: Example, inputs: InputLayout, targets: Targets) -> _Form:
    x, y = example
    time = {"step": ("T",), "sequence": ("S",), "row": ()}[targets]
    return _Form(inputs.form(x), ((*time, *y.shape[len(time) :]), y.dtype))


def _check_target(index: int, steps: int, y: Tensor, targets: Targets) -> None:
    """Check that a target fits the kind of targets, and its input's steps."""
    if targets == "step":
        if y.ndim == 0 or steps != len(y):
            got = f"T = {len(y)} steps" if y.ndim else "one number"
            raise ShapeError(
                f"example {index} must have one target a step, "
                f"got an input of T = {steps} and a target of {got}."
            )
        if steps == 0:
            raise _no_steps(index)
    elif targets == "sequence":
        if y.ndim != 1 or y.is_floating_point():
            raise ShapeError(
                f"example {index} must have a target (S,) of ids, got {tuple(y.shape)} {y.dtype}."
            )
        if y.numel() and int(y.min()) < 0:
            raise DataError(
                f"example {index} has the label {int(y.min())}; labels must be ids of at least 0."
            )


def _no_steps(index: int) -> DataError:
    return DataError(f"example {index} has no steps; leave it out.")
