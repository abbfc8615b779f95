"""exp, sigmoid and tanh of the kernels: errors, special values, the same bits everywhere.

The kernels are compiled into a program of their own, once for each instruction set that this
processor runs, since the built package does not show them singly.
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from elman import _kernels

CSRC = Path(__file__).parents[2] / "csrc"
OPTIONS = ["-std=c++20", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"]
WARNINGS = ["-Wall", "-Wextra", "-Wno-psabi", "-Werror"]
ISA_OPTIONS = {
    "generic": [],
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx2", "-mfma"],
    "neon": [],
}
ISAS = [name for name in _kernels.instruction_sets() if name in ISA_OPTIONS]

# Units in the last place of the correctly rounded result. For float32 what csrc/activations.h
# states, over all inputs; for float64 a little more, since there only samples are measured.
GREATEST_ERROR = {
    ("exp", "float32"): 0.91,
    ("exp", "float64"): 0.90,
    ("sigmoid", "float32"): 2.14,
    ("sigmoid", "float64"): 2.0,
    ("tanh", "float32"): 2.50,
    ("tanh", "float64"): 2.75,
}
RANGE = {"exp": (0.0, math.inf), "sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
TYPES = ["float32", "float64"]
LEAST_POSITIVE = {"float32": 2.0**-149, "float64": 2.0**-1074}

Program = Callable[..., list[list[str]]]  # arguments in, words of each line out


class Measurement(NamedTuple):
    """What the program found out about one function and type."""

    error: float
    at: str
    least: float
    greatest: float
    checksum: str


def measure(program: Program, *options: str) -> dict[tuple[str, str], Measurement]:
    return {
        (function, dtype): Measurement(
            float(error), at, float.fromhex(least), float.fromhex(greatest), checksum
        )
        for function, dtype, error, at, least, greatest, checksum in program(*options)
    }


def values(program: Program, function: str, dtype: str, xs: list[float]) -> list[float]:
    lines = program("--values", *(x.hex() for x in xs))
    return [float.fromhex(line[3]) for line in lines if line[:2] == [function, dtype]]


def assert_errors_and_ranges(measured: dict[tuple[str, str], Measurement]) -> None:
    # float64 is missing where long double is no wider and gives no truth to compare with.
    assert {key for key in GREATEST_ERROR if key[1] == "float32"} <= measured.keys()
    for key, found in measured.items():
        assert 0.5 < found.error <= GREATEST_ERROR[key], (key, found)
        assert (found.least, found.greatest) == RANGE[key[0]], (key, found)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Program]:
    """Return what compiles the program for an instruction set, on first demand."""
    asked = os.environ.get("CXX")
    compiler = shutil.which(asked) if asked else shutil.which("g++") or shutil.which("c++")
    if compiler is None:
        pytest.skip(f"there is no C++ compiler {asked or 'g++'!r} here; set CXX to name one")
    folder = tmp_path_factory.mktemp("activations")

    def program(isa: str) -> Program:
        path = folder / isa
        if not path.exists():
            options = [*OPTIONS, *WARNINGS, *ISA_OPTIONS[isa], f"-DELMAN_ISA={isa}", f"-I{CSRC}"]
            source = CSRC / "tests" / "activations_error.cpp"
            subprocess.run([compiler, *options, source, "-o", path], check=True)

        def run(*arguments: str) -> list[list[str]]:
            output = subprocess.run([path, *arguments], capture_output=True, text=True, check=True)
            return [line.split() for line in output.stdout.splitlines()]

        return run

    return program


@pytest.fixture(params=ISAS)
def program(programs: Callable[[str], Program], request: pytest.FixtureRequest) -> Program:
    return programs(request.param)


@pytest.mark.slow
def test_errors_stay_within_what_the_header_states(program: Program) -> None:
    assert_errors_and_ranges(measure(program, "--stride", "4001", "--samples", "100000"))


@pytest.mark.slow
def test_errors_stay_within_what_the_header_states_over_all_floats(
    programs: Callable[[str], Program],
) -> None:
    assert_errors_and_ranges(measure(programs(ISAS[-1])))


@pytest.mark.parametrize("isa", ISAS[1:])
def test_every_instruction_set_gives_the_bits_of_the_generic_one(
    programs: Callable[[str], Program], isa: str
) -> None:
    options = ["--stride", "3001", "--samples", "100000"]
    assert programs(isa)(*options) == programs("generic")(*options)


@pytest.mark.parametrize("dtype", TYPES)
def test_exact_values_are_exact(program: Program, dtype: str) -> None:
    inf = math.inf
    assert values(program, "exp", dtype, [0.0, -0.0, inf, -inf]) == [1, 1, inf, 0]
    assert values(program, "sigmoid", dtype, [0.0, -0.0, inf, -inf]) == [0.5, 0.5, 1, 0]
    assert values(program, "tanh", dtype, [inf, -inf, 1e3, -1e3]) == [1, -1, 1, -1]
    assert values(program, "relu", dtype, [2.5, -2.5, inf, -inf]) == [2.5, 0, inf, 0]


@pytest.mark.parametrize("dtype", TYPES)
def test_a_zero_keeps_its_sign_through_tanh(program: Program, dtype: str) -> None:
    assert [y.hex() for y in values(program, "tanh", dtype, [0.0, -0.0])] == [
        "0x0.0p+0",
        "-0x0.0p+0",
    ]


@pytest.mark.parametrize("dtype", TYPES)
def test_tanh_of_a_tiny_number_is_the_number(program: Program, dtype: str) -> None:
    tiny = [LEAST_POSITIVE[dtype], -3 * LEAST_POSITIVE[dtype], 2.0**-126, -(2.0**-40)]
    assert values(program, "tanh", dtype, tiny) == tiny


@pytest.mark.parametrize("dtype", TYPES)
def test_tanh_is_odd_to_the_bit(program: Program, dtype: str) -> None:
    xs = [0.001 * 1.1**k for k in range(100)]
    there = values(program, "tanh", dtype, xs)
    assert values(program, "tanh", dtype, [-x for x in xs]) == [-y for y in there]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("function", ["exp", "sigmoid"])
def test_results_too_small_for_a_normal_number_are_denormal_before_they_are_zero(
    program: Program, function: str, dtype: str
) -> None:
    least = LEAST_POSITIVE[dtype]
    xs = [math.log(least), math.log(least) - 1]
    assert values(program, function, dtype, xs) == [least, 0]


@pytest.mark.parametrize("dtype", TYPES)
def test_exp_overflows_where_it_must_and_not_before(program: Program, dtype: str) -> None:
    below, beyond = {"float32": (88.72, 88.73), "float64": (709.78, 709.79)}[dtype]
    finite, infinite = values(program, "exp", dtype, [below, beyond])
    assert math.isclose(finite, math.exp(below), rel_tol=1e-5)
    assert infinite == math.inf


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("function", ["exp", "sigmoid", "tanh", "relu"])
def test_nan_stays_nan(program: Program, function: str, dtype: str) -> None:
    (y,) = values(program, function, dtype, [math.nan])
    assert math.isnan(y)
