"""Finds and orders the codes that answer a query.

It tries weaker and weaker readings of the query until enough codes are found: the exact code; the exact description;
the vocabulary's term for the whole query; what its words describe by the code set's own scheme; codes with this
prefix; descriptions that consist of its words; descriptions with all its words as typed, then with their meanings in
the vocabulary, then as prefixes, then as misspellings or joined words; the best code for each of several facts; some
of the words.
Within a reading billable codes precede the others, and codes that NEMSIS suggests precede the rest.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from app.coding.search.index import TextIndex, compact
from app.coding.search.vocabulary import PASSED_OVER, Segment, Vocabulary
from app.coding.search.words import FILLERS, content, singular, words

MOST_WORDS = 64
_NEIGHBOURHOODS = (8, 6, 5)  # characters that a code shares with a boosted one: itself, its site, its subcategory
_FEW = 2  # codes of one fact
_SEVERAL = 3  # from so many terms on, each may be a fact
_SHORTEST_PART, _LONGEST_RUN = 3, 40  # letters of one of several joined words, and of all
_SHORTEST_CODE = 4  # characters of a code among words
_SHORT_PARTS = frozenset(("bp", "no", "o2", "od", "pn", "up"))
_AROUND_CODES = " \t,.;:!?#*-_/\\|()[]{}<>\"'"
_LABEL = re.compile(
    r"^\W*(?:(?:icd-?10-?cm|icd-?10|icd|code|dx)\b\W*(?=[a-z]\d)|(?:rxcui|snomed)\b\W*(?=\d))", re.IGNORECASE
)
_SPACED = re.compile(r"[A-Za-z] ?\d[0-9A-Za-z]?(?:[ .]{1,2}(?:\d[0-9A-Za-z]*|[Xx]{1,3}\d?[0-9A-Za-z]?|[ADSads])){0,3}")
_MISTYPED = re.compile(r"[A-Za-z][0-9OoIl][0-9A-Za-z]?(?:[.,]?[0-9A-Za-z]{1,4})?")
_LIKE_DIGITS = str.maketrans("OoIl", "0011")
_OVERLONG = re.compile(r"([A-Za-z]\d[0-9A-Za-z])\.?[0-9A-Za-z]+")
_SHORT = re.compile(r"[A-Z]\d[0-9A-Z]{1,4}[A-Z]")
_WEAK_WORDS = 8  # how many words are respelt, or left out in turn


def _nothing_described(_: Sequence[Segment]) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Query:
    """`among`: the set of documents that may be found. `favoured`: sets that precede others, the most favoured first.

    `code_shape`: the form of a text that is read as a code. `leaders`: the document that precedes another one if words
    found that one, such as a drug before its brand. `described`: beginnings of the codes that the words describe by a
    scheme of the code set, the best first.
    """

    text: str
    vocabulary: Vocabulary
    code_shape: re.Pattern[str]
    among: int
    favoured: Sequence[int]
    limit: int
    leaders: Mapping[int, int] = field(default_factory=dict)
    described: Callable[[Sequence[Segment]], Sequence[str]] = _nothing_described


def search(index: TextIndex, query: Query) -> list[int]:
    """At most `limit` documents, the best first."""
    found: dict[int, None] = {}
    readings = _readings(index, query)
    exact = next(readings)
    for reading in itertools.chain((exact,), (_led(query.leaders, reading) for reading in readings)):
        for number in reading:
            if query.among >> number & 1:
                found[number] = None
                if len(found) == query.limit:
                    return list(found)
    return list(found)


def _led(leaders: Mapping[int, int], reading: Iterable[int]) -> Iterator[int]:
    """The documents of a reading, each after its leader."""
    for number in reading:
        if number in leaders:
            yield leaders[number]
        yield number


def _readings(index: TextIndex, query: Query) -> Iterator[Iterable[int]]:
    """The readings, strongest first. The first one is the exact code alone."""
    text = query.text.strip()
    tokens = words(text)[:MOST_WORDS]
    code, below = _code(index, query.code_shape, text)
    coded = index.coded_set(code) if code else 0
    exact = index.exactly(code) if coded and not below else _leading_code(index, text)
    yield exact
    called = 0 if exact else index.set_of(index.called(tokens)) & index.leading
    yield [number for number in index.members(called) if words(index.names[number]) == tokens]
    yield index.members(called)
    yield from _as_a_whole(index, query, tokens)
    separated = [part for token in tokens for part in _compound(index, query.vocabulary, token)]
    if separated != tokens:
        yield from _as_a_whole(index, query, separated)
    yield index.members(coded & index.leading)
    yield index.members(coded & index.listed)
    if exact or not tokens:
        return
    yield from _by_words(index, query, tokens)
    respelt = _respelt(index, query.vocabulary, tokens)
    if respelt != tokens:
        yield from _as_a_whole(index, query, respelt)
        yield from _by_words(index, query, respelt)
    yield _facts(index, query, respelt)
    segments = _telling(query.vocabulary.divide(respelt))
    rooted = (_meant(index, segment) | _begun(index, segment) | _rooted(index, segment) for segment in segments)
    yield _ordered(index, query, _all(rooted))
    yield from _by_some_words(index, query, respelt)


def _as_a_whole(index: TextIndex, query: Query, tokens: Sequence[str]) -> Iterator[Iterable[int]]:
    """The vocabulary's codes for the whole query, with or without noise; then the codes that its words describe."""
    segments = query.vocabulary.divide(tokens)
    told = [token for segment in _telling(segments) for token in segment.tokens]
    for said in (query.vocabulary.find(tokens), query.vocabulary.find(told)):
        if said is not None:
            yield _in_turn(index, said.boost)
    for beginning in query.described(segments):
        yield sorted(index.coded(beginning))[:1]


def _code(index: TextIndex, shape: re.Pattern[str], text: str) -> tuple[str, bool]:
    """The code in a text, without what stands around it: `(R07.9)`, `icd I10`, `R 07.9`, `R07-9`; empty for none.

    Missing placeholders are added (ICD-10-CM Guidelines I.A.4): W21.89A is W21.89XA. True means that the text stands
    for the codes below this one: it ends in a hyphen (`S72.0-`), or lacks more than placeholders.
    """
    bare = _LABEL.sub("", text).strip(_AROUND_CODES)
    if _SPACED.fullmatch(bare):
        bare = "".join(bare.split())
    for code in dict.fromkeys((text, bare, bare.replace("-", "."), _retyped(bare))):
        if shape.fullmatch(code) and index.coded_set(code):
            return code, code != text and text.endswith("-")
    short = compact(bare)
    if _SHORT.fullmatch(short):
        for code, unfinished in ((f"{short[:-1]:X<6}{short[-1]}", False), (short[:-1], True)):
            if shape.fullmatch(code) and index.coded_set(code):
                return code, unfinished
    overlong = _OVERLONG.fullmatch(bare)
    if overlong and shape.fullmatch(bare):
        code = next((bare[:end] for end in range(len(bare), 2, -1) if index.exactly(bare[:end])), "")
        return code, False
    return "", False


def _retyped(text: str) -> str:
    """The code with digits for letters that look like them, and a dot for a comma: `RO7,9` is R07.9."""
    if not (_MISTYPED.fullmatch(text) and any(char.isdigit() for char in text)):
        return text
    return f"{text[0]}{text[1:].translate(_LIKE_DIGITS)}".replace(",", ".")


def _leading_code(index: TextIndex, text: str) -> list[int]:
    """The code with which a text of several words begins or ends: `J44.1 copd`. Short ones may be words: `T12`."""
    parts = text.split()
    for part in (parts[0], parts[-1]) if len(parts) > 1 else ():
        bare = part.strip(_AROUND_CODES)
        if len(compact(bare)) >= _SHORTEST_CODE and bare[1:2].isdigit() and (found := index.exactly(bare)):
            return found
    return []


def _complete(index: TextIndex, query: Query, token: str) -> bool:
    """True if a word is a complete one, not only a prefix."""
    return index.knows(token) or query.vocabulary.says(token)


def _facts(index: TextIndex, query: Query, tokens: Sequence[str]) -> Iterator[int]:
    """The best codes of each fact, in turn. A fact is a longest run of terms that some code has all of.

    A single word is a fact only if it has codes of its own. Facts answer only if they cover half of the terms.
    Facts with codes in the vocabulary precede the others: in `left arm numbness` the arm is no complaint.
    """
    segments = _telling(query.vocabulary.divide(tokens))
    told = [_told(index, segment) & index.leading for segment in segments]
    facts: list[tuple[bool, list[int]]] = []
    explained = at = 0
    while at < len(segments):
        end, shared = at + 1, told[at]
        while end < len(segments) and shared & told[end]:
            shared &= told[end]
            end += 1
        fact = _fact(index, query, segments[at:end], shared)
        if fact:
            facts.append((not any(segment.boost for segment in segments[at:end]), fact))
            explained += end - at
        at = end
    termed = any(not plain for plain, _ in facts)
    if len(facts) > 1 or 2 * explained > len(segments) or (termed and 2 * explained == len(segments)):
        ordered = sorted(facts, key=itemgetter(0))
        for codes in itertools.zip_longest(*(codes for _, codes in ordered)):
            yield from (code for code in codes if code is not None)


def _fact(index: TextIndex, query: Query, run: Sequence[Segment], shared: int) -> list[int]:
    if len(run) == 1:
        own = _in_turn(index, run[0].boost)
        known = index.set_of(index.known_as(content(run[0].tokens)))
        return own[:_FEW] or list(itertools.islice(_ordered(index, query, known & shared), _FEW))
    return list(itertools.islice(_ordered(index, query, shared), _FEW))


def _by_words(index: TextIndex, query: Query, tokens: Sequence[str]) -> Iterator[Iterable[int]]:
    """Readings of all words, each less literal than the one before."""
    known = index.set_of([*index.called(tokens), *index.known_as(content(tokens))])
    for found in (known & index.leading, _under(index, known), known):
        yield _ordered(index, query, found)
    segments = _telling(query.vocabulary.divide(tokens))
    tokens = [token for segment in segments for token in segment.tokens]
    meant = [_meant(index, segment) for segment in segments]
    for at, segment in enumerate(segments if len(segments) > 1 else ()):
        others = _all([*meant[:at], *meant[at + 1 :]])
        for length in _NEIGHBOURHOODS if others else ():
            yield _ordered(index, query, _coded(index, {code[:length] for code in segment.boost}) & others)
    yield _ordered(index, query, _all(index.named(token) for token in tokens))
    yield _ordered(index, query, _all(meant))
    yield _ordered(index, query, _all(index.having(token) for token in tokens))
    if len(segments) >= _SEVERAL and all(_complete(index, query, token) for token in tokens):
        yield _facts(index, query, tokens)
    for named in (True, False):
        unfinished = _all(index.beginning(token, named=named) for token in segments[-1].tokens)
        yield _ordered(index, query, _all([*meant[:-1], unfinished]))
    begun = [found | _begun(index, segment) for found, segment in zip(meant, segments, strict=True)]
    yield _ordered(index, query, _all(begun))


def _by_some_words(index: TextIndex, query: Query, tokens: Sequence[str]) -> Iterator[Iterable[int]]:
    """Readings of all words or meanings but one, the most frequent left out first; then of the rarest only."""
    segments = _telling(query.vocabulary.divide(tokens))
    meant = dict.fromkeys(
        token for segment in segments for token in (segment.meanings[0] if segment.meanings else segment.tokens)
    )
    sets = [index.having(token) or index.beginning(token) or index.beginning(_root(token)) for token in meant]
    sets += [_within(index, segment) for segment in segments if segment.within]
    rarest = sorted(filter(None, sets), key=int.bit_count)
    for left_out in range(min(len(rarest), _WEAK_WORDS) - 1, -1, -1):
        yield _ordered(index, query, _all(rarest[:left_out] + rarest[left_out + 1 :]))
    for kept in range(len(rarest) - 2, 0, -1):
        yield _ordered(index, query, _all(rarest[:kept]))
    for found in rarest:
        yield _ordered(index, query, found)


def _under(index: TextIndex, found: int) -> int:
    """The codes below those that are only headings."""
    return index.set_of(
        number for heading in index.members(found & ~index.leading) for number in index.coded(index.codes[heading])
    )


def _in_turn(index: TextIndex, codes: Sequence[str]) -> list[int]:
    return [number for code in codes for number in index.exactly(code)]


def _telling(segments: list[Segment]) -> list[Segment]:
    """The segments without noise, fillers and repetitions, unless nothing else is left.

    A number beside noise is noise: `for 3 days`, `72 yo`.
    """
    distinct = list({segment.tokens: segment for segment in segments}.values())
    counted = _counted(segments) if any(segment.noise for segment in segments) else ()
    telling = [
        segment
        for segment in distinct
        if not segment.noise
        and segment.tokens not in counted
        and (segment.meanings or not PASSED_OVER.issuperset(segment.tokens))
    ]
    return telling or distinct


def _counted(segments: Sequence[Segment]) -> set[tuple[str, ...]]:
    """The numbers beside noise."""
    noise = [False, *(segment.noise for segment in segments), False]
    return {
        segment.tokens
        for at, segment in enumerate(segments, start=1)
        if (noise[at - 1] or noise[at + 1]) and len(segment.tokens) == 1 and segment.tokens[0].isdigit()
    }


def _meant(index: TextIndex, segment: Segment) -> int:
    """Documents by the segment's best meaning in the vocabulary, or by its own words."""
    if not segment.meanings:
        return _within(index, segment) | _all(index.having(token) for token in segment.tokens)
    meant = _all(index.having(token) or index.beginning(token) for token in segment.meanings[0])
    return meant | _within(index, segment)


def _within(index: TextIndex, segment: Segment) -> int:
    return _coded(index, segment.within)


def _coded(index: TextIndex, beginnings: Iterable[str]) -> int:
    """Documents whose codes begin so."""
    found = 0
    for beginning in beginnings:
        found |= index.coded_set(beginning)
    return found


def _told(index: TextIndex, segment: Segment) -> int:
    """Documents by any meaning of the segment."""
    found = _meant(index, segment)
    for meaning in segment.meanings[1:]:
        found |= _all(index.having(token) or index.beginning(token) for token in meaning)
    return found


def _begun(index: TextIndex, segment: Segment) -> int:
    """Documents by any meaning, or by words that begin with the segment's own."""
    found = _all(index.beginning(token) for token in segment.tokens) | _within(index, segment)
    for meaning in segment.meanings[1:]:
        found |= _all(index.having(token) or index.beginning(token) for token in meaning)
    return found


def _rooted(index: TextIndex, segment: Segment) -> int:
    return _all(index.beginning(_root(token)) for token in segment.tokens)


def _root(token: str) -> str:
    """The common root of related words: sacrum and sacral, dehydrated and dehydration, confused and confusion."""
    return token[: max(4, len(token) - (2 if len(token) < 8 else 3))]


def _respelt(index: TextIndex, vocabulary: Vocabulary, tokens: Sequence[str]) -> list[str]:
    """The tokens with the closest known word for each unknown one; of equally close ones the vocabulary's."""
    respelt: list[str] = []
    corrected = 0
    for token in tokens:
        if corrected < _WEAK_WORDS and not (vocabulary.says(token) or index.beginning(token)):
            corrected += 1
            respelt += _taken_apart(index, vocabulary, token) or [
                min(vocabulary.nearest(token), index.nearest(token), key=itemgetter(0))[1]
                or vocabulary.closest_name(token)
                or token
            ]
        else:
            respelt.append(token)
    return respelt


def _compound(index: TextIndex, vocabulary: Vocabulary, token: str) -> list[str]:
    """The parts of a word that the code set writes with a hyphen, if they are a term: bloodpressure."""
    if len(token) >= 2 * _SHORTEST_PART and index.knows(token) and not vocabulary.says(token):
        parts = _taken_apart(index, vocabulary, token)
        if len(parts) > 1 and vocabulary.find(parts) is not None:
            return parts
    return [token]


def _taken_apart(index: TextIndex, vocabulary: Vocabulary, token: str) -> list[str]:
    """The parts of joined words (chestpain): as few and as usual as possible. Only fillers may have two letters."""
    if not token.isalpha() or len(token) > _LONGEST_RUN:
        return []
    parts: list[tuple[int, list[str]] | None] = [(0, []), *([None] * len(token))]
    for end in range(1, len(token) + 1):
        for start in range(end):
            before, word = parts[start], singular(token[start:end])
            cost = _cost(index, vocabulary, word) if before is not None else 0
            if before is None or not cost:
                continue
            held = parts[end]
            if held is None or before[0] + cost < held[0]:
                parts[end] = before[0] + cost, [*before[1], word]
    whole = parts[-1]
    return whole[1] if whole is not None else []


def _cost(index: TextIndex, vocabulary: Vocabulary, word: str) -> int:
    """The cost of a part of joined words. A word that is said costs less; a part that is no word costs 0."""
    if len(word) < _SHORTEST_PART:
        return 2 * (word in FILLERS or word in _SHORT_PARTS)
    if vocabulary.says(word):
        return 2
    return 5 * index.knows(word)


def _all(sets: Iterable[int]) -> int:
    """The intersection of the sets; empty if there are none."""
    found = None
    for members in sets:
        found = members if found is None else found & members
        if not found:
            return 0
    return found or 0


def _ordered(index: TextIndex, query: Query, found: int) -> Iterator[int]:
    """The billable codes, the most favoured first; then the others in the same way."""
    found &= index.listed & query.among
    for better in (*(favoured & index.leading for favoured in query.favoured), index.leading, *query.favoured):
        yield from index.members(found & better)
        found &= ~better
    yield from index.members(found)
