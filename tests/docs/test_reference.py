"""The reference has every public name, and nothing that is not there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

import elman
import elman.convert
from blocks import DOCS

REFERENCE = (DOCS / "reference.md").read_text(encoding="utf-8")


def public_names() -> set[str]:
    """List every name that a person may rely on."""
    pytest.importorskip("sklearn")
    modules = [elman, elman.convert, importlib.import_module("elman.sklearn")]
    names = {f"{module.__name__}.{name}" for module in modules for name in module.__all__}
    return names | {"elman.runs.compare.compare"}


def documented(page: str) -> set[str]:
    """List the objects whose docstrings a page shows."""
    return set(re.findall(r"^::: ([\w.]+)", page, re.MULTILINE))


def resolve(path: str) -> object:
    """Find an object by its path."""
    module, _, name = path.rpartition(".")
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        return getattr(importlib.import_module(module), name)


def test_the_first_table_of_the_reference_has_every_public_name_and_no_other() -> None:
    table = REFERENCE.split("\n\n")[2]
    assert table.startswith("| name |")
    assert set(re.findall(r"`([\w.]+)`", table)) == public_names()


def test_every_public_name_is_described_on_some_page() -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*.md")))
    described = [resolve(path) for path in documented(pages)]
    values = {name: resolve(name) for name in public_names() - {"elman.__version__"}}
    assert [name for name, value in values.items() if value not in described] == []


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_whatever_a_page_describes_is_there(page: Path) -> None:
    for path in documented(page.read_text(encoding="utf-8")):
        assert resolve(path) is not None
