"""Proposes billing accounts for the patient of a call, joins the patient to one, and parts them again."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated

from fastapi import Depends

from app.billing.accounts.models import AccountPatient
from app.billing.accounts.repository import AccountPatientRepository, AccountRepository
from app.billing.accounts.schemas import AccountPatientRead, AccountRead, AccountSnapshot
from app.billing.accounts.service import account_of
from app.billing.claims.account import claims_follow_account
from app.billing.coverages.service import coverages_of
from app.billing.matching.guarantor import responsible_person
from app.billing.matching.repository import CandidateRepository, Wanted
from app.billing.matching.schemas import AccountJoin, AccountMatches, AccountProposal, AccountSuggestion
from app.billing.matching.scoring import Candidate, matched
from app.billing.permissions import ACCOUNT_WRITE
from app.core.audit.actions import AuditAction
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, Uow
from app.core.errors import NotFound, ValidationFailed
from app.core.idempotency.creation import Creation
from app.core.repository import require_version
from app.core.text import name_key
from app.ems.public import (
    IncidentRead,
    PatientRead,
    get_incident,
    hold_incident,
    list_namesakes,
    list_patients,
)

MOST_PROPOSALS = 20


class AccountPatientAction(AuditAction):
    JOINED = "billing_account_patient.joined"
    PARTED = "billing_account_patient.parted"


class AccountMatcher:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def matches(self, incident_id: uuid.UUID, patient_id: uuid.UUID) -> AccountMatches:
        """Accounts that may be the patient's: six statements. Raises NotFound (incident), ValidationFailed (patient).

        Names are compared by their keys, as the search for charts does. An account is also found by an earlier patient
        who is joined to it and has the names and the birth date, or the member id.
        """
        incident = await get_incident(self._uow, incident_id)
        patient = await _patient_of(self._uow, incident_id, patient_id)
        joined = await account_of(self._uow, patient_id)
        responsible = responsible_person(patient, _day_of(incident))
        guarantor = _keys_of(responsible.content) if responsible is not None and responsible.guarantor else None
        members = [coverage.member_id for coverage in await coverages_of(self._uow, patient_id)]
        wanted = Wanted(
            last_name=name_key(patient.last_name or "") or None,
            first_name=name_key(patient.first_name or "") or None,
            date_of_birth=patient.date_of_birth,
            guarantor_last_name=None if guarantor is None else guarantor[0],
            guarantor_first_name=None if guarantor is None else guarantor[1],
            persons=await list_namesakes(self._uow, patient),
            member_ids=[member_id for member_id in members if member_id is not None],
        )
        candidates = await CandidateRepository(self._uow).list_candidates(self._uow.tenant_id, wanted)
        found = [match for each in candidates if (match := matched(patient, guarantor, Candidate(*each))) is not None]
        best = sorted(found, key=lambda match: -match.score)[:MOST_PROPOSALS]
        return AccountMatches(
            incident_id=incident_id,
            patient_id=patient_id,
            account_id=None if joined is None else joined.id,
            proposals=[
                AccountProposal(
                    account=AccountRead.of(match.account),
                    score=match.score,
                    reasons=match.reasons,
                    differs=match.differs,
                )
                for match in best
            ],
            suggestion=None
            if responsible is None
            else AccountSuggestion(guarantor=responsible.guarantor, account=responsible.content),
        )


class AccountJoiner:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._accounts = AccountRepository(uow)
        self._patients = AccountPatientRepository(uow)

    async def join(self, account_id: uuid.UUID, given: AccountJoin, creation: Creation) -> AccountPatientRead:
        """The patient's bills go to the account, and the patient's claims name it.

        Raises Forbidden, NotFound (account, incident), ValidationFailed (patient), AlreadyExists (joined already).
        """
        self._uow.principal.require(ACCOUNT_WRITE)
        reservation = await creation.reserve(self._uow, given)
        if reservation.repeated:
            return AccountPatientRead.of(await self._patients.get(self._uow.tenant_id, reservation.entity_id))
        account = await self._accounts.get_for_share(self._uow.tenant_id, account_id)
        await hold_incident(self._uow, given.incident_id)
        await _patient_of(self._uow, given.incident_id, given.patient_id)
        joined = AccountPatient(
            id=reservation.entity_id,
            tenant_id=self._uow.tenant_id,
            account_id=account.id,
            incident_id=given.incident_id,
            patient_id=given.patient_id,
        )
        await self._uow.create(joined, AccountPatientAction.JOINED)
        await claims_follow_account(self._uow, given.patient_id, account.id)
        return AccountPatientRead.of(joined)

    async def part(self, account_id: uuid.UUID, account_patient_id: uuid.UUID, version: int) -> None:
        """Undoes a join; the patient's claims name no account. Raises Forbidden, NotFound, Conflict (stale)."""
        self._uow.principal.require(ACCOUNT_WRITE)
        joined = await self._patients.get(self._uow.tenant_id, account_patient_id)
        if joined.account_id != account_id:
            raise NotFound
        require_version(joined, version)
        async with self._uow.change(joined, AccountPatientAction.PARTED):
            joined.deleted_at = utcnow()
        await claims_follow_account(self._uow, joined.patient_id, None)


async def _patient_of(uow: ReadUnitOfWork, incident_id: uuid.UUID, patient_id: uuid.UUID) -> PatientRead:
    """Raises ValidationFailed if the incident has no such patient."""
    patients = await list_patients(uow, incident_id)
    patient = next((one for one in patients if one.id == patient_id), None)
    if patient is None:
        raise ValidationFailed.of("patient_id", "unknown_patient", "This incident has no such patient.")
    return patient


def _day_of(incident: IncidentRead) -> dt.date:
    """The day of the call, near enough to tell a minor."""
    return (incident.dispatch_time or incident.created_at).date()


def _keys_of(content: AccountSnapshot) -> tuple[str, str]:
    return name_key(content.last_name), name_key(content.first_name or "")


async def account_matcher(uow: ReadUow) -> AccountMatcher:
    return AccountMatcher(uow)


async def account_joiner(uow: Uow) -> AccountJoiner:
    return AccountJoiner(uow)


MatchesAccounts = Annotated[AccountMatcher, Depends(account_matcher)]
JoinsAccounts = Annotated[AccountJoiner, Depends(account_joiner)]
