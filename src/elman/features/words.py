"""Splitting texts into words, in any script, and joining words into texts."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Sequence

LINE_END = "\n"
"""The end of a line, as a word."""

_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)

# Scripts without spaces between words: Thai, Lao, Burmese, Khmer, kana, Han.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
# Finds in ASCII texts what `_pattern` finds, several times as fast.
_ASCII = re.compile(r"\d+(?:[.,]\d+)+|\w+(?:'\w+)*|\S")

_CLOSING = frozenset(".,;:!?…)]}%。，、；：！？）」』》”’")
_OPENING = frozenset("([{（「『《“‘¿¡")


def split_words(text: str) -> list[str]:
    """Split a text into words and punctuation.

    * A word is a run of letters, digits, underscores and marks (accents, vowel signs, joiners),
      including apostrophes inside it: `don't`, `l’été`.
    * A number with points or commas is one word: `3.14`, `10,000`.
    * Scripts without spaces — Han, kana, Thai, Lao, Burmese, Khmer — are split into characters,
      each with its marks.
    * Every other character that is not a space is a word: `!`, `-`, `€`.
    * The HTML tag `<br />` counts as a space.

    >>> split_words("Don't go!<br />It's 3.14 km -- 東京 ok")
    ["Don't", 'go', '!', "It's", '3.14', 'km', '-', '-', '東', '京', 'ok']
    """
    text = _TAG.sub(" ", text) if "<" in text else text
    return (_ASCII if text.isascii() else _pattern()).findall(text)


def join_words(words: Sequence[str]) -> str:
    """Join words into a text, without spaces where none are usual.

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
    """Tell whether a word belongs to a script without spaces."""
    return bool(word) and re.match(f"[{_UNSPACED}]", word) is not None


@functools.cache
def _pattern() -> re.Pattern[str]:
    """Compile the pattern of a word on first use; Python's `\\w` does not match marks."""
    # The ranges of Unicode's combining marks and variation selectors; then the two joiners.
    codes = [*range(0x300, 0x1F000), *range(0xE0100, 0xE01F0)]
    marks = "".join(chr(code) for code in codes if unicodedata.category(chr(code))[0] == "M")
    mark = f"[{marks}\u200c\u200d]"
    letter = rf"[^\W{_UNSPACED}]"
    word = f"{letter}+(?:{mark}+{letter}*)*"
    number = r"\d+(?:[.,]\d+)+"
    return re.compile(f"{number}|{word}(?:['’]{word})*|[{_UNSPACED}]{mark}*|\\S{mark}*")
