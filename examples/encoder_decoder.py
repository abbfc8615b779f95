"""Encoder–decoder: dates in several formats to ISO dates.

The decoder predicts one symbol after another, and attends to the letters that each one needs.
"""

import random
from datetime import date, timedelta
from tempfile import TemporaryDirectory

import elman

FORMS = ("%d %B %Y", "%B %d, %Y", "%d.%m.%Y", "%a, %d %b %Y", "%Y/%m/%d")


def dates(count: int, seed: int) -> dict[str, list[str]]:
    """Draw random days of a hundred years, each in one of five formats, and their ISO form."""
    rng = random.Random(seed)
    days = [date(1950, 1, 1) + timedelta(rng.randrange(36_500)) for _ in range(count)]
    written = [day.strftime(rng.choice(FORMS)) for day in days]
    return {"written": written, "iso": [day.isoformat() for day in days]}


def main() -> None:
    """Train, evaluate, and show what each symbol attends to."""
    settings = {"input_kind": "text:char", "target_kind": "text:char"}
    settings |= {"hidden_size": 64, "epochs": 12}
    with TemporaryDirectory() as folder:
        train = dates(2_000, seed=1)
        model = elman.train(train, input="written", target="iso", out=f"{folder}/run", **settings)
    print(model.task.sentence)
    accuracy = model.evaluate(dates(200, seed=2))["sequence_accuracy"]
    print(f"share of dates without a mistake: {accuracy:.2f}")
    print(model.predict(["Fri, 09 Oct 1987"])[0])
    (attention,) = model.attention(["09 October 1987"])
    for symbol, weights in zip(attention.written[:4], attention.weights, strict=False):
        print(f"{symbol} attends most to {attention.source[int(weights.argmax())]}")


if __name__ == "__main__":
    main()
