"""One-to-one: the price of a house from its area, its rooms and its district.

There are no steps and no recurrent part: numbers are scaled, a district becomes a vector, and
dense layers predict.
"""

import random
from tempfile import TemporaryDirectory

import elman

PRICE_OF_A_METRE = {"harbour": 9, "hill": 7, "valley": 4}  # in thousands


def house(rng: random.Random) -> dict[str, object]:
    """Draw a random house whose price depends on the rest, with noise."""
    district = rng.choice(list(PRICE_OF_A_METRE))
    area, rooms = rng.uniform(30, 180), rng.randint(1, 6)
    price = PRICE_OF_A_METRE[district] * area + 20 * rooms + rng.gauss(0, 10)
    return {"area": round(area), "rooms": rooms, "district": district, "price": round(price)}


def main() -> None:
    """Train on 600 houses, evaluate on 200 others, and predict two prices."""
    rng = random.Random(1)
    train, test = [[house(rng) for _ in range(count)] for count in (600, 200)]
    with TemporaryDirectory() as folder:
        model = elman.train(train, target="price", epochs=30, out=f"{folder}/run")
    print(model.task.sentence)
    print(f"mean absolute error: {model.evaluate(test)['mae']:.0f} thousand")
    houses = [
        {"area": 80, "rooms": 3, "district": "harbour"},
        {"area": 80, "rooms": 3, "district": "valley"},
    ]
    for row, price in zip(houses, model.predict(houses), strict=True):
        print(f"{row['area']} m² in the {row['district']}: {price:.0f} thousand")


if __name__ == "__main__":
    main()
