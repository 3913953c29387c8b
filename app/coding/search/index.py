"""An immutable inverted index. Documents are numbered from the best standing down and sets of them are integers.

Bit n of a set is document n, so that the best documents of any combination of words are its lowest bits: nothing is
sorted per query. A word of few documents is kept as their numbers, a frequent one as its set.
"""

from __future__ import annotations

import datetime as dt
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.coding.search.words import CloseWords, content, words

FREQUENT = 128  # documents; a set costs size / 8 bytes, a number four
_WIDE_PREFIX = 2  # letters: sets of shorter prefixes are made in advance


@dataclass(frozen=True, slots=True)
class Entry:
    """What is indexed of one code. `standing` orders the codes that a query matches alike, lower first.

    `leads`: billable, or in use; such codes precede all others. `listed` is false for what only its exact code finds.
    """

    code: str
    name: str
    standing: tuple[int, ...]
    leads: bool
    also: Sequence[str] = ()
    listed: bool = True
    valid_from: dt.date = dt.date.min
    valid_to: dt.date | None = None
    details: Any = None


def compact(code: str) -> str:
    """`s52.501a` and `S52501A` are the same code."""
    return code.upper().replace(".", "")


@dataclass
class IndexBuilder:
    """Collects entries in any order; `finish` numbers them. CPU only: run it in a thread."""

    _entries: list[tuple[tuple[Any, ...], Entry]] = field(default_factory=list)

    def add(self, entries: Iterable[Entry]) -> None:
        self._entries += [
            ((not entry.leads, *entry.standing, _length(words(entry.name)), entry.code), entry) for entry in entries
        ]

    def finish(self) -> TextIndex:
        self._entries.sort(key=lambda ranked: ranked[0])
        return TextIndex([entry for _, entry in self._entries])


class TextIndex:
    """Sets, and what a document shows. Which sets answer a query is `ranking`'s business."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.size = len(entries)
        self.codes = [entry.code for entry in entries]
        self.names = [entry.name for entry in entries]
        self.details = [entry.details for entry in entries] if any(entry.details for entry in entries) else []
        self.listed = self.set_of(number for number, entry in enumerate(entries) if entry.listed)
        self.leading = self.set_of(number for number, entry in enumerate(entries) if entry.leads)
        self._note_periods(entries)
        self._note_codes()
        self._note_words(entries)

    def _note_periods(self, entries: Sequence[Entry]) -> None:
        members: dict[tuple[dt.date, dt.date | None], list[int]] = {}
        for number, entry in enumerate(entries):
            members.setdefault((entry.valid_from, entry.valid_to), []).append(number)
        self.periods = list(members)
        self._in_period = [self.set_of(numbers) for numbers in members.values()]
        self.period_of = array("H", bytes(2 * self.size))
        for period, numbers in enumerate(members.values()):
            for number in numbers:
                self.period_of[number] = period

    def _note_codes(self) -> None:
        in_order = sorted((compact(code), number) for number, code in enumerate(self.codes))
        self._code_order = [code for code, _ in in_order]
        self._coded = array("I", [number for _, number in in_order])

    def _note_words(self, entries: Sequence[Entry]) -> None:
        named: dict[str, array[int]] = {}
        also: dict[str, array[int]] = {}
        called, known = _Phrases(), _Phrases()
        for number, entry in enumerate(entries):
            tokens = words(entry.name)
            called.add(tokens, number)
            known.add(content(tokens), number)
            _post(named, tokens, number)
            for text in entry.also:
                tokens = words(text)
                known.add(content(tokens), number)
                _post(also, tokens, number)
        self.called = called.close()
        """Documents whose names consist of these words, in whatever order."""
        self.known_as = known.close()
        """As `called`, by a further name too, and fillers apart: give it `content`."""
        self._named = self._packed(named)
        self._also = self._packed(also)
        self.vocabulary = sorted(named.keys() | also.keys())
        self._close = CloseWords(self.vocabulary)
        self._wide: dict[str, int] = {}
        for word in self._named:
            for length in range(1, min(_WIDE_PREFIX, len(word)) + 1):
                self._wide[word[:length]] = self._wide.get(word[:length], 0) | self.named(word)

    def _packed(self, postings: dict[str, array[int]]) -> dict[str, int | array[int]]:
        return {
            word: self.set_of(numbers) if len(numbers) >= FREQUENT else numbers for word, numbers in postings.items()
        }

    def set_of(self, numbers: Iterable[int]) -> int:
        """The set of these documents."""
        octets = bytearray(self.size // 8 + 1)
        for number in numbers:
            octets[number >> 3] |= 1 << (number & 7)
        return int.from_bytes(octets, "little")

    def members(self, found: int) -> Iterator[int]:
        """Documents of a set, the best first."""
        while found:
            lowest = found & -found
            yield lowest.bit_length() - 1
            found ^= lowest

    def named(self, word: str) -> int:
        """Documents with exactly this word in their names."""
        return self._set(self._named.get(word))

    def having(self, word: str) -> int:
        """As `named`, or in their further names."""
        return self._set(self._named.get(word)) | self._set(self._also.get(word))

    def _set(self, found: int | array[int] | None) -> int:
        if found is None or isinstance(found, int):
            return found or 0
        return self.set_of(found)

    def beginning(self, prefix: str, *, named: bool = False) -> int:
        """Documents with a word that begins so; `named`: in their names. One or two letters are read as of names."""
        if len(prefix) <= _WIDE_PREFIX:
            return self._wide.get(prefix, 0)
        found, few = 0, bytearray(self.size // 8 + 1)
        places = (self._named,) if named else (self._named, self._also)
        for at in range(bisect_left(self.vocabulary, prefix), len(self.vocabulary)):
            word = self.vocabulary[at]
            if not word.startswith(prefix):
                break
            for postings in (place.get(word) for place in places):
                if isinstance(postings, int):
                    found |= postings
                elif postings is not None:
                    for number in postings:
                        few[number >> 3] |= 1 << (number & 7)
        return found | int.from_bytes(few, "little")

    def close_to(self, word: str, *, named: bool = False) -> int:
        """Documents with a word that this one may be a misspelling of; `named`: in their names."""
        found = 0
        for candidate in self._close.find(word):
            found |= self.named(candidate) if named else self.having(candidate)
        return found

    def coded(self, prefix: str) -> list[int]:
        """Documents whose codes begin so, in the order of codes: the exact one first."""
        prefix = compact(prefix)
        first = bisect_left(self._code_order, prefix)
        return list(self._coded[first : bisect_left(self._code_order, f"{prefix}~", first)])

    def exactly(self, code: str) -> list[int]:
        """Documents of this very code, of whatever period."""
        wanted = compact(code)
        return [number for number in self.coded(wanted) if compact(self.codes[number]) == wanted]

    def valid_on(self, day: dt.date) -> int:
        """Documents in force on that day."""
        found = 0
        for (first, last), members in zip(self.periods, self._in_period, strict=True):
            if first <= day and (last is None or day <= last):
                found |= members
        return found


def _length(tokens: Sequence[str]) -> int:
    """Of a name: the fewer words it adds to the query's the better, and "other" is the last choice of its kind."""
    return len(content(tokens)) + ("other" in tokens)


def _post(postings: dict[str, array[int]], tokens: Iterable[str], number: int) -> None:
    for token in tokens:
        numbers = postings.get(token)
        if numbers is None:
            postings[token] = array("I", (number,))
        elif numbers[-1] != number:
            numbers.append(number)


@dataclass
class _Phrases:
    """Sets of words to documents, as two sorted arrays: a dictionary would take ten times as much memory.

    Keys are hashes of 64 bits: that two phrases share one is less likely than a fault of the memory.
    """

    _pairs: list[tuple[int, int]] = field(default_factory=list)

    def add(self, tokens: Sequence[str], number: int) -> None:
        self._pairs.append((hash(" ".join(sorted(tokens))), number))

    def close(self) -> Callable[[Sequence[str]], list[int]]:
        self._pairs.sort()
        keys, numbers = array("q", [key for key, _ in self._pairs]), array("I", [number for _, number in self._pairs])

        def find(tokens: Sequence[str]) -> list[int]:
            key = hash(" ".join(sorted(tokens)))
            first = bisect_left(keys, key)
            return list(dict.fromkeys(numbers[first : bisect_right(keys, key, first)]))

        return find
