"""The order of the house: a room imports only rooms on lower lines.

The lines are read from the table of `docs/architecture.md`, which leads.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import elman
from elman import _HOME_OF

SOURCE = Path(elman.__file__).parent
ARCHITECTURE = Path(__file__).parents[1] / "docs" / "architecture.md"
PUBLIC_FACE = {"__init__", "__main__"}
BESIDE_THE_ROOMS = PUBLIC_FACE | {"errors", "types", "files", "ops"}
"""All modules that stand at the top of the package."""


def lines() -> dict[str, int]:
    """Return room → the line it stands on, 1 at the top."""
    text = ARCHITECTURE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", text, re.MULTILINE)
    return {room: int(line) for line, rooms in rows for room in re.findall(r"`(\w+)`", rooms)}


LINES = lines()


def may_import(importer: str, imported: str) -> bool:
    """Tell whether one room may import another."""
    if importer == imported:
        return True
    return importer in LINES and imported in LINES and LINES[importer] < LINES[imported]


def rooms_imported(code: str) -> Iterator[str]:
    """Yield the room of every import in a module, wherever it stands."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            assert not any(alias.name == "elman" and alias.asname for alias in node.names)
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "elman":
            names = [_HOME_OF.get(alias.name, f"elman.{alias.name}") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports inside elman are absolute"
            names = [node.module or ""]
        elif isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "elman":
            names = [_HOME_OF.get(node.attr, f"elman.{node.attr}")]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "elman" and len(parts) > 1 and parts[1] != "__version__":
                yield parts[1]


def violations(source: Path) -> list[str]:
    """List the imports that point the wrong way, as `file: importer → imported`."""
    found = []
    for path in sorted(source.rglob("*.py")):
        relative = path.relative_to(source)
        importer = relative.parts[0].removesuffix(".py")
        if importer in PUBLIC_FACE:
            continue
        found += [
            f"{relative}: {importer} → {imported}"
            for imported in rooms_imported(path.read_text(encoding="utf-8"))
            if not may_import(importer, imported)
        ]
    return found


def test_a_room_imports_only_rooms_on_lower_lines() -> None:
    assert violations(SOURCE) == []


def test_every_room_has_its_line() -> None:
    rooms = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert rooms | {"errors", "types", "files", "ops", "_kernels"} == set(LINES)


def test_no_module_stands_beside_the_rooms_but_the_shared_ones_and_the_faces() -> None:
    assert {path.stem for path in SOURCE.glob("*.py")} == BESIDE_THE_ROOMS


def test_no_source_file_is_longer_than_400_lines() -> None:
    long = {
        str(path.relative_to(SOURCE)): lines
        for path in SOURCE.rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}


@pytest.mark.parametrize(
    ("file", "code", "edge"),
    [
        ("cells/gru.py", "from elman.layers import GRU", "cells → layers"),
        ("cells/gru.py", "def f():\n    import elman.sequence.ragged", "cells → sequence"),
        ("sequence/scan.py", "from elman import GRU", "sequence → layers"),
        ("training/trainer.py", "import elman\nx = elman.train", "training → runs"),
        ("training/trainer.py", "from elman.tasks.task import Task", "training → tasks"),
        ("layers/gru.py", "from elman.batches.batching import Batch", "layers → batches"),
        ("data/table.py", "from elman.features.roll import Roll", "data → features"),
        ("errors.py", "from elman.cells import gru", "errors → cells"),
    ],
)
def test_an_import_that_points_up_is_found(tmp_path: Path, file: str, code: str, edge: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(code, encoding="utf-8")
    assert violations(tmp_path) == [f"{file}: {edge}"]


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("cli/train.py", "import elman\nx = elman.train"),
        ("networks/build.py", "from elman.batches.batching import Batch"),
        ("layers/gru.py", "from elman.sequence.ragged import lengths"),
        ("cells/gru.py", "from elman.errors import ShapeError"),
        ("report/page.py", "from elman import __version__"),
    ],
)
def test_an_import_that_points_down_is_allowed(tmp_path: Path, file: str, code: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(code, encoding="utf-8")
    assert violations(tmp_path) == []
