"""The kernels' own test program: built as csrc/tests/Makefile says, and run.

It compares every cell and option with plain loops, every set of kernels with every other, to the
bit, and has guard pages at the ends of all arrays. `make sanitize` runs it under the sanitizers.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "csrc" / "tests"
COMPILER = shlex.split(os.environ.get("CXX", "g++"))  # it may carry options or a launcher


@pytest.mark.slow
def test_all_sets_of_kernels_compute_what_plain_loops_do_to_the_same_bits(tmp_path: Path) -> None:
    for tool in ("make", COMPILER[0]):
        if shutil.which(tool) is None:
            pytest.skip(f"there is no {tool!r} here")
    command = ["make", "-C", TESTS, f"-j{os.cpu_count()}", f"CXX={shlex.join(COMPILER)}"]
    result = subprocess.run(
        [*command, f"BUILD={tmp_path}", "guards"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "warning" not in result.stderr
    assert re.search(r"^ok: \d{3} examples", result.stdout, re.MULTILINE)
    assert re.search(r"^ok: \d{3} scans", result.stdout, re.MULTILINE)


def options_of_makefile(name: str) -> set[str]:
    text = (TESTS / "Makefile").read_text("utf-8")
    found = re.search(rf"^{name} := (.*)$", text, re.MULTILINE)
    assert found is not None, name
    return set(found[1].split())


def test_the_program_has_the_kernels_of_the_package() -> None:
    text = (ROOT / "CMakeLists.txt").read_text("utf-8")
    sets = dict(re.findall(r"^ *add_instruction_set\((\w+) ?(.*)\)$", text, re.MULTILINE))
    assert {"generic", "avx2", "avx512"} <= sets.keys()
    for name, options in sets.items():
        if name != "generic":
            assert options_of_makefile(f"OPTIONS_{name}") == set(options.split()), name


def test_the_program_computes_by_the_rules_of_the_package() -> None:
    text = (ROOT / "CMakeLists.txt").read_text("utf-8")
    found = re.search(r"compile_options\(\$\{target\} PRIVATE -O3 ([^$]*)\$", text)
    assert found is not None
    rules = {option for option in found[1].split() if option.startswith("-f")}
    assert rules == {option for option in options_of_makefile("KERNEL_OPTIONS") if option[1] == "f"}
