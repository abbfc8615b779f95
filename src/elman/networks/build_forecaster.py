"""From options to a network that forecasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from elman.errors import OptionError
from elman.experiment.categories import Category
from elman.experiment.decoder import DecoderSpec
from elman.experiment.network import NetworkOptions
from elman.features.feature import Encoding
from elman.networks.components import make_dense, make_head, make_inputs, make_recurrent
from elman.networks.forecaster import Forecaster, read_columns
from elman.networks.objectives.forecast import ForecastObjective
from elman.networks.options import check_meaning
from elman.networks.segment_reader import SegmentReader, own_numbers, read_size
from elman.networks.segments import SegmentForecaster, naive_count


def build_forecaster(
    category: Category,
    objective: ForecastObjective,
    options: NetworkOptions,
    writing: DecoderSpec,
    forecast: Mapping[str, Any] | None,
    device: str | None,
) -> Forecaster | SegmentForecaster:
    """Build a network that forecasts.

    Args:
        category: encoder-decoder.
        objective: the objective of the values of a horizon.
        options: options of the recurrent layers, which read the past and then the horizon.
        writing: options of a decoder; all must be defaults, for a forecaster writes no symbols.
        forecast: the other arguments of `Forecaster`, by name, `layout` and `horizon` at least;
            with `segment`, those of `SegmentForecaster`.
        device: device of the parameters.

    Raises:
        OptionError: an option has no meaning in a forecaster, or the parts do not fit together.
    """
    if category.name != "encoder-decoder":
        raise OptionError(f"a forecast is made by an encoder-decoder network, not {category.name}.")
    if forecast is None:
        raise OptionError("a forecaster needs forecast=, with the layout of its columns.")
    check_meaning(category, options.model_copy(update={"highway": 0}))
    if writing != DecoderSpec():
        raise OptionError(
            "the options of a decoder are for networks that write symbols; a forecaster takes only "
            "those of the section forecast."
        )
    for name in ("bidirectional", "tie_embeddings"):
        if getattr(options, name):
            raise OptionError(
                f"{name}=True has no meaning in a forecaster, which continues from the end of the "
                "past; leave it out."
            )
    if options.dropout_kind == "locked" and options.output_dropout:
        raise OptionError(
            "output_dropout of kind 'locked' has no meaning in a forecaster; use "
            "dropout_kind='ordinary'."
        )
    layout = forecast["layout"]
    if "segment" in forecast:
        return _of_segments(objective, options, dict(forecast), device)
    encoding = Encoding(numbers=read_columns(layout), ids=layout.ids)
    inputs = make_inputs(encoding, options, device, embedding_size=options.embedding_size)
    recurrent = make_recurrent(inputs.size, options, device)
    head = make_head(recurrent.output_size, objective.head_size, options, device)
    return Forecaster(
        inputs, recurrent, head, objective, highway=options.highway, device=device, **forecast
    )


def _of_segments(
    objective: ForecastObjective,
    options: NetworkOptions,
    forecast: dict[str, Any],
    device: str | None,
) -> SegmentForecaster:
    """Build a network that reads segments."""
    if options.highway:
        raise OptionError(
            "a forecaster that reads segments has a linear map of the whole window; leave highway "
            "out, or use forecast.segment = 0."
        )
    layout, segment = forecast.pop("layout"), forecast.pop("segment")
    paths = naive_count(forecast["window"], forecast["seasons"])

    def member() -> SegmentReader:
        encoding = Encoding(numbers=own_numbers(layout), ids=layout.ids)
        inputs = make_inputs(encoding, options, device, embedding_size=options.embedding_size)
        recurrent = make_recurrent(read_size(inputs, layout, segment, paths), options, device)
        trunk: nn.Module = nn.Identity()
        if options.head:
            sizes = [recurrent.output_size, *options.head]
            trunk = nn.Sequential(make_dense(sizes, 0.0, options, device), nn.Tanh())
        return SegmentReader(
            inputs,
            recurrent,
            trunk,
            layout,
            horizon=forecast["horizon"],
            window=forecast["window"],
            segment=segment,
            paths=paths,
            outputs=objective.distribution.size,
            location=objective.distribution.location or 0,
            dropout=options.output_dropout,
            device=device,
        )

    return SegmentForecaster(member, objective, layout, device=device, **forecast)
