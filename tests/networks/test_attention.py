"""Attention, against every pair of steps done by hand and against PyTorch's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from battery import assert_near, assert_same_bits, draw
from elman.errors import OptionError, ShapeError
from elman.networks import attention as module
from elman.networks.attention import ATTENTIONS, Attention

S, U, B, H, M, A = 6, 4, 5, 3, 7, 2
LENGTHS = torch.tensor([4, 0, 6, 1, 3])
ENDED = torch.arange(S).unsqueeze(1) >= LENGTHS
every_kind = pytest.mark.parametrize("kind", ATTENTIONS)


def built(kind: str) -> Attention:
    attention = Attention(
        kind, H, H if kind == "dot" else M, size=A if kind == "additive" else None
    )
    return attention.double()


def drawn(attention: Attention) -> tuple[Tensor, Tensor]:
    values = draw(S, B, attention.memory_size, scale=1.0)
    values[ENDED] = torch.nan
    return draw(U, B, H, scale=1.0), values


def energy(attention: Attention, query: Any, value: Any) -> float:
    """Score one step of the source for one of the decoder, in NumPy."""
    weights = {name: each.detach().numpy() for name, each in attention.named_parameters()}
    if attention.kind == "dot":
        return float(query @ value)
    if attention.kind == "general":
        return float(query @ (weights["key.weight"] @ value))
    inner = weights["query.weight"] @ query + weights["key.weight"] @ value
    return float(weights["energy.weight"][0] @ np.tanh(inner))


@every_kind
@pytest.mark.parametrize("rows", [[4, 0, 0, 2, 3, 3, 3], [0, 1, 2, 3, 4], [3, 1, 3], [2], []])
def test_rows_that_share_a_source_attend_as_if_each_had_its_own(kind: str, rows: list[int]) -> None:
    attention, index = built(kind), torch.tensor(rows, dtype=torch.int64)
    _, values = drawn(attention)
    queries = draw(U, len(rows), H, scale=1.0)
    shared = attention.read(values, LENGTHS).select_rows(index)
    alone = attention.read(values[:, index], LENGTHS[index])
    assert_pair_near(attention(queries, shared), attention(queries, alone))
    again = torch.arange(len(rows)).flip(0)
    alone = attention.read(values[:, index[again]], LENGTHS[index[again]])
    assert_pair_near(attention(queries, shared.select_rows(again)), attention(queries, alone))


def assert_pair_near(found: tuple[Tensor, Tensor], expected: tuple[Tensor, Tensor]) -> None:
    for name, one, other in zip(("contexts", "weights"), found, expected, strict=True):
        assert_near(one, other, name)


def test_sources_are_copied_only_where_half_of_them_are_read_no_more() -> None:
    attention = built("general")
    memory = attention.read(drawn(attention)[1], LENGTHS)
    most = memory.select_rows(torch.tensor([0, 0, 1, 4]))
    assert most.values is memory.values
    few = most.select_rows(torch.tensor([3, 3, 1]))
    assert few.values.equal(memory.values[:, [0, 4]])
    assert few.rows is not None
    assert few.rows.tolist() == [1, 1, 0]


@every_kind
def test_contexts_and_weights_are_those_of_every_pair_of_steps(kind: str) -> None:
    attention = built(kind)
    queries, values = drawn(attention)
    contexts, weights = attention(queries, attention.read(values, LENGTHS))
    for row, length in enumerate(LENGTHS.tolist()):
        for u in range(U):
            scores = np.array(
                [
                    energy(attention, queries[u, row].numpy(), values[s, row].numpy())
                    for s in range(length)
                ]
            )
            expected = np.zeros(S)
            expected[:length] = np.exp(scores) / np.exp(scores).sum()
            assert_near(weights[u, row], torch.from_numpy(expected), f"weights {u}, {row}")
            mean = expected[:length] @ values[:length, row].numpy()
            assert_near(contexts[u, row], torch.from_numpy(mean), f"context {u}, {row}")


def test_dot_attention_is_that_of_torch_without_its_scale() -> None:
    attention = built("dot")
    queries, values = drawn(attention)
    contexts, _ = attention(queries, attention.read(values, LENGTHS))
    real = ~ENDED[:, LENGTHS > 0]
    clean = values[:, LENGTHS > 0].nan_to_num().transpose(0, 1)
    expected = F.scaled_dot_product_attention(
        queries[:, LENGTHS > 0].transpose(0, 1), clean, clean, real.t().unsqueeze(1), scale=1.0
    )
    assert_near(contexts[:, LENGTHS > 0], expected.transpose(0, 1), "contexts")


@every_kind
def test_padding_reaches_neither_values_nor_gradients(kind: str) -> None:
    attention = built(kind)
    queries, values = drawn(attention)
    queries.requires_grad_()
    values.requires_grad_()
    contexts, weights = attention(queries, attention.read(values, LENGTHS))
    assert bool((weights.permute(0, 2, 1)[ENDED.expand(U, S, B)] == 0).all())
    assert_near(weights.sum(-1), (LENGTHS > 0).double().expand(U, B), "sums")
    assert bool((contexts[:, LENGTHS == 0] == 0).all())
    loss = (contexts * draw(*contexts.shape)).sum() + (weights * draw(*weights.shape)).sum()
    grads = torch.autograd.grad(loss, [queries, values, *attention.parameters()])
    assert all(bool(gradient.isfinite().all()) for gradient in grads)
    assert bool((grads[1][ENDED] == 0).all())
    assert bool((grads[1][~ENDED] != 0).any(-1).all())


@every_kind
def test_a_row_attends_as_it_does_alone(kind: str) -> None:
    attention = built(kind)
    queries, values = drawn(attention)
    contexts, weights = attention(queries, attention.read(values, LENGTHS))
    for row, length in enumerate(LENGTHS.tolist()):
        only = slice(row, row + 1)
        alone = attention.read(values[:length, only])
        assert alone.real is None
        its_context, its_weights = attention(queries[:, only], alone)
        assert_near(contexts[:, only], its_context, f"context of row {row}")
        assert_near(weights[:, only, :length], its_weights, f"weights of row {row}")


@every_kind
def test_energies_that_are_very_large_or_very_small_still_sum_to_one(kind: str) -> None:
    attention = built(kind).float()
    values = draw(S, B, attention.memory_size, dtype=torch.float32, scale=1e4)
    queries = draw(U, B, H, dtype=torch.float32, scale=1e4)
    weights = attention(queries, attention.read(values, LENGTHS))[1]
    assert_near(weights.sum(-1), (LENGTHS > 0).float().expand(U, B), "sums")


@pytest.mark.parametrize("grad", [True, False])
def test_additive_attention_in_blocks_is_that_in_one(
    grad: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    attention = built("additive")
    queries, values = (each.requires_grad_() for each in drawn(attention))

    def run() -> list[Tensor]:
        with torch.set_grad_enabled(grad):
            found = list(attention(queries, attention.read(values, LENGTHS)))
        if grad:
            loss = found[0].square().sum() + found[1].square().sum()
            found += torch.autograd.grad(loss, [queries, values, *attention.parameters()])
        return found

    whole = run()
    seen: list[int] = []
    additive = attention._additive

    def watched(block: Tensor, keys: Tensor) -> Tensor:
        seen.append(len(block))
        return additive(block, keys)

    monkeypatch.setattr(attention, "_additive", watched)
    monkeypatch.setattr(module, "_LARGEST_BLOCK", 3 * S * B * A)
    for number, (ours, theirs) in enumerate(zip(run(), whole, strict=True)):
        assert_near(ours, theirs, f"value {number}")
    assert seen[:2] == [3, 1]


@every_kind
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_its_gradients_are_those_of_finite_differences(kind: str, lengths: Tensor | None) -> None:
    attention = built(kind)
    queries = draw(2, B, H).requires_grad_()
    values = draw(S, B, attention.memory_size).requires_grad_()

    def run(queries: Tensor, values: Tensor, *_: Tensor) -> Any:
        return attention(queries, attention.read(values, lengths))

    assert torch.autograd.gradcheck(run, (queries, values, *attention.parameters()))


@every_kind
def test_a_source_without_any_step_is_attended_to_as_zeros(kind: str) -> None:
    attention = built(kind)
    contexts, weights = attention(draw(U, B, H), attention.read(draw(0, B, attention.memory_size)))
    assert_same_bits(contexts, torch.zeros(U, B, attention.memory_size).double(), "contexts")
    assert weights.shape == (U, B, 0)


def test_it_says_what_it_compares() -> None:
    assert built("general").extra_repr() == "general, query_size=3, memory_size=7"


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (("genral", 3, 3), {}, "unknown attention 'genral'; did you mean 'general'"),
        (("dot", 3, 4), {}, "got 3 for the decoder and 4 for the encoder; use attention='gen"),
        (
            ("general", 3, 4),
            {"size": 5},
            "attention='general' has no size, got size=5; leave it out",
        ),
        (("additive", 3, 4), {"size": 0}, "size must be a whole number of at least 1, got 0"),
        (("general", 0, 4), {}, "query_size must be a whole number"),
        (("general", 3, -4), {}, "memory_size must be a whole number"),
    ],
)
def test_what_it_cannot_be_is_refused(
    arguments: tuple[str, int, int], options: dict[str, int], words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        Attention(*arguments, **options)


def test_tensors_of_other_axes_are_refused() -> None:
    attention = built("general")
    with pytest.raises(ShapeError, match=r"values must be \(S, B, M\) with M = 7, got \(6, 5, 3\)"):
        attention.read(draw(S, B, H))
    memory = attention.read(draw(S, B, M))
    words = r"queries must be \(U, B, H\) with \(B, H\) = \(5, 3\), got \(4, 2, 3\)"
    with pytest.raises(ShapeError, match=words):
        attention(draw(U, 2, H), memory)
    with pytest.raises(OptionError, match="lengths must lie in 0 … T = 6, got 7 at row 2"):
        attention.read(draw(S, B, M), [1, 2, 7, 3, 4])
