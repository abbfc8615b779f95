"""Instruction sets: what the native module says this processor runs."""

from __future__ import annotations

import platform
import re
from pathlib import Path

import pytest

from elman import _kernels

FLAGS = {
    "avx2": {"avx2", "fma"},
    "avx512": {"avx512f", "avx512bw", "avx512dq", "avx512vl"},
    "avx512_bf16": {"avx512_bf16"},
}
CPUINFO = Path("/proc/cpuinfo")


def kernel_flags() -> set[str]:
    """Return the features Linux lists: those whose registers it saves, too."""
    line = re.search(r"^flags\s*:(.*)$", CPUINFO.read_text(encoding="ascii"), re.MULTILINE)
    if line is None:
        pytest.skip("this processor's flags are not those of x86")
    return set(line[1].split())


def test_generic_always_runs_and_comes_first() -> None:
    assert _kernels.instruction_sets()[0] == "generic"


def test_no_instruction_set_is_named_twice() -> None:
    names = _kernels.instruction_sets()
    assert len(names) == len(set(names))


def test_a_wider_x86_set_never_runs_without_the_narrower_ones() -> None:
    names = _kernels.instruction_sets()
    order = ["generic", *FLAGS]
    if platform.machine() not in {"x86_64", "AMD64"}:
        pytest.skip("x86 only")
    assert names == order[: len(names)]


@pytest.mark.skipif(not CPUINFO.exists(), reason="the second opinion is Linux's")
@pytest.mark.parametrize("name", FLAGS)
def test_an_x86_set_is_named_exactly_where_linux_lists_its_features(name: str) -> None:
    narrower = list(FLAGS)[: list(FLAGS).index(name) + 1]
    needed = set().union(*(FLAGS[each] for each in narrower))
    assert (name in _kernels.instruction_sets()) == (needed <= kernel_flags())


@pytest.mark.skipif(platform.machine() not in {"aarch64", "arm64"}, reason="Arm only")
def test_every_arm_processor_runs_neon() -> None:
    assert _kernels.instruction_sets() == ["generic", "neon"]


def test_the_compiler_is_named_with_its_version() -> None:
    assert re.fullmatch(r"(gcc|clang) \d+\.\d+\.\d+", _kernels.compiler())
