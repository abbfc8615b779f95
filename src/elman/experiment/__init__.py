"""The specification of an experiment: TOML ↔ pydantic, recipes, overrides.

PyTorch is imported only where a network is built, so that a wrong specification is refused at once.
"""

from elman.experiment.data import DataSpec
from elman.experiment.network import NetworkSpec
from elman.experiment.overrides import parse_overrides
from elman.experiment.recipes import read_experiment, recipes
from elman.experiment.specification import Experiment, full_name

__all__ = [
    "DataSpec",
    "Experiment",
    "NetworkSpec",
    "full_name",
    "parse_overrides",
    "read_experiment",
    "recipes",
]
