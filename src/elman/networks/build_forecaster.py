"""From options to a network that forecasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from elman.errors import OptionError
from elman.experiment.categories import Category
from elman.experiment.decoder import DecoderSpec
from elman.experiment.network import NetworkOptions
from elman.features.feature import Encoding
from elman.networks.components import make_head, make_inputs, make_recurrent
from elman.networks.forecaster import Forecaster, read_columns
from elman.networks.objectives.forecast import ForecastObjective
from elman.networks.options import check_meaning


def build_forecaster(
    category: Category,
    objective: ForecastObjective,
    options: NetworkOptions,
    writing: DecoderSpec,
    forecast: Mapping[str, Any] | None,
    device: str | None,
) -> Forecaster:
    """Build a network that forecasts.

    Args:
        category: encoder-decoder.
        objective: the objective of the values of a horizon.
        options: options of the recurrent layers, which read the past and then the horizon.
        writing: options of a decoder; all must be defaults, for a forecaster writes no symbols.
        forecast: the other arguments of `Forecaster`, by name; `layout` and `horizon` are needed.
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
    encoding = Encoding(numbers=read_columns(layout), ids=layout.ids)
    inputs = make_inputs(encoding, options, device, embedding_size=options.embedding_size)
    recurrent = make_recurrent(inputs.size, options, device)
    head = make_head(recurrent.output_size, objective.head_size, options, device)
    return Forecaster(
        inputs, recurrent, head, objective, highway=options.highway, device=device, **forecast
    )
