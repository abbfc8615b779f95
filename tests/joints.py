"""The objective of several targets, made of the objectives of each."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from elman.networks.objectives import CRF, Classification, Joint, Objective, StepJoint, Tagging


def joint(*objectives: Objective, weights: Sequence[float] = ()) -> Joint | StepJoint:
    """Build the objective of several targets, with the learned values of each of these."""
    parts = []
    for place, objective in enumerate(objectives):
        ids = isinstance(objective, Classification | Tagging | CRF)
        parts.append(
            {
                "objective": objective.to_json(),
                "columns": 1 if ids else objective.output_size,
                "ids": ids,
                "weight": weights[place] if weights else 1.0,
            }
        )
    built = (StepJoint if objectives[0].per_step else Joint)(parts)
    built.objectives = nn.ModuleList(objectives)
    return built
