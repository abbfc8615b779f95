"""Outputs and targets: checked, flattened to real steps, cut into rows."""

from __future__ import annotations

from torch import Tensor

from elman.errors import OptionError, ShapeError
from elman.layers.state import described
from elman.sequence.ragged import checked_lengths, real_steps


def checked_steps(outputs: Tensor, lengths: Tensor, size: int) -> Tensor:
    """Return the lengths, (B,), on the device of outputs that are (T, B, O).

    Raises:
        ShapeError: the outputs are not (T, B, O), or there is not one length a row.
        OptionError: a length lies outside 0 … T.
    """
    if outputs.dim() != 3 or outputs.size(-1) != size:
        raise ShapeError(f"outputs must be (T, B, O) with O = {size}, got {described(outputs)}.")
    return checked_lengths(lengths, outputs)


def checked_rows(outputs: Tensor, lengths: Tensor, size: int) -> Tensor:
    """Return outputs that are (B, O), one a row.

    Raises:
        ShapeError: the outputs are not (B, O), or there is not one length a row.
    """
    if outputs.dim() != 2 or outputs.size(-1) != size:
        raise ShapeError(f"outputs must be (B, O) with O = {size}, got {described(outputs)}.")
    if lengths.shape != outputs.shape[:1]:
        raise ShapeError(
            f"lengths must be (B,) = ({outputs.size(0)},), one a row of the outputs, "
            f"got {described(lengths)}."
        )
    return outputs


def checked_target(target: Tensor, axes: str, shape: tuple[int, ...], *, ids: bool) -> Tensor:
    """Return a target after checking its axes and type.

    Args:
        target: the target to check.
        axes: the names of its axes, for the error: `T, B`.
        shape: the expected lengths of its axes.
        ids: whether it holds ids, whole numbers of at least 0; else floating-point numbers.

    Raises:
        ShapeError: the axes are wrong.
        OptionError: the type is wrong.
    """
    if tuple(target.shape) != shape:
        raise ShapeError(f"target must be ({axes}) = {shape}, got {described(target)}.")
    if target.is_floating_point() == ids:
        expected = "ids, int64" if ids else "floating-point numbers"
        raise OptionError(f"target must hold {expected}, got {target.dtype}.")
    return target


def flat_steps(values: Tensor, lengths: Tensor) -> Tensor:
    """Concatenate the real steps of (T, B, …) to (N, …), N = Σ lengths, without padding."""
    if bool((lengths == values.size(0)).all()):
        return values.flatten(0, 1)
    return values[real_steps(lengths, values.size(0))]


def without_padding(values: Tensor, lengths: Tensor) -> Tensor:
    """Replace the padding by zeros, so that its values reach no result and no gradient."""
    real = real_steps(lengths, values.size(0))
    return values.where(real.reshape(*real.shape, *[1] * (values.dim() - 2)), 0)


def cut_rows(values: Tensor, lengths: Tensor) -> list[Tensor]:
    """Cut (T, B, …) into each row's real steps, (length, …)."""
    return [values[:length, row] for row, length in enumerate(lengths.tolist())]


def count(lengths: Tensor) -> Tensor:
    """Return the number of real steps, at least 1, so that a mean over none is zero."""
    return lengths.sum().clamp(min=1)
