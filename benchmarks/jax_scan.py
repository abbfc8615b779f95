"""A recurrent stack in JAX as a careful user would write it for the CPU.

One jitted function; the products of all inputs are hoisted out of the scan as one; weights are
transposed beforehand and passed as arguments; biases that can be joined are. Calls are dispatched
synchronously, which was twice as fast at one step, and the scan is not unrolled: by 2 or 4 was no
faster at any of the sizes that were tried.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray
from torch import Tensor, nn

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_cpu_enable_async_dispatch", False)

Weights = tuple[Array, Array, Array, Array]
"""W (I, G·H), R (H, G·H), what is added to the inputs' product, and to the recurrent one."""


def _lstm_step(weights: Weights, state: Any, xs: Array) -> Any:
    h, c = state
    i, f, g, o = jnp.split(xs + h @ weights[1], 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    h = jax.nn.sigmoid(o) * jnp.tanh(c)
    return (h, c), h


def _gru_step(weights: Weights, state: Any, xs: Array) -> Any:
    (h,) = state
    x_r, x_z, x_n = jnp.split(xs, 3, axis=-1)
    h_r, h_z, h_n = jnp.split(h @ weights[1], 3, axis=-1)
    r = jax.nn.sigmoid(x_r + h_r)
    z = jax.nn.sigmoid(x_z + h_z)
    n = jnp.tanh(x_n + r * (h_n + weights[3]))
    h = n + z * (h - n)
    return (h,), h


def _simple_step(weights: Weights, state: Any, xs: Array) -> Any:
    h = jnp.tanh(xs + state[0] @ weights[1])
    return (h,), h


STEPS: dict[str, Callable[[Weights, Any, Array], Any]] = {
    "lstm": _lstm_step,
    "gru": _gru_step,
    "simple": _simple_step,
}


def jax_scan(
    cell: str, module: nn.RNNBase, x: Tensor
) -> tuple[Callable[[], Any], Callable[[Any], NDArray[np.float32]]]:
    """Give the call that runs a torch.nn module's stack, and the way to its outputs."""
    weights = [
        [_weights(cell, module, f"l{layer}{suffix}") for suffix in _directions(module)]
        for layer in range(module.num_layers)
    ]
    given = jnp.asarray(x.numpy())
    forward = jax.jit(partial(_stack, cell))
    jax.block_until_ready(forward(weights, given))  # compiles
    return lambda: jax.block_until_ready(forward(weights, given)), lambda r: np.asarray(r[0])


def _directions(module: nn.RNNBase) -> list[str]:
    return ["", "_reverse"] if module.bidirectional else [""]


def _weights(cell: str, module: nn.RNNBase, place: str) -> Weights:
    """Take one direction's weights, and join the biases but for the GRU's inside its reset gate."""
    w, r, b, recurrent = (
        getattr(module, f"{name}_{place}").detach().numpy()
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    joined = b + recurrent
    if cell == "gru":
        size = module.hidden_size
        joined = np.concatenate([joined[: 2 * size], b[2 * size :]])
        recurrent = recurrent[2 * size :]
    arrays = (np.ascontiguousarray(w.T), np.ascontiguousarray(r.T), joined, recurrent)
    w, r, joined, recurrent = (jnp.asarray(array) for array in arrays)
    return w, r, joined, recurrent


def _stack(cell: str, weights: list[list[Weights]], x: Array) -> tuple[Array, list[Any]]:
    """Run every layer in every direction; give the outputs and all last states."""
    states = []
    for layer in weights:
        outputs = []
        for direction, its in enumerate(layer):
            zeros = jnp.zeros((x.shape[1], its[1].shape[0]), x.dtype)
            start = (zeros, zeros) if cell == "lstm" else (zeros,)
            state, output = jax.lax.scan(
                partial(STEPS[cell], its),
                start,
                x @ its[0] + its[2],
                reverse=direction == 1,
            )
            states.append(state)
            outputs.append(output)
        x = jnp.concatenate(outputs, axis=-1) if len(outputs) > 1 else outputs[0]
    return x, states
