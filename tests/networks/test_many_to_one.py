"""Many-to-one: a sequence to one answer, against its rows run alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import elman
from battery import assert_near, assert_same_bits, draw
from elman.errors import OptionError, ShapeError
from elman.features.feature import Encoding
from elman.networks import Inputs, ManyToOne
from elman.networks.objectives import Classification, Tagging
from elman.networks.pooling import POOLINGS, pooling

T, B, I, H, O = 6, 5, 3, 7, 2  # noqa: E741 — the axis legend
LENGTHS = [4, 0, 6, 1, 3]
ENDED = torch.arange(T).unsqueeze(1) >= torch.tensor(LENGTHS)
CELLS = {"simple": elman.SimpleRNN, "lstm": elman.LSTM, "gru": elman.GRU}
every_cell = pytest.mark.parametrize("cell", CELLS)
every_pooling = pytest.mark.parametrize("kind", POOLINGS)


def network(cell: str = "gru", kind: str = "last", **options: Any) -> ManyToOne:
    recurrent = CELLS[cell](I, H, **options)
    head = elman.MLP([recurrent.output_size, O])
    pooled = pooling(kind, recurrent)
    return ManyToOne(
        Inputs(Encoding(numbers=I)), recurrent, pooled, head, Classification(O)
    ).double()


def parts_of(state: Any) -> list[Tensor]:
    return list(state) if isinstance(state, tuple) else [state]


@every_cell
@every_pooling
@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True}], ids=str)
def test_a_ragged_batch_is_its_rows_run_alone_and_padding_is_never_read(
    cell: str, kind: str, options: dict[str, Any]
) -> None:
    net, x = network(cell, kind, **options), draw(T, B, I)
    x[ENDED] = torch.nan
    x.requires_grad_()
    outputs, state = net(x, lengths=LENGTHS)
    assert outputs.shape == (B, O)
    for row, length in enumerate(LENGTHS):
        alone, its_state = net(x[:length, row : row + 1])
        assert_near(outputs[row : row + 1], alone, f"row {row}")
        for part, its in zip(parts_of(state), parts_of(its_state), strict=True):
            assert_near(part[:, row : row + 1], its, f"state of row {row}")
    grads = torch.autograd.grad(outputs.square().sum(), [x, *net.parameters()])
    assert all(bool(gradient.isfinite().all()) for gradient in grads)
    assert bool((grads[0][ENDED] == 0).all())


@every_cell
def test_it_is_head_of_pooling_of_recurrent_of_inputs(cell: str) -> None:
    net, x = network(cell, "mean"), draw(T, B, I)
    hidden, _ = net.recurrent(x)
    assert_near(net(x)[0], net.head(hidden.mean(0)), "outputs")


def test_a_state_is_where_it_starts_from() -> None:
    net, x = network(), draw(T, B, I)
    whole, final = net(x)
    late, state = net(x[2:], net(x[:2])[1])
    assert_near(late, whole, "outputs")
    assert_near(state, final, "state")


def test_output_dropout_drops_a_unit_at_every_step() -> None:
    net = network(kind="mean")
    net.output_dropout.p = 0.5
    pooled: list[Tensor] = []
    net.pooling.register_forward_pre_hook(lambda _, given: pooled.append(given[0]))
    net(draw(T, B, I))
    net.eval()(draw(T, B, I))
    kept = pooled[0] != 0
    assert bool((kept == kept[0]).all())
    assert not bool(kept.all())
    assert bool((pooled[1] != 0).all())


def test_rows_of_ids_are_read() -> None:
    inputs = Inputs(Encoding(ids=(9,)), embedding_size=I)
    recurrent = elman.GRU(I, H)
    net = ManyToOne(
        inputs, recurrent, pooling("max", recurrent), elman.MLP([H, O]), Classification(O)
    )
    x = torch.randint(0, 9, (T, B))
    outputs, _ = net(x, lengths=LENGTHS)
    x[ENDED] = 10**6
    assert_same_bits(net(x, lengths=LENGTHS)[0], outputs, "outputs")


def test_rows_without_steps_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"a many-to-one network reads \(T, B, …\), got \(5, 3\)"):
        network()(draw(B, I))


def test_wrong_lengths_are_refused() -> None:
    with pytest.raises(OptionError, match="lengths must lie in 0 … T = 6, got 7 at row 1"):
        network()(draw(T, B, I), lengths=[1, 7, 1, 1, 1])


@pytest.mark.parametrize(
    ("recurrent", "objective", "words"),
    [
        (elman.GRU(I, H, batch_first=True), Classification(O), "ManyToOne runs time first"),
        (elman.GRU(I + 1, H), Classification(O), "reads 4 values a step and the inputs give 3"),
        (elman.GRU(I, H), Tagging(O), "objective Tagging needs one output a step"),
    ],
)
def test_parts_that_do_not_fit_are_refused(recurrent: Any, objective: Any, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        ManyToOne(
            Inputs(Encoding(numbers=I)),
            recurrent,
            pooling("mean", recurrent),
            elman.MLP([H, O]),
            objective,
        )
