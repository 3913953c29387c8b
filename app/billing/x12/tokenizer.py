"""Reads X12 interchanges of any sender, and keeps no more than a chunk of text in memory.

It takes delimiters from the ISA, checks how envelopes nest and notes wrong counts.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from app.billing.x12.segments import Delimiters, Segment

MAX_SEGMENTS = 500_000
"""Of one file. A remittance of 5,000 claims has about 100,000."""
MAX_SEGMENT_LENGTH = 20_000
_ISA_LENGTH = 106
_BETWEEN_SEGMENTS = "\ufeff\r\n\t \x1a"  # byte order mark and DOS end-of-file sign included
_ISA_SEPARATORS = (3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103)
_BREAKS = str.maketrans("", "", "\r\n")
_TAG = re.compile("[A-Z][A-Z0-9]{1,2}")
_HEADLESS = re.compile(r"(?:GS|ST)([^\w\s])")
_LOOK_AHEAD = 4096


class InterchangeFormatError(ValueError):
    """The text is no X12 interchange, or cannot be relied on. Carries nothing of the file's content.

    `segment` is the tag where reading stopped, and `position` its number in the file, counted from 1.
    """

    def __init__(self, message: str, *, segment: str | None = None, position: int | None = None) -> None:
        self.says = message
        self.segment = segment if segment is not None and _TAG.fullmatch(segment) else None
        self.position = position
        place = "" if position is None else f" Segment {position} of the file{_named(self.segment)}."
        super().__init__(message + place)


def _named(tag: str | None) -> str:
    return "" if tag is None else f", {tag}"


@dataclass(slots=True)
class TransactionSet:
    """ST to SE, both included."""

    segments: list[Segment]

    @property
    def identifier(self) -> str:
        """ST01: 837, 835, 999, 277."""
        return self.segments[0].element(1)

    @property
    def control_number(self) -> str:
        """ST02."""
        return self.segments[0].element(2)


@dataclass(slots=True)
class FunctionalGroup:
    """GS with the transaction sets up to its GE."""

    header: Segment
    transaction_sets: list[TransactionSet] = field(default_factory=list)


@dataclass(slots=True)
class Interchange:
    """ISA with the TA1 segments and groups up to its IEA. `deviations` names each trailer with wrong figures."""

    header: Segment
    acknowledgements: list[Segment] = field(default_factory=list)
    groups: list[FunctionalGroup] = field(default_factory=list)
    deviations: list[str] = field(default_factory=list)


class _Text:
    """The text that was read and not used yet. It grows by a chunk when more is needed."""

    def __init__(self, chunks: Iterable[str]) -> None:
        self._chunks = iter(chunks)
        self.text = ""
        self.at = 0

    def more(self) -> bool:
        """Adds a chunk. False at the end of the file."""
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self.text, self.at = self.text[self.at :] + chunk, 0
        return True

    def skip_blanks(self) -> bool:
        """Goes to the next segment. False if there is none."""
        while True:
            while self.at < len(self.text):
                if self.text[self.at] not in _BETWEEN_SEGMENTS:
                    return True
                self.at += 1
            if not self.more():
                return False

    def ahead(self, length: int) -> str:
        """The next `length` characters without line breaks; fewer at the end of the file."""
        while len(found := self.text[self.at :].translate(_BREAKS)) < length and self.more():
            pass
        return found[:length]

    def take(self, terminator: str) -> str | None:
        """The text before the next terminator, or up to the end of the file. None if it is too long for a segment."""
        searched = self.at
        while (end := self.text.find(terminator, searched)) < 0:
            if len(self.text) - self.at > MAX_SEGMENT_LENGTH:
                return None
            unread = len(self.text) - self.at
            if not self.more():
                end = len(self.text)
                break
            searched = unread
        taken, self.at = self.text[self.at : end], end + 1
        return taken if len(taken) <= MAX_SEGMENT_LENGTH else None


def iter_segments(source: str | Iterable[str]) -> Iterator[Segment]:
    """Every segment of one or more concatenated interchanges, each with its own interchange's delimiters.

    Tolerates a byte order mark, white space between segments, lines broken anywhere, a file that begins with its GS or
    ST, and text behind the last IEA that is no X12. Raises InterchangeFormatError where no segment can be read.
    """
    text = _Text((source,) if isinstance(source, str) else source)
    delimiters: Delimiters | None = None
    position, element = 0, ""
    while text.skip_blanks():
        position += 1
        if position > MAX_SEGMENTS:
            raise InterchangeFormatError(f"The file holds more than {MAX_SEGMENTS} segments.", position=position)
        if delimiters is None:
            if position > 1 and _is_rubbish(text.ahead(_ISA_LENGTH), element):
                return
            delimiters = _delimiters(text, position)
            element = delimiters.element
        raw = text.take(delimiters.segment)
        if raw is None:
            raise InterchangeFormatError("A segment does not end.", position=position)
        tag, *elements = raw.translate(_BREAKS).split(delimiters.element)
        yield Segment(tag, tuple(elements), delimiters)
        if tag == "IEA":
            delimiters = None


class InterchangeReader:
    """The segments of a file, one by one. Their envelopes must nest.

    `exact` refuses trailers that count wrong, because then something was lost. Otherwise they are `deviations`, as are
    control numbers that differ. Iterating raises InterchangeFormatError when an envelope is missing, doubled or open.
    """

    def __init__(self, source: str | Iterable[str], *, exact: bool = False) -> None:
        self._source = source
        self._exact = exact
        self._open: list[Segment] = []
        self._counts = {"SE": 0, "GE": 0, "IEA": 0}
        self.position = 0
        self.deviations: list[str] = []

    def error(self, message: str, segment: Segment | None = None) -> InterchangeFormatError:
        """The refusal of the present segment."""
        tag = None if segment is None else segment.tag
        return InterchangeFormatError(message, segment=tag, position=self.position)

    def __iter__(self) -> Iterator[Segment]:
        headless = False
        for segment in iter_segments(self._source):
            self.position += 1
            tag = segment.tag
            headless = headless or (self.position == 1 and tag != "ISA")
            if tag in _MAY_OPEN_IN:
                self._enter(segment, headless)
            elif tag in _OPENED_BY:
                self._leave(segment, headless)
            elif tag == "TA1":
                if [one.tag for one in self._open] != ["ISA"]:
                    raise self.error(_NOT_NESTED, segment)
            else:
                if not self._open or self._open[-1].tag != "ST":
                    raise self.error(_NOT_NESTED, segment)
                self._counts["SE"] += 1
            yield segment
            if tag in _OPENED_BY and self._open and self._open[-1].tag == _OPENED_BY[tag]:
                self._open.pop()
        if self._open or not self.position:
            raise self.error("The file ends before its interchange is closed.")

    def _enter(self, segment: Segment, headless: bool) -> None:
        tag, around = segment.tag, self._open[-1].tag if self._open else None
        if around != _MAY_OPEN_IN[tag] and not (headless and around is None):
            raise self.error(_NOT_NESTED, segment)
        self._open.append(segment)
        match tag:
            case "ISA":
                self._counts["IEA"] = 0
            case "GS":
                self._counts["IEA"] += 1
                self._counts["GE"] = 0
            case _:
                self._counts["GE"] += 1
                self._counts["SE"] = 1

    def _leave(self, segment: Segment, headless: bool) -> None:
        """Checks a trailer against its header. A file without an ISA may still have the trailer of one."""
        tag = segment.tag
        if not self._open or self._open[-1].tag != _OPENED_BY[tag]:
            if headless and not self._open and tag != "SE":
                return
            raise self.error(_NOT_NESTED, segment)
        header = self._open[-1]
        count = self._counts[tag] + (tag == "SE")
        counted = segment.element(1)
        if not (counted.isdecimal() and int(counted) == count):
            if self._exact:
                raise self.error(f"{tag}01 is not the number counted.", segment)
            self.deviations.append(f"{tag}01 is not the number counted")
        if segment.element(2) != header.element(_CONTROL_NUMBER[tag]):
            self.deviations.append(f"{tag}02 differs from its header")


_MAY_OPEN_IN = {"ISA": None, "GS": "ISA", "ST": "GS"}
_OPENED_BY = {"SE": "ST", "GE": "GS", "IEA": "ISA"}
_CONTROL_NUMBER = {"SE": 2, "GE": 6, "IEA": 13}
_NOT_NESTED = "The envelope segments (ISA, GS, ST, SE, GE, IEA) do not nest."


def parse_interchanges(text: str) -> list[Interchange]:
    """All interchanges of a file. Raises InterchangeFormatError when an envelope is missing, doubled or left open."""
    interchanges: list[Interchange] = []
    reader = InterchangeReader(text)
    for segment in reader:
        match segment.tag:
            case "ISA":
                interchanges.append(Interchange(segment, deviations=reader.deviations))
            case _ if not interchanges:
                raise reader.error("No readable ISA segment stands where one must.", segment)
            case "TA1":
                interchanges[-1].acknowledgements.append(segment)
            case "GS":
                interchanges[-1].groups.append(FunctionalGroup(segment))
            case "ST":
                interchanges[-1].groups[-1].transaction_sets.append(TransactionSet([segment]))
            case "GE":
                pass
            case "IEA":
                reader.deviations = []
            case _:
                interchanges[-1].groups[-1].transaction_sets[-1].segments.append(segment)
    return interchanges


def parse_interchange(text: str) -> Interchange:
    """The one interchange of a file. Raises InterchangeFormatError as `parse_interchanges`, and for a second one."""
    interchanges = parse_interchanges(text)
    if len(interchanges) > 1:
        raise InterchangeFormatError("The file holds more than one interchange.")
    return interchanges[0]


def _is_rubbish(text: str, element: str) -> bool:
    """True if text behind an IEA is no X12: no segment begins there. A segment without its ISA is no rubbish."""
    tag = _TAG.match(text)
    return tag is None or (not text.startswith("ISA") and text[tag.end() : tag.end() + 1] != element)


def _delimiters(text: _Text, position: int) -> Delimiters:
    """The delimiters that the next interchange states, or those that a file without an ISA shows."""
    isa = text.ahead(_ISA_LENGTH)
    headless = _HEADLESS.match(isa)
    if position == 1 and headless is not None:
        return _shown_delimiters(text.ahead(_LOOK_AHEAD), headless[1], position)
    whole = text.text[text.at : text.at + _ISA_LENGTH]
    if {"\r", "\n"}.isdisjoint(whole[:-1]):
        isa = whole  # its terminator may be a line break
    if len(isa) < _ISA_LENGTH or not isa.startswith("ISA") or {isa[at] for at in _ISA_SEPARATORS} != {isa[3]}:
        raise InterchangeFormatError("No readable ISA segment stands where one must.", position=position)
    # ISA11 is the letter U before version 00402, and some senders never changed it
    repetition = None if isa[82].isalnum() else isa[82]
    return _distinct(Delimiters(element=isa[3], repetition=repetition, component=isa[104], segment=isa[105]), position)


def _shown_delimiters(start: str, element: str, position: int) -> Delimiters:
    """The delimiters of a file that begins with GS or ST, from its first segments."""
    next_tag = "ST" if start.startswith("GS") else "BPR|AK1|BHT"
    ends = re.search(rf"(.)[ \t]*(?:{next_tag}){re.escape(element)}", start)
    if ends is None:
        raise InterchangeFormatError("No readable ISA segment stands where one must.", position=position)
    composite = re.search(rf"{re.escape(element)}(?:HC|AD|N4|[ADEFPR]\d)([^\w\s{re.escape(element)}])", start)
    component = ":" if composite is None or composite[1] == ends[1] else composite[1]
    return _distinct(Delimiters(element=element, repetition=None, component=component, segment=ends[1]), position)


def _distinct(found: Delimiters, position: int) -> Delimiters:
    signs = [one for one in (found.element, found.repetition, found.component, found.segment) if one is not None]
    if len(set(signs)) < len(signs) or any(sign.isalnum() or sign == " " for sign in signs):
        raise InterchangeFormatError("The ISA states delimiters that cannot be told apart.", position=position)
    return found
