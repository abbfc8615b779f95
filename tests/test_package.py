"""The package as a stranger finds it: what importing it costs and which names it has."""

from __future__ import annotations

import ast
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

import elman
from elman import _HOME_OF

HEAVY = ("torch", "numpy", "lightning_fabric", "pydantic", "matplotlib", "typer", "rich")


def modules_after(statement: str) -> set[str]:
    """Return the names of the modules a fresh interpreter has loaded after a statement."""
    code = f"import sys; {statement}; print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_elman_loads_neither_torch_nor_anything_else_heavy() -> None:
    assert modules_after("import elman").isdisjoint(HEAVY)


def test_the_command_line_is_set_up_without_torch_or_numpy() -> None:
    loaded = modules_after("import elman.cli.main")
    assert loaded.isdisjoint({"torch", "numpy", "lightning_fabric", "matplotlib"})


@pytest.mark.parametrize("name", sorted(_HOME_OF))
def test_a_public_name_is_the_one_of_the_module_it_lives_in(name: str) -> None:
    value = getattr(elman, name)
    assert value is getattr(sys.modules[_HOME_OF[name]], name)


def test_all_lists_every_public_name_and_dir_shows_them() -> None:
    assert set(elman.__all__) == {*_HOME_OF, "__version__"}
    assert set(elman.__all__) <= set(dir(elman))


def test_type_checkers_see_the_names_from_the_modules_they_live_in() -> None:
    tree = ast.parse(Path(elman.__file__).read_text(encoding="utf-8"))
    seen = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("elman.")
        for alias in node.names
    }
    assert seen == _HOME_OF


def test_a_name_elman_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'elman' has no attribute 'LTSM'"):
        elman.LTSM  # noqa: B018


def test_the_version_is_the_installed_one() -> None:
    assert elman.__version__ == importlib.metadata.version("elman")


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(elman.__file__).parent / "py.typed").is_file()
