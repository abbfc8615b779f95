"""The objective that suits a target, with its options."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from elman.data.table import Table
from elman.errors import ExperimentError, unknown
from elman.experiment.network import NetworkSpec
from elman.features.feature import Feature
from elman.networks.objectives import OBJECTIVES
from elman.networks.objectives.schemes import allowed_by, find_scheme

_POWERS: Mapping[str, float] = {"balanced": -1.0, "square-root": -0.5}
"""Class weights by name → the power of a class's share that is its weight."""


def objective_name(requested: str | None, target: Feature, suitable: Sequence[str]) -> str:
    """Return the requested objective if it suits the target; the first that does by default.

    Args:
        requested: by the experiment; None for the first suitable one.
        target: what is predicted.
        suitable: names of the objectives that suit it.

    Raises:
        ExperimentError: there is no such objective, or it does not suit the target.
    """
    if requested is None:
        return suitable[0]
    if requested not in OBJECTIVES:
        raise unknown("objective", requested, OBJECTIVES, error=ExperimentError)
    if requested not in suitable and target.kind not in OBJECTIVES[requested].suits:
        raise ExperimentError(
            f"network.objective = {requested!r} does not suit the target, which is "
            f"{target.description}; leave it out, or choose {' or '.join(suitable)}."
        )
    return requested


def describe_objective(
    name: str,
    network: NetworkSpec,
    target: Any,
    train: Table,
    columns: Sequence[str],
    *,
    is_one_of_several: bool = False,
) -> dict[str, Any]:
    """Describe the objective with its options, as `objective_from_json` reads it.

    Args:
        name: of the objective.
        network: the options.
        target: feature of the target.
        train: the training part.
        columns: of the target.
        is_one_of_several: whether there are other targets, so that an option may be meant for them.
    """
    known = inspect.signature(OBJECTIVES[name]).parameters
    state: dict[str, Any] = {"name": name}
    if "size" in known:
        state["size"] = _size(target)
    if "names" in known and hasattr(target, "names"):
        state["names"] = [str(name) for name in target.names]
    if network.label_smoothing and _has_option("label_smoothing", name, known, is_one_of_several):
        state["label_smoothing"] = network.label_smoothing
    if network.class_weights != "none" and _has_option(
        "class_weights", name, known, is_one_of_several
    ):
        power = _POWERS[network.class_weights]
        column = train.values(columns)
        state["class_weights"] = _weights_by_share(target, column, state["size"], power)
    return state


def tag_scheme(
    target: Any, tables: Sequence[Table], columns: Sequence[str]
) -> tuple[str | None, list[str]]:
    """Recognise the scheme of tags by their names, unless a row breaks it, which is noted."""
    names = [str(name) for name in target.names]
    scheme = find_scheme(names)
    if scheme is None:
        return None, []
    allowed = allowed_by(scheme, names)
    for table in tables:
        for row, tags in enumerate(table.values(columns) if columns[0] in table.columns else ()):
            ids = target.encode(tags)
            follows = allowed.first[ids[:1]].all() and allowed.last[ids[-1:]].all()
            if not (follows and allowed.next[ids[:-1], ids[1:]].all()):
                return None, [
                    f"{table.where(row)}: its tags do not follow the scheme {scheme}, so tags may "
                    "follow each other in any order."
                ]
    return scheme, []


def _has_option(option: str, objective: str, known: Mapping[str, Any], can_lack: bool) -> bool:
    """Tell whether an objective has an option; refuse it where it must."""
    if option not in known and not can_lack:
        raise ExperimentError(
            f"network.{option} has no meaning for the objective {objective!r}; leave it out."
        )
    return option in known


def _size(target: Any) -> int:
    """Return how many outputs a target needs."""
    encoding = target.encoding
    if encoding.ids:
        return int(encoding.ids[0])
    return int(encoding.numbers)


def _weights_by_share(target: Any, column: Iterator[Any], size: int, power: float) -> list[float]:
    """Weight every class by a power of its share; the weights are 1 on average over the rows."""
    counts = torch.zeros(size)
    for value in column:
        ids = target.encode(value).reshape(-1)
        counts += torch.bincount(ids, minlength=size)
    powers = counts.clamp(min=1) ** power
    mean = (counts * powers).sum() / counts.sum()
    weights = torch.where(counts > 0, powers / mean, 1.0)
    return [float(weight) for weight in weights]
