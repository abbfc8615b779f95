"""PyTorch's tools that look into a layer: what they find, or why they find nothing, in words."""

from __future__ import annotations

import warnings
from typing import Any

from torch import Tensor, nn
from torch.fx import Proxy

from elman.errors import BackendError


def is_symbol(given: object) -> bool:
    """Tell whether torch.fx.symbolic_trace passes what stands for a tensor."""
    return isinstance(given, Proxy)


def as_leaf(module: nn.Module, given: Any, *arguments: Any, **named: Any) -> Proxy:
    """Write a call of a layer into the graph of torch.fx.symbolic_trace as one node.

    A tracer looks into every module that is not torch.nn's own. Where it looks into a layer, it
    finds this node, as if the layer were torch.nn's.

    Args:
        module: the layer.
        given: what stands for its input, a Proxy.
        arguments: its other arguments by place, None at the end for those left out.
        named: its arguments by name, None or False for those left out.
    """
    tracer: Any = given.tracer
    places = list(arguments)
    while places and places[-1] is None:
        places.pop()
    told = {
        name: value for name, value in named.items() if value is not None and value is not False
    }
    node: Proxy = tracer.create_proxy(
        "call_module", tracer.path_of_module(module), (given, *places), told
    )
    return node


def refuse_script(module: nn.Module) -> None:
    """Say that torch.jit.script cannot compile a layer.

    Raises:
        BackendError: always.
    """
    raise BackendError(
        f"torch.jit.script cannot compile elman.{type(module).__name__}, whose kernels are no "
        "TorchScript. torch.export.export(model, inputs) and torch.jit.trace(model, inputs) write "
        "a model with it down for any number of steps and rows; torch.compile(model) makes it fast."
    )


def check_weight(weight: Tensor) -> None:
    """Refuse the weights of torch.nn.utils' per-sample gradients.

    Raises:
        BackendError: the weight is an ExpandedWeight.
    """
    if type(weight).__name__ == "ExpandedWeight":
        raise BackendError(
            "call_for_per_sample_grads knows no Elman layer. Per-sample gradients come from "
            "torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0)), where loss(weights, x) "
            "calls torch.func.functional_call(model, weights, (x,))."
        )


def say_unquantized(module: nn.Module) -> None:
    """Warn that torch.ao.quantization will leave a layer as it is."""
    warnings.warn(
        f"torch.ao.quantization has no quantized form of elman.{type(module).__name__} and leaves "
        "it as it is, in its own dtype. In bfloat16, layer.bfloat16(), it takes half the memory.",
        stacklevel=4,
    )
