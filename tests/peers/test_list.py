"""README.md lists what the peers test, and where it is asked here: the list is true."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ROWS = [
    line
    for line in (HERE / "README.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith(("| their", "| --"))
]


def defined(path: Path) -> set[str]:
    """List the tests that a file defines."""
    return set(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))


def named(row: str) -> list[tuple[str, str]]:
    """List the tests that a row names, each with the file before it, or with nothing."""
    return re.findall(r"(?:`(tests/[\w/]+\.py)` )?`(test_\w+)`", row)


def test_every_test_in_the_list_exists_and_every_test_here_is_in_it() -> None:
    files = [path for path in HERE.glob("test_*.py") if path != Path(__file__)]
    here = set().union(*map(defined, files))
    found = [each for row in ROWS for each in named(row)]
    for path, name in found:
        assert name in (defined(ROOT / path) if path else here), f"{path} {name}"
    assert here <= {name for path, name in found if not path}


def test_every_test_of_a_peer_is_asked_here_or_the_list_says_why_not() -> None:
    for row in ROWS:
        theirs, answer = row.strip("| ").split(" | ")
        assert theirs
        assert answer.startswith("→") == answer.startswith("→ `test")
        assert len(answer) > len("→ ``")


def test_every_file_that_the_list_names_exists() -> None:
    for path in re.findall(r"`(tests/[\w/.]+)`", "\n".join(ROWS)):
        assert (ROOT / path).exists(), path
