"""The team of threads: its own test program, compiled and run.

The sanitizers run the same program (`make sanitize`); here it runs as it is shipped.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

CSRC = Path(__file__).parents[2] / "csrc"
COMPILER = shlex.split(os.environ.get("CXX", "g++"))  # it may carry options or a launcher


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="the program forks and asks for POSIX threads")
def test_a_team_runs_all_members_at_once_and_survives_forks_signals_limits_and_exit(
    tmp_path: Path,
) -> None:
    if shutil.which(COMPILER[0]) is None:
        pytest.skip(f"there is no C++ compiler {COMPILER[0]!r} here; set CXX to name one")
    program = tmp_path / "team_test"
    sources = [CSRC / "team.cpp", CSRC / "tests" / "team_test.cpp"]
    options = ["-std=c++20", "-O1", "-pthread", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([*COMPILER, *options, f"-I{CSRC}", *sources, "-o", program], check=True)
    result = subprocess.run([program], capture_output=True, text=True, timeout=100, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "ok\n", "")
