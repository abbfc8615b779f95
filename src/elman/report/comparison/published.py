"""Published numbers, each with its source, to compare with our own.

All are test losses of next-step prediction on piano rolls: nats, summed over the 88 keys, mean
over frames. The papers do not say whether the first frame of a piece counts; ours does, predicted
from an all-zero frame.
"""

from __future__ import annotations

import math
from typing import NamedTuple


class PublishedResult(NamedTuple):
    """A published test loss and its source."""

    test_nll: float
    source: str


class PublishedTable(NamedTuple):
    """One table of one paper for one data set."""

    dataset: str
    parameters: int
    source: str
    test_nll: dict[str, float]


_CHUNG = "Chung et al. 2014, arXiv:1412.3555, Table 2"
_BAI = "Bai et al. 2018, arXiv:1803.01271, Table 1"

PUBLISHED = (
    PublishedTable("chorales", 20_000, _CHUNG, {"simple": 9.10, "gru": 8.54, "lstm": 8.67}),
    PublishedTable("nottingham", 20_000, _CHUNG, {"simple": 3.13, "gru": 3.23, "lstm": 3.20}),
    PublishedTable("musedata", 20_000, _CHUNG, {"simple": 6.23, "gru": 5.99, "lstm": 6.23}),
    PublishedTable("piano-midi", 20_000, _CHUNG, {"simple": 9.03, "gru": 8.82, "lstm": 9.03}),
    PublishedTable("chorales", 300_000, _BAI, {"simple": 8.91, "gru": 8.43, "lstm": 8.45}),
)

RECALLED_SOURCE = (
    "Boulanger-Lewandowski, Bengio and Vincent 2012, arXiv:1206.6392, Table 1, as recalled"
)
RECALLED = {
    "piano-midi": (8.37, 7.66),
    "nottingham": (4.46, 3.89),
    "musedata": (8.13, 7.19),
    "chorales": (8.71, 8.58),
}
"""Data set → test losses of `RNN` and of `RNN (HF)`, which Hessian-free optimisation trained.

They are quoted from memory, and of simple cells of sizes that are not stated here.
"""


def recalled_in_words(dataset: str) -> str:
    """Name the losses of those who published the corpora; `""` of any other data set.

    >>> recalled_in_words("chorales").partition(": ")[2]
    'RNN 8.71, RNN (HF) 8.58.'
    """
    if dataset not in RECALLED:
        return ""
    plain, hessian_free = RECALLED[dataset]
    return f"{RECALLED_SOURCE}: RNN {plain:.2f}, RNN (HF) {hessian_free:.2f}."


def published_result(dataset: str, cell: str, parameters: int) -> PublishedResult | None:
    """Return the published test loss of networks nearest in size to ours.

    Args:
        dataset: name of the data set.
        cell: name of the cell.
        parameters: parameters of our network; the nearest table is the nearest in ratio.

    Returns:
        The number and its source; None where no paper that we know has this data set and cell.
    """
    tables = [t for t in PUBLISHED if t.dataset == dataset and cell in t.test_nll]
    if not tables:
        return None
    nearest = min(tables, key=lambda table: abs(math.log(parameters / table.parameters)))
    return PublishedResult(nearest.test_nll[cell], nearest.source)
