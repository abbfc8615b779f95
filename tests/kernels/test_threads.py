"""The kernels under many Python threads, changing numbers of their own, forks, and a sudden end.

What could end this process, or hang it, runs in a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import torch
from torch import Tensor

import elman
from elman.layers import RecurrentLayer

PATIENCE = 100  # seconds until a hang is a failure
# Sizes at which three threads take part: rows are dealt out, or units where there are few rows.
SHAPES = [(20, 40, 35), (15, 3, 35)]
HIDDEN = 130

WORK = f"""
import os, sys, threading, time
import torch
import elman

def build():
    torch.manual_seed(20)
    layer = elman.LSTM(35, {HIDDEN}, backend="native")
    return layer, torch.randn(20, 40, 35)

def run(layer, x, threads):
    torch.set_num_threads(threads)
    output = layer(x)[0]
    (gradient,) = torch.autograd.grad(output.sum(), layer.weight_hh_l0)
    return torch.cat([output.detach().flatten(), gradient.flatten()])
"""


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def layers() -> list[RecurrentLayer]:
    options: dict[str, Any] = {"backend": "native"}
    return [
        elman.SimpleRNN(35, HIDDEN, **options),
        elman.LSTM(35, HIDDEN, 2, bidirectional=True, **options),
        elman.LSTM(35, HIDDEN, proj_size=33, peephole=True, **options),
        elman.GRU(35, HIDDEN, bidirectional=True, **options),
        elman.GRU(35, HIDDEN, reset_after=False, **options),
    ]


def values_and_gradients(layer: RecurrentLayer, x: Tensor) -> list[Tensor]:
    given = x.clone().requires_grad_()
    output = layer(given, lengths=[x.size(0) - row % 4 for row in range(x.size(1))])[0]
    wanted = [given, *layer.parameters()]
    return [output.detach(), *torch.autograd.grad((output * output.detach().cos()).sum(), wanted)]


def same(found: list[Tensor], expected: list[Tensor]) -> bool:
    return all(map(torch.equal, found, expected))


def in_a_process(script: str) -> None:
    """Run a script that follows `WORK`; it must end well and say nothing but "ok"."""
    options = ["-W", "error", "-W", "ignore:.*fork.*:DeprecationWarning"]
    result = subprocess.run(
        [sys.executable, *options, "-c", WORK + textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (result.stderr, result.returncode, result.stdout) == ("", 0, "ok\n")


def test_other_numbers_of_threads_in_turn_give_the_same() -> None:
    for layer in layers():
        for shape in SHAPES:
            x = torch.randn(shape)
            torch.set_num_threads(1)
            expected = values_and_gradients(layer, x)
            for threads in (3, 2, 1, 5, 2):
                torch.set_num_threads(threads)
                assert same(values_and_gradients(layer, x), expected), (layer, shape, threads)


@pytest.mark.parametrize("shape", SHAPES, ids=["many rows", "few rows"])
def test_many_python_threads_at_once_all_get_their_own_answers(shape: tuple[int, ...]) -> None:
    shared, x = layers(), torch.randn(shape)
    torch.set_num_threads(1)
    expected = [values_and_gradients(layer, x) for layer in shared]
    callers = 2 * len(shared)
    together = Barrier(callers)

    def call(caller: int) -> bool:
        # Every layer has two callers at any time, and every caller sees every layer.
        together.wait(PATIENCE)
        right = True
        for turn in range(2 * len(shared)):
            which = (caller + turn) % len(shared)
            torch.set_num_threads(1 + (caller + turn) % 3)
            right &= same(values_and_gradients(shared[which], x), expected[which])
        return right

    with ThreadPoolExecutor(callers) as pool:
        assert all(pool.map(call, range(callers)))


def test_many_python_threads_step_each_through_a_sequence_of_its_own() -> None:
    layer = elman.GRU(35, HIDDEN, 2, backend="native").eval()
    x = torch.randn(8, 12, 1, 35)
    with torch.no_grad():
        expected = [layer(sequence)[0] for sequence in x]

    def walk(number: int) -> bool:
        outputs, state = [], None
        with torch.no_grad():
            for step in x[number]:
                output, state = layer(step[None], state)
                outputs.append(output)
        return torch.equal(torch.cat(outputs), expected[number])

    with ThreadPoolExecutor(len(x)) as pool:
        assert all(pool.map(walk, range(len(x))))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_forked_in_the_middle_of_a_call_computes_the_same() -> None:
    in_a_process("""
        layer, x = build()
        expected = run(layer, x, 1)
        stop = threading.Event()

        def keep_calling():
            while not stop.is_set():
                assert torch.equal(run(layer, x, 2), expected)

        caller = threading.Thread(target=keep_calling)
        caller.start()
        ends = []
        for _ in range(5):
            time.sleep(0.005)
            child = os.fork()
            if child == 0:
                with torch.no_grad():
                    torch.set_num_threads(3)
                    right = torch.equal(layer(x)[0].flatten(), expected[: 20 * 40 * 130])
                os._exit(0 if right else 1)
            ends.append(os.waitpid(child, 0)[1])
        stop.set()
        caller.join()
        print("ok" if ends == [0] * 5 else ends)
    """)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_the_workers_of_a_data_loader_run_layers() -> None:
    in_a_process("""
        layer, x = build()
        expected = run(layer, x, 2)[: 20 * 40 * 130]

        class Outputs(torch.utils.data.Dataset):
            def __len__(self):
                return 6

            def __getitem__(self, index):
                torch.set_num_threads(1 + index % 3)
                with torch.no_grad():
                    output = layer(x)[0].flatten()
                torch.set_num_threads(1)  # PyTorch's own threads do not survive a fork
                return output

        loader = torch.utils.data.DataLoader(
            Outputs(), batch_size=None, num_workers=1, multiprocessing_context="fork"
        )
        outputs = list(loader)
        right = [torch.equal(output, expected) for output in outputs]
        print("ok" if right == [True] * 6 else right)
    """)


@pytest.mark.slow
def test_the_interpreter_may_end_while_daemon_threads_are_inside_calls() -> None:
    # The threads call the kernels alone: before Python 3.14, the interpreter aborts where it ends
    # in the middle of one of PyTorch's own operators. So tensors are made before they begin.
    in_a_process("""
        from elman import _kernels

        kept = []

        def prepared():
            x, y, state = torch.randn(20, 40, 35), torch.empty(20, 40, 67), torch.empty(40, 67)
            w, r = torch.randn(67, 35), torch.randn(67, 67)
            kept.append((x, y, state, w, r))
            weights = [w.data_ptr(), r.data_ptr(), 0, 0, 0, 0]
            packed = _kernels.Packed("simple", "tanh", "float32", 35, 67, 67, *weights, False)
            places = [x.data_ptr(), 40 * 35, 35, y.data_ptr(), 40 * 67, 67]
            states = [0, 0, 0, 0, 0, 0, state.data_ptr(), 0, 0, 0, 0, 0.0, 0.0, 0, 0]
            return _kernels.Forward(packed, 20, 40, False, *places, *states)

        inside = threading.Event()

        def call_for_ever(run):
            while True:
                _kernels.forward([run], 2)
                inside.set()

        for run in [prepared(), prepared()]:
            threading.Thread(target=call_for_ever, args=[run], daemon=True).start()
        inside.wait()
        print("ok")
    """)
