"""From a specification to a network, and from a parameter budget to its hidden size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from elman.cells import CELLS
from elman.errors import OptionError, unknown
from elman.experiment.decoder import DecoderSpec
from elman.experiment.network import NetworkOptions, NetworkSpec
from elman.experiment.words import checked_options
from elman.features.feature import Encoding, Encodings
from elman.layers import MLP, parameter_count
from elman.networks.build_columns import (
    RowInputs,
    check_meaning_of_columns,
    joined_to_one,
    locked_dropout,
    recurrent_reading,
    row_inputs,
)
from elman.networks.build_forecaster import build_forecaster
from elman.networks.build_writer import build_writer
from elman.networks.components import (
    begin_at,
    hidden_sizes,
    make_dense,
    make_heads,
    make_layer,
    make_recurrent,
    make_stem,
    tied_size,
)
from elman.networks.context import ConditionedInputs, Context
from elman.networks.encoder_decoder import EncoderDecoder
from elman.networks.ensemble import Ensemble
from elman.networks.forecaster import Forecaster
from elman.networks.highway import AutoregressiveHighway
from elman.networks.inputs import Inputs
from elman.networks.joined import JoinedToOne
from elman.networks.many_to_many import ManyToMany
from elman.networks.many_to_one import ManyToOne
from elman.networks.objectives.forecast import ForecastObjective
from elman.networks.objectives.objective import Objective
from elman.networks.one_to_many import OneToMany
from elman.networks.one_to_one import OneToOne
from elman.networks.options import check_meaning, check_meaning_of_decoder, known_category
from elman.networks.pooling import pooling
from elman.networks.segments import SegmentForecaster

_LARGEST_HIDDEN_SIZE = 1 << 16

_ToOne = OneToOne | ManyToOne | JoinedToOne | Ensemble
Network = _ToOne | ManyToMany | EncoderDecoder | OneToMany | Forecaster | SegmentForecaster


def build_network(
    category: str,
    encoding: Encoding | Encodings,
    objective: Objective,
    *,
    output_bias: Tensor | None = None,
    device: str | None = None,
    decoder: Mapping[str, Any] | None = None,
    forecast: Mapping[str, Any] | None = None,
    members: int = 1,
    **options: Any,
) -> Network:
    """Build a network of any category: inputs, a recurrent part, dense layers, an objective.

    Args:
        category: one of `elman.experiment.categories.CATEGORIES`.
        encoding: encoding of the input, or those of its parts.
        objective: what the outputs are trained for; it stays on its device.
        output_bias: initial bias of the last dense layer, (O,); None for a random one.
        device: device of all other parameters.
        decoder: options of a network that writes, see `DecoderSpec`.
        forecast: options of a network that forecasts, see `Forecaster`.
        members: how many such networks answer together, see `Ensemble`.
        options: options of every network, see `NetworkOptions`.

    Raises:
        OptionError: an unknown category, cell or option, a value out of range, an option that has
            no meaning in the category, or parts that do not fit together.
    """
    if members > 1:
        arguments: Any = {"output_bias": output_bias, "device": device, "decoder": decoder}
        each = (
            build_network(category, encoding, objective, forecast=forecast, **arguments, **options)
            for _ in range(members)
        )
        return Ensemble(list(each))
    checked = checked_options(NetworkOptions, options, "network")
    writing = checked_options(DecoderSpec, decoder or {}, "decoder")
    form = known_category(category)
    for cell in (checked.cell, writing.cell or checked.cell):
        if cell not in CELLS:
            raise unknown("cell", cell, CELLS)
    if isinstance(objective, ForecastObjective):
        return build_forecaster(form, objective, checked, writing, forecast, device)
    check_meaning(form, checked)
    check_meaning_of_decoder(form, writing)
    check_meaning_of_columns(category, encoding, checked)
    if form.writes:
        return build_writer(form, encoding, objective, checked, writing, output_bias, device)
    if category == "many-to-one" and isinstance(encoding, Encodings):
        return joined_to_one(encoding, objective, checked, output_bias, device)
    tied = checked.tie_embeddings
    size = tied_size(checked) if tied else checked.embedding_size
    inputs = row_inputs(encoding, checked, device, embedding_size=size, category=category)
    if category == "one-to-one":
        sizes = [inputs.size, *hidden_sizes(checked), *checked.head, objective.output_size]
        dense = make_dense(sizes, checked.output_dropout, checked, device)
        begin_at(output_bias, dense)
        assert not isinstance(inputs, ConditionedInputs)
        return OneToOne(inputs, dense, objective)
    stem = make_stem(encoding, checked, device)
    recurrent = (
        recurrent_reading(inputs, checked, device)
        if stem is None
        else make_recurrent(stem.size, checked, device)
    )
    table = _tied_table(inputs, encoding, objective) if tied else None
    head = make_heads(recurrent.output_size, objective.output_sizes, checked, device, table=table)
    begin_at(output_bias, head)
    locked = locked_dropout(checked)
    if category == "many-to-many":
        assert not isinstance(inputs, Context)
        return ManyToMany(
            recurrent,
            head,
            delay=checked.delay,
            inputs=inputs,
            objective=objective,
            output_dropout=locked,
        )
    assert isinstance(encoding, Encoding)
    assert isinstance(inputs, Inputs)
    pooled = pooling(checked.pooling, recurrent, device=device)
    highway = _highway(encoding, objective, checked, device)
    return ManyToOne(
        inputs,
        recurrent,
        pooled,
        head,
        objective,
        output_dropout=locked,
        stem=stem,
        highway=highway,
    )


def _tied_table(
    inputs: RowInputs, encoding: Encoding | Encodings, objective: Objective
) -> nn.Embedding:
    """Return the embedding that the output layer shares."""
    if len(objective.output_sizes) > 1:
        raise OptionError(
            "tie_embeddings makes the embedding of the input the output layer of one target, and "
            f"there are {len(objective.output_sizes)}; leave it out."
        )
    if (
        not isinstance(inputs, Inputs)
        or not inputs.is_lone_id
        or inputs.encoding.ids[0] != objective.output_size
    ):
        raise OptionError(
            "tie_embeddings uses the embedding of the input as output layer, so input and target "
            f"must be ids of one vocabulary; the input holds {encoding}, and the target "
            f"needs {objective.output_size} outputs."
        )
    return inputs.tables[0]


def _highway(
    encoding: Encoding, objective: Objective, options: NetworkOptions, device: str | None
) -> AutoregressiveHighway | None:
    if not options.highway:
        return None
    if not encoding.numbers:
        raise OptionError(
            f"highway={options.highway} forecasts numbers from numbers, and the input has none; "
            "leave it out."
        )
    return AutoregressiveHighway(
        options.highway, encoding.numbers, objective.output_size, device=device
    )


def many_to_many(
    *,
    cell: str,
    input_size: int,
    output_size: int,
    hidden_size: int | Sequence[int],
    num_layers: int = 1,
    bidirectional: bool = False,
    delay: int = 0,
    dropout: float = 0.0,
    output_dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    zoneout: float = 0.0,
    layer_norm: bool = False,
    cell_options: Mapping[str, Any] | None = None,
    output_bias: Tensor | None = None,
    backend: str = "auto",
    device: str | None = None,
) -> ManyToMany:
    """Build a many-to-many network: recurrent layers of one cell, and a dense layer on top.

    Args:
        cell: the name of one of `elman.cells.CELLS`.
        input_size: I.
        output_size: O.
        hidden_size: H, or one H per layer.
        num_layers: L; leave it out where hidden_size is a list.
        bidirectional: whether a second set of layers reads backward.
        delay: d, how many steps the output is delayed.
        dropout: dropout between the recurrent layers.
        output_dropout: dropout of h before the dense layer.
        recurrent_dropout: dropout of h(t−1) inside the recurrence, one mask per sequence.
        zoneout: probability that a unit keeps its old state.
        layer_norm: whether the recurrence is layer-normed.
        cell_options: further options of the cell's layer: reset_after, peephole, nonlinearity,
            proj_size, chrono, recurrent_init, learn_initial_state and others.
        output_bias: initial bias of the dense layer, (O,); None for a random one.
        backend: auto, or a backend's name.
        device: device of the parameters.

    Raises:
        OptionError: an unknown cell or option, or a value out of range.
    """
    recurrent = make_layer(
        cell,
        cell_options or {},
        input_size=input_size,
        hidden_size=hidden_size,
        num_layers=num_layers,
        dropout=dropout,
        bidirectional=bidirectional,
        recurrent_dropout=recurrent_dropout,
        zoneout=zoneout,
        layer_norm=layer_norm,
        backend=backend,
        device=device,
    )
    head = MLP([recurrent.output_size, output_size], dropout=output_dropout, device=device)
    begin_at(output_bias, head)
    return ManyToMany(recurrent, head, delay=delay)


def hidden_size_for(
    parameters: int, build: Callable[..., nn.Module] = many_to_many, **specification: Any
) -> int:
    """Solve for the hidden size whose network comes nearest to a number of parameters.

    Args:
        parameters: the budget: all parameters of the network, those of its objective included.
        build: `many_to_many` or `build_network`.
        specification: the builder's arguments, by name, except hidden_size and device.

    Returns:
        H, the same in every layer.

    Raises:
        OptionError: even the smallest H, 1 or one above the projection, needs more than twice the
            budget, or H would exceed 65536.
    """
    smallest: int = 1 + (specification.get("cell_options") or {}).get("proj_size", 0)

    def count(hidden_size: int) -> int:
        return parameter_count(
            build(**{**specification, "device": "meta"}, hidden_size=hidden_size)
        )

    if count(smallest) > 2 * parameters:
        raise OptionError(
            f"parameters={parameters} is too small a budget: a network with "
            f"hidden_size={smallest} has {count(smallest)} parameters."
        )
    below, above = smallest, 2 * smallest
    while count(above) <= parameters:
        below, above = above, 2 * above
        if above > _LARGEST_HIDDEN_SIZE:
            raise OptionError(
                f"parameters={parameters} needs a hidden_size above {_LARGEST_HIDDEN_SIZE}."
            )
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (middle, above) if count(middle) <= parameters else (below, middle)
    return min((below, above), key=lambda size: abs(count(size) - parameters))


def specified_network(
    spec: NetworkSpec,
    encoding: Encoding | Encodings,
    objective: Objective,
    *,
    output_bias: Tensor | None = None,
    decoder: Mapping[str, Any] | None = None,
    forecast: Mapping[str, Any] | None = None,
    members: int = 1,
    device: str | None = None,
) -> Network:
    """Build the network of a specification; its category and size must be known.

    Args:
        spec: the specification.
        encoding: encoding of the input.
        objective: what the outputs are trained for; it becomes part of the network.
        output_bias: initial bias of the last dense layer, (O,); None for a random one.
        decoder: options of a network that writes.
        forecast: options of a network that forecasts.
        members: how many such networks answer together.
        device: device of the parameters; `meta` for their shapes alone.

    Raises:
        OptionError: an unknown cell or option, a value out of range, or an option without
            meaning in this category.
    """
    return build_network(
        spec.category or "many-to-many",
        encoding,
        objective,
        output_bias=output_bias,
        decoder=decoder,
        forecast=forecast,
        members=members,
        device=device,
        **spec.arguments(),
    )


def solved(
    spec: NetworkSpec,
    encoding: Encoding | Encodings,
    objective: Objective,
    *,
    decoder: Mapping[str, Any] | None = None,
    forecast: Mapping[str, Any] | None = None,
    members: int = 1,
) -> NetworkSpec:
    """Return a specification with a hidden size in place of a budget of parameters.

    Arguments are those of `specified_network`.

    Raises:
        OptionError: no network is as small or as large as the budget.
    """
    if spec.parameters is None:
        return spec
    hidden_size = hidden_size_for(
        spec.parameters,
        build_network,
        category=spec.category or "many-to-many",
        encoding=encoding,
        objective=objective,
        decoder=decoder,
        forecast=forecast,
        members=members,
        **spec.arguments(),
    )
    return spec.model_copy(update={"hidden_size": hidden_size, "parameters": None})
