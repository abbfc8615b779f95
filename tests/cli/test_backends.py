"""`elman backends`: what is installed and what the processor runs."""

from __future__ import annotations

import json

import pytest

import elman
from elman import _kernels
from elman.cli.main import run


def test_every_backend_is_listed_in_the_order_auto_prefers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["backends"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = elman.backends()
    assert [line.split()[0] for line in lines[: len(rows)]] == [row.name for row in rows]
    assert f"This processor runs {', '.join(_kernels.instruction_sets())}." in lines


def test_json_carries_what_python_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backends", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["backends"] == [row._asdict() for row in elman.backends()]
    assert answer["instruction_sets"] == _kernels.instruction_sets()
    assert answer["compiler"] == _kernels.compiler()
