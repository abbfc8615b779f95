"""Which category a task is.

The category follows from whether input and target have steps, and whether the steps are aligned:

| input has steps | target has steps | aligned | category        |
| --------------- | ---------------- | ------- | --------------- |
| no              | no               | –       | one-to-one      |
| yes             | no               | –       | many-to-one     |
| yes             | yes              | yes     | many-to-many    |
| yes             | yes              | no      | encoder-decoder |
| no              | yes              | –       | one-to-many     |

Predicting the next element of the input is many-to-many.
"""

from __future__ import annotations

from elman.errors import DataError, OptionError, unknown
from elman.experiment.categories import CATEGORIES
from elman.features.feature import Feature


def infer_category(
    input_has_steps: bool,
    target_has_steps: bool,
    aligned: bool | None = None,
    *,
    next_step: bool = False,
) -> str:
    """Say which category a task is, by the table above.

    Args:
        input_has_steps: whether an input is a sequence.
        target_has_steps: whether a target is one.
        aligned: whether there is a target for each step of the input; None where not both have
            steps.
        next_step: whether the target is the input's own next element.

    Raises:
        OptionError: both have steps, and `aligned` is not given.
        DataError: the input has no steps, so that there is no next element to predict.

    >>> infer_category(True, False), infer_category(True, True, aligned=False)
    ('many-to-one', 'encoder-decoder')
    """
    if next_step:
        if not input_has_steps:
            raise DataError(
                "only a sequence has a next element to predict, and the input has no "
                "steps; name a target, or an input of text, symbols or series."
            )
        return "many-to-many"
    if not input_has_steps:
        return "one-to-many" if target_has_steps else "one-to-one"
    if not target_has_steps:
        return "many-to-one"
    if aligned is None:
        raise OptionError("aligned must be given where input and target both have steps.")
    return "many-to-many" if aligned else "encoder-decoder"


def settle_category(
    requested: str | None, inferred: str, input_feature: Feature, target_feature: Feature
) -> str:
    """Return the requested category if the data allows it; the inferred one by default.

    Raises:
        OptionError: there is no such category.
        DataError: the data contradicts it.
    """
    if requested is None or requested == inferred:
        return inferred
    if requested not in CATEGORIES:
        raise unknown("category", requested, CATEGORIES)
    if requested == "encoder-decoder" and inferred == "many-to-many":
        return requested
    steps = {True: "steps", False: "no steps"}
    aligned = ", and one for each of the input's" if inferred == "many-to-many" else ""
    unaligned = ", but not one for each of the input's" if inferred == "encoder-decoder" else ""
    raise DataError(
        f"category={requested!r} was asked for, but the input ({input_feature.description}) has "
        f"{steps[input_feature.has_steps]} and the target ({target_feature.description}) has "
        f"{steps[target_feature.has_steps]}{aligned}{unaligned}, which is {inferred}. Leave "
        f"category out, or name other columns or kinds."
    )


def explain(input_feature: Feature, target_feature: Feature | None, category: str) -> str:
    """Describe a task in a line; both features must be fitted.

    Args:
        input_feature: the input's.
        target_feature: the target's; None where the input's own next element is predicted.
        category: as `infer_category` says it.

    Returns:
        For example `input: words; target: one of 2 classes → many-to-one`.
    """
    target = "the next one" if target_feature is None else target_feature.description
    return f"input: {input_feature.description}; target: {target} → {category}"
