"""What PyTorch is doing while a recurrence runs: following it into a graph, or transforming it."""

from __future__ import annotations

import warnings

import torch
from torch.autograd import forward_ad
from torch.jit._trace import TracerWarning

# torch.jit.trace warns of every look at a size. Ours check sizes and write none of them down;
# PyTorch leaves out its own modules in the same way.
warnings.filterwarnings(
    "ignore",
    message="Converting a tensor to a Python boolean",
    category=TracerWarning,
    module=r"elman\.(layers|sequence)\.",
)

_is_exporting = getattr(torch.compiler, "is_exporting", None)  # from PyTorch 2.7 on


def is_traced() -> bool:
    """Tell whether PyTorch follows every operator: compile, export, a dispatch mode, jit.trace."""
    return (
        torch.compiler.is_compiling() or torch._C._len_torch_dispatch_stack() > 0 or is_jit_traced()
    )


def is_jit_traced() -> bool:
    """Tell whether torch.jit.trace writes down what runs."""
    return torch._C._get_tracing_state() is not None


def is_recorded() -> bool:
    """Tell whether PyTorch writes down a program that runs later, with or without gradients.

    Such a program, of jit.trace or export, must not depend on whether autograd records now.
    """
    is_exporting = _is_exporting is not None and _is_exporting()
    return is_exporting or is_jit_traced()


def is_onnx_export() -> bool:
    """Tell whether one of PyTorch's ONNX exporters follows what runs."""
    return is_traced() and _is_in_onnx_export()


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _is_in_onnx_export() -> bool:
    # torch.compile takes the function of torch.onnx for False, also where an exporter calls it.
    return torch.onnx.is_in_onnx_export()


def is_transformed() -> bool:
    """Tell whether torch.func transforms what runs, or forward-mode derivatives are computed."""
    # Of the ways to ask, torch.compile follows this one into a graph.
    depth: int = torch._C._functorch.get_dynamic_layer_stack_depth()
    return depth > 0 or forward_ad._current_level >= 0
