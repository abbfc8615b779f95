"""The layer of linear recurrent units."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from elman.cells import cell
from elman.layers.options import RecurrentOptions
from elman.layers.recurrent import RecurrentLayer


class LRU(RecurrentLayer):
    """A stack of layers of linear recurrent units: a diagonal, complex, linear recurrence.

        c(t) = λ ⊙ c(t−1) + γ ⊙ (B x(t))                  H complex numbers, |λ| < 1
        h(t) = g(Re(C c(t)) + D x(t))                     g is GELU by default

    λ does not depend on x: c is computed for all steps with one large product and one scan over
    time, and h with another large product. What is gained and lost by that: the page "Parallel
    time" of the documentation. `elman.cells.lru_step` names the source.

    The call is that of `elman.LSTM`, see `RecurrentLayer.forward`: the state is the pair (h, c), c
    with real parts before imaginary ones, (L·D, B, 2·H). There is no weight_hh and no bias.

    >>> import elman, torch
    >>> rnn = elman.LRU(3, 5)
    >>> y, (h, c) = rnn(torch.zeros(7, 2, 3))
    >>> y.shape, c.shape
    (torch.Size([7, 2, 5]), torch.Size([1, 2, 10]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int | Sequence[int],
        num_layers: int = 1,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        locked_dropout: float = 0.0,
        residual: bool = False,
        activation: str = "gelu",
        r_min: float = 0.0,
        r_max: float = 1.0,
        max_phase: float = 2 * math.pi,
        backend: str = "auto",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Build the layer.

        Args:
            input_size: I.
            hidden_size: H, or a list with one H per layer.
            num_layers: L; leave it out where hidden_size is a list.
            batch_first: input and outputs are (B, T, ·) instead of (T, B, ·).
            dropout: probability of dropping an output between layers, in training.
            bidirectional: a second set of layers runs from each row's own end to its beginning.
            locked_dropout: as dropout, but with one mask per sequence instead of one per step (Gal
                & Ghahramani 2016, arXiv:1512.05287).
            residual: adds what a layer reads to what it writes, from the second layer on.
            activation: g: gelu, or identity for the paper's layer by itself.
            r_min: smallest |λ| that is drawn; near 1, such as 0.9, for long memories.
            r_max: greatest |λ| that is drawn.
            max_phase: greatest angle of λ that is drawn, in radians; small for long memories.
            backend: auto, or the name of a backend, which then runs or raises the reason.
            device: device of the parameters.
            dtype: dtype of the parameters.

        Raises:
            OptionError: an option is unknown, out of range, or contradicts another.
        """
        options = RecurrentOptions(
            cell=cell("lru", activation=activation, r_min=r_min, r_max=r_max, max_phase=max_phase),
            input_size=input_size,
            hidden_size=hidden_size,
            num_layers=num_layers,
            bias=False,
            batch_first=batch_first,
            dropout=dropout,
            locked_dropout=locked_dropout,
            bidirectional=bidirectional,
            residual=residual,
        )
        super().__init__(options, backend=backend, device=device, dtype=dtype)
