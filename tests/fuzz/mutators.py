"""Ways in which files are damaged, drawn from a seeded generator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

Mutator = Callable[[Random, bytes], bytes]

BYTES = (0x00, 0x01, 0x0A, 0x22, 0x2C, 0x7F, 0x80, 0xFF)
"""Bytes that mean something to one format or another."""

FRAGMENTS: Sequence[bytes] = (
    b"\0",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xed\xa0\x80",
    b"\xc3\x28",
    b"\x81\x40",
    b"\r",
    b"\r\n",
    b"\n\n",
    b"\x1a",
    b"\x0c",
    b'"',
    b"'",
    b"\\",
    b",",
    b"\t",
    b";",
    b"|",
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"-1e-999",
    b"9" * 400,
    b"0x1F",
    b"99999999999999999999",
    b"-9223372036854775809",
    b"1_000",
    b"\xd9\xa1\xd9\xa2",  # digits, though not of Latin script
    b"\xe2\x80\xa8",  # a line separator
    b"\\ud800",
    b"\\u0000",
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"[" * 3000,
    b'{"a":' * 1500,
    b"0000-00-00",
    b"99999-12-31T25:61:61",
    b"x" * 5000,
)
"""What is hard to read, put somewhere."""


def flip_bit(random: Random, content: bytes) -> bytes:
    """Flip one bit."""
    changed = bytearray(content)
    changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def set_byte(random: Random, content: bytes) -> bytes:
    """Change one byte, to one that means something or to any."""
    changed = bytearray(content)
    changed[random.randrange(len(changed))] = random.choice((*BYTES, random.randrange(256)))
    return bytes(changed)


def swap_bytes(random: Random, content: bytes) -> bytes:
    """Swap two bytes."""
    changed = bytearray(content)
    one, other = random.randrange(len(changed)), random.randrange(len(changed))
    changed[one], changed[other] = changed[other], changed[one]
    return bytes(changed)


def truncate(random: Random, content: bytes) -> bytes:
    """Cut the end off."""
    return content[: random.randrange(len(content))]


def delete(random: Random, content: bytes) -> bytes:
    """Leave out a few bytes."""
    start = random.randrange(len(content))
    return content[:start] + content[start + random.randrange(1, 20) :]


def repeat(random: Random, content: bytes) -> bytes:
    """Repeat a part."""
    start = random.randrange(len(content))
    part = content[start : start + random.randrange(1, 60)]
    return content[:start] + part * random.randrange(2, 40) + content[start:]


def insert(random: Random, content: bytes) -> bytes:
    """Put in what is hard to read."""
    place = random.randrange(len(content) + 1)
    return content[:place] + random.choice(FRAGMENTS) + content[place:]


def replace(random: Random, content: bytes) -> bytes:
    """Put what is hard to read in the place of a number or a word."""
    start = random.randrange(len(content))
    while start and content[start - 1 : start].isalnum():
        start -= 1
    stop = start + 1
    while stop < len(content) and content[stop : stop + 1].isalnum():
        stop += 1
    return content[:start] + random.choice(FRAGMENTS) + content[stop:]


def shuffle_lines(random: Random, content: bytes) -> bytes:
    """Double, leave out and swap lines."""
    lines = content.splitlines(keepends=True)
    chosen = [random.choice(lines) for _ in range(random.randrange(1, len(lines) + 3))]
    return b"".join(chosen if random.random() < 0.3 else [*lines, *chosen])


def encode(random: Random, content: bytes) -> bytes:
    """Write text in another encoding."""
    name = random.choice(("utf-16", "utf-16-be", "utf-32", "utf-8-sig", "cp1252", "gbk", "utf-7"))
    return content.decode("utf-8", "replace").encode(name, "replace")


def splice(random: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """Join the beginning of a file with the end of another."""
    other = random.choice(others)
    return content[: random.randrange(len(content))] + other[random.randrange(len(other)) :]


MUTATORS: Sequence[Mutator] = (
    flip_bit,
    flip_bit,
    set_byte,
    set_byte,
    swap_bytes,
    truncate,
    delete,
    repeat,
    insert,
    replace,
    shuffle_lines,
    encode,
)
"""Those that need no other file; small damages, which pass the first checks, are likelier."""


def damage(random: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """Damage a file, once or a few times over."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        if not content:
            return content
        if random.random() < 0.04:
            content = splice(random, content, others)
        else:
            content = random.choice(MUTATORS)(random, content)
    return content
