"""A network described in a line."""

from __future__ import annotations

from functools import singledispatch
from math import prod
from typing import Any

from torch import nn

from elman.errors import counted
from elman.experiment import NetworkSpec
from elman.networks import EncoderDecoder, ManyToMany, ManyToOne, OneToMany, OneToOne
from elman.networks.context import Context
from elman.networks.ensemble import Ensemble, members_of
from elman.networks.forecaster import Forecaster
from elman.networks.joined import JoinedToOne
from elman.networks.segments import SegmentForecaster
from elman.report.style import label

_READ = {
    "first": "at the first step only",
    "state": "as the initial state",
    "each": "at each step",
}
"""Conditioning of a one-to-many network → when its input is read."""


def network_in_words(network: nn.Module, spec: NetworkSpec) -> str:
    """Describe a network in a line."""
    return _words(network, spec)


def cell_of(network: nn.Module, spec: NetworkSpec) -> str:
    """Name the cell of a network; empty where it has none."""
    return "" if isinstance(members_of(network)[0], OneToOne) else spec.cell


@singledispatch
def _words(network: Any, spec: NetworkSpec) -> str:
    del spec
    raise TypeError(f"a network is expected, got {type(network).__name__}.")


@_words.register
def _(network: OneToOne, spec: NetworkSpec) -> str:
    dense = f"dense layers of {', '.join(map(str, spec.head)) or 'no'} units"
    return f"{_convolutional(network)}, {dense}" if _convolutional(network) else dense


@_words.register
def _(network: ManyToOne, spec: NetworkSpec) -> str:
    read = f"{_layers(network.recurrent)}, {spec.pooling} pooling"
    if network.stem is None:
        return read
    each = ", ".join(str(layer.channels) for layer in network.stem.layers)
    stride = prod(layer.stride for layer in network.stem.layers)
    fewer = f", a step for every {stride}" if stride > 1 else ""
    return f"convolutions of {each} channels{fewer}; {read}"


@_words.register
def _(network: Ensemble, spec: NetworkSpec) -> str:
    members = members_of(network)
    return f"{len(members)} networks that answer together, each: {_words(members[0], spec)}"


@_words.register
def _(network: JoinedToOne, spec: NetworkSpec) -> str:
    read = [_layers(encoder.recurrent) for encoder in network.encoders]
    sequences = len(network.reads)
    if len(read) < sequences:
        read = [f"{read[0]} for each of {sequences} sequences"] if len(read) == 1 else read
    beside = (
        f", beside {network.context.size} units for the other columns" if network.context else ""
    )
    return f"{'; '.join(read)}, {spec.pooling} pooling{beside}"


@_words.register
def _(network: ManyToMany, spec: NetworkSpec) -> str:
    return _layers(network.recurrent) + (f", delay {spec.delay}" if spec.delay else "")


@_words.register
def _(network: OneToMany, spec: NetworkSpec) -> str:
    del spec
    pictured = f"{_convolutional(network)}, then " if _convolutional(network) else ""
    read = _READ[network.conditioning]
    return f"{pictured}{_layers(network.decoder.recurrent)}, its input read {read}"


@_words.register
def _(network: EncoderDecoder, spec: NetworkSpec) -> str:
    del spec
    return f"encoder: {_layers(network.encoder)}; decoder: {_decoder(network)}"


@_words.register
def _(network: Forecaster, spec: NetworkSpec) -> str:
    del spec
    return f"{_layers(network.recurrent)}, over the past and the horizon"


@_words.register
def _(network: SegmentForecaster, spec: NetworkSpec) -> str:
    del spec
    members = len(network.members)
    several = "" if members == 1 else f"mean of {members} networks: "
    segment = network.readers[0].segment
    read = f"{counted(network.window // segment, 'segment')} of {counted(segment, 'step')}"
    return f"{several}{_layers(network.recurrent)}, over {read}, beside naive forecasts"


def _convolutional(network: Any) -> str:
    """Name the layers that read a picture; empty where none is read."""
    inputs = network.inputs
    each: list[Any] = list(inputs.inputs) if isinstance(inputs, Context) else [inputs]
    pictures = [one for one in each if one.encoding.picture is not None]
    return "convolutional layers" if pictures else ""


def _layers(recurrent: Any) -> str:
    """Describe a stack of recurrent layers."""
    options = recurrent.options
    direction = "bidirectional " if options.bidirectional else ""
    sizes = options.hidden_sizes
    units = "/".join(map(str, sizes if len(set(sizes)) > 1 else sizes[:1]))
    return f"{len(sizes)} × {direction}{label(options.cell.name)} of {units} units"


def _decoder(network: Any) -> str:
    """Describe the decoder of an encoder–decoder, and what it reads of the encoder."""
    decoder = network.decoder
    attention = decoder.attention
    parts = [_layers(decoder.recurrent)]
    parts.append("no attention" if attention is None else f"{attention.kind} attention")
    if decoder.input_feeding:
        parts.append("input feeding")
    if decoder.feedback.table is None:
        parts.append("no feedback")
    return ", ".join(parts)
