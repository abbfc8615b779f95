"""The guide trains as the examples do, which are run, and its last program writes its files."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

import elman
from blocks import DOCS, ROOT, blocks
from elman.data import catalog

GUIDE = blocks(DOCS / "guide.md", "python")


def settings_of_trainings(program: str) -> list[frozenset[tuple[str | None, str]]]:
    """Find what a program hands to `elman.train` by name, but for the directory of the run."""
    calls = [node for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Call)]
    return [
        frozenset((k.arg, ast.unparse(k.value)) for k in call.keywords if k.arg != "out")
        for call in calls
        if ast.unparse(call.func) == "elman.train"
    ]


def test_the_guide_trains_as_the_examples_and_the_readme_do() -> None:
    programs = [path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("*.py")]
    programs += [block.text for block in blocks(ROOT / "README.md", "python")]
    known = {settings for program in programs for settings in settings_of_trainings(program)}
    shown = [settings for block in GUIDE for settings in settings_of_trainings(block.text)]
    assert len(shown) > 4
    assert [sorted(map(str, settings)) for settings in shown if settings not in known] == []


def test_the_last_program_of_the_guide_writes_the_files_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets: dict[str, Any] = {
        "trec": {"text": ["Who ?"], "label": ["HUM"]},
        "temperature": {"time": ["1981-01-01"], "value": [20.7]},
        "conll2000": {"tokens": [["Yes", "."]], "pos": [["UH", "."]], "chunk": [["B-INTJ", "O"]]},
    }
    tables = {name: elman.read_table(columns) for name, columns in sets.items()}
    monkeypatch.setattr(catalog, "tables", lambda name: dict.fromkeys(("train", "test"), tables[name]))
    monkeypatch.chdir(tmp_path)
    exec(compile(GUIDE[-1].text, "guide.md", "exec"), {})
    assert Path("questions.csv").read_text() == Path("more-questions.csv").read_text()
    assert Path("questions.csv").read_text().splitlines() == ["text,label", "Who ?,HUM"]
    assert Path("temperatures.csv").read_text().splitlines()[1].startswith("1981-01-01,20.7")
    assert Path("chunks.txt").read_text() == "Yes UH B-INTJ\n. . O\n"
