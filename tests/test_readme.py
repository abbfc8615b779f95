"""The examples of the README run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from blocks import ROOT, blocks

README = ROOT / "README.md"
SHAPES = "\nprint(tuple(y.shape), roll.shape, labels)\n"


def write_questions(folder: Path) -> None:
    """Write a few questions under the names that the README uses."""
    rows = [f"Who was number {n} ?,HUM\nHow high is hill {n} ?,NUM\n" for n in range(30)]
    for name in ("questions.csv", "more-questions.csv"):
        (folder / name).write_text("text,label\n" + "".join(rows), encoding="utf-8")


def test_the_examples_in_python_run_as_they_stand(tmp_path: Path) -> None:
    examples = [block.text for block in blocks(README, "python")]
    assert len(examples) == 3
    write_questions(tmp_path)
    outside = {name: value for name, value in os.environ.items() if name != "ELMAN_DATA"}
    done = subprocess.run(
        [sys.executable, "-c", examples[0] + examples[1] + SHAPES + examples[2]],
        cwd=tmp_path,
        env=outside,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    gate, nll, shapes = done.stdout.splitlines()
    assert gate.startswith("tensor(0.")
    assert 8 < float(nll) < 15
    assert shapes == "(20, 3, 128) (64, 88) ['HUM']"


def test_every_page_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8"))
    assert len(links) > 5
    assert [link for link in links if not (README.parent / link).exists()] == []
