"""What every test starts from: one thread and a fixed seed, so that no test depends on another.

A run draws no page unless a test asks for `pages`. What the collection of eleven thousand tests
leaves is not searched for garbage: not while it grows, and not again in every test.

A test marked `sampled(n)` has many cases of one kind, such as all cells × backends × directions:
`make test` runs every n-th, `make test-slow` the others.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator

import pytest
import torch

from elman.report.facts.page import write_page

gc.disable()


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _fixed_seed() -> None:
    torch.manual_seed(20)


@pytest.fixture(autouse=True, scope="session")
def _no_pages() -> Iterator[None]:
    """Save the second that drawing a run's page takes; a test that reads one asks for `pages`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("elman.report.facts.write_page", lambda *_, **__: None)
        yield


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the pages of runs, as they are outside of tests."""
    monkeypatch.setattr("elman.report.facts.write_page", write_page)


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the cases of a sampled test as slow, but for every n-th."""
    cases = Counter[str]()
    for item in items:
        sampled = item.get_closest_marker("sampled")
        if sampled is None:
            continue
        name = item.nodeid.partition("[")[0]
        if cases[name] % sampled.args[0]:
            item.add_marker("slow")
        cases[name] += 1
