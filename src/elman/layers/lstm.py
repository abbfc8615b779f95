"""The long short-term memory layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from elman.cells import cell
from elman.layers.options import RecurrentOptions
from elman.layers.recurrent import RecurrentLayer, cell_option


class LSTM(RecurrentLayer):
    """A stack of long short-term memory layers.

        i, f, o = σ(W x(t) + R h(t−1) + b)                input, forget and output gate
        g       = tanh(W x(t) + R h(t−1) + b)             candidate, with weights of its own
        c(t)    = f ⊙ c(t−1) + i ⊙ g
        h(t)    = o ⊙ tanh(c(t))

    `elman.cells.lstm_step` has them gate by gate, peepholes and projection included.

    The call is torch.nn.LSTM's, see `RecurrentLayer.forward`; so are the names, shapes, order and
    initial values of the parameters that both have.

    >>> import elman, torch
    >>> rnn = elman.LSTM(3, 5)
    >>> y, (h, c) = rnn(torch.zeros(7, 2, 3))
    >>> y.shape, c.shape
    (torch.Size([7, 2, 5]), torch.Size([1, 2, 5]))
    """

    peephole: bool = cell_option("peephole", "Whether the gates read the cell state.")
    coupled_gates: bool = cell_option("coupled_gates", "Whether f = 1 − i.")

    def __init__(
        self,
        input_size: int,
        hidden_size: int | Sequence[int],
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        locked_dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        zoneout: float | tuple[float, float] = 0.0,
        layer_norm: bool = False,
        residual: bool = False,
        learn_initial_state: bool = False,
        recurrent_init: str = "uniform",
        peephole: bool = False,
        coupled_gates: bool = False,
        forget_bias: float | None = None,
        chrono: int | None = None,
        backend: str = "auto",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Build the layer.

        Args:
            input_size: I.
            hidden_size: H, or a list with one H per layer.
            num_layers: L; leave it out where hidden_size is a list.
            bias: whether the products have biases.
            batch_first: input and outputs are (B, T, ·) instead of (T, B, ·).
            dropout: probability of dropping an output between layers, in training.
            bidirectional: a second set of layers runs from each row's own end to its beginning.
            proj_size: P, the size h is projected to; 0 for none.
            locked_dropout: as dropout, but with one mask per sequence instead of one per step (Gal
                & Ghahramani 2016, arXiv:1512.05287).
            recurrent_dropout: dropout of h(t−1) inside R h, in training, one mask per sequence.
            zoneout: probability that a unit keeps its old state; a pair gives one for h and one
                for c.
            layer_norm: normalises W x and R h, and c before the output.
            residual: adds what a layer reads to what it writes, from the second layer on.
            learn_initial_state: the state before the first step is learned instead of zero.
            recurrent_init: initialisation of R: uniform, as in torch.nn, orthogonal or identity.
            peephole: the gates read the cell state.
            coupled_gates: f = 1 − i; the weights are packed i g o.
            forget_bias: initial value of the whole bias of the forget gate (with coupled gates,
                minus that of the input gate); None keeps torch.nn's.
            chrono: the longest dependency expected, in steps; sets the biases of f and i so that
                units forget over 1 … chrono steps (Tallec & Ollivier 2018, arXiv:1804.11188).
            backend: auto, or the name of a backend, which then runs or raises the reason.
            device: device of the parameters.
            dtype: dtype of the parameters.

        Raises:
            OptionError: an option is unknown, out of range, or contradicts another.
        """
        options = RecurrentOptions(
            cell=cell("lstm", peephole=peephole, coupled_gates=coupled_gates),
            input_size=input_size,
            hidden_size=hidden_size,
            num_layers=num_layers,
            bias=bias,
            batch_first=batch_first,
            dropout=dropout,
            locked_dropout=locked_dropout,
            bidirectional=bidirectional,
            proj_size=proj_size,
            recurrent_dropout=recurrent_dropout,
            zoneout=zoneout,
            layer_norm=layer_norm,
            residual=residual,
            learn_initial_state=learn_initial_state,
            recurrent_init=recurrent_init,
            forget_bias=forget_bias,
            chrono=chrono,
        )
        super().__init__(options, backend=backend, device=device, dtype=dtype)
