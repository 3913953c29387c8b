"""Takes acknowledgements in: exactly the claims that a file names are moved, in the same unit of work."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends

from app.billing.acknowledgements.models import Authority, ClaimAcknowledgement, Effect
from app.billing.acknowledgements.repository import AcknowledgementRepository
from app.billing.acknowledgements.schemas import (
    AcknowledgedFile,
    AcknowledgementUploadRead,
    ClaimAcknowledgementRead,
)
from app.billing.acknowledgements.wording import fault_advice, fault_codes, status_advice, status_codes
from app.billing.claims.lifecycle import UNJUDGED, ClaimStatus, ClaimTransition, claim_lifecycle, consequences
from app.billing.claims.models import Claim
from app.billing.claims.repository import ClaimRepository
from app.billing.claims.sending import submit
from app.billing.permissions import REMITTANCE_WRITE
from app.billing.received.repository import ReceivedFileRepository
from app.billing.received.schemas import ReceivedFileRead
from app.billing.received.service import FileIntake, Incoming, Taken
from app.billing.x12.acknowledgement_reader import read_acknowledgements
from app.billing.x12.acknowledgement_records import (
    Acknowledgement,
    ClaimVerdict,
    InterchangeVerdict,
    SetVerdict,
    Source,
    Verdict,
)
from app.billing.x12.containers import FileKind, text_chunks
from app.billing.x12.office_ally import read_status_file
from app.core.audit.actions import AuditAction
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, RuntimeDependency, UowFactory
from app.core.errors import NotFound
from app.core.pagination import Page, Paging
from app.core.storage.gateway import ObjectStore

_ENVELOPE = "The envelope of the file was refused; nothing in it was read."
_WITH_OTHERS = ["The file was refused because of another claim in it."]
_AUTHORITIES = {Source.CLEARINGHOUSE: Authority.CLEARINGHOUSE, Source.PAYER: Authority.PAYER}
KINDS = frozenset(FileKind) - {FileKind.REMITTANCE}


class AcknowledgementAction(AuditAction):
    RECEIVED = "claim_acknowledgement.received"


@dataclass
class Named:
    """A claim that a file names, and what it says. `file_number` is the control number of the file that is meant."""

    verdict: Verdict
    authority: Authority
    claim_id: uuid.UUID | None = None
    claim_number: str | None = None
    file_number: int | None = None
    codes: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    payer_control_number: str | None = None
    clearinghouse_number: str | None = None


def read_file(kind: FileKind, content: bytes) -> list[Acknowledgement]:
    """Every verdict in a file; none in a file of an unknown kind. Raises InterchangeFormatError."""
    match kind:
        case FileKind.OFFICE_ALLY_STATUS:
            return list(read_status_file(text_chunks(content)))
        case FileKind.UNKNOWN:
            return []
        case _:
            return list(read_acknowledgements(text_chunks(content)))


class AcknowledgementReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow
        self._files = ReceivedFileRepository(uow)

    async def list_files(self, paging: Paging, kind: list[FileKind] | None) -> Page[ReceivedFileRead]:
        """Files that are no remittances, newest first."""
        kinds = sorted(KINDS if kind is None else KINDS.intersection(kind))
        page = await self._files.list_page(self._uow.tenant_id, paging, kind=kinds)
        return Page(items=[ReceivedFileRead.of(one) for one in page.items], next_cursor=page.next_cursor)

    async def get_file(self, file_id: uuid.UUID) -> ReceivedFileRead:
        """Raises NotFound, also for a remittance."""
        found = await self._files.get(self._uow.tenant_id, file_id)
        if found.kind not in KINDS:
            raise NotFound
        return ReceivedFileRead.of(found)

    async def list_claims(self, paging: Paging, **filters: Any) -> Page[ClaimAcknowledgementRead]:
        page = await AcknowledgementRepository(self._uow).list_page(self._uow.tenant_id, paging, **filters)
        return Page(items=[ClaimAcknowledgementRead.of(one) for one in page.items], next_cursor=page.next_cursor)


class AcknowledgementUploads:
    def __init__(self, units: Callable[[], UnitOfWork], objects: ObjectStore) -> None:
        self._intake: FileIntake[list[Acknowledgement]] = FileIntake(
            units, objects, permission=REMITTANCE_WRITE, read=read_file, others={FileKind.REMITTANCE}
        )

    async def take(self, content: bytes) -> AcknowledgementUploadRead:
        """Store every new file and move the claims that it names. Raises Forbidden, UnreadableFile, WrongFile,
        ServiceUnavailable."""
        counts: defaultdict[uuid.UUID, defaultdict[Effect, int]] = defaultdict(lambda: defaultdict(int))

        async def effect(uow: UnitOfWork, taken: Taken[list[Acknowledgement]]) -> None:
            if taken.incoming is not None:
                for found in await Acknowledging(uow, taken.file.id).take(taken.incoming.said):
                    counts[taken.file.id][found] += 1

        taken = await self._intake.take(content, _keep_all, effect)
        return AcknowledgementUploadRead(
            files=[
                AcknowledgedFile(
                    file=ReceivedFileRead.of(one.file),
                    repeated=one.incoming is None,
                    submitted_count=counts[one.file.id][Effect.SUBMITTED],
                    rejected_count=counts[one.file.id][Effect.REJECTED],
                )
                for one in taken
            ]
        )


async def _keep_all(uow: UnitOfWork, incoming: Incoming[list[Acknowledgement]]) -> None:
    """A file about our own claims is kept as it is."""


class Acknowledging:
    """Applies the verdicts of one file. Claims are locked by id, all at once."""

    def __init__(self, uow: UnitOfWork, file_id: uuid.UUID) -> None:
        self._uow = uow
        self._file_id = file_id
        self._acknowledgements = AcknowledgementRepository(uow)
        self._claims = ClaimRepository(uow)

    async def take(self, said: Sequence[Acknowledgement]) -> list[Effect]:
        """Records each verdict about a claim and moves the claim: what followed, in the order of the file."""
        named = [one for verdict in said for one in await self._named(verdict)]
        ids = {one.claim_id for one in named if one.claim_id is not None}
        numbers = {one.claim_number for one in named if one.claim_id is None and one.claim_number is not None}
        known = await self._claims.list_named_for_update(self._uow.tenant_id, list(ids), list(numbers))
        by_id, by_number = {claim.id: claim for claim in known}, {claim.claim_number: claim for claim in known}
        last = await self._acknowledgements.last_files(self._uow.tenant_id, list(by_id))
        effects = []
        for one in named:
            claim = by_id.get(one.claim_id) if one.claim_id is not None else by_number.get(one.claim_number or "")
            effect = await self._effect(one, claim, last)
            await self._record(one, claim, effect)
            effects.append(effect)
        return effects

    async def _named(self, verdict: Acknowledgement) -> list[Named]:
        if isinstance(verdict, ClaimVerdict):
            return [_of_claim(verdict)]
        if isinstance(verdict, InterchangeVerdict):
            refused = verdict.verdict is Verdict.REJECTED
            codes, advice = ([f"TA1 {verdict.note}"], [_ENVELOPE]) if refused else ([], [])
            return await self._all_in(verdict.control_number, None, verdict.verdict, codes, advice, {})
        number = verdict.group_control_number
        general = [fault for fault in verdict.faults if fault.claim_number is None]
        own: defaultdict[str, list[str]] = defaultdict(list)
        for fault in verdict.faults:
            if fault.claim_number is not None:
                own[fault.claim_number].append(fault_advice(fault))
        advice = list(dict.fromkeys(map(fault_advice, general)))
        return await self._all_in(
            number, verdict.set_control_number, verdict.verdict, list(_codes_of(verdict)), advice, own
        )

    async def _all_in(
        self,
        number: int,
        set_number: str | None,
        verdict: Verdict,
        codes: list[str],
        advice: list[str],
        own: dict[str, list[str]],
    ) -> list[Named]:
        """All claims of a file, or of one of its transaction sets, that was judged as a whole.

        `own` is what is said about single claims, by number.
        """
        sets = await self._acknowledgements.sets_of_file(self._uow.tenant_id, number)
        ids = [id_ for id_, of_set in sets.items() if set_number is None or set_number.lstrip("0") == str(of_set)]
        claims = await self._claims.list_by_ids(self._uow.tenant_id, ids)
        if not claims:
            return [Named(verdict, Authority.RECEIVER, file_number=number, codes=codes)]
        return [
            Named(
                verdict,
                Authority.RECEIVER,
                claim_id=claim.id,
                claim_number=claim.claim_number,
                file_number=number,
                codes=codes,
                advice=[*own.get(claim.claim_number, _WITH_OTHERS if own else []), *advice],
            )
            for claim in claims
        ]

    async def _effect(self, one: Named, claim: Claim | None, last: dict[uuid.UUID, int]) -> Effect:
        if claim is None:
            return Effect.UNKNOWN_CLAIM
        if one.file_number is not None and last.get(claim.id, one.file_number) != one.file_number:
            return Effect.OUTDATED
        if one.verdict is Verdict.REJECTED and claim.status in (ClaimStatus.EXPORTED, ClaimStatus.SUBMITTED):
            reason = ", ".join(one.codes)[:500] or one.authority.value
            also = consequences(ClaimTransition.REJECT, at=utcnow())
            await claim_lifecycle.fire(self._uow, claim, ClaimTransition.REJECT, UNJUDGED, reason=reason, **also)
            return Effect.REJECTED
        if one.verdict is Verdict.ACCEPTED and claim.status is ClaimStatus.EXPORTED:
            await submit(self._uow, claim)
            return Effect.SUBMITTED
        return Effect.NONE

    async def _record(self, one: Named, claim: Claim | None, effect: Effect) -> None:
        acknowledgement = ClaimAcknowledgement(
            tenant_id=self._uow.tenant_id,
            file_id=self._file_id,
            claim_id=None if claim is None else claim.id,
            claim_number=one.claim_number,
            authority=one.authority,
            verdict=one.verdict,
            effect=effect,
            codes=one.codes,
            advice=one.advice,
            messages=one.messages,
            payer_control_number=one.payer_control_number,
            clearinghouse_number=one.clearinghouse_number,
        )
        await self._uow.create(acknowledgement, AcknowledgementAction.RECEIVED)


def _codes_of(verdict: SetVerdict) -> Iterator[str]:
    yield from (f"IK5 {code}" for code in verdict.codes)
    yield from dict.fromkeys(map(fault_codes, verdict.faults))


def _of_claim(verdict: ClaimVerdict) -> Named:
    batch = (verdict.batch or "").partition("-")[0]  # of a file's later sets BHT03 is followed by their number
    return Named(
        verdict.verdict,
        _AUTHORITIES[verdict.source],
        claim_number=verdict.claim_number,
        file_number=int(batch) if batch.isascii() and batch.isdecimal() and len(batch) <= 9 else None,
        codes=status_codes(verdict.statuses),
        advice=status_advice(verdict.statuses),
        messages=list(verdict.messages),
        payer_control_number=verdict.payer_control_number,
        clearinghouse_number=verdict.clearinghouse_number,
    )


async def acknowledgement_uploads(runtime: RuntimeDependency, units: UowFactory) -> AcknowledgementUploads:
    return AcknowledgementUploads(units, runtime.objects)


async def acknowledgement_reader(uow: ReadUow) -> AcknowledgementReader:
    return AcknowledgementReader(uow)


AcknowledgementReads = Annotated[AcknowledgementReader, Depends(acknowledgement_reader)]
Uploads = Annotated[AcknowledgementUploads, Depends(acknowledgement_uploads)]
