"""Any valid batch: pyx12 accepts it, it reads back as what was given, and no delimiter stands in its data."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings

from app.billing.x12.professional_claim import ClaimSubmission
from app.billing.x12.segments import DATA_CHARACTERS, Segment, bare_digits, x12_text
from app.billing.x12.tokenizer import iter_segments, parse_interchange
from app.billing.x12.writer_837p import render_837p
from tests.billing.x12.example import ENVELOPE, RECEIVER, SUBMITTER
from tests.billing.x12.judge import judge_837p
from tests.billing.x12.strategies import batches

Levels = dict[str, tuple[str, dict[str, list[Segment]]]]  # HL01 -> HL02, the level's own segments by tag and qualifier

_generous = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def render(batch: list[ClaimSubmission]) -> str:
    return render_837p(ENVELOPE, SUBMITTER, RECEIVER, batch)


@settings(_generous, max_examples=12)
@given(batches(least=12, most=20))
def test_pyx12_accepts_any_valid_batch(batch: list[ClaimSubmission]) -> None:
    assert judge_837p(render(batch)) == []


@pytest.mark.long
@settings(_generous, max_examples=200)
@given(batches(least=10, most=40))
def test_pyx12_accepts_any_valid_batch_at_length(batch: list[ClaimSubmission]) -> None:
    assert judge_837p(render(batch)) == []


@settings(_generous, max_examples=40)
@given(batches(most=6))
def test_no_delimiter_or_control_character_ever_stands_in_data(batch: list[ClaimSubmission]) -> None:
    text = render(batch)
    sets = parse_interchange(text).groups[0].transaction_sets
    for segment in (segment for of_set in sets for segment in of_set.segments):
        for element in segment.elements:
            assert set(element) <= DATA_CHARACTERS | {":"}, segment.tag
            if segment.tag not in ("CLM", "HI", "SV1"):
                assert ":" not in element, segment.tag
    # a delimiter smuggled into data would add segments: every line is one segment, and nothing else is
    assert len(list(iter_segments(text))) == text.count("\n") == text.count("~")


@settings(_generous, max_examples=40)
@given(batches(most=6))
def test_reading_and_rendering_again_gives_the_same_text_with_right_counts(batch: list[ClaimSubmission]) -> None:
    text = render(batch)
    assert "".join(segment.render() + "\n" for segment in iter_segments(text)) == text
    assert parse_interchange(text).deviations == []


@settings(_generous, max_examples=40)
@given(batches(most=8))
def test_every_claim_reads_back_under_its_own_parties(batch: list[ClaimSubmission]) -> None:
    read = list(_claims_with_parties(list(iter_segments(render(batch)))))
    given_claims = [_expected(submission) for submission in batch]
    assert sorted(read) == sorted(given_claims)


def _expected(submission: ClaimSubmission) -> tuple[str, ...]:
    person = submission.patient.name.last if submission.patient else submission.subscriber.name.last
    claim = submission.claim
    return (
        claim.id,
        x12_text(submission.billing_provider.legal_name),
        bare_digits(submission.billing_provider.address.zip_code),
        submission.subscriber.member_id,
        submission.payer.id,
        x12_text(person),
        " ".join(f"{line.hcpcs} {line.charge:.2f}" for line in claim.lines),
    )


def _claims_with_parties(segments: list[Segment]) -> Iterator[tuple[str, ...]]:
    """Follows HL02 from each claim to its subscriber and provider: an account of the hierarchy that owes us nothing."""
    levels: Levels = {}
    level = ""
    claim: list[Segment] = []
    for segment in segments:
        if segment.tag in ("CLM", "HL", "SE") and claim:
            yield _read_claim(claim, level, levels)
            claim = []
        if segment.tag == "HL":
            level = segment.element(1)
            levels[level] = (segment.element(2), {})
        elif segment.tag == "CLM" or claim:
            claim.append(segment)
        elif level:
            levels[level][1].setdefault(segment.tag + segment.element(1), []).append(segment)


def _read_claim(claim: list[Segment], level: str, levels: Levels) -> tuple[str, ...]:
    parent, own = levels[level]
    subscriber = own if "NM1IL" in own else levels[parent][1]
    provider = levels[parent if "NM1IL" in own else levels[parent][0]][1]
    person = own["NM1QC" if "NM1QC" in own else "NM1IL"][0]
    places = next(segments[0] for tag, segments in provider.items() if tag.startswith("N4"))
    lines = [segment for segment in claim if segment.tag == "SV1"]
    assert Decimal(claim[0].element(2)) == sum(Decimal(line.element(2)) for line in lines)
    return (
        claim[0].element(1),
        provider["NM185"][0].element(3),
        places.element(3),
        subscriber["NM1IL"][0].element(9),
        subscriber["NM1PR"][0].element(9),
        person.element(3),
        " ".join(f"{line.component(1, 2)} {Decimal(line.element(2)):.2f}" for line in lines),
    )
