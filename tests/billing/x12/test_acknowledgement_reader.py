"""TA1, 999, 277CA and Office Ally's status file: which file, set or claim was taken, and what is to be mended."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.billing.x12.acknowledgement_reader import read_acknowledgements
from app.billing.x12.acknowledgement_records import (
    ClaimStatus,
    ClaimVerdict,
    InterchangeVerdict,
    SegmentFault,
    SetVerdict,
    Source,
    Verdict,
)
from app.billing.x12.containers import FileKind, kind_of, text_chunks
from app.billing.x12.office_ally import read_status_file
from app.billing.x12.tokenizer import InterchangeFormatError
from tests.billing.support.acknowledgements import claim_acknowledgement, office_ally_status, set_acknowledgement
from tests.billing.x12.judge import judge_837p

SHARED = Path(os.environ.get("SHARED_DIR") or Path(__file__).parents[3].parent / "shared")


def test_a_999_names_the_sets_that_it_takes_and_refuses() -> None:
    refused = ["IK3*CR1*22*2300*8", "CTX*CLM01:C000000001", "IK4*4*1317*7*Z", "IK4*2:1*1018*1"]
    text = set_acknowledgement(101, {"0001": ("A", []), "0002": ("R", refused)}, verdict="P")
    assert kind_of(text.encode()) is FileKind.IMPLEMENTATION_ACKNOWLEDGEMENT
    first, second = read_acknowledgements(text)
    assert first == SetVerdict(101, "0001", Verdict.ACCEPTED)
    fault = SegmentFault("CR1", 22, "2300", "8", 4, None, "7", "C000000001")
    other = SegmentFault("CR1", 22, "2300", "8", 2, 1, "1", "C000000001")
    assert second == SetVerdict(101, "0002", Verdict.REJECTED, ("5",), (fault, other))
    assert "Z" not in {first, str(second)}


def test_our_999_is_what_the_guide_asks_for() -> None:
    assert (
        judge_837p(set_acknowledgement(101, {"0001": ("A", []), "0002": ("R", ["IK3*CR1*22*2300*8"])}, verdict="P"))
        == []
    )


def test_a_group_that_is_refused_as_a_whole() -> None:
    [verdict] = read_acknowledgements(set_acknowledgement(7, {}, verdict="R"))
    assert verdict == SetVerdict(7, None, Verdict.REJECTED)


def test_a_ta1_comes_without_a_group() -> None:
    head = set_acknowledgement(101, {}, verdict="A").partition("GS*")[0]
    text = head + "TA1*000000101*261105*1030*R*022~IEA*0*000000201~"
    assert kind_of(text.encode()) is FileKind.INTERCHANGE_ACKNOWLEDGEMENT
    assert list(read_acknowledgements(text)) == [InterchangeVerdict(101, Verdict.REJECTED, "022")]


def test_a_277ca_judges_claim_by_claim() -> None:
    text = claim_acknowledgement({"C000000001": "A2:20:PR", "C000000002": "A7:453:40", "C000000003": "A0:16"})
    assert kind_of(text.encode()) is FileKind.CLAIM_ACKNOWLEDGEMENT
    taken, refused, sent_on = read_acknowledgements(text)
    assert taken == ClaimVerdict(
        "C000000001",
        Verdict.ACCEPTED,
        Source.CLEARINGHOUSE,
        (ClaimStatus("A2", "20", "PR"),),
        amount=Decimal("650.00"),
        payer_control_number="ICN000000001",
        batch="BATCH0001",
    )
    assert isinstance(refused, ClaimVerdict) and isinstance(sent_on, ClaimVerdict)
    assert (refused.verdict, refused.messages) == (Verdict.REJECTED, ("MODIFIER MISSING",))
    assert sent_on.verdict is Verdict.PENDING
    [from_payer] = read_acknowledgements(claim_acknowledgement({"C1": "A1:20"}, sender="PR"))
    assert isinstance(from_payer, ClaimVerdict) and from_payer.source is Source.PAYER


def test_acceptance_of_receiver_and_provider_is_none_of_a_claim() -> None:
    """STC at the levels above the claim says nothing about a claim."""
    assert list(read_acknowledgements(claim_acknowledgement({}))) == []


def test_office_allys_status_file() -> None:
    text = office_ally_status(
        accepted=["C000000001"],
        errors={"C000000002": "ABC123"},
        pending=["RUN26-000000000003"],
        wording="NPI IS MISSING",
    )
    assert kind_of(text.encode()) is FileKind.OFFICE_ALLY_STATUS
    taken, refused, waiting = read_status_file(text_chunks(text.encode()))
    assert (taken.claim_number, taken.verdict) == ("C000000001", Verdict.ACCEPTED)
    assert refused.messages == ("ABC123: NPI IS MISSING",)
    assert (waiting.claim_number, waiting.verdict, waiting.is_cut) == ("RUN26-00000000", Verdict.PENDING, True)
    for bad in ("nothing", text.replace("C000000001", " " * 10)):
        with pytest.raises(InterchangeFormatError) as stopped:
            list(read_status_file([bad]))
        assert "MUSTER" not in str(stopped.value)


def test_another_layout_is_unknown() -> None:
    for content in (b"", b"Dear biller,\n", b'{"claims": []}', b"CLAIM;STATUS\n1;OK\n"):
        assert kind_of(content) is FileKind.UNKNOWN


@given(st.text("ISAGETK*~:9 \n", max_size=200).map(lambda tail: set_acknowledgement(1, {}, verdict="A")[:150] + tail))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        list(read_acknowledgements(text))
    except InterchangeFormatError as refusal:
        assert refusal.position is None or refusal.position >= 0


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no shared reference files: {SHARED} is absent (set SHARED_DIR)")
@pytest.mark.parametrize(
    ("sample", "verdicts"),
    [
        ("999_own_accepted", [Verdict.ACCEPTED]),
        ("999_own_rejected", [Verdict.REJECTED]),
        ("999_ims_rejected", [Verdict.REJECTED]),
        ("277ca_own_mixed", [Verdict.ACCEPTED, Verdict.REJECTED]),
        ("277ca_ims_rejected", [Verdict.REJECTED]),
    ],
)
def test_samples_of_senders_are_read(sample: str, verdicts: list[Verdict]) -> None:
    content = (SHARED / "x12" / "samples" / f"{sample}.edi").read_bytes()
    assert [one.verdict for one in read_acknowledgements(text_chunks(content))] == verdicts
