"""Objectives: loss, predictions and probabilities of a network's outputs, one file a kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from elman.errors import DataError, unknown
from elman.networks.objectives.classification import Classification
from elman.networks.objectives.conditional_language_model import ConditionalLanguageModel
from elman.networks.objectives.crf import CRF
from elman.networks.objectives.ctc import CTC
from elman.networks.objectives.forecast import ForecastObjective
from elman.networks.objectives.joint import Joint, StepJoint
from elman.networks.objectives.labelling import Labelling
from elman.networks.objectives.language import LanguageModel
from elman.networks.objectives.objective import Objective
from elman.networks.objectives.regression import Regression, StepRegression
from elman.networks.objectives.roll import Roll
from elman.networks.objectives.tagging import Tagging
from elman.plugins import Registry

_BUILT_IN: tuple[type[Objective], ...] = (
    Classification,
    Labelling,
    Regression,
    Tagging,
    CRF,
    CTC,
    StepRegression,
    LanguageModel,
    ConditionalLanguageModel,
    ForecastObjective,
    Roll,
    Joint,
    StepJoint,
)


def _what_is_wrong(name: str, entry: Any) -> str | None:
    if not (isinstance(entry, type) and issubclass(entry, Objective)):
        return "must be a subclass of elman.networks.objectives.Objective"
    return None if entry.name == name else f"is an objective of another name, {entry.name!r}"


OBJECTIVES: Registry[type[Any]] = Registry(
    "elman.objectives", {objective.name: objective for objective in _BUILT_IN}, _what_is_wrong
)
"""Name → objective; objectives of other packages, too."""


def objective_from_json(state: Mapping[str, Any]) -> Objective:
    """Build an objective from the output of its `to_json`; learned values are in the weights.

    Raises:
        OptionError: there is no such objective, or an option is out of range.
        DataError: the description is malformed.

    >>> objective_from_json({"name": "crf", "size": 3}).to_json()
    {'name': 'crf', 'size': 3, 'names': None, 'scheme': None}
    """
    options = dict(state)
    name = options.pop("name", None)
    if name not in OBJECTIVES:
        raise unknown("objective", name, OBJECTIVES)
    try:
        built: Objective = OBJECTIVES[name](**options)
    except TypeError as error:
        raise DataError(f"objective {name!r} cannot be built from {options}: {error}.") from error
    return built


__all__ = [
    "CRF",
    "CTC",
    "OBJECTIVES",
    "Classification",
    "ConditionalLanguageModel",
    "ForecastObjective",
    "Joint",
    "Labelling",
    "LanguageModel",
    "Objective",
    "Regression",
    "Roll",
    "StepJoint",
    "StepRegression",
    "Tagging",
    "objective_from_json",
]
