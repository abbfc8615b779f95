"""What PyTorch is doing while a recurrence runs: following it into a graph, or transforming it."""

from __future__ import annotations

import torch
from torch.autograd import forward_ad


def is_traced() -> bool:
    """Tell whether PyTorch follows every operator: compile, export, a dispatch mode, jit.trace."""
    return (
        torch.compiler.is_compiling()
        or torch._C._len_torch_dispatch_stack() > 0
        or torch._C._get_tracing_state() is not None
    )


def is_transformed() -> bool:
    """Tell whether torch.func transforms what runs, or forward-mode derivatives are computed."""
    # Of the ways to ask, torch.compile follows this one into a graph.
    depth: int = torch._C._functorch.get_dynamic_layer_stack_depth()
    return depth > 0 or forward_ad._current_level >= 0
