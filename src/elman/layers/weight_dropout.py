"""DropConnect on the recurrent weights: single weights are dropped, not units."""

from __future__ import annotations

from typing import Any, cast

from torch import Tensor, nn
from torch.nn import functional as F

from elman.errors import OptionError
from elman.layers.options import checked_probability
from elman.layers.recurrent import RecurrentLayer


def apply_weight_dropout(module: nn.Module, p: float) -> None:
    """Let every recurrent layer within a module drop weights of R in training.

        R̃ = R ⊙ M,   M = 0 with probability p, else 1 / (1 − p)

    One M per matrix and call of the layer, shared by all rows and steps. In evaluation R̃ = R.
    Names of parameters stay, and between calls the layer holds R itself, so that saving,
    converting and optimising are not affected.

    Args:
        module: a recurrent layer, a Bidirectional, or a network that holds some.
        p: the share of weights dropped, in [0, 1); 0 changes nothing.

    Raises:
        OptionError: p lies outside; there is no recurrent layer; one drops weights already, or
            its R is no parameter but computed from others.

    Source: Wan et al. 2013, "Regularization of neural networks using DropConnect"; on R: Merity
    et al. 2017, arXiv:1708.02182, §2.
    """
    checked_probability("weight_dropout", p)
    layers = [part for part in module.modules() if isinstance(part, RecurrentLayer)]
    if not layers:
        raise OptionError(
            f"weight_dropout acts on recurrent layers, and this {type(module).__name__} has none."
        )
    for layer in layers:
        _check(layer)
    for layer in layers if p else []:
        dropout = _WeightDropout(p)
        layer.register_forward_pre_hook(dropout.drop)
        layer.register_forward_hook(dropout.restore, always_call=True)


class _WeightDropout:
    """Replaces a layer's recurrent matrices by dropped ones during a call."""

    def __init__(self, p: float) -> None:
        self._p = p
        self._own: dict[str, Tensor | None] = {}

    def drop(self, layer: nn.Module, _: Any) -> None:
        """Drop weights before the layer is called."""
        if layer.training:
            weights = _weights(layer)
            self._own = {name: weights[name] for name in _recurrent_names(layer)}
            for name, own in self._own.items():
                weights[name] = None if own is None else F.dropout(own, self._p)

    def restore(self, layer: nn.Module, _: Any, __: Any) -> None:
        """Give the layer its own weights back."""
        _weights(layer).update(self._own)
        self._own = {}


def _weights(layer: nn.Module) -> dict[str, Tensor | None]:
    """Return the dict of a module's parameters, which takes plain tensors too."""
    return cast(dict[str, Tensor | None], layer._parameters)


def _recurrent_names(layer: nn.Module) -> list[str]:
    return [name for name in layer._parameters if name.startswith("weight_hh")]


def _check(layer: RecurrentLayer) -> None:
    """Refuse a layer whose recurrent weights cannot be dropped."""
    if not layer.options.cell.reads_hidden:
        raise OptionError(
            f"weight_dropout acts on recurrent weights, and the {layer.options.cell.name} cell has "
            "none; leave it out."
        )
    if len(_recurrent_names(layer)) != layer.num_layers * layer.options.num_directions:
        raise OptionError(
            "weight_dropout needs layers whose weight_hh are parameters; remove their "
            "parametrizations first."
        )
    hooks = layer._forward_pre_hooks.values()
    if any(isinstance(getattr(hook, "__self__", None), _WeightDropout) for hook in hooks):
        raise OptionError("weight_dropout was applied to this layer before; apply it once.")
