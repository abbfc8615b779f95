"""From examples to batches: next-step examples, cutting, and rows of like length together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, Protocol, get_args, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from elman.errors import DataError, OptionError, ShapeError, unknown

JITTER = 0.1
"""How far, as a fraction, a length may be misjudged when rows are sorted into batches.

It lets a row meet other neighbours in every epoch and costs a few per cent of padding.
"""

NO_LABEL = -1
"""What stands behind the end of a target of its own length."""

Targets = Literal["step", "row", "sequence"]
"""What has a target: every step, (T, …), or the row as a whole, (…); or the target is a sequence
of ids of its own length, (S,), as a transcription is."""


class Example(NamedTuple):
    """One row of a data set and what should come out of it."""

    input: Tensor
    """(T, …), the axis of time first; (…) where there is no time"""
    target: Tensor
    """(T, …), (…) or (S,): see `Targets`"""


@runtime_checkable
class LazyExamples(Protocol):
    """Examples that are read when they are asked for, their lengths known beforehand."""

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Steps of every example."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, index: int) -> Example:
        """Read one."""


class Batch(NamedTuple):
    """Rows side by side; behind a row's end stand zeros."""

    input: Tensor
    """(T, B, …), T being the longest row's length; (B, …) where there is no time"""
    target: Tensor
    """(T, B, …), (B, …), or (S, B) padded with −1: see `Targets`"""
    lengths: Tensor
    """Real steps of each row, (B,), int64; all 1 where there is no time"""
    per_step: bool = True
    """Whether every step has a target."""
    continues: bool = False
    """Whether each row goes on where it ended in the batch before, and its state with it."""

    @property
    def weight(self) -> int:
        """What the batch's mean loss is over: real steps where each has a target, else rows."""
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
    """Ask for every element of a sequence, given those before it.

        input  = 0, x(1), …, x(T−1)
        target = x(1), x(2), …, x(T)

    The first element is asked for too, from an input of zeros: every step counts. Among ids, 0
    stands for what is unknown or missing.

    Args:
        sequence: x, (T, …); T may be 0.

    Returns:
        Input and target, both (T, …). They share their memory.

    Raises:
        ShapeError: there is no axis of time.
    """
    if sequence.ndim == 0:
        raise ShapeError("sequence must be (T, …), got a single number.")
    # One buffer of T + 1 steps serves both: half the memory of two.
    padded = torch.cat([sequence.new_zeros(1, *sequence.shape[1:]), sequence])
    return Example(input=padded[:-1], target=padded[1:])


def chunks(examples: Iterable[Example], length: int) -> list[Example]:
    """Cut long examples into pieces of at most `length` steps, in order, losing no step.

    An example's pieces are as even as they can be: 10 steps cut at 4 give 4, 3 and 3. Each piece
    is an example of its own, which a network starts with a fresh state; so cut for training and
    evaluate whole sequences.

    Args:
        examples: of any lengths, each with one target a step.
        length: greatest number of steps of a piece, at least 1.

    Returns:
        The pieces; they share their memory with the examples.
    """
    if length < 1:
        raise OptionError(f"length of a chunk must be at least 1 step, got {length}.")
    pieces = []
    for example in examples:
        count = max(1, math.ceil(len(example.input) / length))
        parts = zip(
            torch.tensor_split(example.input, count),
            torch.tensor_split(example.target, count),
            strict=True,
        )
        pieces += [Example(*part) for part in parts]
    return pieces


class BucketedBatches:
    """Batches whose rows are of like length, so that little of a batch is padding.

    With `shuffle`, an epoch sorts the rows by length, misjudging each by up to a tenth at random,
    cuts them into batches and shuffles the batches. Without, rows go from short to long.
    An epoch's batches follow from `(seed, n)` alone: asked for again, in any order or process,
    they are the same.

    A row without steps is taken where there is one target a row; a batch has at least one step.

    Args:
        examples: at least one, all of the same sizes and types. `LazyExamples` are read, and
            checked, a batch at a time; others at once.
        batch_size: rows a batch; one batch of an epoch may have fewer.
        seed: at least 0.
        shuffle: whether rows and batches change places from epoch to epoch.
        has_steps: whether inputs have an axis of time.
        targets: what has a target.
        max_steps: greatest T · B of a batch, padding included: long rows come in smaller batches,
            and a row longer than that is a batch of its own. None for no limit.

    Raises:
        DataError: no examples, or one that lacks a step to have a target, or a label below 0.
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
        has_steps: bool = True,
        targets: Targets = "step",
        max_steps: int | None = None,
    ) -> None:
        self.examples: Sequence[Example] | LazyExamples
        self.examples = examples if isinstance(examples, LazyExamples) else list(examples)
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.has_steps = has_steps
        self.targets = targets
        self.max_steps = max_steps
        self._check_options()
        if not len(self.examples):
            raise DataError("there are no examples to make batches of; was the data set empty?")
        self._form = _form(self.examples[0], has_steps, targets)
        self._lengths = self._checked_lengths()
        self._cuts = self._places_to_cut()

    def _check_options(self) -> None:
        if self.batch_size < 1:
            raise OptionError(f"batch_size must be at least 1, got {self.batch_size}.")
        if self.seed < 0:
            raise OptionError(f"seed must be at least 0, got {self.seed}.")
        if self.max_steps is not None and self.max_steps < 1:
            raise OptionError(f"max_steps must be at least 1, got {self.max_steps}.")
        if self.targets not in get_args(Targets):
            raise unknown("kind of targets", self.targets, get_args(Targets))
        if self.targets == "step" and not self.has_steps:
            raise OptionError("targets = 'step' needs inputs with steps; say targets = 'row'.")

    def _checked_lengths(self) -> NDArray[np.int64]:
        """Return the steps of every example; check those that are at hand."""
        if isinstance(self.examples, LazyExamples):
            lengths = np.asarray(self.examples.lengths)
            if self.targets == "step" and not lengths.all():
                raise _no_steps(int(lengths.argmin()))
        else:
            for index, example in enumerate(self.examples):
                self._check(index, example)
            lengths = np.array([len(x) if self.has_steps else 1 for x, _ in self.examples])
        return lengths if self.has_steps else np.ones_like(lengths)

    def _check(self, index: int, example: Example) -> None:
        """Refuse, in words, what cannot become a row of a batch."""
        _check_target(index, example, self.targets)
        form = _form(example, self.has_steps, self.targets)
        if form != self._form:
            raise ShapeError(f"example {index} must be like example 0, {self._form}; got {form}.")

    def __len__(self) -> int:
        """Batches an epoch."""
        return len(self._cuts) + 1

    @property
    def real_steps(self) -> int:
        """Steps an epoch, padding not counted."""
        return int(self._lengths.sum())

    def epoch(self, n: int) -> Iterator[Batch]:
        """Yield the batches of epoch n, n ≥ 0."""
        if n < 0:
            raise OptionError(f"epochs are counted from 0, got {n}.")
        for rows in self._arrange(n):
            yield self._collate([self._read(int(row)) for row in rows])

    def _arrange(self, n: int) -> list[NDArray[np.int64]]:
        """Say which rows stand in which batch of epoch n."""
        if not self.shuffle:
            return np.split(np.argsort(self._lengths, kind="stable"), self._cuts)
        random = np.random.default_rng([self.seed, n])
        judged = self._lengths * random.uniform(1 - JITTER, 1 + JITTER, len(self._lengths))
        batches = np.split(np.argsort(judged, kind="stable"), self._cuts)
        return [batches[i] for i in random.permutation(len(batches))]

    def _places_to_cut(self) -> list[int]:
        """Say where sorted rows are cut into batches, the same in every epoch."""
        count = len(self._lengths)
        if self.max_steps is None:
            return list(range(self.batch_size, count, self.batch_size))
        # Of rows sorted by misjudged lengths, the k-th is at most so much longer than the k-th of
        # rows sorted by their own.
        longer = (1 + JITTER) / (1 - JITTER) if self.shuffle else 1.0
        in_order = np.sort(self._lengths)
        cuts, start = [], 0
        for row, steps in enumerate(np.minimum(in_order * longer, in_order[-1]).tolist()):
            rows = row - start + 1
            if row > start and (rows > self.batch_size or rows * steps > self.max_steps):
                cuts.append(row)
                start = row
        return cuts

    def _read(self, row: int) -> Example:
        example = self.examples[row]
        if isinstance(self.examples, LazyExamples):
            self._check(row, example)
        return example

    def _collate(self, examples: Sequence[Example]) -> Batch:
        """Put examples side by side, zeros behind the shorter ones."""
        inputs, targets = [x for x, _ in examples], [y for _, y in examples]
        if self.targets == "row":
            target = torch.stack(targets)
        else:
            padding = NO_LABEL if self.targets == "sequence" else 0
            target = pad_sequence(targets, padding_value=padding)
        return Batch(
            input=_padded(inputs) if self.has_steps else torch.stack(inputs),
            target=target,
            lengths=torch.tensor([len(x) if self.has_steps else 1 for x in inputs]),
            per_step=self.targets == "step",
        )


class _Form(NamedTuple):
    """What all examples have in common: types, and sizes but for those of time."""

    input: tuple[int | str, ...]
    input_type: torch.dtype
    target: tuple[int | str, ...]
    target_type: torch.dtype

    def __str__(self) -> str:
        parts = ((self.input, self.input_type), (self.target, self.target_type))
        x, y = (f"({', '.join(map(str, axes))}) {kind}" for axes, kind in parts)
        return f"input {x} and target {y}"


def _form(example: Example, has_steps: bool, targets: Targets) -> _Form:
    x, y = example
    if has_steps and x.ndim == 0:
        raise ShapeError("an example must have an input (T, …), time first, got a single number.")
    time = {"step": ("T",), "sequence": ("S",), "row": ()}[targets]
    return _Form(
        input=("T", *x.shape[1:]) if has_steps else tuple(x.shape),
        input_type=x.dtype,
        target=(*time, *y.shape[len(time) :]),
        target_type=y.dtype,
    )


def _check_target(index: int, example: Example, targets: Targets) -> None:
    """Check that a target is what the kind of targets says."""
    x, y = example
    if targets == "step":
        if y.ndim == 0 or len(x) != len(y):
            steps = f"T = {len(y)} steps" if y.ndim else "one number"
            raise ShapeError(
                f"example {index} must have one target a step, "
                f"got an input of T = {len(x)} and a target of {steps}."
            )
        if len(x) == 0:
            raise _no_steps(index)
    elif targets == "sequence":
        if y.ndim != 1 or y.is_floating_point():
            raise ShapeError(
                f"example {index} must have a target (S,) of ids, got {tuple(y.shape)} {y.dtype}."
            )
        if y.numel() and int(y.min()) < 0:
            raise DataError(
                f"example {index} has the label {int(y.min())}; labels are ids from 0 up."
            )


def _no_steps(index: int) -> DataError:
    return DataError(f"example {index} has no steps; leave it out.")


def _padded(inputs: list[Tensor]) -> Tensor:
    """Put inputs side by side, (T, B, …), T being at least 1."""
    padded = pad_sequence(inputs)
    return padded if len(padded) else padded.new_zeros(1, *padded.shape[1:])
