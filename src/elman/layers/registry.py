"""The layer that runs a cell, looked up by the cell's name."""

from __future__ import annotations

import importlib
from dataclasses import fields
from inspect import Parameter, signature

from elman.cells import CELLS
from elman.errors import PluginError, unknown
from elman.layers.options import RecurrentOptions
from elman.layers.recurrent import RecurrentLayer


def layer_class(cell_name: str) -> type[RecurrentLayer]:
    """Return the class that runs a cell; its constructor has the options as arguments.

    Raises:
        OptionError: there is no such cell; the near miss is offered.
        PluginError: the cell comes from another package, and what it names as its layer is not one.

    >>> layer_class("gru").__name__
    'GRU'
    """
    if cell_name not in CELLS:
        raise unknown("cell", cell_name, CELLS)
    place = CELLS[cell_name].layer
    module, _, name = place.partition(":")
    try:
        layer = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise PluginError(f"the layer of the {cell_name} cell, {place!r}: {error}.") from error
    if not (isinstance(layer, type) and issubclass(layer, RecurrentLayer)):
        raise PluginError(
            f"the layer of the {cell_name} cell, {place!r}, must be a subclass of "
            "elman.layers.RecurrentLayer."
        )
    return layer


def layer_options(layer: type[RecurrentLayer]) -> list[str]:
    """List the arguments of a layer's constructor by name.

    A constructor that ends in `**options` passes them to `RecurrentOptions`; they are its fields.
    """
    names: list[str] = []
    for parameter in [*signature(layer.__init__).parameters.values()][1:]:
        if parameter.kind is Parameter.VAR_KEYWORD:
            names += [each.name for each in fields(RecurrentOptions) if each.name != "cell"]
        else:
            names.append(parameter.name)
    return list(dict.fromkeys(names))
