"""The interface of the distributions of a forecast number."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from elman.errors import OptionError, import_extra

FLOOR = 1e-4
"""Least value of `positive`: no density grows without limit where data repeat exactly."""


class Distribution(ABC):
    """A family of distributions of one number with P parameters.

    It has no parameters itself. A network has P raw outputs a value; `parameters` maps them to
    their range and to the scale ν of their window, and every other method takes the result. The
    last axis is always the P of one value; all others are free.

    Source: Salinas, Flunkert, Gasthaus and Januschowski 2020, arXiv:1704.04110, §3.
    """

    name: ClassVar[str]
    """Its name in `to_json`."""
    size: int
    """P, number of raw outputs a value, and of parameters."""
    location: int | None
    """Index of the raw output to which a/ν is added to add a to the values; None where none is."""
    located: slice | None
    """The parameters to which a is added to add a to the values; None where none are."""

    @abstractmethod
    def parameters(self, raw: Tensor, scale: Tensor) -> Tensor:
        """Map raw outputs to parameters.

        Args:
            raw: any numbers, (…, P).
            scale: ν > 0, the expected size of the values, (…).

        Returns:
            The parameters, (…, P).
        """

    def shifted(self, parameters: Tensor, shift: Tensor) -> Tensor:
        """Return the parameters of the values plus a shift, exactly the shift where they were 0.

        Args:
            parameters: (…, P), of a family that has a location.
            shift: in the unit of the values, (…).
        """
        moved = torch.zeros_like(parameters)
        if self.located is not None:
            moved[..., self.located] = shift.unsqueeze(-1)
        return parameters + moved

    @abstractmethod
    def log_prob(self, parameters: Tensor, value: Tensor) -> Tensor:
        """Return ln p(value), of a density or of a count, (…).

        Args:
            parameters: (…, P).
            value: (…), none missing.

        Raises:
            DataError: a value is outside the family's range.
            OptionError: the family has no density.
        """

    def loss(self, parameters: Tensor, scale: Tensor, value: Tensor) -> Tensor:
        """Return the loss, (…): the negative log-likelihood, in nats.

        Args:
            parameters: (…, P).
            scale: ν, as for `parameters`, (…).
            value: (…), none missing.
        """
        del scale  # the parameters include it
        return -self.log_prob(parameters, value)

    @abstractmethod
    def mean(self, parameters: Tensor) -> Tensor:
        """Return the expected value, (…)."""

    @abstractmethod
    def quantile(self, parameters: Tensor, level: float) -> Tensor:
        """Return the quantile of a level, (…).

        Not differentiable in general.

        Raises:
            OptionError: the level is not between 0 and 1.
        """

    @abstractmethod
    def sample(self, parameters: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """Sample independent values, (count, …), without gradients.

        Args:
            parameters: (…, P).
            count: number of values for each set of parameters.
            generator: random generator on the device of the parameters.
        """

    def to_json(self) -> dict[str, Any]:
        """Describe the family: its name and options."""
        return {"name": self.name}


def positive(raw: Tensor) -> Tensor:
    """Return ln(1 + eˣ) + FLOOR, which is greater than 0 for every x."""
    return F.softplus(raw) + FLOOR


def special_functions() -> Any:
    """Import SciPy's special functions, which the quantiles of some families are computed by.

    A family that needs them asks when it is made, so that a training run fails before it begins.

    Raises:
        MissingDependencyError: SciPy is not installed.
    """
    return import_extra("scipy.special", "forecast", "a forecast by student-t or negative-binomial")


def precise(numbers: Tensor) -> Tensor:
    """Return numbers in float64, or unchanged on MPS, which has no float64."""
    return numbers if numbers.device.type == "mps" else numbers.double()


def checked_level(level: float) -> float:
    """Return the level of a quantile, in (0, 1).

    Raises:
        OptionError: it lies outside, or is not a number.
    """
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0 < level < 1:
        raise OptionError(f"the level of a quantile must lie between 0 and 1, got {level!r}.")
    return float(level)


def standard_normal(
    shape: tuple[int, ...], parameters: Tensor, generator: torch.Generator
) -> Tensor:
    """Sample from N(0, 1), in the type and on the device of the parameters."""
    return torch.randn(shape, generator=generator, dtype=parameters.dtype, device=parameters.device)


def standard_gamma(concentration: Tensor, generator: torch.Generator) -> Tensor:
    """Sample from the gamma distribution of scale 1, one value for each concentration."""
    # torch.distributions.Gamma uses the global generator only; this is what it calls.
    return torch._standard_gamma(concentration, generator=generator)
