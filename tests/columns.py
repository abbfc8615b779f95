"""Rows of several columns for networks, and their parts by hand, on layers of torch.nn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from battery import draw
from elman.batches.inputs import PartsInput, SeveralInputs
from elman.convert import to_torch
from elman.features.feature import Encoding, Encodings
from elman.networks.bridge import InitialState
from elman.networks.context import Context, SequenceEncoder
from elman.networks.inputs import Inputs

WORDS, SENSOR = Encoding(ids=(9,)), Encoding(numbers=2)
RECORD, LABELS = Encoding(numbers=2, ids=(5,)), Encoding(numbers=3)
PAIR = Encodings((WORDS, WORDS), (RECORD, LABELS), (0, 0))
"""Two texts of one vocabulary, a record and labels."""
THREE = Encodings((WORDS, SENSOR, WORDS), (RECORD, LABELS), (0, 1, 0))
"""Two texts and a sensor, a record and labels."""
LENGTHS = ([4, 0, 6, 1, 3], [2, 5, 0, 1, 3], [1, 2, 3, 0, 4])
"""Steps of each row in the first, second and third sequence."""
B = 5


def drawn_rows(
    encodings: Encodings, lengths: Sequence[Sequence[int]] = LENGTHS, rows: int = B
) -> PartsInput:
    """Draw a batch of rows, in float64.

    Args:
        encodings: of the parts.
        lengths: steps of each row, for each sequence.
        rows: B.
    """
    layout = SeveralInputs(len(encodings.sequences))
    return layout.collate(
        [
            (
                *(
                    _drawn(one, steps[row])
                    for one, steps in zip(encodings.sequences, lengths, strict=False)
                ),
                *(_drawn(one) for one in encodings.context),
            )
            for row in range(rows)
        ]
    )


def _drawn(encoding: Encoding, *steps: int) -> Tensor:
    """Draw an encoded value, (T, columns), or (columns,) without steps."""
    ids = [torch.randint(0, size, steps) for size in encoding.ids]
    if not encoding.numbers:
        return ids[0] if len(ids) == 1 else torch.stack(ids, -1)
    return torch.cat(
        [draw(*steps, encoding.numbers), *(each.double()[..., None] for each in ids)], -1
    )


def poisoned(x: PartsInput) -> PartsInput:
    """Fill the padding of every sequence: NaN among floats, a wrong id among ids."""
    parts = list(x.parts)
    for place, (part, steps) in enumerate(zip(x.sequences, x.lengths, strict=True)):
        ended = torch.arange(len(part)).unsqueeze(1) >= steps
        ended = ended.reshape(*ended.shape, *[1] * (part.dim() - 2))
        parts[place] = part.masked_fill(ended, torch.nan if part.is_floating_point() else 10**6)
    return x._replace(parts=tuple(parts))


def with_gradients(x: PartsInput) -> tuple[PartsInput, list[Tensor]]:
    """Return a batch whose floats are leaves, and the leaves."""
    parts = tuple(
        part.detach().clone().requires_grad_() if part.is_floating_point() else part
        for part in x.parts
    )
    return x._replace(parts=parts), [part for part in parts if part.is_floating_point()]


class Copies:
    """The recurrent layers of a network as layers of torch.nn, with copies of their weights."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._copies: dict[int, nn.RNNBase] = {}

    def of(self, recurrent: Any) -> nn.RNNBase:
        """Return the copy of a layer."""
        return self._copies.setdefault(id(recurrent), to_torch(recurrent))

    def parameters(self) -> dict[str, nn.Parameter]:
        """Name the parameters of the network, those of layers replaced by the copies'."""
        found = dict(self._network.named_parameters())
        for path, module in self._network.named_modules():
            if id(module) in self._copies:
                for name, weight in self._copies[id(module)].named_parameters():
                    found[f"{path}.{name}"] = weight
        return found


def row_of(x: PartsInput, row: int) -> tuple[list[Tensor], list[Tensor]]:
    """Return a row's sequences, (T, 1, …), without padding, and its other parts, (1, …)."""
    sequences = [
        part[: int(steps[row]), row : row + 1]
        for part, steps in zip(x.sequences, x.lengths, strict=True)
    ]
    return sequences, [part[row : row + 1] for part in x.context]


def vector_of(inputs: Inputs, x: Tensor) -> Tensor:
    """Concatenate numbers and the rows of embeddings."""
    numbers = inputs.encoding.numbers
    columns = x.unsqueeze(-1) if inputs.is_lone_id and not x.is_floating_point() else x
    ids = [
        table.weight[columns[..., place].long()]
        for place, table in enumerate(inputs.tables, start=numbers)
    ]
    return torch.cat([*([columns[..., :numbers]] if numbers else []), *ids], -1)


def state_of(beginning: InitialState, context: Tensor) -> Any:
    """Compute tanh(W c + b) for h, and c, of every layer and direction, (L·D, 1, ·) each."""
    parts = [
        torch.stack([torch.tanh(context @ dense.weight.t() + dense.bias) for dense in denses])
        for denses in zip(*[layer.parts for layer in beginning.layers], strict=True)
    ]
    return tuple(parts) if len(parts) > 1 else parts[0]


def pooled(kind: str, encoder: SequenceEncoder, hidden: Tensor) -> Tensor:
    """Pool the outputs of a row, (T, 1, H), T ≥ 1."""
    if kind == "mean":
        return hidden.mean(0)
    if kind == "max":
        return hidden.amax(0)
    if kind == "last":
        forward = encoder.recurrent.options.output_sizes[-1]
        return torch.cat([hidden[-1, :, :forward], hidden[0, :, forward:]], -1)
    pooling: Any = encoder.pooling
    energies = torch.tanh(hidden @ pooling.key.weight.t() + pooling.key.bias)
    weights = (energies @ pooling.query.weight.t()).softmax(0)
    return (weights * hidden).sum(0)


def encoded(
    encoder: SequenceEncoder,
    x: Tensor,
    copies: Copies,
    *,
    pooling: str = "last",
    context: Tensor | None = None,
) -> Tensor:
    """Encode a row's sequence, (T, 1, …), with a layer of torch.nn."""
    if not len(x):
        return torch.zeros(1, encoder.size, dtype=torch.float64)
    vectors, state = vector_of(encoder.inputs, x), None
    if context is not None and encoder.each:
        vectors = torch.cat([vectors, context.expand(len(x), 1, -1)], -1)
    elif context is not None and encoder.beginning is not None:
        state = state_of(encoder.beginning, context)
    return pooled(pooling, encoder, copies.of(encoder.recurrent)(vectors, state)[0])


def context_of(
    context: Context, sequences: Sequence[Tensor], others: Sequence[Tensor], copies: Copies
) -> Tensor:
    """Compute a row's context, (1, C), from the sequences that it reads and the other parts."""
    parts = [vector_of(read, part) for read, part in zip(context.inputs, others, strict=True)]
    for number, sequence in zip(context.reads, sequences, strict=True):
        parts.append(encoded(context.encoders[number], sequence, copies))
    vector = torch.cat(parts, -1)
    if context.dense is None:
        return vector
    (layer,) = context.dense.layers
    return (vector @ layer.weight.t() + layer.bias).relu()


def gradients(
    outputs: Tensor, parameters: dict[str, Any], leaves: Sequence[Tensor]
) -> dict[str, Tensor]:
    """Name the gradients of outputs, weighted at random, always alike."""
    generator = torch.Generator().manual_seed(7)
    weights = torch.randn(outputs.shape, generator=generator, dtype=torch.float64)
    named = dict(parameters) | {f"part {n}": leaf for n, leaf in enumerate(leaves)}
    found = torch.autograd.grad(
        (outputs * weights).sum(), list(named.values()), materialize_grads=True
    )
    return dict(zip(named, found, strict=True))
