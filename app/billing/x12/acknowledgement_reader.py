"""Reads TA1, 999 (005010X231A1) and 277CA (005010X214), as leniently as their senders write them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from app.billing.x12.acknowledgement_records import (
    Acknowledgement,
    ClaimStatus,
    ClaimVerdict,
    InterchangeVerdict,
    SegmentFault,
    SetVerdict,
    Source,
    Verdict,
)
from app.billing.x12.element_reader import optional_amount
from app.billing.x12.segments import Segment
from app.billing.x12.tokenizer import InterchangeReader

REJECTING_CATEGORIES = frozenset({"A3", "A4", "A6", "A7", "A8"})
"""STC01-1 of claims that were never adjudicated. They are mended and sent as new ones."""
ACCEPTING_CATEGORIES = frozenset({"A1", "A2", "A5"})
_ACCEPTED = frozenset({"A", "E", "P"})
_CLAIM_LEVELS = frozenset({"PT", "22", "23"})


def read_acknowledgements(source: str | Iterable[str]) -> Iterator[Acknowledgement]:
    """Every verdict of a file, in its order. Raises InterchangeFormatError."""
    reader = InterchangeReader(source)
    opened: _Functional | _Claims | None = None
    for segment in reader:
        match segment.tag:
            case "TA1":
                yield _interchange_verdict(reader, segment)
            case "ST":
                opened = _opened(reader, segment)
            case "SE" if opened is not None:
                yield from opened.finish()
                opened = None
            case _ if opened is not None:
                yield from opened.take(segment)


def _opened(reader: InterchangeReader, start: Segment) -> _Functional | _Claims:
    match start.element(1):
        case "999":
            return _Functional(reader)
        case "277":
            return _Claims(reader)
        case _:
            raise reader.error("ST01 is neither 999 nor 277.", start)


def _interchange_verdict(reader: InterchangeReader, segment: Segment) -> InterchangeVerdict:
    verdict = Verdict.REJECTED if segment.element(4) == "R" else Verdict.ACCEPTED
    return InterchangeVerdict(_number(reader, segment, 1), verdict, segment.element(5))


class _Functional:
    """A 999: AK1, then AK2 to IK5 for each set, then AK9."""

    def __init__(self, reader: InterchangeReader) -> None:
        self._reader = reader
        self._group = 0
        self._set: str | None = None
        self._faults: list[dict[str, Any]] = []
        self._sets = 0

    def take(self, segment: Segment) -> Iterator[SetVerdict]:
        match segment.tag:
            case "AK1":
                self._group = _number(self._reader, segment, 2)
            case "AK2":
                self._set, self._faults = segment.element(2), []
                self._sets += 1
            case "IK3" | "AK3":
                self._faults.append(
                    {
                        "segment": segment.element(1),
                        "position": _count(segment.element(2)),
                        "loop": segment.element(3) or None,
                        "code": segment.element(4),
                    }
                )
            case "CTX" if self._faults and segment.component(1, 1) == "CLM01":
                self._faults[-1]["claim_number"] = segment.component(1, 2).strip() or None
            case "IK4" | "AK4" if self._faults:
                last = self._faults[-1]
                if "element" in last:
                    last = {name: value for name, value in last.items() if name not in ("element", "component")}
                    self._faults.append(last)
                last["element"] = _count(segment.component(1, 1))
                last["component"] = _count(segment.component(1, 2))
                last["element_code"] = segment.element(3)
            case "IK5" | "AK5":
                yield self._verdict(segment, self._set, range(2, 7))
                self._set = None
            case "AK9" if not self._sets:
                yield self._verdict(segment, None, range(5, 10))

    def finish(self) -> Iterator[SetVerdict]:
        yield from ()

    def _verdict(self, segment: Segment, control_number: str | None, codes: range) -> SetVerdict:
        return SetVerdict(
            self._group,
            control_number,
            Verdict.ACCEPTED if segment.element(1) in _ACCEPTED else Verdict.REJECTED,
            tuple(code for at in codes if (code := segment.element(at))),
            tuple(SegmentFault(**fault) for fault in self._faults),
        )


class _Claims:
    """A 277CA: the source, the receiver, the provider, then one HL for each claim."""

    def __init__(self, reader: InterchangeReader) -> None:
        self._reader = reader
        self._source = Source.CLEARINGHOUSE
        self._level = ""
        self._batch: str | None = None
        self._claim: dict[str, Any] | None = None

    def take(self, segment: Segment) -> Iterator[ClaimVerdict]:
        claim = self._claim
        match segment.tag:
            case "HL":
                yield from self.finish()
                self._level = segment.element(3)
            case "NM1" if self._level == "20":
                self._source = Source.PAYER if segment.element(1) == "PR" else Source.CLEARINGHOUSE
            case "TRN" if self._level == "21" and segment.element(1) == "2":
                self._batch = segment.element(2).strip() or None
            case "TRN" if self._level in _CLAIM_LEVELS and segment.element(1) == "2":
                yield from self.finish()
                self._claim = {"claim_number": segment.element(2).strip(), "statuses": [], "messages": []}
            case "STC" if claim is not None:
                self._judge(claim, segment)
            case "REF" if claim is not None and segment.element(1) == "1K":
                claim["payer_control_number"] = segment.element(2) or None
            case "REF" if claim is not None and segment.element(1) == "D9":
                claim["clearinghouse_number"] = segment.element(2) or None

    def finish(self) -> Iterator[ClaimVerdict]:
        claim, self._claim = self._claim, None
        if claim is None or not claim["statuses"]:
            return
        lists = {name: tuple(dict.fromkeys(claim[name])) for name in ("statuses", "messages")}
        said = {"verdict": _verdict_of(lists["statuses"]), "source": self._source, "batch": self._batch}
        yield ClaimVerdict(**{**claim, **lists, **said})

    def _judge(self, claim: dict[str, Any], segment: Segment) -> None:
        for at in (1, 10, 11):
            if segment.element(at):
                claim["statuses"].append(
                    ClaimStatus(segment.component(at, 1), segment.component(at, 2), segment.component(at, 3) or None)
                )
        if claim.get("amount") is None:
            claim["amount"] = optional_amount(self._reader, segment, 4)
        if segment.element(12):
            claim["messages"].append(segment.element(12))


def _verdict_of(statuses: tuple[ClaimStatus, ...]) -> Verdict:
    """One rejecting status rejects the claim, whatever STC03 says. A0 only tells that the claim was sent on."""
    categories = {status.category for status in statuses}
    if not categories.isdisjoint(REJECTING_CATEGORIES):
        return Verdict.REJECTED
    return Verdict.ACCEPTED if not categories.isdisjoint(ACCEPTING_CATEGORIES) else Verdict.PENDING


def _number(reader: InterchangeReader, segment: Segment, position: int) -> int:
    found = _count(segment.element(position))
    if found is None:
        raise reader.error(f"{segment.tag}{position:02} is no control number.", segment)
    return found


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else None
