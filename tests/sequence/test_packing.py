"""Weights laid out for the kernels: what is found again, and every way in which weights change."""

from __future__ import annotations

import gc
import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

import elman
from battery import assert_same_bits, draw
from elman.sequence import packing
from elman.sequence.packing import laid_out, lay_out

T, B, I, H = 6, 5, 3, 7  # noqa: E741 — the axis legend


def weights(rows: int = 3 * H) -> list[Tensor | None]:
    """Draw the weights of a GRU."""
    return [draw(rows, I), draw(rows, H), draw(rows), draw(rows), None, None]


def an_optimiser_steps(layer: elman.GRU) -> None:
    optimiser = torch.optim.SGD(layer.parameters(), lr=0.5)
    with torch.enable_grad():
        layer(draw(T, B, I))[0].sum().backward()
    optimiser.step()


def data_is_copied_into(layer: elman.GRU) -> None:
    for weight in layer.parameters():
        weight.data.copy_(draw(*weight.shape))


def one_bias_is_written(layer: elman.GRU) -> None:
    layer.get_parameter("bias_ih_l1").data[3:5] = 1


def one_row_is_written(layer: elman.GRU) -> None:
    layer.get_parameter("weight_hh_l0").data[4] += 1


def one_column_is_written(layer: elman.GRU) -> None:
    layer.get_parameter("weight_ih_l0").data[:, 2] += 1


def one_number_is_written(layer: elman.GRU) -> None:
    layer.get_parameter("weight_hh_l1").data[5, 3] += 1e-6


def two_numbers_are_negated(layer: elman.GRU) -> None:
    flat = layer.get_parameter("weight_ih_l0").data.view(-1)
    flat[[2, 9]] = -flat[[2, 9]]


def two_rows_are_exchanged(layer: elman.GRU) -> None:
    rows = layer.get_parameter("weight_hh_l0").data
    rows[[1, 4]] = rows[[4, 1]]


def the_memory_is_read_in_another_order(layer: elman.GRU) -> None:
    weight = layer.get_parameter("weight_hh_l0")
    weight.data = weight.data.view(H, 3 * H).t()


def numpy_writes(layer: elman.GRU) -> None:
    shared: Any = layer.get_parameter("weight_hh_l1").detach().numpy()
    np.multiply(shared, 2, out=shared)


def a_state_dict_is_loaded(layer: elman.GRU) -> None:
    layer.load_state_dict(elman.GRU(I, H, 2, dtype=torch.float64).state_dict())


def data_is_exchanged(layer: elman.GRU) -> None:
    weight = layer.get_parameter("weight_ih_l0")
    weight.data = draw(*weight.shape)


def a_parameter_is_exchanged(layer: elman.GRU) -> None:
    layer.weight_hh_l0 = torch.nn.Parameter(draw(3 * H, H))


def it_is_drawn_anew(layer: elman.GRU) -> None:
    layer.reset_parameters()


CHANGES: list[Callable[[elman.GRU], None]] = [
    an_optimiser_steps,
    data_is_copied_into,
    one_bias_is_written,
    one_row_is_written,
    one_column_is_written,
    one_number_is_written,
    two_numbers_are_negated,
    two_rows_are_exchanged,
    the_memory_is_read_in_another_order,
    numpy_writes,
    a_state_dict_is_loaded,
    data_is_exchanged,
    a_parameter_is_exchanged,
    it_is_drawn_anew,
]


@pytest.mark.parametrize("steps", [1, T], ids=["a step", "many steps"])
@pytest.mark.parametrize("lengths", [None, [1, 0, 1, 1, 0]], ids=["dense", "ragged"])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_of_the_weights_is_seen_by_the_next_call(
    change: Callable[[elman.GRU], None], lengths: list[int] | None, steps: int
) -> None:
    layer, x = elman.GRU(I, H, 2, dtype=torch.float64), draw(steps, B, I)
    start = draw(2, B, H)  # so that R counts in a single step
    with torch.no_grad():
        for _ in range(2):
            before = layer(x, start, lengths=lengths)[0]
    change(layer)
    with torch.no_grad():
        after = layer(x, start, lengths=lengths)[0]
    assert not torch.equal(after, before)
    fresh = elman.GRU(I, H, 2, dtype=torch.float64)
    fresh.load_state_dict(layer.state_dict())
    with torch.no_grad():
        assert_same_bits(fresh(x, start, lengths=lengths)[0], after, "output")


VARIANTS: dict[str, Callable[[], Any]] = {
    "simple": lambda: elman.SimpleRNN(I, 19, 2),
    "lstm": lambda: elman.LSTM(I, 19, bidirectional=True),
    "projection": lambda: elman.LSTM(I, 19, 2, proj_size=5, peephole=True),
    "coupled": lambda: elman.LSTM(I, 19, coupled_gates=True),
    "reset before": lambda: elman.GRU(I, 19, reset_after=False),
    "zoneout": lambda: elman.LSTM(I, 19, zoneout=0.2, learn_initial_state=True),
    "bfloat16": lambda: elman.LSTM(I, 19, dtype=torch.bfloat16),
    "two cells": lambda: elman.Bidirectional(elman.LSTM(I, 19), elman.GRU(I, 18)),
}


@pytest.mark.parametrize("steps", [1, 9])
@pytest.mark.parametrize("rows", [1, 2, 11])
@pytest.mark.parametrize("name", VARIANTS)
def test_every_single_number_that_is_written_through_data_counts_for_every_cell(
    name: str, steps: int, rows: int
) -> None:
    layer = VARIANTS[name]().eval()
    dtype = next(layer.parameters()).dtype
    x = torch.randn(steps, rows, I).to(dtype)
    numbers = torch.Generator().manual_seed(7)
    with torch.no_grad():
        layer(x)
        for weight in layer.parameters():
            flat = weight.data.view(-1)
            at = int(torch.randint(flat.numel(), (), generator=numbers))
            for value in (float("nan"), float(flat[at])):
                flat[at] = value
                found = layer(x)
                assert bool(found[0].isnan().any()) == math.isnan(value), weight.shape
                fresh = VARIANTS[name]().eval()
                fresh.load_state_dict(layer.state_dict())
                torch.testing.assert_close(fresh(x), found, equal_nan=True, rtol=0, atol=0)


def test_finite_differences_through_data_are_right_without_gradients() -> None:
    layer, x = elman.LSTM(I, H).double(), draw(T, B, I)
    layer(x)[0].sum().backward()
    for weight in layer.parameters():
        flat, wanted = weight.data.view(-1), weight.grad
        assert wanted is not None
        with torch.no_grad():
            for i in range(0, flat.numel(), 5):
                flat[i] += 1e-6
                above = layer(x)[0].sum()
                flat[i] -= 2e-6
                below = layer(x)[0].sum()
                flat[i] += 1e-6
                assert abs((above - below) / 2e-6 - wanted.view(-1)[i]) < 1e-4


def test_layers_that_share_memory_see_each_others_writes() -> None:
    layer = elman.LSTM(I, H)
    flat = torch.nn.utils.parameters_to_vector(layer.parameters()).detach().clone()
    torch.nn.utils.vector_to_parameters(flat, layer.parameters())  # views of one vector
    x = draw(T, B, I, dtype=torch.float32)
    with torch.no_grad():
        for i in range(0, flat.numel(), 17):
            before = layer(x)[0]
            flat[i] += 0.5
            fresh = elman.LSTM(I, H)
            fresh.load_state_dict(layer.state_dict())
            after = layer(x)[0]
            assert not torch.equal(after, before)
            assert_same_bits(fresh(x)[0], after, "output")


def test_another_dtype_is_another_layout() -> None:
    layer, x = elman.LSTM(I, H, dtype=torch.float64), draw(T, B, I)
    with torch.no_grad():
        layer(x)
        layer.float()
        fresh = elman.LSTM(I, H)
        fresh.load_state_dict(layer.state_dict())
        assert_same_bits(layer(x.float())[0], fresh(x.float())[0], "output")


def test_weights_that_stay_are_laid_out_once() -> None:
    own = weights()
    first = laid_out("gru_reset_after", "tanh", own, T)
    assert laid_out("gru_reset_after", "tanh", own, T) is first
    assert laid_out("gru_reset_before", "tanh", own, T) is not first
    assert laid_out("gru_reset_after", "tanh", [*own[:3], draw(3 * H), None, None], T) is not first
    assert laid_out("gru_reset_after", "tanh", own, T) is first


def test_a_layout_is_forgotten_with_its_weights() -> None:
    gc.collect()
    before = len(packing._cache)
    own = weights()
    laid_out("gru_reset_after", "tanh", own, T)
    assert len(packing._cache) == before + 1
    del own
    gc.collect()
    assert len(packing._cache) == before


def test_what_counts_no_versions_is_laid_out_once_too() -> None:
    with torch.inference_mode():
        own = weights()
        first = laid_out("gru_reset_after", "tanh", own, T)
        assert laid_out("gru_reset_after", "tanh", own, T) is first


def test_a_short_run_copies_no_weights() -> None:
    own = weights()
    before = dict(packing._cache)
    layout = laid_out("gru_reset_after", "tanh", own, 1)
    assert layout.packed.nbytes < 4 * 3 * H * H
    assert packing._cache == before


def test_a_layer_in_inference_mode_answers_as_without_gradients() -> None:
    layer, x = elman.LSTM(I, H, 2, bidirectional=True), draw(T, B, I, dtype=torch.float32)
    with torch.no_grad():
        expected = layer(x, lengths=[1, 2, 3, 4, 5])[0]
    with torch.inference_mode():
        assert_same_bits(layer(x, lengths=[1, 2, 3, 4, 5])[0], expected, "output")
        made_here = elman.LSTM(I, H)
        before = made_here(x)[0]
        made_here.get_parameter("weight_hh_l0").mul_(2)
        assert not torch.equal(made_here(x)[0], before)


def test_where_a_gradient_is_wanted_every_number_is_read_anew() -> None:
    layer, x = elman.GRU(I, H, dtype=torch.float64), draw(T, B, I)
    before = layer(x)[0]
    layer.get_parameter("weight_hh_l0").data[5, 3] += 1
    assert not torch.equal(layer(x)[0], before)


def test_a_layout_says_its_sizes() -> None:
    layout = lay_out("lstm", "tanh", [draw(28, 3), draw(28, 5), None, None, draw(5, 7), None])
    assert (layout.inputs, layout.units, layout.outputs) == (3, 7, 5)
    assert layout.state_sizes == (5, 7)
    assert layout.real is torch.float64


class _Answers(Dataset[Tensor]):
    """Gives what a layer says in the process that asks."""

    def __init__(self, layer: elman.GRU, x: Tensor) -> None:
        self.layer, self.x, self.process = layer, x, os.getpid()

    def __len__(self) -> int:
        return 4

    def __getitem__(self, _: int) -> Tensor:
        assert os.getpid() != self.process
        torch.set_num_threads(2)
        with torch.no_grad():
            output: Tensor = self.layer(self.x)[0]
        return output


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_the_workers_of_a_data_loader_get_the_same_bits() -> None:
    layer, x = elman.GRU(16, 64), draw(40, 16, 16, dtype=torch.float32)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    with torch.no_grad():
        expected = layer(x)[0]
    answers = DataLoader(
        _Answers(layer, x), batch_size=None, num_workers=1, multiprocessing_context="fork"
    )
    for answer in answers:
        assert_same_bits(answer, expected, "output")
    torch.set_num_threads(threads)
