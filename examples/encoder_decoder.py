"""Encoder–decoder: a date as people write it, to the same date as computers do.

The decoder writes one symbol after another, and looks back at the letters that each one needs.
"""

import random
from datetime import date, timedelta
from tempfile import TemporaryDirectory

import elman

FORMS = ("%d %B %Y", "%B %d, %Y", "%d.%m.%Y", "%a, %d %b %Y", "%Y/%m/%d")


def dates(count: int, seed: int) -> dict[str, list[str]]:
    """Draw days of a hundred years, each written in one of five ways, and their ISO form."""
    rng = random.Random(seed)
    days = [date(1950, 1, 1) + timedelta(rng.randrange(36_500)) for _ in range(count)]
    written = [day.strftime(rng.choice(FORMS)) for day in days]
    return {"written": written, "iso": [day.isoformat() for day in days]}


def main() -> None:
    """Train, measure, and look at what was read for each symbol."""
    settings = {"input_kind": "text:char", "target_kind": "text:char"}
    settings |= {"hidden_size": 64, "epochs": 12}
    with TemporaryDirectory() as folder:
        known = dates(2_000, seed=1)
        model = elman.train(known, input="written", target="iso", out=f"{folder}/run", **settings)
    print(model.task.sentence)
    right = model.evaluate(dates(200, seed=2))["sequence_accuracy"]
    print(f"right to the last digit: {right:.2f}")
    print(model.predict(["Fri, 09 Oct 1987"])[0])
    (seen,) = model.attention(["09 October 1987"])
    for symbol, weights in zip(seen.written[:4], seen.weights, strict=False):
        print(f"{symbol} was read from {seen.source[int(weights.argmax())]}")


if __name__ == "__main__":
    main()
