from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import peers
from bursts import Refusal
from cpu_grid import Size, check_gradients, gradients, traffic, work
from elman.convert import from_torch

STACK = {"rows": 5, "steps": 7, "size": 11, "input_size": 3, "layers": 2, "bidirectional": True}
STEP = {"rows": 3, "steps": 1, "size": 5}
BESIDE_JAX = f"""
import sys

sys.path.append({str(Path(peers.__file__).parent)!r})
import peers

for cell in peers.MODULES:
    for sizes in ({STACK}, {STEP}):
        contenders = peers.forward_contenders(peers.task(cell, **sizes), threads=1, missing={{}})
        print(*contenders, sep=", ")
        peers.check(contenders, cell)
"""


@pytest.mark.parametrize("cell", peers.MODULES)
@pytest.mark.parametrize("sizes", [STACK, STEP], ids=["stack", "step"])
def test_every_peer_gives_what_torch_gives(cell: str, sizes: dict[str, int]) -> None:
    task = peers.task(cell, **sizes)
    contenders = peers.forward_contenders(task, threads=1, missing={peers.JAX: "tested below"})
    assert {peers.ELMAN, peers.TORCH, peers.ONNX} <= {*contenders}
    assert (peers.STEPPER in contenders) == (sizes is STEP)
    peers.check(contenders, cell)


def test_jax_gives_what_torch_gives() -> None:
    pytest.importorskip("jaxlib")
    # In a process of its own: once imported, JAX warns of every fork that a later test makes.
    done = subprocess.run(
        [sys.executable, "-c", BESIDE_JAX], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("torch.nn, ONNX Runtime, JAX") == 6


def test_a_contender_who_is_wrong_is_refused_by_name() -> None:
    task = peers.task("gru", rows=3, steps=5, size=7)
    right = peers.torch_nn(task)
    wrong = peers.Contender(right.run, lambda result: right.outputs(result) + 1e-3)
    with pytest.raises(Refusal, match=r"JAX is off by 1\.0e-03 at gru; nothing is timed"):
        peers.check({peers.TORCH: right, peers.JAX: wrong}, "gru")


def test_a_contender_who_gives_nan_is_refused() -> None:
    task = peers.task("gru", rows=3, steps=5, size=7)
    right = peers.torch_nn(task)
    wrong = peers.Contender(right.run, lambda result: right.outputs(result) * np.nan)
    with pytest.raises(Refusal, match="JAX is off by nan"):
        peers.check({peers.TORCH: right, peers.JAX: wrong}, "gru")


def test_gradients_that_differ_are_refused() -> None:
    task = peers.task("lstm", rows=3, steps=5, size=7)
    layer = from_torch(task.module)
    runs = {"Elman": gradients(layer, task.x), "torch.nn": gradients(task.module, task.x)}
    check_gradients(runs, "lstm")
    layer.get_parameter("bias_hh_l0").data.add_(0.1)
    with pytest.raises(Refusal, match="Elman is off by"):
        check_gradients(runs, "lstm")


def test_floors_count_the_products_and_what_must_be_read() -> None:
    size = Size(rows=2, steps=3, size=5)
    assert work("gru", size) == 2 * (5 + 5) * (3 * 5) * 2 * 3
    weights, values = 3 * 5 * 5, 2 * 3 * 5
    assert traffic("gru", size) == 4 * (3 * weights + weights + 2 * values)
