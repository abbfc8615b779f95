"""What the pages show is true: their programs run, their commands and links exist."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from blocks import (
    DOCS,
    ROOT,
    assert_parses,
    blocks,
    commands,
    elman_commands,
    run_commands,
    run_python,
)

PAGES = sorted(DOCS.glob("*.md"))
SHOWN = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
TESTS = Path(__file__).parents[1]


def keras_on_torch() -> dict[str, Any]:
    """Import Keras as its tests do, in float32, once."""
    from oracles import keras_layers  # sets Keras' backend and home before it is imported

    keras_layers.library().config.set_floatx("float32")
    return {}


def a_batch_and_reviews() -> dict[str, Any]:
    """Give what the first page takes for granted: a layer of torch.nn, a batch, and a file."""
    write_reviews(Path("reviews.csv"))
    theirs = torch.nn.LSTM(64, 256, num_layers=2, bidirectional=True)
    return {"torch_lstm": theirs, "x": torch.randn(5, 3, 64), "lengths": torch.tensor([5, 0, 2])}


def write_reviews(file: Path) -> None:
    """Write a few texts with a label each."""
    rows = [f"a fine film {number},good\na dull film {number},bad\n" for number in range(12)]
    file.write_text("text,label\n" + "".join(rows), encoding="utf-8")


RUN_HERE: dict[str, Callable[[], dict[str, Any]]] = {
    "from-keras.md": keras_on_torch,
    "from-torch.md": dict,
    "index.md": a_batch_and_reviews,
    "inspection.md": dict,
    "long-runs.md": dict,
    "parallel-time.md": dict,
    "questions.md": dict,
    "second-order.md": dict,
    "speed.md": dict,
}
"""Page → what prepares its programs, and returns the names that they take for granted.

Every other page is run by the test that names it.
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a page a folder of its own, and no data but what comes with Elman."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ELMAN_DATA", raising=False)
    return tmp_path


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras'
@pytest.mark.parametrize("name", RUN_HERE)
@pytest.mark.usefixtures("folder")
def test_the_programs_of_a_page_run_and_print_what_it_shows(name: str) -> None:
    run_python(DOCS / name, RUN_HERE[name]())


def test_every_page_with_programs_is_run_by_a_test_that_names_it() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in sorted(TESTS.rglob("test_*.py")))
    unnamed = [
        page.name for page in PAGES if blocks(page, "python") and f'"{page.name}"' not in tests
    ]
    assert unnamed == []


@pytest.mark.parametrize("page", SHOWN, ids=lambda page: page.name)
def test_every_command_of_a_page_is_one_that_elman_knows(page: Path) -> None:
    for block in blocks(page, "sh"):
        for arguments in elman_commands(block.text):
            assert_parses(arguments)
    for block in blocks(page, "text"):
        for line in re.findall(r"^\$ elman (.+)$", block.text, re.MULTILINE):
            assert_parses(shlex.split(line))


@pytest.mark.parametrize("page", SHOWN, ids=lambda page: page.name)
def test_what_a_page_makes_and_installs_is_there(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = page.read_text(encoding="utf-8")
    for block in blocks(page, "sh"):
        for command in commands(block.text):
            if command[:1] == ["make"]:
                targets = [word for word in command[1:] if "=" not in word]
                assert all(f"\n{target}:" in makefile for target in targets), command
    for extras in re.findall(r"""pip install ["'](?:elman|\.)\[([\w,]+)\]""", text):
        assert set(extras.split(",")) <= project["optional-dependencies"].keys()


def test_the_page_on_installing_has_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    page = (DOCS / "install.md").read_text(encoding="utf-8")
    _, table = page.split("| extra | for |\n")
    extras = re.findall(r"^\| `(\w+)` \|", table.split("\n\n")[0], re.MULTILINE)
    assert set(extras) == project["optional-dependencies"].keys() - {"dev", "docs"}


def pages_with_runs() -> list[Path]:
    return [page for page in PAGES if any(block.runs for block in blocks(page))]


@pytest.mark.parametrize("page", pages_with_runs(), ids=lambda page: page.name)
@pytest.mark.usefixtures("folder")
def test_the_commands_that_a_page_marks_print_what_it_shows(page: Path) -> None:
    for block in blocks(page, "sh"):
        if block.runs:
            run_commands(block)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_goes_to_a_page_that_is_there(page: Path) -> None:
    listed = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    broken = [link for link in links if not (DOCS / link).exists() and f": {link}\n" not in listed]
    assert broken == []


def test_every_page_stands_in_the_navigation() -> None:
    listed = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert [page.name for page in PAGES if f": {page.name}\n" not in listed] == []
