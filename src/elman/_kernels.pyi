"""Elman's C++ kernels.

Arrays come as addresses (`tensor.data_ptr()`), 0 where an optional one is not given; steps and rows
between their elements are counted in numbers, not in bytes. Everything is checked but what an
address cannot show: that as many numbers lie there as are said to. What is wrong is a ValueError in
words. Axes, and which arrays may be missing, are said in csrc/recurrence.h.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

def instruction_sets() -> list[str]:
    """Names of the instruction sets this processor runs, widest last.

    The first is always `generic`; then `avx2` (with FMA), `avx512` (F, BW, DQ, VL) and
    `avx512_bf16` on x86, or `neon` on Arm.
    """

def instruction_set() -> str:
    """The instruction set that the kernels run with: the widest, or the one ELMAN_ISA names."""

def compiler() -> str:
    """The compiler that built the kernels, with its version: `gcc 12.2.0`."""

def fma_rate(seconds: float) -> float:
    """What one core can do at most: float32 multiply-adds in GFLOP/s, measured for so long."""

DIRECT_STEPS: int
"""A run of no more steps reads weights where they lie."""

class Packed:
    """Weights laid out for the kernels."""

    def __init__(
        self,
        cell: str,
        nonlinearity: str,
        dtype: str,
        inputs: int,
        units: int,
        outputs: int,
        input: int,  # noqa: A002 — W, as the weights' field is called
        hidden: int,
        input_bias: int,
        hidden_bias: int,
        projection: int,
        peephole: int,
        gradient: bool,
        form: str = "frozen",
    ) -> None:
        """Lay weights out.

        Args:
            cell: simple, lstm, coupled_lstm, gru_reset_after or gru_reset_before.
            nonlinearity: of the simple cell: tanh, relu, sigmoid or identity; tanh elsewhere.
            dtype: float32, float64 or bfloat16; with bfloat16 all other arrays are float32.
            inputs: I.
            units: H.
            outputs: P; H without a projection.
            input: W, (G·H, I).
            hidden: R, (G·H, P).
            input_bias: b, (G·H,), or 0.
            hidden_bias: b′, (G·H,), or 0.
            projection: (P, H), or 0.
            peephole: ((G − 1)·H,), or 0.
            gradient: also lay out what the backward pass needs; not in bfloat16.
            form: frozen, a copy; watched, a copy that `refresh` brings up to date; or direct: runs
                read the weights where they lie, which must live as long. step and step_to_inputs
                are direct, with what the backward pass of a single step needs whose state before
                wants no gradient; of the latter the inputs may.
        """

    def refresh(
        self,
        input: int,  # noqa: A002
        hidden: int,
        input_bias: int,
        hidden_bias: int,
        projection: int,
        peephole: int,
    ) -> None:
        """Compare watched weights, of the sizes they had, with the copy, and copy what differs."""

    @property
    def nbytes(self) -> int:
        """The bytes it takes."""

class Forward:
    """One run over time in one direction."""

    def __init__(
        self,
        packed: Packed,
        steps: int,
        rows: int,
        reverse: bool,
        x: int,
        x_step: int,
        x_row: int,
        y: int,
        y_step: int,
        y_row: int,
        lengths: int,
        resets: int,
        h0: int,
        c0: int,
        fresh_h: int,
        fresh_c: int,
        hn: int,
        cn: int,
        mask: int,
        keep_h: int,
        keep_c: int,
        rate_h: float,
        rate_c: float,
        gates: int,
        cells: int,
    ) -> None:
        """Describe a run; its arrays must outlive it.

        Args:
            packed: the weights.
            steps: T.
            rows: B.
            reverse: run each row from its own end to its beginning.
            x: inputs, I numbers for every step and row.
            x_step: from a step of x to the next.
            x_row: from a row of x to the next.
            y: outputs, P numbers for every step and row, zeros after a row's end.
            y_step: from a step of y to the next.
            y_row: from a row of y to the next.
            lengths: (B,) int64, each 0 … T in any order; 0 for all T.
            resets: (T, B), a byte each: the row is cut between t−1 and t; or 0.
            h0: (B, P), or 0 for zeros.
            c0: (B, H), or 0 for zeros.
            fresh_h: what a reset starts from, (B, P), or 0 for zeros.
            fresh_c: the same of c, (B, H), or 0 for zeros.
            hn: written: h at each row's own end, (B, P).
            cn: written: c at each row's own end, (B, H), LSTM alone.
            mask: recurrent dropout, (B, P), or 0.
            keep_h: zoneout's share of the old h, (T, B, P), or 0 for `rate_h`.
            keep_c: zoneout's share of the old c, (T, B, H), or 0 for `rate_c`.
            rate_h: one share for all; 0 keeps nothing.
            rate_c: one share for all; 0 keeps nothing.
            gates: written, in the order of `packed_rows`: i f g o (N, 4H); i g o where coupled
                (N, 3H); r z n and R_n h + b′_n (N, 4H), or r z n where the reset comes first
                (N, 3H); the sum before the nonlinearity (N, H). Or 0.
            cells: written, in the same order: c, (N, H), LSTM alone; or 0.
        """

class Backward:
    """The gradients of one run."""

    def __init__(
        self,
        forward: Forward,
        grad_y: int,
        grad_y_step: int,
        grad_y_row: int,
        grad_hn: int,
        grad_cn: int,
        grad_x: int,
        grad_x_step: int,
        grad_x_row: int,
        grad_h0: int,
        grad_c0: int,
        grad_fresh_h: int,
        grad_fresh_c: int,
        grad_input: int,
        grad_hidden: int,
        grad_input_bias: int,
        grad_hidden_bias: int,
        grad_projection: int,
        grad_peephole: int,
    ) -> None:
        """Describe the way back of a run. 0 stands for a gradient that is not wanted.

        Args:
            forward: the run, with the arrays it read and wrote.
            grad_y: P numbers for every step and row, or 0 for zeros.
            grad_y_step: from a step of grad_y to the next.
            grad_y_row: from a row of grad_y to the next.
            grad_hn: (B, P), or 0 for zeros.
            grad_cn: (B, H), or 0 for zeros.
            grad_x: I numbers for every step and row, not written after a row's end.
            grad_x_step: from a step of grad_x to the next.
            grad_x_row: from a row of grad_x to the next.
            grad_h0: (B, P).
            grad_c0: (B, H).
            grad_fresh_h: (B, P).
            grad_fresh_c: (B, H).
            grad_input: as the weights; written, not added to, as the following.
            grad_hidden: as the weights.
            grad_input_bias: as the weights.
            grad_hidden_bias: as the weights.
            grad_projection: as the weights.
            grad_peephole: as the weights.
        """

def forward(runs: Sequence[Forward], threads: int) -> None:
    """Run one direction of a layer, or both at once, on up to so many threads.

    The results do not depend on the number of threads, to the bit.
    """

def backward(runs: Sequence[Backward], threads: int) -> None:
    """Find the gradients of one direction of a layer, or of both at once."""

def packed_rows(steps: int, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """(step, row) of every row-step in the order of `gates` and `cells`, (N, 2), N = Σ lengths.

    Step by step, within a step the longest rows first, equal ones in their own order. Steps are
    counted from the start of the run: in reverse, from the row's end.
    """

class Stack:
    """Layers that run over whole sequences in one call, for inference."""

    def __init__(self, layers: Sequence[Sequence[Packed]]) -> None:
        """Put layers of one cell and one size upon each other.

        Args:
            layers: the lowest first; for each the direct weights of one direction, or of both. All
                float32, or all float64. They must stay where they lie while the stack runs.
        """

    def run(
        self,
        steps: int,
        rows: int,
        x: int,
        x_step: int,
        x_row: int,
        y: int,
        y_step: int,
        y_row: int,
        h0: int,
        c0: int,
        hn: int,
        cn: int,
        threads: int,
    ) -> None:
        """Run all layers without gradients; states are (L·D, B, ·), x and y as in `Forward`.

        The weights are those that lie at their addresses now.
        """

class Stepper:
    """A stack of layers, one step a call. `elman.layers.stepper.Stepper` is the way to it."""

    def __init__(
        self,
        layers: Sequence[Packed],
        rates: Sequence[tuple[float, float]],
        rows: int,
        residual: bool,
    ) -> None:
        """Allot all memory, the state filled with zeros.

        Args:
            layers: the lowest first, all of one dtype.
            rates: zoneout's share of the old h and c that is kept, for every layer.
            rows: B.
            residual: layers from the second on add what they read to what they write.
        """

    def step(self, x: NDArray[Any]) -> NDArray[Any]:
        """Read (B, I), or (I,) for one row; return the output, which the next step writes over.

        Raises:
            TypeError: x is no C-contiguous array of the stepper's dtype.
            ValueError: x has other axes.
        """

    @property
    def hidden(self) -> list[NDArray[Any]]:
        """The memory of h between steps, to be read and written: (B, P) for every layer."""

    @property
    def cell(self) -> list[NDArray[Any]]:
        """The memory of c, likewise: (B, H) for every layer that has one."""

def time_step(stepper: Stepper, count: int) -> float:
    """Seconds that a step takes inside C++, the mean of `count` in a row on an input of ones.

    The state goes on.
    """

def scan(
    dtype: str,
    kind: str,
    reverse: bool,
    steps: int,
    rows: int,
    width: int,
    a: int,
    a_step: int,
    a_row: int,
    b: int,
    lengths: int,
    resets: int,
    start: int,
    fresh: int,
    states: int,
    last: int,
    threads: int,
) -> None:
    """Run s(t) = a(t) ⊙ s(t−1) + b(t) over time, on up to so many threads.

    The results do not depend on the number of threads, to the bit.

    Args:
        dtype: float32 or float64.
        kind: real; complex, real parts before imaginary ones; mingru or minlstm, whose gates give
            a and b.
        reverse: run each row from its own end to its beginning.
        steps: T.
        rows: B.
        width: W, even where complex.
        a: W numbers for every step and row; 0 where gates give it.
        a_step: from a step of a to the next; 0 is one a for all steps.
        a_row: from a row of a to the next; 0 is one a for all rows.
        b: (T, B, W), or the sums of G gates, (T, B, G·W).
        lengths: (B,) int64, each 0 … T in any order; 0 for all T.
        resets: (T, B), a byte each: the row is cut between t−1 and t; or 0.
        start: s before the first step, (B, W), or 0 for zeros.
        fresh: what a reset starts from, (B, W), or 0 for zeros.
        states: written: s of every step, (T, B, W), zeros after a row's end.
        last: written: s at each row's own end, (B, W).
        threads: as many as torch has.
    """

def scan_backward(
    dtype: str,
    kind: str,
    reverse: bool,
    steps: int,
    rows: int,
    width: int,
    a: int,
    a_step: int,
    a_row: int,
    b: int,
    lengths: int,
    resets: int,
    start: int,
    fresh: int,
    states: int,
    grad_states: int,
    grad_last: int,
    grad_a: int,
    grad_b: int,
    grad_start: int,
    grad_fresh: int,
    threads: int,
) -> None:
    """Find the gradients of a scan.

    Args:
        dtype: as in `scan`.
        kind: as in `scan`.
        reverse: as in `scan`.
        steps: as in `scan`.
        rows: as in `scan`.
        width: as in `scan`.
        a: as in `scan`.
        a_step: as in `scan`.
        a_row: as in `scan`.
        b: as in `scan`.
        lengths: as in `scan`.
        resets: as in `scan`.
        start: as in `scan`.
        fresh: as in `scan`.
        states: what `scan` wrote.
        grad_states: (T, B, W), or 0 for zeros.
        grad_last: (B, W), or 0 for zeros.
        grad_a: written: (T, B, W), or (B, W), summed over time, where a_step is 0; or 0, as a.
        grad_b: written: as b.
        grad_start: written: (B, W).
        grad_fresh: written: (B, W).
        threads: as in `scan`.
    """
