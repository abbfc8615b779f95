"""The examples of the README run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from blocks import ROOT, blocks

README = ROOT / "README.md"
SHAPES = "\nprint(tuple(y.shape), roll.shape, labels)\n"


def write_questions(folder: Path) -> None:
    """Write a few questions under the names that the README uses."""
    rows = [f"Who was number {n} ?,HUM\nHow high is hill {n} ?,NUM\n" for n in range(30)]
    for name in ("questions.csv", "more-questions.csv"):
        (folder / name).write_text("text,label\n" + "".join(rows), encoding="utf-8")


@pytest.mark.usefixtures("pages")
def test_the_examples_in_python_run_as_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    examples = [block.text for block in blocks(README, "python")]
    assert len(examples) == 3
    write_questions(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ELMAN_DATA", raising=False)
    program = examples[0] + examples[1] + SHAPES + examples[2]
    exec(compile(program, "README.md", "exec"), {})
    gate, nll, shapes = capsys.readouterr().out.splitlines()
    assert gate.startswith("tensor(0.")
    assert 8 < float(nll) < 15
    assert shapes == "(20, 3, 128) (64, 88) ['HUM']"


def test_every_page_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8"))
    assert len(links) > 5
    assert [link for link in links if not (README.parent / link).exists()] == []
