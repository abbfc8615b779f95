"""Shuffling a column moves its values among the rows, and nothing else."""

from __future__ import annotations

from collections import Counter

import numpy as np
import torch
from torch import Tensor

from elman.features.places import Places
from elman.inspection.shuffling import Encoded, Shuffle, shuffled

ROWS = [torch.arange(5.0) + 10 * row for row in range(7)]
SERIES = [torch.randn(steps, 3) for steps in (4, 1, 6, 0, 3)]


def mixed(values: list[Encoded], shuffle: Shuffle, seed: int = 1) -> list[Encoded]:
    return shuffled(values, shuffle, np.random.default_rng(seed))


def tensors(values: list[Encoded]) -> list[Tensor]:
    return [value for value in values if isinstance(value, Tensor)]


def numbers(values: list[Tensor]) -> list[list[float]]:
    return sorted(row for value in values for row in value.reshape(-1, value.shape[-1]).tolist())


def test_whole_values_change_places() -> None:
    for values in (ROWS, SERIES):
        found = tensors(mixed(list(values), Shuffle(Places())))
        assert numbers(found) == numbers(values)
        assert Counter(map(len, found)) == Counter(map(len, values))
        assert any(a is not b for a, b in zip(found, values, strict=True))


def test_only_the_columns_that_are_named_change_places_and_they_do_together() -> None:
    found = torch.stack(tensors(mixed(list(ROWS), Shuffle(Places((1, 3))))))
    before = torch.stack(ROWS)
    assert torch.equal(found[:, [0, 2, 4]], before[:, [0, 2, 4]])
    assert not torch.equal(found[:, 1], before[:, 1])
    assert torch.equal(found[:, 3] - found[:, 1], torch.full((7,), 2.0))
    assert sorted(found[:, 1].tolist()) == before[:, 1].tolist()


def test_one_part_of_several_changes_places() -> None:
    values: list[Encoded] = [(torch.tensor([n]), torch.tensor([n, -n])) for n in range(6)]
    found = mixed(values, Shuffle(Places((0,), part=1)))
    assert [int(first) for first, _ in found] == list(range(6))
    assert [int(pair[1]) for _, pair in found] == [-n for n in range(6)]
    assert sorted(int(pair[0]) for _, pair in found) == list(range(6))
    assert [int(pair[0]) for _, pair in found] != list(range(6))


def test_steps_are_dealt_so_that_every_row_keeps_its_number() -> None:
    found = tensors(mixed(list(SERIES), Shuffle(Places((2,)), keeps_steps=True)))
    assert [tuple(each.shape) for each in found] == [tuple(each.shape) for each in SERIES]
    all_found, before = torch.cat(found), torch.cat(SERIES)
    assert torch.equal(all_found[:, :2], before[:, :2])
    assert sorted(all_found[:, 2].tolist()) == sorted(before[:, 2].tolist())
    first = SERIES[0][:, 2].tolist()
    assert set(found[0][:, 2].tolist()) != set(first)
    whole = tensors(mixed([torch.arange(n) for n in (3, 5, 2)], Shuffle(Places(), True)))
    assert list(map(len, whole)) == [3, 5, 2]
    assert Counter(torch.cat(whole).tolist()) == Counter([0, 1, 2, 0, 1, 2, 3, 4, 0, 1])


def test_cells_that_are_equally_long_stay_whole() -> None:
    values = [torch.arange(8.0).reshape(4, 2) + 100 * row for row in range(6)]
    found = torch.stack(tensors(mixed(list(values), Shuffle(Places((1,)), keeps_steps=True))))
    assert torch.equal(found[..., 0], torch.stack(values)[..., 0])
    rows = [cell.tolist() for cell in found[..., 1]]
    assert sorted(rows) == [value[:, 1].tolist() for value in values]
    assert rows != sorted(rows)


def test_what_is_given_stays_as_it_is() -> None:
    before = [value.clone() for value in SERIES]
    mixed(list(SERIES), Shuffle(Places((0,)), keeps_steps=True))
    assert all(torch.equal(a, b) for a, b in zip(before, SERIES, strict=True))
