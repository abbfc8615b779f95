"""The minimal LSTM layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from elman.cells import cell
from elman.layers.options import RecurrentOptions
from elman.layers.recurrent import RecurrentLayer


class MinLSTM(RecurrentLayer):
    """A stack of minimal LSTM layers, whose gates read the input alone.

        i, f   = σ(W x(t) + b)                            input and forget gate
        g      = W_g x(t) + b_g                           candidate
        f′, i′ = f / (f + i), i / (f + i)                 shares that sum to one
        h(t)   = f′ ⊙ h(t−1) + i′ ⊙ g                     hidden state

    All gates of all steps are computed at once; in the order of time there is one multiplication
    and one addition a unit left to do. What is gained and lost by that: the page "Parallel time" of
    the documentation. `elman.cells.minlstm_step` names the source.

    The call is that of `elman.GRU`, see `RecurrentLayer.forward`: the state is h alone. There is no
    weight_hh.

    >>> import elman, torch
    >>> rnn = elman.MinLSTM(3, 5)
    >>> y, h = rnn(torch.zeros(7, 2, 3))
    >>> y.shape, h.shape
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
        zoneout: float = 0.0,
        residual: bool = False,
        learn_initial_state: bool = False,
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
            locked_dropout: as dropout, but with one mask per sequence instead of one per step (Gal
                & Ghahramani 2016, arXiv:1512.05287).
            zoneout: probability that a unit keeps its old state.
            residual: adds what a layer reads to what it writes, from the second layer on.
            learn_initial_state: the state before the first step is learned instead of zero.
            forget_bias: initial value of the bias of the forget gate; None draws it as the others.
            chrono: the longest dependency expected, in steps; sets the biases of f and i so that
                units forget over 1 … chrono steps (Tallec & Ollivier 2018, arXiv:1804.11188).
            backend: auto, or the name of a backend, which then runs or raises the reason.
            device: device of the parameters.
            dtype: dtype of the parameters.

        Raises:
            OptionError: an option is unknown, out of range, or contradicts another.
        """
        options = RecurrentOptions(
            cell=cell("minlstm"),
            input_size=input_size,
            hidden_size=hidden_size,
            num_layers=num_layers,
            bias=bias,
            batch_first=batch_first,
            dropout=dropout,
            locked_dropout=locked_dropout,
            bidirectional=bidirectional,
            zoneout=zoneout,
            residual=residual,
            learn_initial_state=learn_initial_state,
            forget_bias=forget_bias,
            chrono=chrono,
        )
        super().__init__(options, backend=backend, device=device, dtype=dtype)
