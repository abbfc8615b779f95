"""Layers in programs that run later: traced by torch.jit, exported, loaded elsewhere."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.jit._trace import TracerWarning
from torch.utils import _pytree as pytree

import elman
from battery import assert_near, assert_same_bits

I, H = 3, 4  # noqa: E741 — the axis legend
SOURCE = Path(elman.__file__).parents[1]
CASES = Path(__file__).parents[3] / "shared" / "cases"

pytestmark = [
    pytest.mark.filterwarnings("ignore:.torch.jit.:DeprecationWarning"),
    # pytest sets the filters of the process aside, that of elman.sequence.modes among them
    pytest.mark.filterwarnings("ignore:Converting a tensor to a Python boolean"),
    pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec.:FutureWarning"),
]
LAYERS: dict[str, Callable[[], nn.Module]] = {
    "simple": lambda: elman.SimpleRNN(I, H, nonlinearity="relu"),
    "lstm": lambda: elman.LSTM(I, H, 2, bidirectional=True, proj_size=2),
    "gru batch first": lambda: elman.GRU(I, H, batch_first=True),
    "residual": lambda: elman.GRU(I, I, 2, residual=True),
    "zoneout": lambda: elman.LSTM(I, H, zoneout=0.3, peephole=True),
    "two cells": lambda: elman.Bidirectional(elman.LSTM(I, H), elman.GRU(I, 5)),
}
every_layer = pytest.mark.parametrize("name", LAYERS)


class WithLengths(nn.Module):
    """A layer called with its lengths by place."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, lengths: Tensor) -> Any:
        return self.layer(x, lengths=lengths)


def arguments(name: str, steps: int, rows: int, *, ragged: bool) -> tuple[Tensor, ...]:
    """Draw inputs of a layer, with lengths if ragged."""
    x = torch.randn(steps, rows, I)
    lengths = torch.randint(0, steps + 1, (rows,))
    x = x.transpose(0, 1) if name == "gru batch first" else x
    return (x, lengths) if ragged else (x,)


def gradients_of(module: nn.Module, result: Any) -> Iterator[Tensor]:
    """Yield the gradient of each parameter, for cotangents that differ between numbers."""
    leaves = [leaf for leaf in pytree.tree_leaves(result) if leaf.requires_grad]
    seeds = [torch.linspace(-1, 1, leaf.numel()).view_as(leaf) for leaf in leaves]
    yield from torch.autograd.grad(leaves, list(module.parameters()), seeds)


@every_layer
@pytest.mark.parametrize("ragged", [False, True], ids=["dense", "ragged"])
@pytest.mark.parametrize("mode", [torch.no_grad, torch.enable_grad])
def test_a_layer_is_traced_in_either_mode_and_answers_in_either_at_other_sizes(
    name: str, ragged: bool, mode: Callable[[], Any]
) -> None:
    layer = LAYERS[name]().eval()
    model = WithLengths(layer) if ragged else layer
    with warnings.catch_warnings(), mode():
        warnings.simplefilter("ignore", TracerWarning)
        traced = torch.jit.trace(model, arguments(name, 5, 2, ragged=ragged))
    given = arguments(name, 8, 3, ragged=ragged)
    for again in (torch.no_grad, torch.enable_grad):
        with again():
            found, expected = traced(*given), model(*given)
        for a, b in zip(pytree.tree_leaves(found), pytree.tree_leaves(expected), strict=True):
            assert_same_bits(a, b, "a part")
    pairs = zip(gradients_of(model, found), gradients_of(model, expected), strict=True)
    for ours, theirs in pairs:
        assert_near(ours, theirs, "a gradient")


@pytest.mark.slow
def test_tracing_a_layer_warns_of_nothing_as_torch_nn_does_not() -> None:
    code = "import torch, elman; torch.jit.trace(elman.LSTM(3, 4).eval(), (torch.randn(5, 2, 3),))"
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "TracerWarning" not in done.stderr


def test_a_layer_that_no_kernel_runs_says_that_its_trace_is_for_one_number_of_steps() -> None:
    layer = elman.LSTM(I, H, layer_norm=True).eval()
    with pytest.warns(TracerWarning, match="right for this number of steps alone"):
        torch.jit.trace(layer, (torch.randn(5, 2, I),))


def test_a_backend_that_would_write_lengths_into_a_trace_says_so() -> None:
    model = WithLengths(elman.LSTM(I, H, backend="torch").eval())
    with pytest.raises(elman.errors.BackendError, match="write down as constants"):
        torch.jit.trace(model, (torch.randn(5, 2, I), torch.tensor([5, 3])))
    traced = torch.jit.trace(model.layer, (torch.randn(5, 2, I),))
    x = torch.randn(7, 3, I)
    assert_near(traced(x)[0], model.layer(x)[0], "output")


def test_a_traced_layer_of_bfloat16_differentiates_as_the_reference_does() -> None:
    layer, x = elman.GRU(I, H, dtype=torch.bfloat16).eval(), torch.randn(5, 2, I).bfloat16()
    traced = torch.jit.trace(layer, (x,))
    with torch.no_grad():
        assert_same_bits(traced(x)[0], layer(x)[0], "output")
    pairs = zip(gradients_of(layer, traced(x)), gradients_of(layer, layer(x)), strict=True)
    for ours, theirs in pairs:
        torch.testing.assert_close(ours, theirs, rtol=0.05, atol=0.02)


@pytest.mark.skipif(not hasattr(torch.compiler, "is_exporting"), reason="PyTorch 2.7 says it")
@pytest.mark.parametrize("strict", [False, True])
def test_an_export_with_gradients_on_keeps_no_gates_and_still_has_its_gradients(
    strict: bool,
) -> None:
    layer, x = elman.LSTM(I, H, 2).eval(), torch.randn(5, 2, I)
    program = torch.export.export(layer, (x,), strict=strict)
    assert "gradient|" not in str(program.graph)
    module = program.module()
    found, expected = module(x), layer(x)
    assert_same_bits(found[0], expected[0], "output")
    theirs = dict(zip(dict(layer.named_parameters()), gradients_of(layer, expected), strict=True))
    ours = zip(dict(module.named_parameters()), gradients_of(module, found), strict=True)
    for name, gradient in ours:
        assert_near(gradient, theirs[name], name)


def in_a_fresh_process(code: str, *, path: Path = SOURCE) -> str:
    """Run Python code; return what it prints."""
    command = [sys.executable, "-c", code]
    environment = {"PYTHONPATH": f"{SOURCE}:{path}"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save an LSTM as an exported and as a traced program."""
    folder = tmp_path_factory.mktemp("programs")
    layer, x = elman.LSTM(I, H).eval(), torch.ones(5, 2, I)
    torch.export.save(torch.export.export(layer, (x,)), folder / "lstm.pt2")
    torch.jit.trace(layer, (x,)).save(folder / "lstm.pt")
    torch.save(layer(x)[0].detach(), folder / "output.pt")
    return folder


def run_programs(folder: Path, imports: str, *, path: Path = SOURCE) -> None:
    """Load both programs in a process that did nothing but import, and run them."""
    code = f"""
{imports}
import torch
x, expected = torch.ones(5, 2, 3), torch.load("{folder}/output.pt")
exported, traced = torch.export.load("{folder}/lstm.pt2"), torch.jit.load("{folder}/lstm.pt")
for program in (exported.module(), traced):
    torch.testing.assert_close(program(x)[0].detach(), expected)
    print("ran")
"""
    assert in_a_fresh_process(code, path=path) == "ran\nran\n"


@pytest.mark.slow
@pytest.mark.parametrize("imports", ["import torch, elman", "import elman.ops"])
def test_a_program_loads_after_an_import_alone(imports: str, programs: Path) -> None:
    run_programs(programs, imports)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Lay out what an installation leaves beside the package: its entry points."""
    described = tmp_path / "elman-0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: elman\nVersion: 0\n")
    project = (SOURCE.parent / "pyproject.toml").read_text("utf-8")
    assert '[project.entry-points."torch.backends"]\nelman = "elman.ops:register"' in project
    (described / "entry_points.txt").write_text("[torch.backends]\nelman = elman.ops:register\n")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("imports", ["import torch", "import elman.layers"])
def test_where_elman_is_installed_torch_knows_its_operators(
    imports: str, programs: Path, installed: Path
) -> None:
    run_programs(programs, imports, path=installed)


@pytest.mark.slow
def test_knowing_the_operators_loads_nothing_that_computes_them(installed: Path) -> None:
    code = "import torch, sys; print(*sorted(n for n in sys.modules if n[:5] == 'elman'))"
    assert in_a_fresh_process(code, path=installed).split() == ["elman", "elman.ops"]


@pytest.mark.slow
def test_importing_elman_after_torch_takes_milliseconds() -> None:
    code = "import torch, time; a = time.perf_counter(); import elman; print(time.perf_counter()-a)"
    assert min(float(in_a_fresh_process(code)) for _ in range(2)) < 0.02


@pytest.mark.slow
@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not beside the project")
@pytest.mark.parametrize("runs", [["jit_trace.py"], ["export_then_load.py", "load"]])
def test_the_cases_of_programs_run(runs: list[str], tmp_path: Path) -> None:
    script = str(CASES / runs[0])
    for arguments in ([], runs[1:]):
        done = subprocess.run(
            [sys.executable, script, *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={"PYTHONPATH": str(SOURCE)},
            check=False,
        )
        assert done.returncode == 0, done.stderr
