"""The initial state of a decoder, from an encoder's last state or from a vector."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from elman.errors import OptionError, ShapeError
from elman.layers.bidirectional import Bidirectional
from elman.layers.options import checked_size
from elman.layers.recurrent import RecurrentLayer
from elman.layers.state import StateLayout, described


class InitialState(nn.Module):
    """The initial state of a stack of layers, computed from a vector.

        h_l(0) = tanh(W_l v + b_l)                        every layer l, in each direction
        c_l(0) = tanh(W′_l v + b′_l)                      where the cell has c

    Source: Hieber et al. 2017, arXiv:1712.05690, who compute all states of the decoder so, the
    LSTM's c included; for h alone: Bahdanau et al. 2015, arXiv:1409.0473, §A.2.2.
    """

    def __init__(
        self, size: int, recurrent: RecurrentLayer, *, device: torch.device | str | None = None
    ) -> None:
        """Create the dense layers.

        Args:
            size: size of the vector.
            recurrent: the stack whose initial state it is.
            device: device of the parameters.

        Raises:
            OptionError: the size is invalid.
        """
        super().__init__()
        self.size = checked_size("size", size)
        self._cell, self._layout = recurrent.options.cell, StateLayout(recurrent.options)
        self.layers = nn.ModuleList(
            _DenseState(size, sizes, device)
            for sizes in _part_sizes(recurrent)
            for _ in range(recurrent.options.num_directions)
        )

    def forward(self, vector: Tensor) -> Any:
        """Compute a state, laid out as the stack returns it, from vectors (B, size).

        Raises:
            ShapeError: the vectors have the wrong axes.
        """
        if vector.dim() != 2 or vector.size(-1) != self.size:
            raise ShapeError(
                f"the vector must be (B, size) with size = {self.size}, got {described(vector)}."
            )
        states = [dense(vector) for dense in self.layers]
        return self._layout.join([self._cell.state(*parts) for parts in states])


class Bridge(nn.Module):
    """Maps an encoder's last state to a decoder's initial state, for any two cells and sizes.

        s_l = s′_k                                        the same cell, the same sizes
        s_l = tanh(W_l [h→_k; h←_k] + b_l)                else; s is h, and c where there is one

    Layer l of the decoder corresponds to layer k of the encoder, counted from the last layer of
    both. Decoder layers without a counterpart correspond to the encoder's first layer. A
    bidirectional encoder always passes through the dense layers, which combine its two states of
    a layer. Each state of the decoder has a separate dense layer that reads h alone: the c of an
    LSTM is learned where the encoder has none, or two; see `InitialState` for the source.

    >>> import elman, torch
    >>> encoder, decoder = elman.GRU(3, 5, bidirectional=True), elman.LSTM(2, 4, num_layers=2)
    >>> _, state = encoder(torch.zeros(6, 7, 3))
    >>> [part.shape for part in Bridge(encoder, decoder)(state)]
    [torch.Size([2, 7, 4]), torch.Size([2, 7, 4])]
    """

    def __init__(
        self,
        encoder: RecurrentLayer | Bidirectional,
        decoder: RecurrentLayer,
        *,
        device: torch.device | str | None = None,
    ) -> None:
        """Create the dense layers that are needed.

        Args:
            encoder: the layers whose last state is read.
            decoder: the layers whose initial state is computed.
            device: device of the parameters.

        Raises:
            OptionError: the decoder is bidirectional.
        """
        super().__init__()
        layers = [encoder] if isinstance(encoder, RecurrentLayer) else _both(encoder)
        self._stacks = [_Stack(layer) for layer in layers]
        self._cell, self._layout = _of_decoder(decoder)
        self._depths = range(decoder.num_layers - 1, -1, -1)
        self.dense = nn.ModuleDict()
        for layer, (depth, sizes) in enumerate(
            zip(self._depths, _part_sizes(decoder), strict=True)
        ):
            ends = [end for stack in self._stacks for end in stack.end_sizes(depth)]
            if ends != [(decoder.options.cell.name, sizes)]:
                size = sum(end_sizes[0] for _, end_sizes in ends)
                self.dense[str(layer)] = _DenseState(size, sizes, device)

    def forward(self, state: Any) -> Any:
        """Compute the decoder's initial state from the encoder's last, laid out as returned.

        Raises:
            ShapeError: the state is not the encoder's.
        """
        states = [state] if len(self._stacks) == 1 else state
        if not isinstance(states, list | tuple) or len(states) != len(self._stacks):
            raise ShapeError(
                "the state must be the pair (forward state, backward state) of the encoder, "
                f"got {described(state)}."
            )
        split = [stack.split(one) for stack, one in zip(self._stacks, states, strict=True)]
        initial = []
        for layer, depth in enumerate(self._depths):
            ends = [end for layers in split for end in layers[max(0, len(layers) - 1 - depth)]]
            if str(layer) in self.dense:
                parts = self.dense[str(layer)](torch.cat([end.hidden for end in ends], -1))
            else:
                parts = [part.unsqueeze(0) for part in ends[0]]
            initial.append(self._cell.state(*parts))
        return self._layout.join(initial)


class _DenseState(nn.Module):
    """The state of one layer, computed from a vector by a dense layer with tanh for each part."""

    def __init__(
        self, size: int, sizes: tuple[int, ...], device: torch.device | str | None
    ) -> None:
        super().__init__()
        self.parts = nn.ModuleList(nn.Linear(size, part, device=device) for part in sizes)

    def forward(self, vector: Tensor) -> list[Tensor]:
        """Return the parts, (1, B, ·) each, of a vector (B, size)."""
        return [torch.tanh(part(vector)).unsqueeze(0) for part in self.parts]


class _Stack:
    """Splits the last state of an encoder's stack by layer."""

    def __init__(self, layer: RecurrentLayer) -> None:
        self._layout = StateLayout(layer.options)
        self._directions = layer.options.num_directions
        self._name = layer.options.cell.name
        self._sizes = _part_sizes(layer)

    def end_sizes(self, depth: int) -> list[tuple[str, tuple[int, ...]]]:
        """Return cell and sizes of each direction, `depth` layers below the last."""
        sizes = self._sizes[max(0, len(self._sizes) - 1 - depth)]
        return [(self._name, sizes)] * self._directions

    def split(self, state: Any) -> list[list[Any]]:
        """Split a state into the cell's state of each layer and direction."""
        places = self._layout.split(state, _first_tensor(state))
        return [places[i : i + self._directions] for i in range(0, len(places), self._directions)]


def _both(encoder: Bidirectional) -> list[RecurrentLayer]:
    return [encoder.forward_layer, encoder.backward_layer]


def _part_sizes(recurrent: RecurrentLayer) -> list[tuple[int, ...]]:
    """Return the sizes of h, and of the other parts of the state, of each layer."""
    options = recurrent.options
    layers = zip(options.hidden_sizes, options.output_sizes, strict=True)
    return [options.cell.state_sizes(*each) for each in layers]


def _first_tensor(state: Any) -> Tensor:
    """Return the first tensor of a state, (L·D, B, ·), for its rows, dtype and device."""
    while not isinstance(state, Tensor):
        if not isinstance(state, list | tuple) or not state:
            raise ShapeError(f"the state must be an encoder's last one, got {described(state)}.")
        state = state[0]
    return state


def _of_decoder(recurrent: RecurrentLayer) -> tuple[Any, StateLayout]:
    """Return the cell of a decoder's stack, and the layout of its states."""
    if recurrent.options.bidirectional:
        raise OptionError(
            "a decoder runs from the first step to the last; build its recurrent part with "
            "bidirectional=False."
        )
    return recurrent.options.cell, StateLayout(recurrent.options)
