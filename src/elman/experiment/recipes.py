"""Reading specifications: TOML files, and the recipes that Elman ships."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from elman.errors import ExperimentError, unknown
from elman.experiment.specification import Experiment


def read_experiment(source: str | Path) -> Experiment:
    """Read a TOML file, or a recipe that Elman ships.

    Args:
        source: a path that ends in `.toml`, or the name of a recipe.

    Raises:
        ExperimentError: there is no such file or recipe, or its content is wrong.
    """
    if Path(source).suffix == ".toml":
        try:
            text = Path(source).read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise ExperimentError(f"there is no experiment file {source}.") from error
        return Experiment.from_toml(text, origin=str(source))
    if source not in recipes():
        raise unknown("recipe", str(source), recipes(), error=ExperimentError)
    text = resources.files("elman.recipes").joinpath(f"{source}.toml").read_text(encoding="utf-8")
    return Experiment.from_toml(text, origin=f"recipe {source}")


def recipes() -> list[str]:
    """List the recipes that Elman ships."""
    files = resources.files("elman.recipes").iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))
