"""Splits descriptions, vocabulary and queries into words in the same way, and finds close words."""

from __future__ import annotations

import heapq
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

_WORD = re.compile(r"[a-z0-9]+")
_HYPHENATED = re.compile(r"\w+(?:-\w+)+")
_APOSTROPHES = str.maketrans("", "", "'\u2018\u2019`")
_GRAM = 3
_PROPOSALS = 40
_FAR = (99, 0)
FILLERS = frozenset(
    (
        *("a", "an", "and", "any", "as", "at", "by", "due", "for", "from", "in", "into", "is", "it", "its", "nec"),
        *("nos", "not", "of", "off", "on", "or", "other", "out", "specified", "the", "to", "unspecified", "while"),
        *("with",),
    )
)
"""Words that say little. A query with other words need not match them."""
_VOWELS = frozenset("aeiouy")


def words(text: str) -> list[str]:
    """The words in lower case, singular, without accents and apostrophes: `Ménière's diseases` is menieres, disease."""
    if not text.isascii():
        text = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return [singular(word) for word in _WORD.findall(text.lower().translate(_APOSTROPHES))]


def compounds(text: str) -> list[str]:
    """Hyphenated words as one word, as people often type them: xray, neosynephrine."""
    return ["".join(words(whole)) for whole in _HYPHENATED.findall(text)] if "-" in text else []


def singular(word: str) -> str:
    """The word without the s of a plural. Both sides are cut in the same way, so a wrong cut does no harm."""
    if len(word) < 4 or word[-1] != "s" or word.endswith(("ss", "us", "is")):
        return word
    return f"{word[:-3]}y" if word.endswith("ies") and len(word) > 4 else word[:-1]


def stem(word: str) -> str:
    """The word without its ending as a verb: breathe, breathes and breathing are breath; stopped is stop.

    Both sides are cut in the same way, so a wrong cut does no harm.
    """
    cut = word
    if len(word) > 5 and word.endswith("ing"):
        cut = word[:-3]
    elif len(word) > 4 and word.endswith("ed") and not word.endswith("eed"):
        cut = word[:-2]
    if _VOWELS.isdisjoint(cut):
        return word
    if len(cut) > 3 and cut[-1] == "e":
        return cut[:-1]
    return cut[:-1] if cut != word and len(cut) > 3 and cut[-1] == cut[-2] not in "ls" else cut


def content(tokens: Sequence[str]) -> list[str]:
    """The words without fillers and repetitions; all words if nothing else is left."""
    return list(dict.fromkeys(token for token in tokens if token not in FILLERS)) or list(dict.fromkeys(tokens))


def distance(left: str, right: str, most: int) -> int:
    """Edits between two words (insert, delete, replace, swap neighbours); more than `most` counts as `most` + 1."""
    if abs(len(left) - len(right)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        earlier, before, row = before, row, [i]
        for j, b in enumerate(right, start=1):
            edits = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                edits = min(edits, earlier[j - 2] + 1)
            row.append(edits)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)


class CloseWords:
    """Words of a list that a misspelt word may mean: trigrams propose, the edit distance decides.

    The result is the same in every process: equally good words keep the order of the list.
    """

    def __init__(self, vocabulary: Iterable[str]) -> None:
        self._words = [word for word in vocabulary if len(word) > 3 and word.isalpha()]
        self._grams: dict[str, list[int]] = {}
        for number, word in enumerate(self._words):
            for gram in _grams(word):
                self._grams.setdefault(gram, []).append(number)

    def find(self, word: str) -> list[str]:
        """The closest words: one edit from four letters on, two from seven on; none for shorter words and numbers.

        With equal edits, the word that shares more trigrams wins: `chst` finds chest, not cyst.
        """
        return self.measure(word)[1]

    def measure(self, word: str) -> tuple[tuple[int, int], list[str]]:
        """The distance and the closest words, to compare with those of another list."""
        if not 4 <= len(word) <= 30 or not word.isalpha():
            return _FAR, []
        most = 1 if len(word) < 7 else 2
        shared: Counter[int] = Counter()
        for gram in _grams(word):
            shared.update(self._grams.get(gram, ()))
        proposed = heapq.nsmallest(
            _PROPOSALS,
            (number for number in shared if abs(len(self._words[number]) - len(word)) <= most),
            key=lambda number: (-shared[number] / (len(self._words[number]) + len(word)), number),
        )
        found: dict[tuple[int, int], list[str]] = {}
        for number in proposed:
            edits = distance(word, self._words[number], most)
            if edits <= most:
                found.setdefault((edits, -shared[number]), []).append(self._words[number])
        return min(found.items()) if found else (_FAR, [])


def _grams(word: str) -> set[str]:
    padded = f" {word} "
    return {padded[at : at + _GRAM] for at in range(len(padded) - _GRAM + 1)}
