"""Two thousand claims of many kinds, a hundred in a file, before an independent judge."""

from __future__ import annotations

import pytest

from app.billing.claims.content import draft_submission
from app.billing.claims.submission import transmission
from app.billing.exports.formats import FORMATS
from app.billing.exports.models import ClaimFileFormat
from app.billing.x12.professional_claim import ClaimSubmission
from tests.billing.support.drafts import AT, agency_profile
from tests.billing.support.generated import PAYERS, generated_claims
from tests.billing.x12.judge import judge_837p

A_FILE = 100


def submissions(seed: int) -> list[ClaimSubmission]:
    found = []
    for generated in generated_claims(seed, A_FILE):
        drafted = draft_submission(*generated, AT)
        assert drafted.problems == (), generated.claim.claim_number
        found.append(drafted.submission)
    return found


def expect_accepted(seed: int) -> None:
    adapter = FORMATS[ClaimFileFormat.X12_837P]
    sent = transmission(agency_profile(), 1000 + seed, "T", AT)
    content = adapter.render(sent, submissions(seed))
    assert judge_837p(content.decode("ascii")) == []
    assert adapter.render(sent, submissions(seed)) == content, "the same claims and numbers give the same bytes"


@pytest.mark.parametrize("seed", range(3))
def test_a_file_of_many_kinds_is_accepted(seed: int) -> None:
    expect_accepted(seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3, 24))
def test_two_thousand_claims_are_accepted(seed: int) -> None:
    expect_accepted(seed)


def test_the_kinds_are_all_there() -> None:
    """A generator that forgot a kind would prove nothing about it."""
    batch = [submission for seed in range(3) for submission in submissions(seed)]
    assert {submission.claim.frequency for submission in batch} == {"1", "7", "8"}
    assert {submission.payer.id for submission in batch} == {payer_id for _, payer_id, _ in PAYERS}
    assert {line.hcpcs for submission in batch for line in submission.claim.lines} >= {
        *("A0425", "A0426", "A0427", "A0428", "A0429", "A0430", "A0431", "A0433", "A0434", "A0435", "A0436")
    }
    dependents = [submission.patient for submission in batch if submission.patient]
    assert 50 < len(dependents) < 250
    assert {patient.relationship for patient in dependents} == {"01", "19", "20", "21", "53", "G8"}
    assert {line.patient_count for submission in batch for line in submission.claim.lines} == {1, 2, 4}
    assert {submission.subscriber.insurance_type for submission in batch} >= {None, "12", "43", "47"}
    assert {submission.subscriber.payer_sequence for submission in batch} == {"P", "S", "T"}
