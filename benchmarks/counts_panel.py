"""Writes a made panel of hourly series: `python benchmarks/counts_panel.py counts.csv`.

120 series of 600 to 900 hours with the columns series, hour and value. A level that wanders on a
logarithmic scale is multiplied by a day, a week and an autoregression; every second series holds
counts, the others positive numbers.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SERIES, DAY = 120, 24


def one(random: np.random.Generator, number: int) -> NDArray[np.float64]:
    """Make one series."""
    steps = int(random.integers(600, 900))
    hours = np.arange(steps)
    day = np.exp(random.normal(scale=0.6, size=DAY))
    day = np.convolve(np.tile(day, 3), np.ones(5) / 5, "same")[DAY : 2 * DAY]
    week = np.exp(random.normal(scale=0.25, size=7))
    wander = np.cumsum(random.normal(scale=0.01, size=steps))
    level = np.exp(wander + random.normal(scale=1.5) + 2)
    rest = np.zeros(steps)
    for hour in range(1, steps):
        rest[hour] = 0.7 * rest[hour - 1] + random.normal(scale=0.1)
    strength = random.uniform(0.3, 1.5)
    mean = level * (day / day.mean())[hours % DAY] ** strength
    mean = mean * (week / week.mean())[hours // DAY % 7] * np.exp(rest)
    if number % 2:
        return random.poisson(mean).astype(np.float64)
    return np.asarray(mean * np.exp(random.normal(scale=0.1, size=steps)))


def main() -> None:
    """Write the panel."""
    random = np.random.default_rng(777)
    lines = ["series,hour,value\n"]
    for number in range(SERIES):
        values = one(random, number)
        lines += [f"S{number},{hour},{value:.5g}\n" for hour, value in enumerate(values, start=1)]
    Path(sys.argv[1]).write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
