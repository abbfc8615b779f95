"""The sLSTM layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from elman.cells import cell
from elman.layers.options import RecurrentOptions
from elman.layers.recurrent import RecurrentLayer


class SLSTM(RecurrentLayer):
    """A stack of sLSTM layers: an LSTM with exponential gates.

        i    = exp(W_i x(t) + R_i h(t−1) + b_i)           input gate
        f    = σ(W_f x(t) + R_f h(t−1) + b_f)             forget gate
        g    = tanh(W_g x(t) + R_g h(t−1) + b_g)          candidate
        o    = σ(W_o x(t) + R_o h(t−1) + b_o)             output gate
        c(t) = f ⊙ c(t−1) + i ⊙ g                         cell state
        n(t) = f ⊙ n(t−1) + i                             normaliser
        h(t) = o ⊙ c(t) / n(t)                            hidden state

    c and n are kept divided by exp(m), for what i may reach: `elman.cells.slstm_step` has it, and
    the source. Its gates read h(t−1), so it is computed step by step.

    The call is that of `elman.LSTM`, see `RecurrentLayer.forward`; the state is (h, c, n, m). The
    bias of the forget gates is spread over 3 … 6 at first, which opens them.

    >>> import elman, torch
    >>> rnn = elman.SLSTM(3, 5)
    >>> y, (h, c, n, m) = rnn(torch.zeros(7, 2, 3))
    >>> y.shape, n.shape
    (torch.Size([7, 2, 5]), torch.Size([1, 2, 5]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int | Sequence[int],
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        locked_dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        residual: bool = False,
        recurrent_init: str = "uniform",
        forget_bias: float | None = None,
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
            locked_dropout: as dropout, but with one mask per sequence instead of one per step (Gal
                & Ghahramani 2016, arXiv:1512.05287).
            recurrent_dropout: dropout of h(t−1) inside R h, in training, one mask per sequence.
            residual: adds what a layer reads to what it writes, from the second layer on.
            recurrent_init: initialisation of R: uniform, as in torch.nn, orthogonal or identity.
            forget_bias: initial value of the bias of the forget gate; None spreads it over 3 … 6.
            backend: auto, or the name of a backend, which then runs or raises the reason.
            device: device of the parameters.
            dtype: dtype of the parameters.

        Raises:
            OptionError: an option is unknown, out of range, or contradicts another.
        """
        options = RecurrentOptions(
            cell=cell("slstm"),
            input_size=input_size,
            hidden_size=hidden_size,
            num_layers=num_layers,
            bias=bias,
            batch_first=batch_first,
            dropout=dropout,
            locked_dropout=locked_dropout,
            bidirectional=bidirectional,
            recurrent_dropout=recurrent_dropout,
            residual=residual,
            recurrent_init=recurrent_init,
            forget_bias=forget_bias,
        )
        super().__init__(options, backend=backend, device=device, dtype=dtype)
