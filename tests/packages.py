"""Small packages installed for a test: a module and a dist-info folder on `sys.path`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

from elman import plugins


def install(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    entry_points: Mapping[str, Mapping[str, str]],
    code: str = "",
) -> None:
    """Install a package of one module, for as long as the test runs.

    Args:
        folder: where its files are written.
        monkeypatch: undoes the installation.
        name: of the package; its module has the same name with underscores.
        entry_points: group → name → "module:object".
        code: of the module.
    """
    module = name.replace("-", "_")
    site = folder / name
    info = site / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    declared = [
        f"[{group}]\n" + "".join(f"{entry} = {value}\n" for entry, value in names.items())
        for group, names in entry_points.items()
    ]
    (info / "entry_points.txt").write_text("\n".join(declared))
    (site / f"{module}.py").write_text(code)
    monkeypatch.syspath_prepend(site)
    monkeypatch.setitem(sys.modules, module, ModuleType(module))  # so that it goes with the test
    del sys.modules[module]
    forget_guests(monkeypatch)


def forget_guests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the entry points be read anew in this test, and again after it."""
    from functools import cache

    monkeypatch.setattr(plugins, "guests", cache(plugins.guests.__wrapped__))
