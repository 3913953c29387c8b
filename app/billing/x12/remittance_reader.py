"""Reads 835 files (005010X221A1): one claim at a time, so a file of any size needs the memory of one claim.

Tolerant of what payers vary (order within a loop, repeated CAS of one group, absent segments), strict about money.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from app.billing.x12.element_reader import amount, date_of, identifier, optional_amount, quantity
from app.billing.x12.remittance_advice import (
    CROSSOVER_REMARKS,
    FORWARDED,
    ZERO,
    Adjustment,
    ClaimPayment,
    LinePayment,
    Procedure,
    ProviderAdjustment,
    RemittanceHeader,
    RemittanceTrailer,
)
from app.billing.x12.segments import Segment
from app.billing.x12.tokenizer import InterchangeReader

MAX_CLAIM_SEGMENTS = 20_000
RemittancePart = RemittanceHeader | ClaimPayment | RemittanceTrailer
_LINE_DATES = ("472", "150", "151")


def read_remittances(source: str | Iterable[str]) -> Iterator[RemittancePart]:
    """Each set's header, then its claims in order, then its trailer. Raises InterchangeFormatError where reading stops.

    What was read before an error may not be relied on: a file is taken whole or not at all.
    """
    reader = InterchangeReader(source, exact=True)
    opened: _Set | None = None
    for segment in reader:
        match segment.tag:
            case "ST":
                if segment.element(1) != "835":
                    raise reader.error("ST01 is not 835.", segment)
                opened = _Set(reader, segment)
            case "SE" if opened is not None:
                yield from opened.finish(segment)
                opened = None
            case _ if opened is not None:
                yield from opened.take(segment)


class _Set:
    """One transaction set while it is read."""

    def __init__(self, reader: InterchangeReader, start: Segment) -> None:
        self._reader = reader
        self._control_number = identifier(reader, start, 2)
        self._head: dict[str, Any] | None = {
            "payer_name": "",
            "payee_npi": None,
            "payee_tax_id": None,
            "produced_on": None,
        }
        self._party = ""
        self._claim: _Claim | None = None
        self._claims = 0
        self._paid = ZERO
        self._adjustments: list[ProviderAdjustment] = []

    def take(self, segment: Segment) -> Iterator[RemittancePart]:
        tag = segment.tag
        if self._head is not None:
            if tag not in ("LX", "CLP", "PLB"):
                self._describe(segment, self._head)
                return
            yield self._header(segment)
        if tag in ("LX", "CLP", "PLB"):
            yield from self._close_claim()
        if tag == "CLP":
            if self._adjustments:
                raise self._reader.error("A claim follows the provider's adjustments.", segment)
            self._claims += 1
            self._claim = _Claim(self._reader, segment, self._claims)
        elif tag == "PLB":
            self._adjustments += _provider_adjustments(self._reader, segment)
        elif self._claim is not None:
            self._claim.take(segment)

    def finish(self, end: Segment) -> Iterator[RemittancePart]:
        if self._head is not None:
            yield self._header(end)
        yield from self._close_claim()
        yield RemittanceTrailer(self._claims, self._paid, tuple(self._adjustments))

    def _close_claim(self) -> Iterator[ClaimPayment]:
        if self._claim is not None:
            claim = self._claim.closed()
            self._paid += claim.paid
            self._claim = None
            yield claim

    def _describe(self, segment: Segment, head: dict[str, Any]) -> None:
        match segment.tag:
            case "BPR":
                figure = amount(self._reader, segment, 2)
                head["amount"] = -figure if segment.element(3) == "D" else figure
                head["handling"], head["method"] = segment.element(1), segment.element(4)
                head["paid_on"] = date_of(segment.element(16))
            case "TRN":
                head["trace_number"] = identifier(self._reader, segment, 2)
                head["payer_identifier"] = identifier(self._reader, segment, 3)
            case "DTM" if segment.element(1) == "405":
                head["produced_on"] = date_of(segment.element(2))
            case "N1":
                self._party = segment.element(1)
                if self._party == "PR":
                    head["payer_name"] = segment.element(2)
                elif self._party == "PE":
                    self._identify(segment.element(3), segment.element(4), head)
            case "REF" if self._party == "PE":
                self._identify(segment.element(1), segment.element(2), head)

    @staticmethod
    def _identify(qualifier: str, value: str, head: dict[str, Any]) -> None:
        """N103 and N104, or REF01 and REF02, of the payee: XX is an NPI, FI and TJ are a tax id."""
        if qualifier == "XX":
            head["payee_npi"] = value
        elif qualifier in ("FI", "TJ"):
            head["payee_tax_id"] = value.replace("-", "")

    def _header(self, segment: Segment) -> RemittanceHeader:
        head, self._head = self._head or {}, None
        for tag, name in (("BPR", "amount"), ("TRN", "trace_number")):
            if name not in head:
                raise self._reader.error(f"{tag} is missing before the first claim.", segment)
        if head["paid_on"] is None:
            raise self._reader.error("BPR16 is no date.", segment)
        if not head["trace_number"]:
            raise self._reader.error("TRN02 is missing.", segment)
        return RemittanceHeader(control_number=self._control_number, **head)


class _Claim:
    """One CLP loop while it is read."""

    def __init__(self, reader: InterchangeReader, clp: Segment, position: int) -> None:
        self._reader = reader
        self._values: dict[str, Any] = {
            "position": position,
            "claim_number": identifier(reader, clp, 1),
            "status": clp.element(2),
            "charge": amount(reader, clp, 3),
            "paid": amount(reader, clp, 4),
            "patient_responsibility": optional_amount(reader, clp, 5),
            "filing_code": clp.element(6) or None,
            "payer_control_number": identifier(reader, clp, 7) or None,
            "frequency": clp.element(9) or None,
            "crossed_over": clp.element(2) in FORWARDED,
        }
        self._adjustments: list[Adjustment] = []
        self._remarks: list[str] = []
        self._lines: list[LinePayment] = []
        self._line: dict[str, Any] | None = None
        self._segments = 0

    def take(self, segment: Segment) -> None:
        self._segments += 1
        if self._segments > MAX_CLAIM_SEGMENTS:
            raise self._reader.error(f"A claim holds more than {MAX_CLAIM_SEGMENTS} segments.", segment)
        line = self._line
        match segment.tag:
            case "SVC":
                self._close_line()
                self._line = _line(self._reader, segment)
            case "CAS":
                (self._adjustments if line is None else line["adjustments"]).extend(_cas(self._reader, segment))
            case "MIA" | "MOA":
                codes = [code for code in segment.elements if _is_remark(code)]
                self._remarks += codes
                self._values["crossed_over"] |= not CROSSOVER_REMARKS.isdisjoint(codes)
            case "NM1" if segment.element(1) == "TT":
                self._values["crossed_over"] = True
            case "AMT" if segment.element(1) == "I" and line is None:
                self._values["interest"] = amount(self._reader, segment, 2)
            case "AMT" if segment.element(1) == "B6" and line is not None:
                line["allowed"] = amount(self._reader, segment, 2)
            case "DTM" if line is not None and segment.element(1) in _LINE_DATES:
                line["service_date"] = line["service_date"] or date_of(segment.element(2))
            case "REF" if line is not None and segment.element(1) == "6R":
                line["control_number"] = segment.element(2).strip() or None
            case "LQ" if line is not None and segment.element(1) == "HE":
                line["remarks"].append(segment.element(2))

    def closed(self) -> ClaimPayment:
        self._close_line()
        return ClaimPayment(
            **self._values,
            adjustments=tuple(self._adjustments),
            remarks=tuple(dict.fromkeys(self._remarks)),
            lines=tuple(self._lines),
        )

    def _close_line(self) -> None:
        if self._line is not None:
            lists = {name: tuple(self._line[name]) for name in ("adjustments", "remarks")}
            self._lines.append(LinePayment(**{**self._line, **lists}))
            self._line = None


def _line(reader: InterchangeReader, svc: Segment) -> dict[str, Any]:
    procedure = _procedure(svc, 1)
    if procedure is None:
        raise reader.error("SVC01 is missing.", svc)
    service_date: dt.date | None = None
    return {
        "procedure": procedure,
        "charge": amount(reader, svc, 2),
        "paid": amount(reader, svc, 3),
        "units": quantity(svc, 5),
        "submitted": _procedure(svc, 6),
        "service_date": service_date,
        "control_number": None,
        "adjustments": [],
        "remarks": [],
    }


def _procedure(svc: Segment, position: int) -> Procedure | None:
    """Components: the list's qualifier, the code, four modifiers."""
    parts = svc.element(position).split(svc.delimiters.component)
    return Procedure(parts[1], tuple(part for part in parts[2:6] if part)) if len(parts) > 1 and parts[1] else None


def _cas(reader: InterchangeReader, segment: Segment) -> Iterator[Adjustment]:
    """One to six triplets of reason, amount and quantity."""
    group = segment.element(1)
    if group not in ("CO", "PR", "OA", "PI", "CR"):
        raise reader.error("CAS01 is no group of adjustments.", segment)
    for at in range(2, 20, 3):
        reason, figure = segment.element(at), optional_amount(reader, segment, at + 1)
        if reason and figure is not None:
            yield Adjustment(group, reason, figure)
        elif reason or figure is not None:
            raise reader.error(f"CAS{at:02} and CAS{at + 1:02} belong together.", segment)
    if len(segment.elements) > 19:
        raise reader.error("CAS holds more than six adjustments.", segment)


def _provider_adjustments(reader: InterchangeReader, segment: Segment) -> Iterator[ProviderAdjustment]:
    """Pairs of a composite (reason, reference) and an amount, from PLB03 on."""
    for at in range(3, len(segment.elements) + 1, 2):
        reason = segment.component(at, 1)
        figure: Decimal | None = optional_amount(reader, segment, at + 1)
        if not reason and figure is None:
            continue
        if not reason or figure is None:
            raise reader.error(f"PLB{at:02} and PLB{at + 1:02} belong together.", segment)
        yield ProviderAdjustment(reason, figure, segment.component(at, 2) or None, date_of(segment.element(2)))


def _is_remark(code: str) -> bool:
    """True if the element is a remittance advice remark code, such as MA01, M20 or N115."""
    return code[:1] in ("M", "N") and len(code) <= 5 and code[-1:].isdecimal()
