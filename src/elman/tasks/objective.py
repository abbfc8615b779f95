"""The objective that suits a target, with its options."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from elman.data.table import Table
from elman.errors import ExperimentError, unknown
from elman.experiment.network import NetworkSpec
from elman.features.feature import Feature
from elman.networks.objectives import OBJECTIVES
from elman.networks.objectives.schemes import allowed_by, find_scheme

RARE = 50
"""A class of fewer training rows than this is rare."""

TIMES = 4
"""The commonest class has at least so many times the rows of a rare one."""

_WEIGHTS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "balanced": lambda counts: 1 / counts,
    "square-root": lambda counts: counts**-0.5,
    "rare": lambda counts: (RARE / counts.clamp(max=RARE)) ** 0.5,
}
"""Class weights by name → weights from the rows of each class, up to a factor."""


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
        state["class_weights"] = class_weights(network.class_weights, target, train, columns)
    return state


def class_weights(
    name: str, target: Any, train: Table, columns: Sequence[str]
) -> list[float] | None:
    """Weight the classes or tags of a target; the weights are 1 on average over the rows.

    Args:
        name: `none`, `balanced`, `square-root` or `rare`, see `NetworkSpec`.
        target: feature of the target.
        train: the training part.
        columns: of the target.

    Returns:
        A weight a class, 1 where no row has it; None for `none`.
    """
    if name == "none":
        return None
    counts = counts_of_classes(target, train, columns)
    weights = _WEIGHTS[name](counts.clamp(min=1))
    mean = (counts * weights).sum() / counts.sum()
    return [float(weight) for weight in torch.where(counts > 0, weights / mean, 1.0)]


def counts_of_classes(target: Any, train: Table, columns: Sequence[str]) -> Tensor:
    """Count the rows, or steps, of each class or tag, (n,)."""
    size = _size(target)
    counts = torch.zeros(size)
    for value in train.values(columns):
        counts += torch.bincount(target.encode(value).reshape(-1), minlength=size)
    return counts


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
