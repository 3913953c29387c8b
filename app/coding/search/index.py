"""An immutable inverted index. Documents are numbered from the best standing down. Sets of documents are integers.

Bit n of a set is document n. So the lowest bits of any set are its best documents, and no query sorts. A rare word
is stored as a list of document numbers, a frequent word as a set.
"""

from __future__ import annotations

import datetime as dt
import heapq
import itertools
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.coding.search.words import CloseWords, compounds, content, words

FREQUENT = 128  # documents; a set takes size / 8 bytes, a number four
RECENT = 256  # cached sets, of at most size / 8 bytes each
_WIDE_PREFIX = 2  # letters: sets of shorter prefixes are made in advance
_PIECE = 2000
_BUCKETS = 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """The index entry of one code. `standing` orders the codes that match a query equally, lower first.

    `leads`: billable, or in use; such codes precede all others. `listed` is false if only the exact code finds it.
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
    """Collects entries in any order; `finish` numbers them. CPU only: run it in a thread.

    It keeps columns instead of entries, because a hundred thousand objects would burden the garbage collector.
    """

    _keys: list[str] = field(default_factory=list)
    _codes: list[str] = field(default_factory=list)
    _names: list[str] = field(default_factory=list)
    _leads: bytearray = field(default_factory=bytearray)
    _listed: bytearray = field(default_factory=bytearray)
    _periods: dict[tuple[dt.date, dt.date | None], int] = field(default_factory=dict)
    _period_of: array[int] = field(default_factory=lambda: array("H"))
    _also: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _details: dict[int, Any] = field(default_factory=dict)

    def add(self, entries: Iterable[Entry]) -> None:
        for at, entry in enumerate(entries, start=len(self._codes)):
            standing = "".join(map(str, (int(not entry.leads), *entry.standing)))
            self._keys.append(f"{standing} {_length(words(entry.name)):03} {entry.code}")
            self._codes.append(entry.code)
            self._names.append(entry.name)
            self._leads.append(entry.leads)
            self._listed.append(entry.listed)
            self._period_of.append(self._periods.setdefault((entry.valid_from, entry.valid_to), len(self._periods)))
            if entry.also:
                self._also[at] = tuple(entry.also)
            if entry.details is not None:
                self._details[at] = entry.details

    def finish(self) -> TextIndex:
        order = _in_order(self._keys)
        return TextIndex(
            codes=[self._codes[at] for at in order],
            names=[self._names[at] for at in order],
            leads=[self._leads[at] for at in order],
            listed=[self._listed[at] for at in order],
            periods=list(self._periods),
            period_of=array("H", (self._period_of[at] for at in order)),
            also={number: self._also[at] for number, at in enumerate(order) if at in self._also},
            details={number: self._details[at] for number, at in enumerate(order) if at in self._details},
        )


class TextIndex:
    """The sets, and what each document shows. `ranking` decides which sets answer a query.

    All columns go by document number: `periods[period_of[number]]` is its validity, `details` what else it shows.
    """

    def __init__(
        self,
        *,
        codes: list[str],
        names: list[str],
        leads: Sequence[int],
        listed: Sequence[int],
        periods: list[tuple[dt.date, dt.date | None]],
        period_of: array[int],
        also: Mapping[int, Sequence[str]],
        details: Mapping[int, Any],
    ) -> None:
        self._recent: dict[tuple[str, str], int] = {}
        self.size = len(codes)
        self.codes = codes
        self.names = names
        self.details = details
        self.periods = periods
        self.period_of = period_of
        self.leading = self.set_of(number for number, leading in enumerate(leads) if leading)
        self.listed = self.set_of(number for number, shown in enumerate(listed) if shown)
        self._in_period = [
            self.set_of(number for number, its in enumerate(period_of) if its == period)
            for period in range(len(periods))
        ]
        self._coded = array("I", _in_order([compact(code) for code in codes]))
        self._by_letter = {letter: self.set_of(self.coded(letter)) for letter in {code[:1] for code in codes}}
        self._note_words(also)

    def _note_words(self, also_named: Mapping[int, Sequence[str]]) -> None:
        named: dict[str, array[int]] = {}
        also: dict[str, array[int]] = {}
        self._called, self._known = _Phrases(), _Phrases()
        for number, name in enumerate(self.names):
            tokens = words(name)
            self._called.add(tokens, number)
            self._known.add(content(tokens), number)
            _post(named, [*tokens, *compounds(name)], number)
            for text in also_named.get(number, ()):
                tokens = words(text)
                self._known.add(content(tokens), number)
                _post(also, [*tokens, *compounds(text)], number)
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
        """Documents with exactly this word in their names or further names."""
        return self._recall(
            ("having", word), lambda: self._set(self._named.get(word)) | self._set(self._also.get(word))
        )

    def knows(self, word: str) -> bool:
        """True if any document has exactly this word."""
        return word in self._named or word in self._also

    def _set(self, found: int | array[int] | None) -> int:
        if found is None or isinstance(found, int):
            return found or 0
        return self.set_of(found)

    def beginning(self, prefix: str, *, named: bool = False) -> int:
        """Documents with a word that has this prefix. `named`: in their names only, as for one or two letters."""
        if len(prefix) <= _WIDE_PREFIX:
            return self._wide.get(prefix, 0)
        return self._recall(("named" if named else "any", prefix), lambda: self._beginning(prefix, named=named))

    def _recall(self, asked: tuple[str, str], find: Callable[[], int]) -> int:
        """The set from the cache: the readings of a query, and of the next keystroke, need the same sets."""
        found = self._recent.get(asked)
        if found is None:
            if len(self._recent) >= RECENT:
                self._recent.clear()
            found = self._recent[asked] = find()
        return found

    def _beginning(self, prefix: str, *, named: bool) -> int:
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

    def nearest(self, word: str) -> tuple[tuple[int, int], str | None]:
        """The distance of the word that this one most likely misspells, and the most frequent of the closest words."""
        measured, found = self._close.measure(word)
        return measured, max(found, key=lambda one: self.having(one).bit_count(), default=None)

    def called(self, tokens: Sequence[str]) -> list[int]:
        """Documents whose names consist of these words, in any order."""
        return self._called.find(tokens)

    def known_as(self, tokens: Sequence[str]) -> list[int]:
        """Do the same as `called`, for further names too and without fillers. The tokens must come from `content`."""
        return self._known.find(tokens)

    def coded(self, prefix: str) -> list[int]:
        """Documents whose codes have this prefix, in the order of codes: the exact code first."""
        prefix = compact(prefix)
        first = bisect_left(self._coded, prefix, key=self._compact)
        return list(self._coded[first : bisect_left(self._coded, f"{prefix}~", first, key=self._compact)])

    def _compact(self, number: int) -> str:
        return compact(self.codes[number])

    def coded_set(self, prefix: str) -> int:
        """The documents of `coded`, as a set."""
        prefix = compact(prefix)
        known = self._by_letter.get(prefix)
        return self._recall(("coded", prefix), lambda: self.set_of(self.coded(prefix))) if known is None else known

    def exactly(self, code: str) -> list[int]:
        """Documents of exactly this code, of any period."""
        wanted = compact(code)
        first = bisect_left(self._coded, wanted, key=self._compact)
        return list(itertools.takewhile(lambda number: self._compact(number) == wanted, self._coded[first : first + 9]))

    def valid_on(self, day: dt.date) -> int:
        """Documents in force on that day."""
        found = 0
        for (first, last), members in zip(self.periods, self._in_period, strict=True):
            if first <= day and (last is None or day <= last):
                found |= members
        return found


def _length(tokens: Sequence[str]) -> int:
    """The sort key of a name: fewer words are better, and a name with "other" comes later."""
    return len(content(tokens)) + ("other" in tokens)


def _post(postings: dict[str, array[int]], tokens: Iterable[str], number: int) -> None:
    for token in tokens:
        numbers = postings.get(token)
        if numbers is None:
            postings[token] = array("I", (number,))
        elif numbers[-1] != number:
            numbers.append(number)


def _in_order(keys: Sequence[str]) -> list[int]:
    """Positions in the order of their keys.

    It sorts and merges pieces, because one sort of all would block every other thread for a tenth of a second.
    """
    at = keys.__getitem__
    pieces = [sorted(range(first, min(first + _PIECE, len(keys))), key=at) for first in range(0, len(keys), _PIECE)]
    return list(heapq.merge(*pieces, key=at))


class _Phrases:
    """Maps sets of words to documents: hashes of 64 bits in buckets, because a dictionary takes ten times the memory.

    A shared hash of two phrases of one code set is less likely than a fault of the memory.
    """

    def __init__(self) -> None:
        self._hashes = [array("q") for _ in range(_BUCKETS)]
        self._numbers = [array("I") for _ in range(_BUCKETS)]

    def add(self, tokens: Sequence[str], number: int) -> None:
        key = hash(" ".join(sorted(tokens)))
        self._hashes[key % _BUCKETS].append(key)
        self._numbers[key % _BUCKETS].append(number)

    def find(self, tokens: Sequence[str]) -> list[int]:
        key = hash(" ".join(sorted(tokens)))
        hashes, numbers = self._hashes[key % _BUCKETS], self._numbers[key % _BUCKETS]
        return list(dict.fromkeys(number for held, number in zip(hashes, numbers, strict=True) if held == key))
