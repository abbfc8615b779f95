"""The other parts of the page `cpu`: ragged batches, variants, one step, bfloat16."""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import elman
import peers
from bursts import Refusal, measure
from cpu_grid import Findings, Scale, check_gradients, gradients, time_forward
from elman import _kernels
from elman.convert import from_torch
from peers import ELMAN, MODULES, ONNX, TOLERANCE, TORCH, Contender
from record import Row

DENSE = "Elman, dense"
PACKED = "torch.nn, packed"
CELL_MODULE = "torch.nn's cell module"
PLAIN = "plain"
INSIDE = "inside C++"
FLOAT32, BFLOAT16 = "Elman, float32", "Elman, bfloat16"
TORCH_FLOAT32, TORCH_BFLOAT16 = "torch.nn, float32", "torch.nn, bfloat16"

LAYERS: dict[str, Callable[..., Any]] = {
    "lstm": elman.LSTM,
    "gru": elman.GRU,
    "simple": elman.SimpleRNN,
}
NOISE = {"recurrent dropout": {"recurrent_dropout": 0.3}, "zoneout": {"zoneout": 0.1}}
OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "lstm": {"peephole": {"peephole": True}, "coupled gates": {"coupled_gates": True}, **NOISE},
    "gru": {"reset before": {"reset_after": False}, **NOISE},
    "simple": NOISE,
}
INSIDE_STEPS, INSIDE_ROUNDS = 1_000, 31
RESETS = "resets"
RESET_SHARE = 0.02


def ragged(threads: int, scale: Scale) -> Findings:
    """Time training on rows of different lengths, and on dense rows and a PackedSequence."""
    del threads
    rows, steps, size = (8, 12, 32) if scale.quick else (64, 512, 128)
    generator = torch.Generator().manual_seed(peers.SEED)
    lengths = torch.randint(1, steps + 1, (rows,), generator=generator)
    for cell in MODULES:
        task = peers.task(cell, rows=rows, steps=steps, size=size)
        layer = from_torch(task.module)
        runs = {
            ELMAN: gradients(layer, task.x, _with_lengths(layer, lengths)),
            PACKED: gradients(task.module, task.x, _packed(task.module, lengths, steps)),
        }
        dense = {DENSE: gradients(layer, task.x), TORCH: gradients(task.module, task.x)}
        first = check_gradients(runs, f"{cell}, ragged") | check_gradients(dense, cell)
        timed = measure(runs | dense, scale.pace, first)
        what = {"cell": cell, "rows": rows, "steps": steps, "size": size}
        share = lengths.sum().item() / (rows * steps)
        yield Row(what, timed, {"share": share})


def _with_lengths(layer: Any, lengths: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda x: layer(x, lengths=lengths)[0]


def _packed(module: nn.Module, lengths: Tensor, steps: int) -> Callable[[Tensor], Tensor]:
    """Pack, run and pad again, as torch.nn requires."""

    def call(x: Tensor) -> Tensor:
        outputs, _ = module(pack_padded_sequence(x, lengths, enforce_sorted=False))
        return pad_packed_sequence(outputs, total_length=steps)[0]

    return call


def variants(threads: int, scale: Scale) -> Findings:
    """Time every variant and the plain cell, forward in evaluation and in training."""
    del threads
    rows, steps, sizes = (4, 6, (32,)) if scale.quick else (32, 128, (64, 256))
    for cell in MODULES:
        for size in sizes:
            generator = torch.Generator().manual_seed(peers.SEED)
            x = torch.randn(steps, rows, size, generator=generator)
            resets = torch.rand(steps, rows, generator=generator) < RESET_SHARE
            for mode in ("forward", "training"):
                calls = _variant_calls(cell, x, resets, mode)
                with torch.inference_mode(mode == "forward"):
                    timed = measure(calls, scale.pace)
                what = {"cell": cell, "mode": mode, "rows": rows, "steps": steps, "size": size}
                yield Row(what, timed)


def _variant_calls(
    cell: str, x: Tensor, resets: Tensor, mode: str
) -> dict[str, Callable[[], object]]:
    """Build the plain cell and its variants, each checked against the reference backend."""
    kinds: dict[str, dict[str, Any]] = {PLAIN: {}, **OPTIONS[cell], RESETS: {}}
    if mode == "forward":
        del kinds["recurrent dropout"]  # it acts in training alone
    calls: dict[str, Callable[[], object]] = {}
    for kind, options in kinds.items():
        layer = LAYERS[cell](x.size(2), x.size(2), **options).train(mode == "training")
        reference = LAYERS[cell](x.size(2), x.size(2), backend="reference", **options)
        reference.train(mode == "training").load_state_dict(layer.state_dict())
        cuts = resets if kind == RESETS else None
        outputs = []
        for its in (layer, reference):
            torch.manual_seed(peers.SEED)  # both draw the same masks
            outputs.append(its(x, resets=cuts)[0])
        error = (outputs[0] - outputs[1]).abs().max().item()
        if not error <= TOLERANCE:
            raise Refusal(f"{cell} with {kind} is off by {error:.1e}; nothing is timed.")
        calls[kind] = _variant_call(layer, x, cuts, mode)
    return calls


def _variant_call(layer: Any, x: Tensor, cuts: Tensor | None, mode: str) -> Callable[[], object]:
    def call(x: Tensor) -> Tensor:
        outputs: Tensor = layer(x, resets=cuts)[0]
        return outputs

    return gradients(layer, x, call) if mode == "training" else lambda: call(x)


def step(threads: int, scale: Scale) -> Findings:
    """Time one step of one row at H = 32, by every entry point."""
    for cell in MODULES:
        task = peers.task(cell, rows=1, steps=1, size=32)
        missing = {name: why for name, why in peers.missing_peers().items() if name == ONNX}
        contenders = peers.forward_contenders(
            task, threads=threads, missing={**missing, peers.JAX: "not asked for here"}
        )
        contenders[CELL_MODULE] = _cell_module(task)
        timed = time_forward(contenders, f"{cell}, one step", scale)
        stepper = from_torch(task.module).stepper()
        inside = [_kernels.time_step(stepper._kernel, INSIDE_STEPS) for _ in range(INSIDE_ROUNDS)]
        yield Row({"cell": cell, "size": 32}, timed, {INSIDE: statistics.median(inside)})


def _cell_module(task: peers.Task) -> Contender:
    """Run torch.nn.LSTMCell, GRUCell or RNNCell: PyTorch's own module for one step."""
    module = {"lstm": nn.LSTMCell, "gru": nn.GRUCell, "simple": nn.RNNCell}[task.cell](32, 32)
    state = {name.removesuffix("_l0"): value for name, value in task.module.state_dict().items()}
    module.load_state_dict(state)
    x = task.x[0]

    def outputs(result: Any) -> Any:
        hidden = result[0] if task.cell == "lstm" else result
        return hidden.detach().numpy()[None]

    return Contender(lambda: module(x), outputs)


def bfloat16(threads: int, scale: Scale) -> Findings:
    """Time weights in bfloat16 and float32, and measure their error against float64.

    The error is the largest of all outputs: `error` against float64 with the weights and inputs as
    bfloat16 has them, which is what the arithmetic loses, `total` against those of float32, which
    counts the rounding of the weights too.
    """
    del threads
    steps, size = (6, 64) if scale.quick else (128, 512)
    for cell in MODULES:
        task = peers.task(cell, rows=1, steps=steps, size=size)
        single, ours = task.module.eval(), from_torch(task.module.eval())
        half, x = copy.deepcopy(single).bfloat16(), task.x.bfloat16()
        calls = {
            BFLOAT16: _call(copy.deepcopy(ours).bfloat16(), x),
            FLOAT32: _call(ours, task.x),
            TORCH_BFLOAT16: _call(half, x),
            TORCH_FLOAT32: _call(single, task.x),
        }
        with torch.inference_mode():
            rounded = copy.deepcopy(half).double()(x.double())[0]
            exact = copy.deepcopy(single).double()(task.x.double())[0]
            facts = {}
            for name, call in calls.items():
                outputs = call().double()
                truth = exact if name in (FLOAT32, TORCH_FLOAT32) else rounded
                facts[f"error {name}"] = (outputs - truth).abs().max().item()
                facts[f"total {name}"] = (outputs - exact).abs().max().item()
            timed = measure(calls, scale.pace)
        yield Row({"cell": cell, "rows": 1, "steps": steps, "size": size}, timed, facts)


def _call(layer: Any, x: Tensor) -> Callable[[], Tensor]:
    def call() -> Tensor:
        outputs: Tensor = layer(x)[0]
        return outputs

    return call
