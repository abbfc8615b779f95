"""A package from outside adds a cell, a kind of column, an objective and a file format."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

import elman
from elman.cli.main import run
from packages import install

ROOT = Path(__file__).parents[1]
EXTENSION = ROOT / "examples" / "extension"
PAGE = ROOT / "docs" / "extending.md"


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the example package, and write a file of its format."""
    declared = tomllib.loads((EXTENSION / "pyproject.toml").read_text(encoding="utf-8"))
    for module in declared["tool"]["setuptools"]["py-modules"]:
        code = (EXTENSION / f"{module}.py").read_text(encoding="utf-8")
        points = {
            group: {name: value for name, value in names.items() if value.startswith(f"{module}:")}
            for group, names in declared["project"]["entry-points"].items()
        }
        install(tmp_path / "site", monkeypatch, module, points, code)
    random = np.random.default_rng(0)
    words = {"tap": 30, "roof": 200, "lamp": 10}
    records = []
    for name in random.choice(list(words), 120):
        minutes = words[name] + int(random.integers(5))
        records.append(f"task: mend the old {name}\ntook: {minutes // 60}:{minutes % 60:02}\n")
    path = tmp_path / "jobs.rec"
    path.write_text("\n".join(records), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return path


TRAIN = ["--target", "took:duration", "--cell", "leaky", "--set", "objective=median"]


def test_guests_are_trained_evaluated_saved_loaded_and_predict(
    jobs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = [
        "--epochs",
        "12",
        "--set",
        "hidden_size=8",
        "--set",
        "learning_rate=0.03",
        "--out",
        "run",
    ]
    assert run(["train", str(jobs), *TRAIN, *small]) == 0
    said = capsys.readouterr()
    assert "input: words; target: a duration → many-to-one" in said.err
    model = elman.load("run")
    assert model.experiment.network.cell == "leaky"
    assert model.task.objective == {"name": "median", "size": 1}
    assert model.task.target.kind == "duration"
    tap, roof = model.predict(["mend the old tap", "mend the old roof"])
    assert tap == pytest.approx(32, abs=25)
    assert roof == pytest.approx(202, abs=40)
    model.save("copy")
    assert elman.load("copy").predict(["mend the old tap"]) == [tap]
    assert run(["evaluate", "run", str(jobs), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mae"] < 30
    assert run(["predict", "run", str(jobs)]) == 0
    first, *_ = capsys.readouterr().out.splitlines()
    assert first == '"task","took","predicted took"'


@pytest.mark.slow
def test_a_guest_is_compared_with_elmans_own_cells(jobs: Path) -> None:
    cells = ["--cells", "leaky,gru", "--seeds", "1", "--epochs", "1", "--out", "compared"]
    assert (
        run(["compare", str(jobs), *TRAIN[:2], *TRAIN[4:], "--set", "hidden_size=4", *cells]) == 0
    )
    results = json.loads(Path("compared/compare.json").read_text(encoding="utf-8"))["results"]
    assert [result["cell"] for result in results] == ["leaky", "gru"]


def test_faults_in_values_of_guests_are_told_like_those_of_elmans_own(
    jobs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs.write_text(jobs.read_text(encoding="utf-8").replace("3:2", "soon:2", 1), encoding="utf-8")
    assert run(["train", str(jobs), *TRAIN, "--out", "faulty"]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert re.search(r"jobs\.rec, line \d+, column took: a duration is written as 1:30 or 90", line)


def test_a_misspelt_guest_is_offered(jobs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", str(jobs), "--target", "took:duratoin"]) == 2
    assert "did you mean 'duration'?" in capsys.readouterr().err
    assert run(["train", str(jobs), "--target", "took", "--cell", "leeky"]) == 2
    assert "did you mean 'leaky'?" in capsys.readouterr().err


def test_the_guide_shows_the_code_of_the_example() -> None:
    page = PAGE.read_text(encoding="utf-8")
    sources = [
        path.read_text(encoding="utf-8") for path in sorted(EXTENSION.iterdir()) if path.is_file()
    ]
    blocks = re.findall(r"```(?:python|toml)\n(.*?)```", page, re.DOTALL)
    assert len(blocks) >= 5
    for block in blocks:
        for piece in block.strip().split("\n...\n"):
            assert any(piece.strip() in source for source in sources), piece
