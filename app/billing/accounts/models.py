"""billing_accounts and billing_account_patients."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import internal, phi
from app.core.db.entity import TenantEntity, standard_constraints, unique_among_live
from app.core.text import name_key

_KEY = sa.Text(collation="C")
_LIVE = sa.text("deleted_at IS NULL")


def _key_of(name: str | None) -> str | None:
    return None if name is None else name_key(name) or None


class BillingAccount(TenantEntity):
    """The person who is responsible for bills: the patient, or the guarantor of a minor.

    `account_number` is unique among all agencies: the patient portal has nothing else to find the agency by. The keys
    of the names are what a match compares.
    """

    __tablename__ = "billing_accounts"
    entity_type: ClassVar[str] = "billing_account"

    account_number: Mapped[str] = phi()
    last_name: Mapped[str] = phi()
    first_name: Mapped[str | None] = phi(default=None)
    middle_name: Mapped[str | None] = phi(default=None)
    name_suffix: Mapped[str | None] = phi(default=None)
    last_name_key: Mapped[str | None] = phi(_KEY, derived=("last_name", _key_of), init=False)
    first_name_key: Mapped[str | None] = phi(_KEY, derived=("first_name", _key_of), init=False)
    date_of_birth: Mapped[dt.date | None] = phi(default=None)
    date_of_death: Mapped[dt.date | None] = phi(default=None)
    phone: Mapped[str | None] = phi(default=None)
    email: Mapped[str | None] = phi(default=None)
    language: Mapped[str | None] = phi(default=None)
    street: Mapped[str | None] = phi(default=None)
    unit: Mapped[str | None] = phi(default=None)
    city: Mapped[str | None] = phi(default=None)
    state: Mapped[str | None] = phi(default=None)
    zip: Mapped[str | None] = phi(default=None)
    country: Mapped[str | None] = phi(default=None)

    __table_args__ = (
        *standard_constraints("billing_accounts"),
        sa.UniqueConstraint("account_number", name="uq_billing_accounts_account_number"),
        sa.Index(
            "ix_billing_accounts_tenant_name",
            "tenant_id",
            "last_name_key",
            "first_name_key",
            "date_of_birth",
            postgresql_where=_LIVE,
        ),
        sa.Index(
            "ix_billing_accounts_tenant_date_of_birth",
            "tenant_id",
            "date_of_birth",
            "first_name_key",
            postgresql_where=_LIVE,
        ),
    )


class AccountPatient(TenantEntity):
    """A patient of a call whose bills go to an account: a biller confirmed the match. Soft deletion parts them."""

    __tablename__ = "billing_account_patients"
    entity_type: ClassVar[str] = "billing_account_patient"
    aggregate: ClassVar[str] = "account_id"
    references: ClassVar[tuple[str, ...]] = ("incident_id", "patient_id")

    account_id: Mapped[uuid.UUID] = internal()
    incident_id: Mapped[uuid.UUID] = internal()
    patient_id: Mapped[uuid.UUID] = internal()

    __table_args__ = (
        *standard_constraints("billing_account_patients", "account_id", "incident_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["billing_accounts.tenant_id", "billing_accounts.id"],
            name="fk_billing_account_patients_account_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "patient_id"],
            ["patients.tenant_id", "patients.incident_id", "patients.id"],
            name="fk_billing_account_patients_patient_id",
        ),
        unique_among_live("uq_billing_account_patients_patient", "patient_id"),
    )
