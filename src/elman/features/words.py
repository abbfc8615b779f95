"""Cutting a text into words, in any script, and putting words together again."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Sequence

LINE_END = "\n"
"""The end of a line, where it is a word."""

_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)

# Scripts that put no space between words: Thai, Lao, Burmese, Khmer, kana, Han.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
# What `_pattern` finds in a text that is ASCII alone, several times as fast.
_ASCII = re.compile(r"\d+(?:[.,]\d+)+|\w+(?:'\w+)*|\S")

_CLOSING = frozenset(".,;:!?…)]}%。，、；：！？）」』》”’")
_OPENING = frozenset("([{（「『《“‘¿¡")


def split_words(text: str) -> list[str]:
    """Cut a text into words and punctuation.

    * A word is a run of letters, digits, underscores and marks (accents, vowel signs, joiners);
      an apostrophe within it belongs to it: `don't`, `l’été`.
    * A number with points or commas is one word: `3.14`, `10,000`.
    * Scripts without spaces — Han, kana, Thai, Lao, Burmese, Khmer — are cut into characters,
      each with its marks.
    * Every other character that is not a space stands alone: `!`, `-`, `€`.
    * The tag `<br />`, which web pages leave in texts, is a space.

    >>> split_words("Don't go!<br />It's 3.14 km -- 東京 ok")
    ["Don't", 'go', '!', "It's", '3.14', 'km', '-', '-', '東', '京', 'ok']
    """
    text = _TAG.sub(" ", text) if "<" in text else text
    return (_ASCII if text.isascii() else _pattern()).findall(text)


def join_words(words: Sequence[str]) -> str:
    """Write words as a text, without a space where none is usual.

    >>> join_words(["Go", "(", "now", ")", ",", "東", "京", "!"])
    'Go (now), 東京!'
    >>> join_words(["Go", "!", LINE_END, "Now", "?", LINE_END])
    'Go!\\nNow?\\n'
    """
    pieces: list[str] = []
    for before, word in zip(["", *words], words, strict=False):
        touching = (
            not before
            or LINE_END in (before, word)
            or before in _OPENING
            or word in _CLOSING
            or (_is_unspaced(before) and _is_unspaced(word))
        )
        pieces += [word] if touching else [" ", word]
    return "".join(pieces)


def _is_unspaced(word: str) -> bool:
    """Tell whether a word is of a script without spaces."""
    return bool(word) and re.match(f"[{_UNSPACED}]", word) is not None


@functools.cache
def _pattern() -> re.Pattern[str]:
    """Compile what a word is; when first needed, since Python's `\\w` knows no marks."""
    # Where Unicode keeps its combining marks and variation selectors; and the two joiners.
    places = [*range(0x300, 0x1F000), *range(0xE0100, 0xE01F0)]
    marks = "".join(chr(place) for place in places if unicodedata.category(chr(place))[0] == "M")
    mark = f"[{marks}\u200c\u200d]"
    letter = rf"[^\W{_UNSPACED}]"
    word = f"{letter}+(?:{mark}+{letter}*)*"
    number = r"\d+(?:[.,]\d+)+"
    return re.compile(f"{number}|{word}(?:['’]{word})*|[{_UNSPACED}]{mark}*|\\S{mark}*")
