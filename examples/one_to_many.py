"""One-to-many: the name of a figure and its size, to the strokes that draw it."""

import random
from tempfile import TemporaryDirectory

import elman

WAYS = ("right", "up", "left", "down")


def strokes(figure: str, size: int) -> list[str]:
    """Return the strokes with which a pen draws a figure."""
    if figure == "stairs":
        return ["right", "up"] * size
    return [way for way in WAYS for _ in range(size)]


def drawings(count: int, seed: int) -> list[dict[str, object]]:
    """Return random figures of sizes from 1 to 6, and their strokes."""
    rng = random.Random(seed)
    rows = [(rng.choice(("stairs", "square")), rng.randint(1, 6)) for _ in range(count)]
    return [{"figure": f, "size": size, "strokes": strokes(f, size)} for f, size in rows]


def main() -> None:
    """Train, evaluate, and predict the strokes of two figures."""
    settings = {"target_kind": "symbols", "hidden_size": 48, "epochs": 30}
    with TemporaryDirectory() as folder:
        train = drawings(500, seed=1)
        model = elman.train(train, target="strokes", out=f"{folder}/run", **settings)
    print(model.task.sentence)
    accuracy = model.evaluate(drawings(200, seed=2))["sequence_accuracy"]
    print(f"share of figures without a mistake: {accuracy:.2f}")
    figures = {"figure": ["stairs", "square"], "size": [2, 3]}
    for figure, drawn in zip(figures["figure"], model.predict(figures), strict=True):
        print(f"{figure}: {' '.join(drawn)}")


if __name__ == "__main__":
    main()
