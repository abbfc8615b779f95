"""One-to-one: what a house costs, by its area, its rooms and its district.

No steps, so nothing recurs: numbers are scaled, a district becomes a vector, dense layers answer.
"""

import random
from tempfile import TemporaryDirectory

import elman

PRICE_OF_A_METRE = {"harbour": 9, "hill": 7, "valley": 4}  # in thousands


def house(rng: random.Random) -> dict[str, object]:
    """Draw a house whose price follows from the rest, but for chance."""
    district = rng.choice(list(PRICE_OF_A_METRE))
    area, rooms = rng.uniform(30, 180), rng.randint(1, 6)
    price = PRICE_OF_A_METRE[district] * area + 20 * rooms + rng.gauss(0, 10)
    return {"area": round(area), "rooms": rooms, "district": district, "price": round(price)}


def main() -> None:
    """Train on 600 houses, say how far off the prices of others are, and ask for two."""
    rng = random.Random(1)
    known, others = [[house(rng) for _ in range(count)] for count in (600, 200)]
    with TemporaryDirectory() as folder:
        model = elman.train(known, target="price", epochs=30, out=f"{folder}/run")
    print(model.task.sentence)
    print(f"{model.evaluate(others)['mae']:.0f} thousand off on average")
    asked = [
        {"area": 80, "rooms": 3, "district": "harbour"},
        {"area": 80, "rooms": 3, "district": "valley"},
    ]
    for row, price in zip(asked, model.predict(asked), strict=True):
        print(f"{row['area']} m² in the {row['district']}: {price:.0f} thousand")


if __name__ == "__main__":
    main()
