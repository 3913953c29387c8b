"""The whole chart, its versions and its amendments as clients see them."""

from __future__ import annotations

import datetime as dt
import uuid
from types import GenericAlias
from typing import Any, Union

from pydantic import Field, create_model

from app.core.schemas import ReadModel
from app.ems.amendments.models import AmendmentChange
from app.ems.parts import ENTRIES, INCIDENT, closed_vocabulary
from app.ems.signatures.models import SignerRole, StatementCode

_make: Any = create_model  # what is declared is not known to a type checker
WholeChart: Any = _make(
    "WholeChart",
    __base__=ReadModel,
    __doc__="Every list oldest first, without what is deleted.",
    incident=(INCIDENT.read, ...),
    **{part.list_name: (GenericAlias(list, part.read), ...) for part in ENTRIES},
)
"""The incident and one list per part of the chart below it, in the order of their declaration."""


EntryEntity: Any = closed_vocabulary(
    "EntryEntity", "What can be deleted from a chart.", (part.entity_type for part in ENTRIES)
)
_EntryRecord: Any = Union[tuple(part.read for part in ENTRIES)]  # noqa: UP007  # not known until run time


class DeletedEntryRead(ReadModel):
    """An entry that was deleted, with what its `restore` takes: address and version."""

    entity: EntryEntity
    entity_id: uuid.UUID
    version: int = Field(description="The version that `restore` takes")
    deleted_at: dt.datetime
    deleted_by: uuid.UUID | None = Field(description="Null where the audit log no longer reaches back")
    deleted_by_name: str | None
    reason: str | None
    record: _EntryRecord = Field(description="The entry as it was when it was deleted")


class VersionRead(ReadModel):
    """One version of one entry: who made it, when, by which action, and the names of the fields that it changed."""

    at: dt.datetime = Field(description="As `as_of`, it shows the chart with this version")
    entity: str
    entity_id: uuid.UUID
    version: int
    action: str | None = Field(description="Null where the audit log no longer reaches back")
    actor_user_id: uuid.UUID | None = Field(description="Null: the system")
    reason: str | None
    changed: list[str]


class FieldChange(ReadModel):
    """One field with its three values. A value is null where there was none."""

    field: str = Field(description="A field of the entry, or `elements.<element id>`", examples=["heart_rate"])
    as_completed: Any = Field(description="In the chart as it was completed")
    before: Any = Field(description="Just before this amendment")
    after: Any


class OutdatedExport(ReadModel):
    kind: str = Field(examples=["nemsis_export"])
    id: uuid.UUID
    status: str
    made_at: dt.datetime


class OutdatedSignature(ReadModel):
    id: uuid.UUID
    statement_code: StatementCode
    signer_role: SignerRole
    patient_id: uuid.UUID | None


class AmendmentRead(ReadModel):
    id: uuid.UUID
    at: dt.datetime
    amended_by: uuid.UUID
    reason: str
    entity: str
    entity_id: uuid.UUID
    change: AmendmentChange
    version: int = Field(description="Of the entry, with this amendment")
    changes: list[FieldChange]
    outdated_exports: list[OutdatedExport] = Field(
        description="Made, before this amendment, of what it changed; a signature or an attachment is in no document"
    )
    outdated_signatures: list[OutdatedSignature] = Field(
        description=(
            "Who had to sign again: signatures that stood then and covered what this amendment changed, whatever became"
            " of them since"
        )
    )
