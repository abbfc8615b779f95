"""The order of the house: each package imports only what stands further to the right of it.

The order itself is read from `docs/architecture.md`, which leads.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import elman
from elman import _HOME_OF

SOURCE = Path(elman.__file__).parent
ARCHITECTURE = Path(__file__).parents[1] / "docs" / "architecture.md"

FOR_ALL = {"errors", "types"}
SHARED = {"data", "features"}  # used by networks and everything to the left of it
PLACED_BEFORE = {"recipes": "inspection", "convert": "layers"}  # not on the line
PUBLIC_FACE = {"__init__", "__main__"}


def order() -> list[str]:
    """Return the chain of packages, leftmost first."""
    text = ARCHITECTURE.read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith("`cli → ")]
    chain = line.strip("`").split(" → ")
    for name, right_neighbour in PLACED_BEFORE.items():
        if name not in chain:
            chain.insert(chain.index(right_neighbour), name)
    return [*chain, "_kernels"]


def may_import(importer: str, imported: str) -> bool:
    """Tell whether one package may import another."""
    chain = order()
    if importer == imported or imported in FOR_ALL:
        return True
    if imported in SHARED:
        return importer in SHARED or (
            importer in chain and chain.index(importer) <= chain.index("networks")
        )
    if importer not in chain or imported not in chain:
        return False
    return chain.index(importer) < chain.index(imported)


def packages_imported(code: str) -> Iterator[str]:
    """Yield the package inside elman of every import in a module, wherever it stands."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "elman":
            names = [_HOME_OF.get(alias.name, f"elman.{alias.name}") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports inside elman are absolute"
            names = [node.module or ""]
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "elman":
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
            for imported in packages_imported(path.read_text(encoding="utf-8"))
            if not may_import(importer, imported)
        ]
    return found


def test_each_package_imports_only_what_stands_further_right() -> None:
    assert violations(SOURCE) == []


def test_every_package_has_its_place_in_the_order() -> None:
    packages = {path.name.removesuffix(".py") for path in SOURCE.iterdir() if path.suffix == ".py"}
    packages |= {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert packages - PUBLIC_FACE <= {*order(), *FOR_ALL, *SHARED}


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
        ("training/trainer.py", "import elman\nx = elman.train", "training → run"),
        ("layers/gru.py", "from elman.data.batching import Batch", "layers → data"),
        ("features/roll.py", "from elman.cells import gru", "features → cells"),
        ("errors.py", "from elman.cells import gru", "errors → cells"),
    ],
)
def test_an_import_that_points_left_is_found(
    tmp_path: Path, file: str, code: str, edge: str
) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(code, encoding="utf-8")
    assert violations(tmp_path) == [f"{file}: {edge}"]


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("cli/train.py", "import elman\nx = elman.train"),
        ("networks/build.py", "from elman.data.batching import Batch"),
        ("layers/gru.py", "from elman.sequence.ragged import lengths"),
        ("cells/gru.py", "from elman.errors import ShapeError"),
        ("inspection/report.py", "from elman import __version__"),
    ],
)
def test_an_import_that_points_right_is_allowed(tmp_path: Path, file: str, code: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(code, encoding="utf-8")
    assert violations(tmp_path) == []
