"""Reads X12 interchanges of any sender. It takes delimiters from the ISA, builds a tree and notes wrong counts."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from app.billing.x12.segments import Delimiters, Segment

_ISA_LENGTH = 106
_BETWEEN_SEGMENTS = "\ufeff\r\n\t \x1a"  # byte order mark and DOS end-of-file sign included
_ISA_SEPARATORS = (3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103)


class InterchangeFormatError(ValueError):
    """The text is no X12 interchange, or its envelopes do not nest. Carries nothing of the file's content."""


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


def iter_segments(text: str) -> Iterator[Segment]:
    """Every segment of one or more concatenated interchanges, each with its own interchange's delimiters.

    Tolerates a byte order mark, white space between segments, and lines broken anywhere.
    Raises InterchangeFormatError when the text, or what follows an IEA, does not begin with a readable ISA.
    """
    start = _next_segment(text, 0)
    delimiters: Delimiters | None = None
    while start < len(text):
        if delimiters is None:
            text, delimiters = _with_whole_isa(text, start)
        end = text.find(delimiters.segment, start)
        end = len(text) if end < 0 else end
        tag, *elements = text[start:end].replace("\r", "").replace("\n", "").split(delimiters.element)
        yield Segment(tag, tuple(elements), delimiters)
        if tag == "IEA":
            delimiters = None
        start = _next_segment(text, end + 1)


def parse_interchanges(text: str) -> list[Interchange]:
    """All interchanges of a file. Raises InterchangeFormatError when an envelope is missing, doubled or left open."""
    interchanges: list[Interchange] = []
    open_tags: list[str] = []
    for segment in iter_segments(text):
        match segment.tag:
            case "ISA" if not open_tags:
                open_tags.append("ISA")
                interchanges.append(Interchange(segment))
            case "TA1" if open_tags == ["ISA"]:
                interchanges[-1].acknowledgements.append(segment)
            case "GS" if open_tags == ["ISA"]:
                open_tags.append("GS")
                interchanges[-1].groups.append(FunctionalGroup(segment))
            case "ST" if open_tags == ["ISA", "GS"]:
                open_tags.append("ST")
                interchanges[-1].groups[-1].transaction_sets.append(TransactionSet([segment]))
            case "SE" | "GE" | "IEA" if open_tags[-1:] == [_OPENED_BY[segment.tag]]:
                open_tags.pop()
                _close(segment, interchanges[-1])
            case tag if open_tags == ["ISA", "GS", "ST"] and tag not in _ENVELOPE_TAGS:
                interchanges[-1].groups[-1].transaction_sets[-1].segments.append(segment)
            case _:
                raise InterchangeFormatError("The envelope segments (ISA, GS, ST, SE, GE, IEA) do not nest.")
    if open_tags or not interchanges:
        raise InterchangeFormatError("The file ends before its interchange is closed.")
    return interchanges


def parse_interchange(text: str) -> Interchange:
    """The one interchange of a file. Raises InterchangeFormatError as `parse_interchanges`, and for a second one."""
    interchanges = parse_interchanges(text)
    if len(interchanges) > 1:
        raise InterchangeFormatError("The file holds more than one interchange.")
    return interchanges[0]


_OPENED_BY = {"SE": "ST", "GE": "GS", "IEA": "ISA"}
_ENVELOPE_TAGS = {"TA1", *_OPENED_BY, *_OPENED_BY.values()}


def _close(trailer: Segment, interchange: Interchange) -> None:
    """Adds the trailer to its envelope and notes a count or control number that differs from the header's."""
    if trailer.tag == "SE":
        transaction_set = interchange.groups[-1].transaction_sets[-1]
        transaction_set.segments.append(trailer)
        count, control_number = len(transaction_set.segments), transaction_set.control_number
    elif trailer.tag == "GE":
        group = interchange.groups[-1]
        count, control_number = len(group.transaction_sets), group.header.element(6)
    else:
        count, control_number = len(interchange.groups), interchange.header.element(13)
    counted = trailer.element(1)
    if not (counted.isdecimal() and int(counted) == count):
        interchange.deviations.append(f"{trailer.tag}01 is not the number counted")
    if trailer.element(2) != control_number:
        interchange.deviations.append(f"{trailer.tag}02 differs from its header")


def _next_segment(text: str, start: int) -> int:
    while start < len(text) and text[start] in _BETWEEN_SEGMENTS:
        start += 1
    return start


def _with_whole_isa(text: str, start: int) -> tuple[str, Delimiters]:
    """The text and the delimiters of its ISA. Line breaks from `start` on are removed if one cuts the ISA."""
    isa = text[start : start + _ISA_LENGTH]
    if not {"\r", "\n"}.isdisjoint(isa[:-1]):
        text = text[:start] + text[start:].replace("\r", "").replace("\n", "")
        isa = text[start : start + _ISA_LENGTH]
    if len(isa) < _ISA_LENGTH or not isa.startswith("ISA") or {isa[at] for at in _ISA_SEPARATORS} != {isa[3]}:
        raise InterchangeFormatError("No readable ISA segment stands where one must.")
    # ISA11 is the letter U before version 00402, and some senders never changed it
    repetition = None if isa[82].isalnum() else isa[82]
    delimiters = Delimiters(element=isa[3], repetition=repetition, component=isa[104], segment=isa[105])
    signs = [sign for sign in (isa[3], repetition, isa[104], isa[105]) if sign is not None]
    if len(set(signs)) < len(signs) or any(sign.isalnum() or sign == " " for sign in signs):
        raise InterchangeFormatError("The ISA states delimiters that cannot be told apart.")
    return text, delimiters
