"""Support tickets as a help desk exports them: what is written, where it came in, what is at stake.

`priority` follows from the subject and the tone of the text, the channel and the amount together;
the three `tags` of a ticket from the text and the channel. An id and a date stand beside them.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from mixtures.writing import divided, in_rows, mistyped, write_csv

ROWS = 4_000
NOISE = 0.03
"""Share of the tickets whose priority somebody set at random."""

PROBLEMS = {
    "outage": (
        "the {portal} is down",
        "nobody here can reach the {portal}",
        "the {portal} shows an error page",
        "we get error {code} on the {portal}",
        "the {portal} has been offline since {morning}",
        "your servers do not answer",
    ),
    "payment": (
        "my card was charged twice",
        "there is a wrong amount on invoice {code}",
        "you took money without asking",
        "the bill for {month} is too high",
        "the transfer from {month} is not booked",
        "I was billed for a plan I cancelled",
    ),
    "damage": (
        "the {item} arrived broken",
        "there is a crack in the {item}",
        "the {item} stopped working after {days} days",
        "the box was torn and the {item} scratched",
        "the {item} does not switch on",
        "one part of the {item} is missing",
    ),
    "delivery": (
        "my parcel has not come",
        "the {item} should have been here {days} days ago",
        "tracking says nothing since {morning}",
        "the driver left the {item} at the wrong house",
        "order {code} is late",
        "where is my shipment",
    ),
    "access": (
        "I cannot log in",
        "the password reset mail never arrives",
        "my account is locked",
        "please change the address in my profile",
        "two-factor codes do not work on my new phone",
        "I forgot my user name",
    ),
    "question": (
        "how do I export my data",
        "do you ship to {country}",
        "is there a manual for the {item}",
        "which plan suits a team of {days}",
        "can I pay by bank transfer",
        "what are your opening hours",
    ),
}
"""What a ticket is about → how people write it."""

TONES = {
    "pressing": (
        "this is urgent",
        "we need it today",
        "please act right now",
        "every hour costs us money",
        "it cannot wait",
        "asap please",
    ),
    "angry": (
        "I am fed up",
        "this is the third time",
        "worst service ever",
        "I want to speak to a manager",
        "I will leave you for good",
        "not acceptable",
    ),
    "patient": (
        "no rush",
        "whenever you have time",
        "it is not urgent",
        "it can wait until next week",
        "take your time",
        "",
    ),
}
GREETINGS = (
    "",
    "",
    "hello",
    "hi there",
    "dear team",
    "good morning",
    "hey",
    "to whom it may concern",
)
ENDINGS = ("", "", "thanks", "thank you", "kind regards", "best", "cheers", "sent from my phone")
NOT_ABOUT = ("this is not about the old case", "unlike last time", "as I told your colleague", "")
WORDS = {
    "portal": ("portal", "web shop", "dashboard", "app", "booking page"),
    "item": ("lamp", "kettle", "printer", "chair", "router", "headset", "monitor"),
    "month": ("March", "April", "May", "June", "July"),
    "morning": ("this morning", "Monday", "yesterday", "noon"),
    "country": ("Norway", "Portugal", "Poland", "Ireland"),
    "days": tuple(map(str, range(2, 15))),
}
CHANNELS = {"mail": 0.4, "chat": 0.25, "phone": 0.2, "social": 0.1, "partner": 0.05}
"""Channel → share of the tickets."""

WEIGHT = {"outage": 3, "damage": 2, "payment": 2, "delivery": 1, "access": 1, "question": 0}
OF_TONE = {"pressing": 2, "angry": 1, "patient": 0}
OF_CHANNEL = {"mail": 0, "chat": 0, "phone": 1, "social": 1, "partner": 2}
LEVELS = ((2, "low"), (4, "normal"), (5, "high"), (99, "urgent"))
"""Greatest sum of the weights → priority."""

TEAMS = {
    "mail": {"outage": "tier-2", "access": "self-service", "question": "self-service"},
    "chat": {"outage": "tier-2", "access": "live-help", "question": "live-help"},
    "phone": {"question": "live-help", "access": "live-help"},
    "social": {"outage": "press-office", "payment": "press-office", "damage": "press-office"},
    "partner": dict.fromkeys(PROBLEMS, "key-account"),
}
"""Channel → subject → the team that answers; `back-office` where nothing is said."""

FOLLOW_UPS = {
    ("pressing", "phone"): "call-back",
    ("pressing", "partner"): "call-back",
    ("angry", "social"): "apology",
    ("angry", "phone"): "apology",
    ("angry", "mail"): "voucher",
    ("angry", "chat"): "voucher",
}
"""Tone and channel → what is done; `reply` where nothing is said."""


class Ticket(NamedTuple):
    """What decides how a ticket is filed."""

    subject: str
    tone: str
    channel: str
    amount: float

    @property
    def priority(self) -> str:
        """How soon it must be answered, before anybody errs."""
        stake = sum(self.amount > limit for limit in (60, 400, 2_000))
        points = WEIGHT[self.subject] + OF_TONE[self.tone] + OF_CHANNEL[self.channel] + stake
        return next(name for most, name in LEVELS if points <= most)

    @property
    def tags(self) -> tuple[str, str, str]:
        """The subject, the team and what is done."""
        team = TEAMS[self.channel].get(self.subject, "back-office")
        return self.subject, team, FOLLOW_UPS.get((self.tone, self.channel), "reply")


def columns(rows: int = ROWS, seed: int = 0) -> dict[str, list[Any]]:
    """Return the columns of the table, in the order in which the tickets came in."""
    rng = random.Random(seed)
    moment = datetime(2024, 1, 8, 7, 30)
    lines = []
    for number in range(rows):
        moment += timedelta(minutes=rng.expovariate(1 / 90))
        ticket = _drawn(rng)
        priority = rng.choice([name for _, name in LEVELS]) if rng.random() < NOISE else None
        tags = rng.sample(ticket.tags, 3)
        lines.append(
            {
                "ticket_id": f"T-{number + 10_001}",
                "created": f"{moment:%Y-%m-%d %H:%M}",
                "channel": ticket.channel,
                "text": written(ticket, rng),
                "amount": None if rng.random() < 0.02 else round(ticket.amount, 2),
                "priority": priority or ticket.priority,
                "tags": ";".join(tags),
            }
        )
    return {**in_rows(lines), "split": divided(rows, rng)}


def write(path: Path, seed: int = 0) -> None:
    """Write the table to a CSV file."""
    write_csv(path, columns(seed=seed))


def _drawn(rng: random.Random) -> Ticket:
    channel = rng.choices(list(CHANNELS), list(CHANNELS.values()))[0]
    subject, tone = rng.choice(list(PROBLEMS)), rng.choice(list(TONES))
    return Ticket(subject, tone, channel, rng.lognormvariate(5.2, 1.6))


def written(ticket: Ticket, rng: random.Random) -> str:
    """Return what a customer writes: the problem, the tone, and words that say nothing."""
    words = {name: rng.choice(choices) for name, choices in WORDS.items()}
    words["code"] = f"{rng.choice('ABKX')}{rng.randrange(1000, 9999)}"
    problem = rng.choice(PROBLEMS[ticket.subject]).format(**words)
    said = [problem, rng.choice(TONES[ticket.tone])]
    if rng.random() < 0.3:
        said.reverse()
    if rng.random() < 0.3:
        said.insert(0, rng.choice(NOT_ABOUT))
    said = [rng.choice(GREETINGS), *said, rng.choice(ENDINGS)]
    text = rng.choice((", ", ". ", " - ", "\n")).join(filter(None, said))
    text = mistyped(text, rng, 0.01)
    style = rng.random()
    return text.upper() if style < 0.05 else text.lower() if style < 0.4 else text


def bayes_rates(draws: int = 100_000, seed: int = 1) -> dict[str, float]:
    """Estimate the best accuracy that the priority allows, from each column alone and from all.

    The text counts as read if subject and tone are known.
    """
    rng = random.Random(seed)
    tickets = [_drawn(rng) for _ in range(draws)]
    known = {
        "text": lambda t: (t.subject, t.tone),
        "channel": lambda t: t.channel,
        "amount": lambda t: sum(t.amount > limit for limit in (60, 400, 2_000)),
        "text, channel": lambda t: (t.subject, t.tone, t.channel),
        "all": lambda t: t.priority,
    }
    rates = {}
    for name, seen in known.items():
        counts: dict[Any, Counter[str]] = defaultdict(Counter)
        for ticket in tickets:
            counts[seen(ticket)][ticket.priority] += 1
        right = sum(max(each.values()) for each in counts.values()) / draws
        rates[name] = right * (1 - NOISE) + NOISE / len(LEVELS)
    return rates


if __name__ == "__main__":
    import sys

    write(Path(sys.argv[1]))
