"""Tables that statsmodels and scikit-learn ship, as people keep them: with names, not codes."""

from __future__ import annotations

import importlib
import random
from collections.abc import Sequence
from typing import Any

from mixtures.writing import divided

OCCUPATIONS = (
    "student",
    "farming or unskilled",
    "white-collar",
    "skilled",
    "managerial",
    "professional",
)
PARTIES = (
    "strong Democrat",
    "weak Democrat",
    "independent Democrat",
    "independent",
    "independent Republican",
    "weak Republican",
    "strong Republican",
)
INTERACTIONS = "_"
"""Stands in the names of those columns of star98 that are products of others."""

Columns = dict[str, list[Any]]


def fair() -> Columns:
    """Return answers of 6,366 women about their marriages (Fair 1978): was there an affair?"""
    columns = _of_statsmodels("fair")
    for name in ("occupation", "occupation_husb"):
        columns[name] = [OCCUPATIONS[int(code) - 1] for code in columns[name]]
    columns["affairs"] = ["yes" if hours > 0 else "no" for hours in columns["affairs"]]
    return columns


def anes96() -> Columns:
    """Return answers of 944 voters (American National Election Study 1996): Clinton or Dole?"""
    columns = _of_statsmodels("anes96")
    columns["PID"] = [PARTIES[int(code)] for code in columns["PID"]]
    columns["vote"] = ["Dole" if vote else "Clinton" for vote in columns["vote"]]
    del columns["logpopul"]  # popul again
    return columns


def star98() -> Columns:
    """Return 303 Californian school districts: the share above the median in mathematics."""
    columns = _of_statsmodels("star98")
    above, below = columns.pop("NABOVE"), columns.pop("NBELOW")
    columns = {name: cells for name, cells in columns.items() if INTERACTIONS not in name}
    shares = [one / (one + other) for one, other in zip(above, below, strict=True)]
    return {**columns, "share_above": [round(share, 4) for share in shares]}


def diabetes() -> Columns:
    """Return ten measurements of 442 patients, and the progress of their disease in a year."""
    columns = _of_sklearn("diabetes", "progress", scaled=False)
    columns["sex"] = [
        "abcdef"[int(code) - 1] for code in columns["sex"]
    ]  # which is which, none says
    return columns


def wine() -> Columns:
    """Return thirteen measurements of 178 wines of three growers."""
    return _of_sklearn("wine", "grower")


def breast_cancer() -> Columns:
    """Return thirty measurements of 569 tumours, malignant or benign."""
    return _of_sklearn("breast_cancer", "diagnosis")


def california() -> Columns:
    """Return eight measurements of 20,640 districts, where scikit-learn has downloaded them.

    Raises:
        OSError: they are not on this machine.
    """
    from sklearn.datasets import fetch_california_housing

    bunch = fetch_california_housing(download_if_missing=False)
    return _columns_of(bunch.data, bunch.feature_names) | {"value": bunch.target.tolist()}


def with_parts(columns: Columns, seed: int = 0) -> Columns:
    """Return the columns and one more, `split`, that says each row's part."""
    rows = len(next(iter(columns.values())))
    return {**columns, "split": divided(rows, random.Random(seed))}


def _of_statsmodels(name: str) -> Columns:
    data = importlib.import_module(f"statsmodels.datasets.{name}").load_pandas().data
    return {column: list(map(_shortest, data[column].tolist())) for column in data}


def _of_sklearn(name: str, target: str, **options: Any) -> Columns:
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")(**options)
    truths = list(map(_shortest, bunch.target.tolist()))
    if "target_names" in bunch:
        truths = [str(bunch.target_names[code]) for code in truths]
    return _columns_of(bunch.data, bunch.feature_names) | {target: truths}


def _columns_of(matrix: Any, names: Sequence[str]) -> Columns:
    columns = zip(names, matrix.T.tolist(), strict=True)
    return {str(name): list(map(_shortest, cells)) for name, cells in columns}


def _shortest(number: float) -> float | int:
    """Write a whole number without a decimal point, as files do."""
    return int(number) if float(number).is_integer() else number
