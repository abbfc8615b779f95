"""Weights laid out for the kernels: what is found again, and every way in which weights change."""

from __future__ import annotations

import gc
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
from elman.sequence.packing import laid_out, lay_out, marked, unchanged

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
    numpy_writes,
    a_state_dict_is_loaded,
    data_is_exchanged,
    a_parameter_is_exchanged,
    it_is_drawn_anew,
]


@pytest.mark.parametrize("lengths", [None, [4, 0, 6, 1, 4]], ids=["dense", "ragged"])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_of_the_weights_is_seen_by_the_next_call(
    change: Callable[[elman.GRU], None], lengths: list[int] | None
) -> None:
    layer, x = elman.GRU(I, H, 2, dtype=torch.float64), draw(T, B, I)
    with torch.no_grad():
        for _ in range(2):
            before = layer(x, lengths=lengths)[0]
    change(layer)
    with torch.no_grad():
        after = layer(x, lengths=lengths)[0]
    assert not torch.equal(after, before)
    fresh = elman.GRU(I, H, 2, dtype=torch.float64)
    fresh.load_state_dict(layer.state_dict())
    with torch.no_grad():
        assert_same_bits(fresh(x, lengths=lengths)[0], after, "output")


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
    first = laid_out("gru_reset_after", "tanh", own)
    assert laid_out("gru_reset_after", "tanh", own) is first
    assert laid_out("gru_reset_before", "tanh", own) is not first
    assert laid_out("gru_reset_after", "tanh", [*own[:3], draw(3 * H), None, None]) is not first
    assert laid_out("gru_reset_after", "tanh", own) is first


def test_a_layout_is_forgotten_with_its_weights() -> None:
    gc.collect()
    before = len(packing._cache)
    own = weights()
    laid_out("gru_reset_after", "tanh", own)
    assert len(packing._cache) == before + 1
    del own
    gc.collect()
    assert len(packing._cache) == before


def test_what_counts_no_versions_is_laid_out_at_every_call() -> None:
    with torch.inference_mode():
        own = weights()
    assert marked(own) is None
    first = laid_out("gru_reset_after", "tanh", own)
    assert laid_out("gru_reset_after", "tanh", own) is not first


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


def test_marks_tell_a_write_apart_from_a_look() -> None:
    own = weights()
    marks = marked(own)
    assert marks is not None
    assert own[1] is not None
    assert own[1].sum().isfinite()
    assert unchanged(own, marks)
    own[1].mul_(2)
    assert not unchanged(own, marks)


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
