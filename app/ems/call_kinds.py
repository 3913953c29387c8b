"""The kind of a call for one patient: what review, document and claim need of it, and what is not due.

A kind follows from eDisposition.27 to .30. A death is told by eDisposition.19 and eArrest.18. Readiness and
plausibility ask this table. ADR 0038 gives the reasons.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from app.ems.patient_facts import OnePatient, Transport, code_of, transport_of, unit_disposition


class CallKind(StrEnum):
    """UNSAID: no disposition tells the kind."""

    CANCELLED = "cancelled_before_arrival"
    NO_PATIENT = "no_patient"
    STANDBY = "standby"
    ASSIST = "assist"
    REFUSAL = "refusal"
    DEAD_ON_SCENE = "dead_on_scene"
    RELEASED = "treated_and_released"
    TRANSFERRED = "transferred_to_another_unit"
    TRANSPORT = "transport"
    UNSAID = "unsaid"


class Need(StrEnum):
    """What a chart may need."""

    PATIENT = "patient"
    NARRATIVE = "narrative"
    ARRIVAL_TIME = "arrival_time"
    TRANSPORT_TIMES = "transport_times"
    VITAL_SIGNS = "vital_signs"
    REFUSAL_SIGNATURE = "refusal_signature"
    CLAIM = "claim"


class NotDue(NamedTuple):
    """A need that a kind of call does not have, and why."""

    need: Need
    reason: str


@dataclass(frozen=True, slots=True)
class KindOfCall:
    """`words` are the reason why something is not due: "The call was cancelled before the unit arrived"."""

    words: str
    needs: frozenset[Need]


_OF_A_PATIENT = frozenset({Need.PATIENT, Need.NARRATIVE, Need.ARRIVAL_TIME})
KINDS: Mapping[CallKind, KindOfCall] = {
    CallKind.CANCELLED: KindOfCall("The call was cancelled before the unit arrived", frozenset()),
    CallKind.NO_PATIENT: KindOfCall("The unit met no patient", frozenset({Need.ARRIVAL_TIME})),
    CallKind.STANDBY: KindOfCall("The call was not about a patient", frozenset({Need.ARRIVAL_TIME})),
    CallKind.ASSIST: KindOfCall("The patient was assisted, and needed no care", _OF_A_PATIENT),
    CallKind.REFUSAL: KindOfCall("The patient refused", _OF_A_PATIENT | {Need.REFUSAL_SIGNATURE}),
    CallKind.DEAD_ON_SCENE: KindOfCall("The patient was dead on scene", _OF_A_PATIENT),
    CallKind.RELEASED: KindOfCall("The patient was released without transport", _OF_A_PATIENT | {Need.VITAL_SIGNS}),
    CallKind.TRANSFERRED: KindOfCall("Another unit transported the patient", _OF_A_PATIENT | {Need.VITAL_SIGNS}),
    CallKind.TRANSPORT: KindOfCall(
        "This unit transported the patient", _OF_A_PATIENT | {Need.TRANSPORT_TIMES, Need.VITAL_SIGNS, Need.CLAIM}
    ),
    CallKind.UNSAID: KindOfCall("No disposition is recorded", _OF_A_PATIENT | {Need.CLAIM}),
}
"""The one table of kinds. A document is due for every kind: NEMSIS wants a record of each response of a unit."""
CANCELLED_BEFORE_ARRIVAL = "4227005"
_UNIT: Mapping[str, CallKind] = {
    "4227003": CallKind.NO_PATIENT,
    CANCELLED_BEFORE_ARRIVAL: CallKind.CANCELLED,
    "4227007": CallKind.NO_PATIENT,
    "4227009": CallKind.NO_PATIENT,
    "4227011": CallKind.STANDBY,
}
_EVALUATION, _CREW, _TRANSPORT, _ACUITY = "eDisposition.28", "eDisposition.29", "eDisposition.30", "eDisposition.19"
_END_OF_ARREST = "eArrest.18"
_DEAD = frozenset({"4219007", "4219009"})
_EXPIRED_IN_THE_FIELD = "3018003"
_CARED_FOR, _REFUSED_CARE, _NO_CARE_REQUIRED, _REFUSED_EVALUATION, _SUPPORTED = (
    "4228001",
    "4228003",
    "4228005",
    "4228007",
    "4228009",
)
_REFUSED_TRANSPORT, _NO_TRANSPORT = "4230009", "4230013"
_HANDED_OVER, _STOOD_BY, _CREW_REFUSED = "4229003", "4229009", "4229013"


def kind_of(one: OnePatient) -> CallKind:
    """The kind of the call for this patient. Of a call without a patient, only the unit's disposition is known."""
    nobody = _UNIT.get(unit_disposition(one) or "")
    if nobody is not None:
        return nobody
    said = {name: code_of(one.patient, name) for name in (_EVALUATION, _CREW, _TRANSPORT, _ACUITY, _END_OF_ARREST)}
    transport = transport_of(one)
    if transport is Transport.THIS_UNIT:
        return CallKind.TRANSPORT
    if transport is Transport.ANOTHER_UNIT or said[_CREW] == _HANDED_OVER:
        return CallKind.TRANSFERRED
    if said[_ACUITY] in _DEAD or said[_END_OF_ARREST] == _EXPIRED_IN_THE_FIELD:
        return CallKind.DEAD_ON_SCENE
    refused_care = said[_EVALUATION] in (_REFUSED_CARE, _REFUSED_EVALUATION) or said[_CREW] == _CREW_REFUSED
    if refused_care or said[_TRANSPORT] == _REFUSED_TRANSPORT:
        return CallKind.REFUSAL
    if said[_EVALUATION] == _SUPPORTED or said[_CREW] == _STOOD_BY:
        return CallKind.ASSIST
    return CallKind.RELEASED if said[_TRANSPORT] == _NO_TRANSPORT else CallKind.UNSAID


def needs_of(one: OnePatient) -> frozenset[Need]:
    """The needs of this patient's part of the chart. A refuser who was evaluated has vital signs, too."""
    kind = kind_of(one)
    evaluated = kind is CallKind.REFUSAL and code_of(one.patient, _EVALUATION) in (
        _CARED_FOR,
        _REFUSED_CARE,
        _NO_CARE_REQUIRED,
    )
    return KINDS[kind].needs | ({Need.VITAL_SIGNS} if evaluated else frozenset())


def not_due(one: OnePatient) -> Iterator[NotDue]:
    """What this kind of call does not need. For a kind that nobody has said, nothing is ruled out."""
    kind = kind_of(one)
    if kind is CallKind.UNSAID:
        return
    needed = needs_of(one)
    for need in Need:
        if need not in needed:
            exception = _DEATH_AFTER_DISPATCH if (kind, need) == (CallKind.DEAD_ON_SCENE, Need.CLAIM) else ""
            yield NotDue(need, f"{KINDS[kind].words}: {_WORDS[need]} due.{exception}")


_DEATH_AFTER_DISPATCH = " Medicare pays for a death pronounced after dispatch (modifier QL): make that claim by hand."
"""Medicare Benefit Policy Manual, chapter 10, section 10.2.6."""
_WORDS: Mapping[Need, str] = {
    Need.PATIENT: "no patient is",
    Need.NARRATIVE: "no narrative is",
    Need.ARRIVAL_TIME: "no time of arrival is",
    Need.TRANSPORT_TIMES: "no times of a transport are",
    Need.VITAL_SIGNS: "no vital signs are",
    Need.REFUSAL_SIGNATURE: "no refusal is",
    Need.CLAIM: "no claim is",
}
