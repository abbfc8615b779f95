"""States of any make, reordered by index; a language model as a step."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

import elman
from elman.errors import OptionError, ShapeError
from elman.networks.decoding import DecodingOptions, decode, language_model_step, select_rows


class Pair(NamedTuple):
    hidden: Tensor
    cell: Tensor | None


def test_rows_of_any_nest_are_selected_reordered_and_repeated() -> None:
    x, y, z = torch.randn(2, 5, 3), torch.randn(1, 5), torch.randn(7, 5, 2, 4)
    index = torch.tensor([4, 0, 0, 2])
    state = (Pair(x, None), [y, (z,)], None)
    pair, listed, none = select_rows(state, index)
    assert isinstance(pair, Pair)
    assert isinstance(listed, list)
    assert pair.hidden.equal(x[:, index])
    assert pair.cell is None
    assert none is None
    assert listed[0].equal(y[:, index])
    assert listed[1][0].equal(z[:, index])


def test_a_state_without_an_axis_of_rows_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"the batch in axis 1, \(·, B, …\), got 1 axes; add"):
        select_rows((torch.zeros(3),), torch.tensor([0]))
    with pytest.raises(
        OptionError, match="must consist of tensors, tuples, lists and None, got dict"
    ):
        select_rows([{}], torch.tensor([0]))


class Embedded(torch.nn.Module):
    """A many-to-many network over an embedding: a language model of V symbols."""

    def __init__(self, size: int, layer: type[Any]) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(size, 3)
        head = elman.MLP([7, size])
        self.network = elman.ManyToMany(layer(3, 7, num_layers=2), head)
        self.double()

    def forward(self, ids: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        outputs, state = self.network(self.embedding(ids), state)
        return outputs, state


@pytest.mark.parametrize("layer", [elman.GRU, elman.LSTM])
@pytest.mark.parametrize("beam_size", [1, 3])
def test_a_language_model_goes_on_from_where_each_row_stands(layer: type, beam_size: int) -> None:
    torch.manual_seed(1)
    network = Embedded(11, layer)
    read = torch.randint(1, 11, (4, 5))
    with torch.no_grad():
        _, state = network(read[:-1])
    options = DecodingOptions(beam_size=beam_size, n_best=beam_size, max_length=6)
    answers = decode(language_model_step(network), state, read[-1], end=None, options=options)
    for row, found in enumerate(answers):
        assert len(found) == beam_size
        for hypothesis in found:
            whole = torch.cat([read[:, row], hypothesis.ids])
            with torch.no_grad():
                log_p = network(whole[:-1, None])[0][:, 0].log_softmax(-1)[-6:]
            expected = float(log_p.gather(1, hypothesis.ids[:, None]).sum())
            assert hypothesis.log_probability == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("beam_size", [1, 3])
def test_a_network_without_a_state_yet_begins_anew(beam_size: int) -> None:
    torch.manual_seed(1)
    network = Embedded(11, elman.GRU)
    first = torch.tensor([3, 3, 5])
    options = DecodingOptions(beam_size=beam_size, max_length=4)
    answers = decode(language_model_step(network), None, first, end=None, options=options)
    zeros = torch.zeros(2, 3, 7, dtype=torch.float64)
    again = decode(language_model_step(network), zeros, first, end=None, options=options)
    written = [found[0].ids.tolist() for found in answers]
    assert written == [found[0].ids.tolist() for found in again]
    assert written[0] == written[1]
