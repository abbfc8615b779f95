"""Distributions of a forecast number, one file per family."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from elman.errors import DataError, unknown
from elman.networks.objectives.distributions.distribution import Distribution
from elman.networks.objectives.distributions.gaussian import Gaussian
from elman.networks.objectives.distributions.negative_binomial import NegativeBinomial
from elman.networks.objectives.distributions.quantiles import Quantiles
from elman.networks.objectives.distributions.student_t import StudentT

DISTRIBUTIONS: Mapping[str, type[Any]] = MappingProxyType(
    {family.name: family for family in (Gaussian, StudentT, NegativeBinomial, Quantiles)}
)
"""Name → family of distributions."""


def distribution_from_json(state: Mapping[str, Any]) -> Distribution:
    """Build a family from the output of its `to_json`.

    Raises:
        OptionError: there is no such family, or an option is out of range.
        DataError: the description is malformed.

    >>> distribution_from_json({"name": "quantiles", "levels": [0.1, 0.5, 0.9]}).size
    3
    """
    options = dict(state)
    name = options.pop("name", None)
    if name not in DISTRIBUTIONS:
        raise unknown("distribution", name, DISTRIBUTIONS)
    try:
        built: Distribution = DISTRIBUTIONS[name](**options)
    except TypeError as error:
        raise DataError(f"distribution {name!r} cannot be built from {options}: {error}.") from (
            error
        )
    return built


__all__ = [
    "DISTRIBUTIONS",
    "Distribution",
    "Gaussian",
    "NegativeBinomial",
    "Quantiles",
    "StudentT",
    "distribution_from_json",
]
