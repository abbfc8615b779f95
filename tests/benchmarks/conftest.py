"""Lets the tests import the benchmarks, which are scripts beside each other and no package."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
