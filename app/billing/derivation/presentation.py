"""The derivation as its reader may see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.billing.claims.models import Claim
from app.billing.claims.presentation import sees_clinical
from app.billing.derivation.columns import NAMES, entered, shown
from app.billing.derivation.schemas import (
    CitationRead,
    DerivationRead,
    DerivedValueRead,
    EvidenceChangeRead,
    OverrideRead,
    ReasonRead,
    ValueStatus,
)
from app.billing.evidence.models import ClaimDerivation, ClaimOverride
from app.billing.evidence.staleness import EvidenceChange
from app.core.permissions import Principal


def present(
    claim: Claim,
    derivation: ClaimDerivation,
    overrides: Sequence[ClaimOverride],
    changes: Sequence[EvidenceChange],
    principal: Principal,
) -> DerivationRead:
    """Values of the chart, and the reasons that people gave, are null for a principal without claim.clinical."""
    clinical = sees_clinical(principal)
    standing = {one.name: one for one in overrides}
    by_hand = entered(claim, derivation.applied)
    return DerivationRead(
        claim_id=claim.id,
        claim_version=claim.version,
        derived_at=derivation.derived_at,
        stale=bool(changes),
        changed=[
            EvidenceChangeRead(
                entity=one.entity,
                id=one.id,
                field=one.field,
                old=one.old if clinical else None,
                new=one.new if clinical else None,
            )
            for one in changes
        ],
        values=[
            _value(claim, value, standing.get(value["name"]), by_hand, clinical=clinical)
            for value in derivation.values_json
        ],
    )


def _value(
    claim: Claim, stored: Mapping[str, Any], override: ClaimOverride | None, by_hand: set[str], *, clinical: bool
) -> DerivedValueRead:
    columns = NAMES.get(stored["name"], ())
    value, status = stored["value"], ValueStatus.DERIVED if stored["derivable"] else ValueStatus.UNDERIVABLE
    if by_hand.intersection(columns):
        value, status = _on_claim(claim, columns), ValueStatus.ENTERED
    elif override is not None:
        value, status = override.value, ValueStatus.OVERRIDDEN
    return DerivedValueRead(
        name=stored["name"],
        value=value if clinical else None,
        derived=stored["value"] if clinical else None,
        status=status,
        reasons=[ReasonRead(**reason) for reason in stored["reasons"]],
        rule=stored["rule"],
        citations=[CitationRead(**citation) for citation in stored["citations"]],
        override=None
        if override is None
        else OverrideRead(
            value=override.value if clinical else None,
            reason=override.reason if clinical else None,
            by_user_id=override.by_user_id,
            at=override.updated_at,
        ),
    )


def _on_claim(claim: Claim, columns: Sequence[str]) -> Any:
    """The claim's own value: of one column, or of several by their names."""
    said = {column: shown(getattr(claim, column)) for column in columns}
    return said[columns[0]] if len(columns) == 1 else said
