"""Tag schemes: how the tags of a sentence mark spans, and which may follow which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor

from elman.errors import OptionError, unknown

_OUTSIDE, _BEGIN, _INSIDE, _END, _SINGLE = "OBIES"
_BIO = {"O": _OUTSIDE, "B": _BEGIN, "I": _INSIDE}
_BIOES = {**_BIO, "E": _END, "S": _SINGLE, "L": _END, "U": _SINGLE, "M": _INSIDE}

SCHEMES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"BIO": _BIO, "IOB2": _BIO, "BIOES": _BIOES}
)
"""Name of a scheme → first letters of its tags, and their meaning.

| scheme      | a span of three | a span of one | outside |
| ----------- | --------------- | ------------- | ------- |
| BIO or IOB2 | B-X I-X I-X     | B-X           | O       |
| BIOES       | B-X I-X E-X     | S-X           | O       |

BIOES also reads BILOU (L for E, U for S) and BMES (M for I).
"""


class Allowed(NamedTuple):
    """The tags that may begin a sequence, follow each other, and end a sequence."""

    first: Tensor
    """Whether a sequence may begin with a tag, (n,) bool."""
    next: Tensor
    """Whether the tag of the column may follow that of the row, (n, n) bool."""
    last: Tensor
    """Whether a sequence may end with a tag, (n,) bool."""


def everything(size: int) -> Allowed:
    """Allow n tags in any order."""
    return Allowed(
        torch.ones(size, dtype=torch.bool),
        torch.ones(size, size, dtype=torch.bool),
        torch.ones(size, dtype=torch.bool),
    )


def allowed_by(scheme: str, names: Sequence[str]) -> Allowed:
    """Return the tags that may follow each other for spans to be well formed.

    Inside a span of type X, after B-X or I-X, I-X may follow in BIO, and in BIOES I-X or E-X must
    follow. Everywhere else a new span begins, or the tag is outside.

    Args:
        scheme: BIO, IOB2 (the same) or BIOES.
        names: the tags in the order of their ids: `O`, `B-NP`, `I-NP`, or without types `B`, `I`.

    Raises:
        OptionError: the scheme is unknown, a name does not belong to it, or the names do not
            allow sequences of every length.

    >>> allowed_by("BIO", ["O", "B-NP", "I-NP"]).next.int().tolist()
    [[1, 1, 0], [1, 1, 1], [1, 1, 1]]
    """
    if scheme not in SCHEMES:
        raise unknown("tag scheme", scheme, SCHEMES)
    parsed = [_parse(name, scheme) for name in names]
    closes = scheme == "BIOES"
    follows = [[_may_follow(a, b, closes=closes) for b in parsed] for a in parsed]
    allowed = Allowed(
        torch.tensor([role not in {_INSIDE, _END} for role, _ in parsed]),
        torch.tensor(follows),
        torch.tensor([not (closes and role in {_BEGIN, _INSIDE}) for role, _ in parsed]),
    )
    # A tag that is a sequence by itself and may follow itself makes one of every length.
    if not bool((allowed.first & allowed.next.diagonal() & allowed.last).any()):
        raise OptionError(
            f"scheme={scheme!r} needs a tag that is valid by itself, O or "
            f"{'S-…' if closes else 'B-…'}; got {', '.join(names)}."
        )
    return allowed


def _parse(name: str, scheme: str) -> tuple[str, str]:
    """Split a tag into its role and the type of its span."""
    letter, _, kind = name.partition("-")
    if letter not in SCHEMES[scheme]:
        raise OptionError(
            f"scheme={scheme!r} has tags that begin with {', '.join(SCHEMES[scheme])}; "
            f"got {name!r}. Leave scheme out for tags without spans."
        )
    return SCHEMES[scheme][letter], kind


def _may_follow(before: tuple[str, str], after: tuple[str, str], *, closes: bool) -> bool:
    """Tell whether one tag may follow another; `closes`: a span must end with E."""
    inside = before[0] in {_BEGIN, _INSIDE}
    continues = after[0] in {_INSIDE, _END}
    if inside and continues:
        return before[1] == after[1]
    return not continues and not (inside and closes)


def find_scheme(names: Sequence[str]) -> str | None:
    """Recognise the scheme of tags from their names; None where there is none.

    >>> find_scheme(["O", "B-NP", "I-NP"]), find_scheme(["O", "S-NP"]), find_scheme(["NOUN", "O"])
    ('BIO', 'BIOES', None)
    """
    for scheme in ("BIO", "BIOES"):
        letters = SCHEMES[scheme]
        spans = [name for name in names if name != "O"]
        if spans and all(name[:1] in letters and name[1:2] == "-" for name in spans):
            return scheme
    return None
