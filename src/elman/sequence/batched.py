"""Calls of the kernels under PyTorch's two vmaps: a loop over the members of the batch.

The kernels know no axis beside those of a call, and gradients of different members must not be
summed, so each member is a call. `torch.func.vmap` asks an operator for its rule, which is `each`.
`torch.autograd.grad(is_grads_batched=True)` and `torch.autograd.functional` use PyTorch's first
vmap, which knows no rules; `each_gradient` takes its batches apart and puts the results together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from elman.sequence.kernel_call import Tensors

_is_batched = torch._C._functorch.is_legacy_batchedtensor


def each(operator: Any, info: Any, in_dims: Any, arguments: tuple[Any, ...]) -> tuple[Any, Any]:
    """Run an operator under torch.func.vmap.

    Args:
        operator: which.
        info: what vmap says of the batch: its size.
        in_dims: where in each tensor of the arguments the batch lies, or None.
        arguments: lists of tensors, and texts.

    Returns:
        The operator's tensors, stacked, and where the batch lies in each: first.
    """

    def member(number: int) -> list[Any]:
        return [
            argument
            if isinstance(argument, str)
            else [
                tensor if dim is None else tensor.select(dim, number)
                for tensor, dim in zip(argument, dims, strict=True)
            ]
            for argument, dims in zip(arguments, in_dims, strict=True)
        ]

    results = [operator(*member(number)) for number in range(info.batch_size)]
    stacked = [torch.stack(parts) for parts in zip(*results, strict=True)]
    return stacked, [0] * len(stacked)


def each_gradient(
    backward: Callable[[Tensors], list[Tensor | None]], grads: Tensors
) -> list[Tensor | None]:
    """Run a backward pass on gradients that PyTorch's first vmap may have batched.

    Args:
        backward: from the gradients of the outputs to those of the tensors; linear.
        grads: gradients of the outputs; None means zeros.
    """
    if not any(grad is not None and _is_batched(grad) for grad in grads):
        return backward(grads)
    torch._C._vmapmode_increment_nesting()
    return _each_at(torch._C._vmapmode_decrement_nesting(), backward, grads)


def _each_at(
    level: int, backward: Callable[[Tensors], list[Tensor | None]], grads: Tensors
) -> list[Tensor | None]:
    """Take one level of nested vmaps apart; what is not batched there is a batch of one."""
    if level == 0:
        return backward(grads)
    members = [
        None if grad is None else torch._remove_batch_dim(grad, level, 1, 0) for grad in grads
    ]
    size = max(batch.size(0) for batch in members if batch is not None)
    results = [
        _each_at(
            level - 1,
            backward,
            [
                None if batch is None else batch[number if batch.size(0) > 1 else 0]
                for batch in members
            ],
        )
        for number in range(size)
    ]
    if size == 1:  # it fits into a batch of any size
        return results[0]
    return [
        None if parts[0] is None else torch._add_batch_dim(torch.stack(parts), 0, level)
        for parts in zip(*results, strict=True)
    ]
