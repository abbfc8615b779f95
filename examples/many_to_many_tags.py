"""Many-to-many, one tag a step: which words are a person or a place?

Spans are tagged B-… at their first word and I-… after it. A conditional random field makes sure
that no I- occurs without its B-.
"""

import random
from tempfile import TemporaryDirectory

import elman

PERSONS = [["Ada"], ["Ada", "Stone"], ["Jan", "de", "Wit"], ["Mia", "Stone"]]
PLACES = [["Oslo"], ["New", "York"], ["Rio", "de", "Janeiro"], ["Stone", "Town"]]
VERBS = [["left"], ["flew", "to"], ["wrote", "from"], ["never", "saw"]]


def sentence(rng: random.Random) -> dict[str, list[str]]:
    """Draw a random sentence: its tokens, and a tag for each."""
    person, verb, place = rng.choice(PERSONS), rng.choice(VERBS), rng.choice(PLACES)
    tags = ["B-PER", *["I-PER"] * (len(person) - 1), *["O"] * len(verb)]
    tags += ["B-LOC", *["I-LOC"] * (len(place) - 1), "O"]
    return {"tokens": [*person, *verb, *place, "."], "tags": tags}


def main() -> None:
    """Train on 200 sentences, and tag one with a name that is in none of them."""
    rng = random.Random(1)
    sentences = [sentence(rng) for _ in range(200)]
    with TemporaryDirectory() as folder:
        model = elman.train(
            sentences, input="tokens", target="tags", objective="crf", epochs=8, out=f"{folder}/run"
        )
    print(model.task.sentence)
    tokens = ["Bo", "Stone", "flew", "to", "Stone", "Town", "."]
    (tags,) = model.predict([tokens])
    print("  ".join(f"{token}/{tag}" for token, tag in zip(tokens, tags, strict=True)))


if __name__ == "__main__":
    main()
