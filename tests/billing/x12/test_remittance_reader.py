"""835 files: what they say is read to the cent, and what cannot be relied on is refused with its place."""

from __future__ import annotations

import datetime as dt
import io
import os
import tracemalloc
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.billing.x12.containers import MAX_UNPACKED_BYTES, FileKind, kind_of, members, text_chunks
from app.billing.x12.remittance_advice import (
    Adjustment,
    ClaimPayment,
    Imbalance,
    Procedure,
    RemittanceHeader,
    RemittanceTrailer,
    claim_imbalances,
    set_balances,
)
from app.billing.x12.remittance_reader import RemittancePart, read_remittances
from app.billing.x12.tokenizer import MAX_SEGMENTS, InterchangeFormatError
from tests.billing.support.adjudications import Decided, DecidedLine, Payment, payments, remittance_file
from tests.billing.x12.judge import judge_837p

SHARED = Path(os.environ.get("SHARED_DIR") or Path(__file__).parents[3].parent / "shared")
D = Decimal
BASE = DecidedLine(
    1, "A0427", ("RH",), D(650), D("446.10"), (("CO", "45", D(81)), ("CO", "253", D("9.10")), ("PR", "2", D("113.80")))
)
MILES = DecidedLine(
    2,
    "A0425",
    ("RH",),
    D("365.60"),
    D("127.88"),
    (("CO", "45", D("202.50")), ("CO", "253", D("2.60")), ("PR", "2", D("32.62"))),
)
CLAIM = Decided("C000000001", (BASE, MILES))


def read(content: bytes) -> list[RemittancePart]:
    return list(read_remittances(text_chunks(content)))


def claims_of(content: bytes) -> list[ClaimPayment]:
    return [part for part in read(content) if isinstance(part, ClaimPayment)]


def test_a_payment_is_read_whole() -> None:
    header, claim, trailer = read(remittance_file(Payment((CLAIM,), taken_back=(("WO", "ICN7", D("73.98")),))))
    assert header == RemittanceHeader(
        control_number="0001",
        handling="I",
        amount=D("500.00"),
        method="ACH",
        paid_on=dt.date(2026, 11, 9),
        trace_number="EFT0001",
        payer_identifier="1351840597",
        payer_name="MEDICARE PART B IL",
        payee_npi="1467890129",
        payee_tax_id="371234567",
        produced_on=dt.date(2026, 11, 9),
    )
    assert isinstance(claim, ClaimPayment)
    assert (claim.claim_number, claim.status, claim.position) == ("C000000001", "1", 1)
    assert (claim.charge, claim.paid, claim.patient_responsibility) == (D("1015.60"), D("573.98"), D("146.42"))
    assert claim.remarks == ("MA01",)
    assert [line.control_number for line in claim.lines] == ["C000000001-1", "C000000001-2"]
    assert claim.lines[0].procedure == Procedure("A0427", ("RH",))
    assert claim.lines[0].adjustments[1] == Adjustment("CO", "253", D("9.10"))
    assert claim_imbalances(claim) == []
    assert isinstance(trailer, RemittanceTrailer) and isinstance(header, RemittanceHeader)
    assert (trailer.claims, trailer.claims_paid) == (1, D("573.98"))
    assert [(one.reason, one.reference, one.amount) for one in trailer.provider_adjustments] == [
        ("WO", "ICN7", D("73.98"))
    ]
    assert set_balances(header, trailer)


@settings(max_examples=25)
@given(payments())
def test_any_adjudication_is_read_to_the_cent(payment: Payment) -> None:
    header, *claims, trailer = read(remittance_file(payment))
    assert isinstance(header, RemittanceHeader) and isinstance(trailer, RemittanceTrailer)
    assert header.amount == payment.amount
    assert set_balances(header, trailer)
    assert len(claims) == len(payment.claims)
    for found, decided in zip(claims, payment.claims, strict=True):
        assert isinstance(found, ClaimPayment)
        assert claim_imbalances(found) == []
        assert (found.charge, found.paid, found.status) == (decided.charge, decided.paid, decided.status)
        for line, said in zip(found.lines, decided.lines, strict=True):
            assert [(one.group, one.reason, one.amount) for one in line.adjustments] == sorted(
                said.adjustments, key=lambda one: [group for group, _, _ in said.adjustments].index(one[0])
            )
            assert line.submitted == (None if said.decided_code is None else Procedure(said.code, said.modifiers))


def test_the_generator_writes_what_the_guide_asks_for() -> None:
    """An independent implementation of the guide accepts reversals, provider adjustments and changed codes."""
    downcoded = replace(BASE, decided_code="A0429")
    bundled = DecidedLine(3, "A0422", (), D(20), D(0), (("CO", "97", D(20)),))
    payment = Payment(
        (CLAIM, CLAIM.reversed(), replace(CLAIM, lines=(downcoded, MILES, bundled), interest=D("1.25"))),
        taken_back=(("L6", "ICN1", D("-1.25")), ("FB", "", D("3.10"))),
    )
    assert judge_837p(remittance_file(payment, replace(payment, trace="EFT0002")).decode()) == []


def test_the_judge_refuses_a_wrong_835() -> None:
    assert judge_837p(remittance_file(Payment((CLAIM,))).decode().replace("CAS*CO", "CAS*XX")) != []


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", ""),
        lambda text: text.translate(str.maketrans("*^:~", "|!>\x1e")),
        lambda text: text[text.index("GS*") :],
        lambda text: text[text.index("ST*") : text.index("GE*")],
        lambda text: text + "\n\x1a-- sent by the clearinghouse --",
        lambda text: "\n".join(text.replace("\n", "")[at : at + 80] for at in range(0, len(text), 80)),
    ],
    ids=["bom", "crlf", "one line", "other signs", "no isa", "only the set", "rubbish", "80 columns"],
)
def test_senders_vary(change: object) -> None:
    text = remittance_file(Payment((CLAIM,))).decode()
    assert claims_of(change(text).encode()) == claims_of(text.encode())  # type: ignore[operator]


@pytest.mark.parametrize(
    ("right", "wrong", "segment", "says"),
    [
        ("SE*", "SE*1", "SE", "SE01"),
        ("GE*1*", "GE*2*", "GE", "GE01"),
        ("IEA*1*", "IEA*3*", "IEA", "IEA01"),
        ("CLP*C000000001*1*1015.6*", "CLP*C000000001*1*1O15.6*", "CLP", "CLP03"),
        ("*573.98*146.42", "**146.42", "CLP", "CLP04"),
        ("SVC*HC:A0427:RH*650*", "SVC*HC:A0427:RH*650.005*", "SVC", "SVC02"),
        ("CAS*PR*2*113.8", "CAS*PR*2*", "CAS", "belong together"),
        ("CAS*PR*2*113.8", "CAS*ZZ*2*113.8", "CAS", "CAS01"),
        ("BPR*I*573.98", "BPR*I*1e3", "BPR", "BPR02"),
        ("*20261109~\nTRN", "*20261399~\nTRN", "LX", "BPR16"),
        ("TRN*1*EFT0001*1351840597~\n", "", "LX", "TRN"),
        ("ST*835", "ST*820", "ST", "ST01"),
    ],
)
def test_what_is_wrong_is_named_by_segment_and_position(right: str, wrong: str, segment: str, says: str) -> None:
    text = remittance_file(Payment((CLAIM,))).decode()
    assert right in text
    with pytest.raises(InterchangeFormatError) as refused:
        read(text.replace(right, wrong, 1).encode())
    assert refused.value.segment == segment
    assert says in refused.value.says
    lines = text.replace(right, wrong, 1).splitlines()
    assert lines[(refused.value.position or 0) - 1].startswith(segment)
    assert "MUSTER" not in str(refused.value) and "1EG4TE5MK73" not in str(refused.value)


def test_a_file_cut_anywhere_is_refused() -> None:
    segments = remittance_file(Payment((CLAIM,))).decode().splitlines(keepends=True)
    for length in range(1, len(segments)):
        with pytest.raises(InterchangeFormatError):
            read("".join(segments[:length]).encode())


def test_endless_and_binary_files_are_refused() -> None:
    text = remittance_file(Payment((CLAIM,))).decode()
    flood = "CAS*CO*45*1~" * (MAX_SEGMENTS + 1)
    with pytest.raises(InterchangeFormatError, match="segments"):
        read(text.replace("SE*", flood + "SE*").encode())
    with pytest.raises(InterchangeFormatError, match="does not end"):
        read(text.replace("LX*1~", "LX*1" + "9" * 100_000).encode())
    with pytest.raises(InterchangeFormatError, match="binary"):
        read(os.urandom(4096))


def zipped(*contents: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for at, content in enumerate(contents):
            archive.writestr(f"{at}.835", content)
    return packed.getvalue()


def test_archives_are_unpacked_within_bounds() -> None:
    file = remittance_file(Payment((CLAIM,)))
    assert list(members(file)) == [file]
    assert list(members(zipped(file, file))) == [file, file]
    for bad in (zipped(zipped(file)), zipped(), zipped(file)[:-30], zipped(b"0" * (MAX_UNPACKED_BYTES + 1))):
        with pytest.raises(InterchangeFormatError):
            list(members(bad))


def test_memory_does_not_grow_with_the_file() -> None:
    """A file of 2,000 claims (more than a megabyte) is read in a fraction of its own size."""
    head, _, rest = remittance_file(Payment((CLAIM,))).decode().partition("CLP*")
    loop, claims = "CLP*" + rest.partition("SE*")[0], 2000
    segments = head.count("~") - 2 + claims * loop.count("~")

    def chunks() -> Iterator[str]:
        yield head
        for _ in range(claims):
            yield loop
        yield f"SE*{segments + 1}*0001~GE*1*101~IEA*1*000000101~"

    tracemalloc.start()
    try:
        assert sum(isinstance(part, ClaimPayment) for part in read_remittances(chunks())) == claims
        assert tracemalloc.get_traced_memory()[1] < claims * len(loop) / 4
    finally:
        tracemalloc.stop()


@given(
    st.binary(max_size=300) | st.binary(max_size=200).map(lambda tail: remittance_file(Payment((CLAIM,)))[:300] + tail)
)
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        for member in members(content):
            kind_of(member)
            read(member)
    except InterchangeFormatError as refusal:
        assert "MUSTER" not in str(refusal)


@pytest.mark.parametrize(
    ("change", "imbalance"),
    [
        ({"paid": D("573.97")}, Imbalance.CLAIM),
        ({"charge": D("1015.61")}, Imbalance.LINE_CHARGES),
        ({"patient_responsibility": D(1)}, Imbalance.PATIENT_RESPONSIBILITY),
    ],
)
def test_a_claim_that_does_not_balance_says_why(change: dict[str, Any], imbalance: Imbalance) -> None:
    [claim] = claims_of(remittance_file(Payment((CLAIM,))))
    assert imbalance in claim_imbalances(replace(claim, **change))
    first, *others = claim.lines
    assert Imbalance.LINE in claim_imbalances(replace(claim, lines=(replace(first, paid=D(1)), *others)))


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no shared reference files: {SHARED} is absent (set SHARED_DIR)")
def test_every_sample_835_is_read() -> None:
    samples = sorted((SHARED / "x12" / "samples").glob("835_*.edi"))
    assert len(samples) >= 9
    for sample in samples:
        content = sample.read_bytes()
        assert kind_of(content) is FileKind.REMITTANCE, sample.name
        header: RemittanceHeader | None = None
        for part in read(content):
            if isinstance(part, RemittanceHeader):
                header = part
            elif isinstance(part, RemittanceTrailer):
                assert header is not None and part.claims, sample.name
                assert set_balances(header, part), sample.name
            elif "_own_" in sample.name:
                assert claim_imbalances(part) == [], sample.name
