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
    asked: NetworkOptions,
    writing: DecoderSpec,
    forecast: Mapping[str, Any] | None,
    device: str | None,
) -> Forecaster:
    """Build a network that forecasts.

    Args:
        category: encoder-decoder.
        objective: of the values of a horizon.
        asked: of the recurrent layers, which read the past and go on over the horizon.
        writing: nothing, for a forecaster writes no symbols.
        forecast: the other arguments of `Forecaster`, by name; `layout` and `horizon` are needed.
        device: of the parameters.

    Raises:
        OptionError: an option has no meaning in a forecaster, or the parts do not fit together.
    """
    if category.name != "encoder-decoder":
        raise OptionError(f"a forecast is made by an encoder-decoder network, not {category.name}.")
    if forecast is None:
        raise OptionError("a forecaster needs forecast=, with the layout of its columns.")
    check_meaning(category, asked.model_copy(update={"highway": 0}))
    if writing != DecoderSpec():
        raise OptionError(
            "options of a decoder are for symbols that are written; a forecast has those of the "
            "section forecast alone."
        )
    for name in ("bidirectional", "tie_embeddings"):
        if getattr(asked, name):
            raise OptionError(
                f"{name}=True has no meaning in a forecaster, which goes on where the past ends; "
                "leave it out."
            )
    if asked.dropout_kind == "locked" and asked.output_dropout:
        raise OptionError(
            "output_dropout of kind 'locked' is not for forecasters; take dropout_kind='ordinary'."
        )
    layout = forecast["layout"]
    ids = (layout.items,) if layout.items else ()
    encoding = Encoding(numbers=read_columns(layout), ids=ids)
    inputs = make_inputs(encoding, asked, device, embedding_size=asked.embedding_size)
    recurrent = make_recurrent(inputs.size, asked, device)
    head = make_head(recurrent.output_size, objective.head_size, asked, device)
    return Forecaster(
        inputs, recurrent, head, objective, highway=asked.highway, device=device, **forecast
    )
