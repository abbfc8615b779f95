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


Settings = set[tuple[str | None, str]]


def named_in(program: str) -> Settings:
    """Find what a program says by name: in its calls, and in dictionaries of settings."""
    named: Settings = set()
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.Call):
            named |= arguments_of(node)
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            named |= {(k.value, ast.unparse(v)) for k, v in pairs if isinstance(k, ast.Constant)}
    return named


def arguments_of(call: ast.Call) -> Settings:
    """Read the named arguments of a call."""
    return {(keyword.arg, ast.unparse(keyword.value)) for keyword in call.keywords}


def trainings(program: str) -> list[Settings]:
    """Read what each call of `elman.train` is given by name, but for the directory of the run."""
    calls = [node for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Call)]
    found = [arguments_of(call) for call in calls if ast.unparse(call.func) == "elman.train"]
    return [{pair for pair in settings if pair[0] != "out"} for settings in found]


def test_the_guide_trains_as_the_examples_and_the_readme_do() -> None:
    programs = [path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("*.py")]
    programs += [block.text for block in blocks(ROOT / "README.md", "python")]
    known = [named_in(program) for program in programs]
    shown = [settings for block in GUIDE for settings in trainings(block.text)]
    assert len(shown) > 4
    assert [settings for settings in shown if not any(settings <= there for there in known)] == []


def test_the_last_program_of_the_guide_writes_the_files_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets: dict[str, Any] = {
        "trec": {"text": ["Who ?"], "label": ["HUM"]},
        "temperature": {"time": ["1981-01-01"], "value": [20.7]},
        "conll2000": {"tokens": [["Yes", "."]], "pos": [["UH", "."]], "chunk": [["B-INTJ", "O"]]},
    }
    tables = {name: elman.read_table(columns) for name, columns in sets.items()}
    monkeypatch.setattr(
        catalog, "tables", lambda name: dict.fromkeys(("train", "test"), tables[name])
    )
    monkeypatch.chdir(tmp_path)
    exec(compile(GUIDE[-1].text, "guide.md", "exec"), {})
    assert Path("questions.csv").read_text() == Path("more-questions.csv").read_text()
    assert Path("questions.csv").read_text().splitlines() == ["text,label", "Who ?,HUM"]
    assert Path("temperatures.csv").read_text().splitlines()[1].startswith("1981-01-01,20.7")
    assert Path("chunks.txt").read_text() == "Yes UH B-INTJ\n. . O\n"
