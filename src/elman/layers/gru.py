"""The gated recurrent layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from elman.cells import cell
from elman.layers.options import RecurrentOptions
from elman.layers.recurrent import RecurrentLayer, cell_option


class GRU(RecurrentLayer):
    """A stack of gated recurrent layers.

        r, z = σ(W x(t) + R h(t−1) + b)                   reset and update gate
        n    = tanh(W_n x(t) + b_n + r ⊙ (R_n h(t−1) + b′_n))
        h(t) = (1 − z) ⊙ n + z ⊙ h(t−1)                   z = 1 keeps the old state

    With `reset_after=False`, the form of Cho et al. 2014,
    n = tanh(W_n x(t) + R_n (r ⊙ h(t−1)) + b_n).

    The call is torch.nn.GRU's, see `RecurrentLayer.forward`; so are the names, shapes, order and
    initial values of the parameters that both have.

    >>> import elman, torch
    >>> rnn = elman.GRU(3, 5)
    >>> y, h = rnn(torch.zeros(7, 2, 3))
    >>> y.shape, h.shape
    (torch.Size([7, 2, 5]), torch.Size([1, 2, 5]))
    """

    reset_after: bool = cell_option("reset_after", "Whether r acts after the recurrent product.")

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
        proj_size: int = 0,
        locked_dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        zoneout: float = 0.0,
        layer_norm: bool = False,
        residual: bool = False,
        learn_initial_state: bool = False,
        recurrent_init: str = "uniform",
        reset_after: bool = True,
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
            proj_size: 0: only an LSTM projects h.
            locked_dropout: as dropout, but with one mask per sequence instead of one per step (Gal
                & Ghahramani 2016, arXiv:1512.05287).
            recurrent_dropout: dropout of h(t−1) inside R h, in training, one mask per sequence.
            zoneout: probability that a unit keeps its old state.
            layer_norm: normalises W x and R h.
            residual: adds what a layer reads to what it writes, from the second layer on.
            learn_initial_state: the state before the first step is learned instead of zero.
            recurrent_init: initialisation of R: uniform, as in torch.nn, orthogonal or identity.
            reset_after: the reset gate acts after the recurrent product, as in torch.nn and cuDNN;
                False: before it, as in Cho et al. 2014, arXiv:1406.1078.
            chrono: the longest dependency expected, in steps; sets the bias of z so that units
                forget over 1 … chrono steps (Tallec & Ollivier 2018, arXiv:1804.11188).
            backend: auto, or the name of a backend, which then runs or raises the reason.
            device: device of the parameters.
            dtype: dtype of the parameters.

        Raises:
            OptionError: an option is unknown, out of range, or contradicts another.
        """
        options = RecurrentOptions(
            cell=cell("gru", reset_after=reset_after),
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
            chrono=chrono,
        )
        super().__init__(options, backend=backend, device=device, dtype=dtype)
