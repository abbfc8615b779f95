"""Several targets of a row, or of each step: each with an objective of its own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from elman.batches.batching import Targets
from elman.errors import OptionError
from elman.networks.objectives.objective import Objective
from elman.networks.objectives.steps import (
    checked_rows,
    checked_steps,
    checked_target,
    without_padding,
)


class Part(NamedTuple):
    """One of several targets, and its place in outputs and encoded targets."""

    objective: Objective
    outputs: slice
    columns: slice
    """Of the encoded targets."""
    ids: bool
    """Whether its only column holds ids."""
    weight: float

    def target(self, targets: Tensor) -> Tensor:
        """Return its target, as its objective takes it, from those of all, (…, n)."""
        own = targets[..., self.columns]
        return own[..., 0].long() if self.ids else own


class JointObjective(Objective):
    """The objectives of several targets, on outputs that stand side by side.

        loss = Σₖ wₖ · lossₖ

    lossₖ is the mean over the rows that have target k, and 0 in a batch where none has. Targets are
    encoded by `features.joint.JointFeature`: ids are floats, and NaN marks a missing target, in all
    steps where there are steps.
    """

    objectives: nn.ModuleList

    def __init__(self, parts: Sequence[Mapping[str, Any]]) -> None:
        """Build the objective of every target.

        Args:
            parts: of each target `objective`, as its `to_json` describes it; `columns`, how many
                its encoding has; `ids`, whether it has one, of ids; and `weight`, w.

        Raises:
            OptionError: there is no part, a weight is not positive, or some targets are of rows
                and others of steps.
        """
        from elman.networks.objectives import objective_from_json  # it knows this class, too

        super().__init__()
        if not parts:
            raise OptionError("parts must name at least one target, got none.")
        self._parts = [dict(part) for part in parts]
        self.objectives = nn.ModuleList(objective_from_json(part["objective"]) for part in parts)
        for part, objective in zip(self._parts, self.each, strict=True):
            if not (math.isfinite(part["weight"]) and part["weight"] > 0):
                raise OptionError(
                    f"the weight of a loss must be above 0, got {part['weight']!r}; to leave a "
                    "target out, do not name it."
                )
            if objective.targets != self.targets:
                raise OptionError(
                    f"{self.name} is for one answer a {self.targets}, and {objective.name} has "
                    f"targets of another form, {objective.targets}."
                )
        self.output_size = sum(self.output_sizes)

    @property
    def each(self) -> list[Objective]:
        """The objectives of the targets, in order."""
        return list(self.objectives)  # type: ignore[arg-type]

    @property
    def output_sizes(self) -> list[int]:
        """O of each target."""
        return [objective.output_size for objective in self.each]

    @property
    def parts(self) -> list[Part]:
        """The targets, in order."""
        parts, output, column = [], 0, 0
        for objective, state in zip(self.each, self._parts, strict=True):
            outputs = slice(output, output + objective.output_size)
            columns = slice(column, column + state["columns"])
            parts.append(Part(objective, outputs, columns, state["ids"], state["weight"]))
            output, column = outputs.stop, columns.stop
        return parts

    def loss(self, outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        """Return the weighted sum of the targets' mean losses.

        Args:
            outputs: (B, O), or (T, B, O).
            target: (B, n), or (T, B, n); NaN where a target is missing.
            lengths: real steps of each row, (B,); all 1 where there are no steps.
        """
        lengths = self._checked(outputs, lengths)
        parts = self.parts
        shape = (*outputs.shape[:-1], parts[-1].columns.stop)
        axes = "T, B, n" if self.per_step else "B, n"
        target = checked_target(target, axes, shape, ids=False)
        losses = [self._weighted(part, outputs, target, lengths) for part in parts]
        return torch.stack(losses).sum()

    def _weighted(self, part: Part, outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        """Return the loss of one target over the rows that have it, times its weight."""
        own = target[..., part.columns]
        missing = (without_padding(own, lengths) if self.per_step else own).isnan().any(-1)
        known = ~(missing.any(0) if self.per_step else missing)
        if not bool(known.all()):
            rows = (slice(None), known) if self.per_step else (known,)
            outputs, target, lengths = outputs[rows], target[rows], lengths[known]
        loss = part.objective.loss(outputs[..., part.outputs], part.target(target), lengths)
        return part.weight * loss

    def answers(self, outputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return each row's predictions side by side, as `JointFeature.decode` takes them."""
        lengths = self._checked(outputs, lengths)
        number = torch.promote_types(outputs.dtype, torch.float32)  # which holds ids
        rows: list[list[Tensor]] = [[] for _ in lengths]
        for part in self.parts:
            answers = part.objective.answers(outputs[..., part.outputs], lengths)
            for row, answer in zip(rows, answers, strict=True):
                row.append((answer.unsqueeze(-1) if part.ids else answer).to(number))
        return [torch.cat(row, dim=-1) for row in rows]

    def probabilities(
        self, outputs: Tensor, lengths: Tensor
    ) -> list[tuple[Tensor | None, ...]] | None:
        """Return the probabilities of each row's targets, None for a target without them."""
        lengths = self._checked(outputs, lengths)
        each = [
            part.objective.probabilities(outputs[..., part.outputs], lengths) for part in self.parts
        ]
        if all(probabilities is None for probabilities in each):
            return None
        none = [None] * len(lengths)
        return list(zip(*(none if rows is None else rows for rows in each), strict=True))

    def base_rates(self, targets: Iterable[Tensor]) -> Tensor | None:
        """Return the outputs that predict base rates, (O,); 0 for targets that have none."""
        rows = list(targets)
        rates = []
        for part in self.parts:
            own = (part.target(row) for row in rows if not row[..., part.columns].isnan().any())
            rates.append(part.objective.base_rates(own))
        if all(each is None for each in rates):
            return None
        return torch.cat(
            [
                torch.zeros(size) if each is None else each
                for each, size in zip(rates, self.output_sizes, strict=True)
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """Describe the objective: its name, and its parts."""
        parts = [
            {**state, "objective": objective.to_json()}
            for state, objective in zip(self._parts, self.each, strict=True)
        ]
        return {"name": self.name, "parts": parts}

    def _checked(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        """Check outputs, and return the lengths on their device."""
        if self.per_step:
            return checked_steps(outputs, lengths, self.output_size)
        checked_rows(outputs, lengths, self.output_size)
        return lengths.to(outputs.device)


class Joint(JointObjective):
    """Several targets a row; see `JointObjective`."""

    name: ClassVar[str] = "joint"
    per_step: ClassVar[bool] = False
    targets: ClassVar[Targets] = "row"
    score_kind: ClassVar[str] = "joint"
    loss_unit: ClassVar[str] = "loss, summed over the targets"


class StepJoint(JointObjective):
    """Several targets a step; see `JointObjective`."""

    name: ClassVar[str] = "step-joint"
    per_step: ClassVar[bool] = True
    targets: ClassVar[Targets] = "step"
    score_kind: ClassVar[str] = "joint"
    loss_unit: ClassVar[str] = "loss, summed over the targets"
