"""The package as a stranger finds it: what importing it costs and which names it has."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import elman
from elman import _HOME_OF

PACKAGE = Path(elman.__file__).parent
PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))[
    "project"
]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
EXTRA = {
    "mido",
    "onnxscript",
    "openpyxl",
    "optuna",
    "sacrebleu",
    "scipy",
    "sklearn",
    "soundfile",
    "sqlalchemy",
    "tokenizers",
}
"""Packages that a plain installation does without, as they are imported."""
IMPORTED_AS = {
    "PIL": "pillow",
    "lightning_fabric": "lightning-fabric",
    "sklearn": "scikit-learn",
    "tomli_w": "tomli-w",
}
"""A package as it is imported → as it is installed, where they differ."""
HEAVY = ("torch", "numpy", "lightning_fabric", "pydantic", "matplotlib", "typer", "rich")


def modules_after(statement: str) -> set[str]:
    """Return the names of the modules a fresh interpreter has loaded after a statement."""
    code = f"import sys; {statement}; print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_elman_loads_neither_torch_nor_anything_else_heavy() -> None:
    assert modules_after("import elman").isdisjoint(HEAVY)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["train", "--help"]])
def test_help_is_given_without_torch_numpy_or_matplotlib(arguments: list[str]) -> None:
    loaded = modules_after(f"from elman.cli.main import run; run({arguments})")
    assert loaded.isdisjoint({"torch", "numpy", "lightning_fabric", "matplotlib"})


def test_the_data_sets_are_listed_without_torch_or_matplotlib() -> None:
    loaded = modules_after("from elman.cli.main import run; run(['data', 'list'])")
    assert loaded.isdisjoint({"torch", "lightning_fabric", "matplotlib", "pyarrow"})


def test_layers_and_models_are_imported_without_what_training_and_reports_need() -> None:
    loaded = modules_after("import elman.layers, elman.networks, elman.models.model")
    assert loaded.isdisjoint({"lightning_fabric", "matplotlib", "jinja2", "scipy", "PIL", *EXTRA})


def imported(path: Path) -> Iterator[str]:
    """Yield the package of every import of a module that is not for type checkers alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def extras_asked_for(path: Path) -> Iterator[tuple[str, str]]:
    """Yield package and extra of every call of `import_extra` in a module."""
    code = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(code if "import_extra(" in code else "")):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "import_extra":
            module, extra, _ = map(ast.literal_eval, node.args)
            yield module.partition(".")[0], extra


def distributions(requirements: Iterable[str]) -> set[str]:
    """Name what is required, as its distribution is called."""
    return {re.split(r"[\[<>=]", requirement)[0].lower() for requirement in requirements}


def test_what_the_package_imports_is_declared_and_what_is_declared_is_imported() -> None:
    found = {
        name
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "sklearn"
        for name in imported(path)
    }
    found -= {"elman", "pydantic_core", *sys.stdlib_module_names}  # pydantic's own second half
    assert {IMPORTED_AS.get(name, name) for name in found} == distributions(PROJECT["dependencies"])


def test_what_an_extra_is_asked_for_is_in_that_extra() -> None:
    asked = {pair for path in PACKAGE.rglob("*.py") for pair in extras_asked_for(path)}
    assert {package for package, _ in asked} == EXTRA
    for package, extra in asked:
        assert IMPORTED_AS.get(package, package) in distributions(EXTRAS[extra]), extra


def test_all_extras_are_in_all_and_a_developer_has_them() -> None:
    (everything,) = EXTRAS["all"]
    assert set(everything.removeprefix("elman[").removesuffix("]").split(",")) == (
        EXTRAS.keys() - {"all", "dev", "docs"}
    )
    assert "elman[all]" in EXTRAS["dev"]


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
