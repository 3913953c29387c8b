"""Which patients of a locked chart have a claim, and why the others have none. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from app.billing.derivation.context import Context
from app.billing.derivation.levels import died_before_loading, is_intercept
from app.billing.derivation.reading import Reading
from app.billing.exemptions.models import ExemptionReason
from app.ems.public import CallKind, PatientChart, kind_of

_MEDICAID = "MC"
_EXEMPT: Mapping[CallKind, ExemptionReason] = {
    CallKind.CANCELLED: ExemptionReason.CANCELLED,
    CallKind.NO_PATIENT: ExemptionReason.NO_PATIENT,
    CallKind.STANDBY: ExemptionReason.NO_PATIENT,
    CallKind.ASSIST: ExemptionReason.NO_TRANSPORT,
    CallKind.REFUSAL: ExemptionReason.NO_TRANSPORT,
    CallKind.TRANSFERRED: ExemptionReason.OTHER_UNIT,
}


def exemption_of_call(call: PatientChart) -> ExemptionReason | None:
    """Why a call without a patient has no claim. None: the chart does not tell."""
    return _EXEMPT.get(kind_of(call))


def is_unsaid(chart: PatientChart) -> bool:
    """True if no disposition tells what became of the patient: neither a claim nor a reason for none."""
    return kind_of(chart) is CallKind.UNSAID


def exemption_of(reading: Reading, context: Context) -> ExemptionReason | None:
    """Why this patient has no claim. None: a claim is due.

    A death is claimed if it was pronounced after the dispatch, and also while the time is not charted (modifier QL). A
    treatment without transport (A0998) is claimed from payers that may pay for it.
    """
    kind = kind_of(reading.chart)
    if kind is CallKind.TRANSFERRED and is_intercept(reading, context):
        return None
    if kind is CallKind.DEAD_ON_SCENE:
        return ExemptionReason.NO_TRANSPORT if died_before_loading(reading) is False else None
    if kind is CallKind.RELEASED:
        of_medicaid = context.payer is not None and context.payer.filing_code == _MEDICAID
        return ExemptionReason.NO_TRANSPORT if context.is_medicare or of_medicaid else None
    return _EXEMPT.get(kind)
