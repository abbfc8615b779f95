"""Piano rolls: which of a piano's 88 keys sound, frame by frame.

A roll is an array of zeros and ones, (T, 88). Column 0 is the piano's lowest key, A0 (MIDI note
21); column 87 is its highest, C8 (MIDI note 108).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from elman.errors import DataError, OptionError, ShapeError
from elman.features.feature import Encoding, Feature

KEYS = 88
LOWEST_NOTE = 21
PITCHES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")

Roll = NDArray[np.uint8]


class HeldNote(NamedTuple):
    """A key held without a break: MIDI note, first frame, frame after the last."""

    note: int
    start: int
    end: int


def note_name(note: int) -> str:
    """Return the name of a MIDI note; middle C, note 60, is C4.

    >>> note_name(21), note_name(60), note_name(108)
    ('A0', 'C4', 'C8')
    """
    return f"{PITCHES[note % 12]}{note // 12 - 1}"


def as_roll(values: ArrayLike, *, name: str = "roll") -> Roll:
    """Check that values are a piano roll and return them as uint8.

    Args:
        values: zeros and ones of any numeric type, (T, 88); T may be 0.
        name: the name of the roll in errors.

    Returns:
        The same roll as uint8, (T, 88).

    Raises:
        ShapeError: the axes are not (T, 88).
        DataError: a value is neither 0 nor 1; the error names the first one.
    """
    array = np.asarray(values)
    if array.ndim != 2 or array.shape[1] != KEYS:
        raise ShapeError(
            f"{name} must be (T, keys) = (T, {KEYS}), one column for each key of the piano from "
            f"{note_name(LOWEST_NOTE)} up, got {array.shape}."
        )
    if array.dtype.kind not in "buif":
        raise DataError(f"{name} must hold the numbers 0 and 1, got values of type {array.dtype}.")
    wrong = (array != 0) & (array != 1)
    if wrong.any():
        frame, key = (int(i) for i in np.argwhere(wrong)[0])
        raise DataError(
            f"{name} must hold 0 (silent) and 1 (sounding) only, got {array[frame, key]} at frame "
            f"{frame}, key {key} ({note_name(LOWEST_NOTE + key)}); "
            f"{int(wrong.sum())} such values in all."
        )
    return array.astype(np.uint8)


def held_notes(roll: ArrayLike) -> list[HeldNote]:
    """List the notes of a roll; a key held over consecutive frames is one note.

    A roll does not distinguish a held key from one that is struck again, so repeated notes are
    tied.

    Args:
        roll: zeros and ones, (T, 88).

    Returns:
        The notes, sorted by start, then by pitch.
    """
    frames = as_roll(roll).astype(np.int8)
    silence = np.zeros((1, KEYS), np.int8)
    change = np.diff(frames, axis=0, prepend=silence, append=silence).T
    # Both lists are sorted by key, then by time: the k-th start belongs to the k-th end.
    starts, ends = np.argwhere(change == 1), np.argwhere(change == -1)
    notes = [
        HeldNote(LOWEST_NOTE + int(key), int(start), int(end))
        for (key, start), (_, end) in zip(starts, ends, strict=True)
    ]
    return sorted(notes, key=lambda held: (held.start, held.note))


class RollFeature(Feature):
    """Piano rolls, as input and target of a network: 88 keys, each sounding or not.

    The network's 88 outputs a frame are logits of independent Bernoulli variables, given the
    frames before:  p(k, t) = σ(logit(k, t)).  The negative log-likelihood of a frame is

        nll(t) = − Σₖ [ x(k, t) log p(k, t) + (1 − x(k, t)) log(1 − p(k, t)) ]

    in nats, summed over the 88 keys.

    Source: Boulanger-Lewandowski, Bengio & Vincent 2012, arXiv:1206.6392; Chung et al. 2014,
    arXiv:1412.3555, §4.1.

    >>> feature = RollFeature()
    >>> feature.encode(np.eye(3, 88, dtype=np.uint8)).shape
    torch.Size([3, 88])
    """

    kind: ClassVar[str] = "roll"
    has_steps: ClassVar[bool] = True
    plural: ClassVar[str] = "piano rolls"
    objectives: ClassVar[tuple[str, ...]] = ("roll",)
    next_objective: ClassVar[str | None] = "roll"
    size: ClassVar[int] = KEYS

    def __init__(self) -> None:
        self.notes: list[str] = []

    @property
    def description(self) -> str:
        """What a value is, in words."""
        return "piano rolls"

    @property
    def encoding(self) -> Encoding:
        """One number a key."""
        return Encoding(numbers=KEYS)

    def fit(self, rolls: Iterable[ArrayLike]) -> RollFeature:
        """Check every training roll; a roll has no scale or vocabulary to learn.

        Raises:
            ShapeError, DataError: as for `as_roll`; the error gives the index of the roll.
            DataError: there is no roll.
        """
        count = 0
        for index, roll in enumerate(rolls):
            as_roll(roll, name=f"roll {index}")
            count += 1
        if count == 0:
            raise DataError("a roll feature needs at least one roll to fit on, got none.")
        return self

    def encode(self, roll: ArrayLike) -> Tensor:
        """Turn a roll of zeros and ones, (T, 88), into float32, (T, 88)."""
        return torch.from_numpy(as_roll(roll).astype(np.float32))

    def log_odds(self, rolls: Iterable[ArrayLike]) -> Tensor:
        """Return the log-odds that each key sounds, (88,), as initial biases.

            b(k) = log (n(k) + ½) / (N − n(k) + ½)        key k sounds in n(k) of N frames

        With these initial biases, an output layer need not learn first how rare each note is. The
        halves keep the value of a key that never or always sounds finite.
        """
        frames = np.concatenate([as_roll(roll) for roll in rolls])
        sounding = torch.from_numpy(frames.sum(axis=0, dtype=np.int64)).double()
        return ((sounding + 0.5) / (len(frames) - sounding + 0.5)).log().float()

    def decode(self, frames: Tensor) -> Roll:
        """Turn frames of zeros and ones, (T, 88), back into a roll, (T, 88), uint8."""
        return as_roll(frames.detach().cpu().numpy(), name="frames")

    def frame_nll(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compute the negative log-likelihood of each frame, in nats, summed over the keys.

        Args:
            logits: the network's outputs, (T, B, 88).
            target: the true frames, zeros and ones, (T, B, 88).

        Returns:
            (T, B).
        """
        _check_axes(logits, target)
        return F.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(dim=-1)

    def loss(self, logits: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        """Compute the mean negative log-likelihood over the real frames of the batch.

            loss = Σ_b Σ_{t < lengths(b)} nll(t, b) / Σ_b lengths(b)

        Padding is never read: NaN there changes neither the loss nor a gradient. A batch without
        real frames has loss 0.

        Args:
            logits: the network's outputs, (T, B, 88).
            target: the true frames, zeros and ones, (T, B, 88).
            lengths: number of real frames of each row, (B,), each in 0 … T.

        Returns:
            A scalar, in nats per frame.

        Raises:
            ShapeError: the shapes do not match.
            OptionError: a length is outside 0 … T.
        """
        _check_axes(logits, target)
        real = _real_frames(logits, lengths)
        zero = logits.new_zeros(())
        # Mask twice: after the sum over keys for the loss, before it for the gradient, where zero
        # times NaN would be NaN.
        nll = self.frame_nll(torch.where(real[..., None], logits, zero), target)
        return torch.where(real, nll, zero).sum() / real.sum().clamp(min=1)

    def sample(self, logits: Tensor, generator: torch.Generator) -> Tensor:
        """Sample each key from the Bernoulli distribution of its logit.

        Args:
            logits: (…, 88).
            generator: random generator; the same state gives the same frames.

        Returns:
            Zeros and ones with the logits' dtype, (…, 88).
        """
        return torch.bernoulli(torch.sigmoid(logits), generator=generator)

    def to_json(self) -> dict[str, Any]:
        """Describe the feature in JSON values, for `from_json`."""
        return {"kind": self.kind, "keys": KEYS, "lowest_note": LOWEST_NOTE}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> RollFeature:
        """Restore a feature from `to_json`.

        Raises:
            DataError: the state has another kind, or describes another layout of rolls.
        """
        feature = cls()
        if dict(state) != feature.to_json():
            raise DataError(
                f"this version of Elman reads rolls described by {feature.to_json()}, "
                f"got {dict(state)}; save the model again with the version that wrote it."
            )
        return feature


def _check_axes(logits: Tensor, target: Tensor) -> None:
    """Refuse logits that are not (T, B, 88), and a target of another shape."""
    if logits.ndim != 3 or logits.shape[-1] != KEYS:
        raise ShapeError(
            f"logits must be (T, B, keys) = (T, B, {KEYS}), got {tuple(logits.shape)}."
        )
    if target.shape != logits.shape:
        raise ShapeError(
            f"target must be (T, B, keys) = {tuple(logits.shape)}, like the logits, "
            f"got {tuple(target.shape)}."
        )


def _real_frames(logits: Tensor, lengths: Tensor) -> Tensor:
    """Mark the frames before each row's end: (T, B, 88) and (B,) give (T, B) booleans."""
    steps, rows = logits.shape[:2]
    if lengths.shape != (rows,):
        raise ShapeError(f"lengths must be (B,) = ({rows},), got {tuple(lengths.shape)}.")
    outside = ((lengths < 0) | (lengths > steps)).nonzero()
    if len(outside):
        row = int(outside[0])
        raise OptionError(
            f"lengths must lie in 0 … T = {steps}, got {int(lengths[row])} at row {row}."
        )
    return torch.arange(steps, device=logits.device)[:, None] < lengths.to(logits.device)
