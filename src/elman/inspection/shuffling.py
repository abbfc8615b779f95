"""Shuffling a column among encoded rows, so that it says nothing about the rest of its row.

Whole cells change places: a text, a number, a list, a picture. Where each step has a target, or
columns are read beside each other step by step, a cell must keep its number of steps: whole cells
change places if all are equally long; else the steps of all rows do, and every cell keeps its
length. The steps of series to forecast do always, for series may share their calendar.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from elman.features.places import Places

Encoded = Tensor | tuple[Tensor, ...]
"""An encoded value of a row: one tensor, or one for each part of an input."""


class Shuffle(NamedTuple):
    """How a column is shuffled."""

    places: Places
    keeps_steps: bool = False
    """Whether every cell keeps its number of steps."""
    by_step: bool = False
    """Whether steps change places, not whole cells, even if all cells are equally long."""


def shuffled(
    values: Sequence[Encoded], shuffle: Shuffle, random: np.random.Generator
) -> list[Encoded]:
    """Return encoded rows with one column shuffled; the given ones stay as they are.

    Args:
        values: one a row.
        shuffle: where the column is, and whether its cells keep their number of steps.
        random: the generator of the order.

    >>> rows = [torch.tensor([n, 10 * n]) for n in range(4)]
    >>> second = Shuffle(Places(columns=(1,)))
    >>> torch.stack(shuffled(rows, second, np.random.default_rng(0))).tolist()
    [[0, 20], [1, 0], [2, 10], [3, 30]]
    """
    part = shuffle.places.part
    if part is None:
        return list(_shuffled([_tensor(value) for value in values], shuffle, random))
    changed = _shuffled([value[part] for value in values], shuffle, random)
    return [
        (*value[:part], tensor, *value[part + 1 :])
        for value, tensor in zip(values, changed, strict=True)
    ]


def _tensor(value: Encoded) -> Tensor:
    assert isinstance(value, Tensor), "places name the part of a value of several"
    return value


def _shuffled(
    tensors: Sequence[Tensor], shuffle: Shuffle, random: np.random.Generator
) -> Sequence[Tensor]:
    """Shuffle a column of one tensor a row."""
    columns = shuffle.places.columns
    if shuffle.keeps_steps and (shuffle.by_step or len({len(each) for each in tensors}) > 1):
        steps = _mixed(torch.cat(list(tensors)), columns, random)
        return list(steps.split([len(each) for each in tensors]))
    if columns is not None and len({each.shape for each in tensors}) > 1:
        return _exchanged(tensors, columns, random)
    if columns is None:
        return [tensors[row] for row in random.permutation(len(tensors)).tolist()]
    return _mixed(torch.stack(list(tensors)), columns, random).unbind()


def _exchanged(
    tensors: Sequence[Tensor], columns: tuple[int, ...], random: np.random.Generator
) -> list[Tensor]:
    """Give each series, (T, …), what another of another length has of some columns throughout."""
    changed = []
    for tensor, other in zip(tensors, random.permutation(len(tensors)).tolist(), strict=True):
        mixed = tensor.clone()
        mixed[..., list(columns)] = tensors[other][0, ..., list(columns)]
        changed.append(mixed)
    return changed


def _mixed(values: Tensor, columns: tuple[int, ...] | None, random: np.random.Generator) -> Tensor:
    """Return values, (N, …), with those of some columns in another order along the first axis."""
    others = values[torch.from_numpy(random.permutation(len(values)))]
    if columns is None:
        return others
    mixed = values.clone()
    mixed[..., list(columns)] = others[..., list(columns)]
    return mixed
