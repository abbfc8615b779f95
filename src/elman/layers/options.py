"""The options that all recurrent layers share, and their checks."""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, fields
from functools import cached_property
from numbers import Real
from typing import NamedTuple, SupportsIndex

import numpy as np

from elman.cells import Cell
from elman.errors import OptionError, OptionTypeError, unknown
from elman.layers.initialisation import RECURRENT_INITS


class _Needed(NamedTuple):
    """A weight that an option needs, and the name of what the option adds."""

    weight: str
    addition: str


_NEEDED = {
    "bias": _Needed("input_bias", "biases"),
    "proj_size": _Needed(
        "projection",
        "projection, for the proj_size argument is only supported for LSTM, not RNN or GRU",
    ),
    "layer_norm": _Needed("input_gain", "layer norm"),
    "recurrent_dropout": _Needed("hidden", "recurrent matrix"),
}

CHANGEABLE = ("batch_first", "dropout", "locked_dropout", "recurrent_dropout", "zoneout")
"""Options that a layer obeys when they are set after it is built; no weight depends on them."""

_FLAGS = ("bias", "batch_first", "bidirectional", "layer_norm", "residual", "learn_initial_state")


@dataclass(frozen=True, eq=False)
class RecurrentOptions:
    """The options of a stack of recurrent layers. The layers' docstrings say what each means.

    Numbers of NumPy are taken, and kept as Python's.

    Raises:
        OptionError: an option is out of range, or two contradict each other.
        OptionTypeError: an option is of another type.
    """

    cell: Cell
    input_size: int
    hidden_size: int | Sequence[int]
    num_layers: int = 1
    bias: bool = True
    batch_first: bool = False
    dropout: float = 0.0
    locked_dropout: float = 0.0
    bidirectional: bool = False
    proj_size: int = 0
    recurrent_dropout: float = 0.0
    zoneout: float | tuple[float, float] = 0.0
    layer_norm: bool = False
    residual: bool = False
    learn_initial_state: bool = False
    recurrent_init: str = "uniform"
    forget_bias: float | None = None
    chrono: int | None = None

    def __post_init__(self) -> None:
        for name in ("bias", "batch_first"):
            if not isinstance(getattr(self, name), bool | np.bool_):
                raise _wrong_flag(name, getattr(self, name))
        self._check()
        self._warn("dropout", "locked_dropout", stacklevel=5)

    def changed(self, name: str, value: object, *, stacklevel: int) -> RecurrentOptions:
        """Return the options with another value of one that is `CHANGEABLE`, checked.

        Args:
            name: the option.
            value: its new value.
            stacklevel: of a warning, seen from here.

        Raises:
            OptionError: the value is out of range, or contradicts another option.
        """
        options = copy(self)
        options.__dict__.pop("zoneouts", None)
        object.__setattr__(options, name, value)  # the copy is nobody's yet
        options._check()
        options._warn(name, stacklevel=stacklevel + 1)
        return options

    def _check(self) -> None:
        self._check_each()
        if self.recurrent_init not in RECURRENT_INITS:
            raise unknown("recurrent_init", self.recurrent_init, RECURRENT_INITS)
        sizes, _ = self.hidden_sizes, self.zoneouts
        if self.proj_size < 0:
            raise OptionError(
                "proj_size should be a positive integer or zero to disable projections, got "
                f"{self.proj_size}."
            )
        if self.proj_size >= min(sizes):
            raise OptionError(
                f"proj_size has to be smaller than hidden_size = {min(sizes)}, got "
                f"{self.proj_size}."
            )
        self._check_weights()
        self._check_biases()
        if self.residual:
            self._check_residual()

    def _check_each(self) -> None:
        """Check flags, sizes and probabilities one by one; keep each as Python's own type."""
        own = self.__dict__  # written before anyone has the options, which are frozen then
        own |= {name: _checked_flag(name, own[name]) for name in _FLAGS}
        own |= {name: _checked_size(name, own[name]) for name in ("input_size", "num_layers")}
        size: object = self.hidden_size
        if isinstance(size, Sequence) and not isinstance(size, str):
            sizes = enumerate(size)
            own["hidden_size"] = [_checked_size(f"hidden_size[{i}]", each) for i, each in sizes]
        else:
            own["hidden_size"] = _checked_size("hidden_size", size)
        own["proj_size"] = _checked_whole("proj_size", self.proj_size)
        own["dropout"] = _checked_dropout(self.dropout)
        for name in ("locked_dropout", "recurrent_dropout"):
            own[name] = checked_probability(name, own[name])
        if isinstance(self.zoneout, tuple):
            shares = enumerate(self.zoneout)
            own["zoneout"] = tuple([checked_probability(f"zoneout[{i}]", p) for i, p in shares])
        else:
            own["zoneout"] = checked_probability("zoneout", self.zoneout)

    def _warn(self, *names: str, stacklevel: int) -> None:
        """Warn of dropout between layers where there is one layer."""
        for name in {"dropout", "locked_dropout"}.intersection(names):
            if getattr(self, name) > 0 and len(self.hidden_sizes) == 1:
                warnings.warn(
                    f"{name}={getattr(self, name)} acts between layers, and there is only one "
                    "layer; for dropout inside the recurrence use recurrent_dropout.",
                    stacklevel=stacklevel,
                )

    @cached_property
    def hidden_sizes(self) -> list[int]:
        """H of every layer."""
        if not isinstance(self.hidden_size, Sequence):
            return [self.hidden_size] * self.num_layers
        sizes = list(self.hidden_size)
        if not sizes or self.num_layers not in (1, len(sizes)):
            raise OptionError(
                f"hidden_size gives {len(sizes)} layers and num_layers {self.num_layers}. "
                "Give one size per layer and leave num_layers out."
            )
        return sizes

    @property
    def num_directions(self) -> int:
        """D: 2 where bidirectional, else 1."""
        return 2 if self.bidirectional else 1

    @cached_property
    def output_sizes(self) -> list[int]:
        """P of every layer: the size of h in one direction."""
        return [self.proj_size or size for size in self.hidden_sizes]

    @cached_property
    def layer_inputs(self) -> list[int]:
        """I of every layer: the outputs of the one below, both directions side by side."""
        return [self.input_size, *[self.num_directions * size for size in self.output_sizes[:-1]]]

    @cached_property
    def zoneouts(self) -> tuple[float, ...]:
        """One probability of zoneout for each part of the state."""
        parts = self.cell.state._fields
        if not isinstance(self.zoneout, tuple):
            return (self.zoneout,) * len(parts)
        if len(self.zoneout) != len(parts):
            raise OptionError(
                f"zoneout of the {self.cell.name} cell takes one number, or one each for "
                f"{' and '.join(parts)}; got {self.zoneout!r}."
            )
        return self.zoneout

    def said(self) -> list[str]:
        """Show the sizes, the options of the cell, and the other options that are not defaults."""
        sizes = self.hidden_sizes
        words = [str(self.input_size), str(sizes[0] if len(set(sizes)) == 1 else sizes)]
        words += [f"{name}={value!r}" for name, value in self.cell.options.items()]
        values = {field.name: getattr(self, field.name) for field in fields(self)[3:]}
        values["num_layers"] = len(sizes)
        defaults = {field.name: field.default for field in fields(self)[3:]}
        return words + [f"{n}={value!r}" for n, value in values.items() if value != defaults[n]]

    def _check_weights(self) -> None:
        """Refuse options that need weights which the equation of the cell does not read."""
        for name, needed in _NEEDED.items():
            if getattr(self, name) and needed.weight not in self.cell.weights._fields:
                raise OptionError(
                    f"the {self.cell.name} cell has no {needed.addition}: {name} must be "
                    f"{type(getattr(self, name))()!r}, got {getattr(self, name)!r}."
                )
        if self.recurrent_init != "uniform" and not self.cell.reads_hidden:
            raise OptionError(
                f"the {self.cell.name} cell has no recurrent matrix: recurrent_init must be "
                f"'uniform', got {self.recurrent_init!r}."
            )
        if any(self.zoneouts) and not self.cell.has_zoneout:
            raise OptionError(
                f"the {self.cell.name} cell has no zoneout: the parts of its state belong "
                f"together. zoneout must be 0.0, got {self.zoneout!r}."
            )

    def _check_biases(self) -> None:
        if self.forget_bias is None and self.chrono is None:
            return
        if not {"f", "z", "i"} & set(self.cell.gates):
            raise OptionError(
                "forget_bias and chrono set the bias of a gate f, z or i, and the "
                f"{self.cell.name} cell has none of them."
            )
        if not self.bias:
            raise OptionError("forget_bias and chrono set biases, and bias=False leaves none.")
        if self.forget_bias is not None and self.chrono is not None:
            raise OptionError("forget_bias and chrono both set the forget gate; choose one.")
        if self.forget_bias is not None and not _is_finite(self.forget_bias):
            raise OptionError(f"forget_bias must be a number, got {self.forget_bias!r}.")
        if self.chrono is not None and (_whole(self.chrono) is None or self.chrono < 3):
            raise OptionError(
                "chrono must be the longest dependency in steps, a whole number of at least 3, "
                f"got {self.chrono!r}."
            )

    def _check_residual(self) -> None:
        if len(self.hidden_sizes) == 1:
            raise OptionError(
                "residual=True adds what a layer reads to what it writes from the second layer "
                "on; there is one layer."
            )
        written = [self.num_directions * size for size in self.output_sizes]
        for layer, (reads, writes) in enumerate(zip(self.layer_inputs, written, strict=True)):
            if layer > 0 and reads != writes:
                raise OptionError(
                    f"residual=True needs layers of one size; layer {layer} reads {reads} values "
                    f"and writes {writes}."
                )


def _checked_flag(name: str, value: object) -> bool:
    """Return a flag; refuse what is neither a bool nor 0 or 1: a text is true whatever it says."""
    if not isinstance(value, int | np.bool_) or value not in (0, 1):
        raise _wrong_flag(name, value)
    return bool(value)


def _wrong_flag(name: str, value: object) -> OptionTypeError:
    return OptionTypeError(
        f"{name} should be of type bool, got: {type(value).__name__} {value!r}; it must be True or "
        "False."
    )


def _checked_whole(name: str, value: object) -> int:
    """Return a whole number; refuse any other value in torch.nn's words."""
    number = _whole(value)
    if number is None:
        kind = type(value).__name__
        raise OptionTypeError(f"{name} should be of type int, got: {kind} {value!r}.")
    return number


def _checked_size(name: str, value: object) -> int:
    """Return a size of a layer; refuse any other value in torch.nn's words."""
    size = _checked_whole(name, value)
    if size < 1:
        raise OptionError(f"{name} must be greater than zero, got {size}.")
    return size


def _checked_dropout(value: object) -> float:
    """Return dropout between layers, up to 1 as in torch.nn; refuse any other in its words."""
    share = _number(value)
    if share is None or not 0 <= share <= 1:
        raise (OptionTypeError if share is None else OptionError)(
            "dropout should be a number in range [0, 1] representing the probability of an element "
            f"being zeroed, got {value!r}."
        )
    return share


def _whole(value: object) -> int | None:
    """Return a whole number as Python's int; None for a bool and for what is none."""
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        return None
    try:
        return operator.index(value)
    except TypeError:  # an array of several numbers, or of others
        return None


def _number(value: object) -> float | None:
    """Return a number, NumPy's too, as Python's float; None for a bool and for what is none."""
    return None if isinstance(value, bool) or not isinstance(value, Real) else float(value)


def _is_finite(value: object) -> bool:
    number = _number(value)
    return number is not None and math.isfinite(number)


def checked_size(name: str, value: object) -> int:
    """Return a size that is a whole number of at least one.

    Raises:
        OptionError: it is not; OptionTypeError where it is no whole number at all.
    """
    size = _whole(value)
    if size is None or size < 1:
        raise (OptionTypeError if size is None else OptionError)(
            f"{name} must be a whole number of at least 1, got {value!r}."
        )
    return size


def checked_probability(name: str, value: object) -> float:
    """Return a probability in [0, 1).

    Raises:
        OptionError: it lies outside; OptionTypeError where it is no number.
    """
    share = _number(value)
    if share is None or not 0 <= share < 1:
        raise (OptionTypeError if share is None else OptionError)(
            f"{name} must lie in [0, 1), got {value!r}."
        )
    return share
