"""What each kind of reference record is made of: the vocabulary of these tests and of the fuzz."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.billing.als_acts.kind import ALS_ACTS
from app.billing.clearinghouses.kind import CLEARINGHOUSES
from app.billing.payers.kind import PAYERS
from app.core.extensions.kinds import ASSETS, EXTERNAL_API_KEYS, INTEGRATIONS, INVENTORY_ITEMS, STATIONS
from app.core.facilities.kind import FACILITIES
from app.core.personnel.kind import PERSONNEL
from app.core.reference.kinds import ReferenceKind, Verb
from app.core.vehicles.kind import VEHICLES
from app.ems.custom_elements.kind import CUSTOM_ELEMENTS
from app.ems.custom_elements.schemas import EXAMPLE
from tests.support.actors import ROLES, Actor


@dataclass(frozen=True)
class Sample:
    """`body` creates one but for its `name`, to be taken once if `unique`; `change` revises, `action` moves it."""

    kind: ReferenceKind[Any]
    body: Mapping[str, Any]
    name: str
    change: Mapping[str, Any] = field(default_factory=dict)
    action: str | None = None
    unique: bool = True

    def __str__(self) -> str:
        return self.kind.noun

    @property
    def path(self) -> str:
        return self.kind.path

    @property
    def keepers(self) -> frozenset[str]:
        """The roles of tests.support.actors that may write it."""
        roles = self.kind.may_write.roles
        return frozenset(name for name, flags in ROLES.items() if flags["role"] in roles)

    def fresh(self, **fields: Any) -> dict[str, Any]:
        """A body that nothing stands in the way of."""
        return {**self.body, self.name: uuid.uuid4().hex[:20], **fields}

    async def add(self, actor: Actor, **fields: Any) -> Any:
        return await actor.expect(201, "POST", self.path, json=self.fresh(**fields))


VEHICLE = Sample(
    VEHICLES,
    {"vehicle_type": "1404001", "capability": "2207015", "vin": "1M8GDM9AXKP042788", "model_year": 2019},
    "unit_number",
    {"call_sign": "Medic 7"},
    "take_out_of_service",
)
PERSON = Sample(
    PERSONNEL,
    {"last_name": "Rivers", "first_name": "Ana", "licensure_level": "9925007", "licensure_state": "IL"},
    "licensure_id",
    {"middle_name": "B", "licensure_expires_on": "2030-06-30"},
    "deactivate",
)
FACILITY = Sample(
    FACILITIES,
    {
        "name": "Lincoln Regional Hospital",
        "facility_type": "1701005",
        "billing_letter": "H",
        "npi": "1234567893",
        "designations": ["9908023", "9908031"],
        "street": "40 Lakeshore Drive",
        "city": "Springfield",
        "state": "IL",
        "zip": "62703-0042",
        "county": "17167",
        "latitude": "39.8101",
        "longitude": "-89.6550",
    },
    "location_code",
    {"street": "1 New Street", "billing_letter": None},
)
STATION = Sample(
    STATIONS,
    {"street": "1 Station Road", "city": "Springfield", "state": "IL", "zip": "62701"},
    "name",
    {"street": "3 Station Road", "zip": "62702"},
)
ASSET = Sample(ASSETS, {"category": "monitor", "serial_number": "X-1"}, "name", {"serial_number": "X-2"}, unique=False)
ITEM = Sample(
    INVENTORY_ITEMS,
    {"name": "Fentanyl 100 mcg", "unit_of_measure": "vial", "controlled_substance_schedule": "II"},
    "sku",
    {"unit_of_measure": "ampoule"},
)
INTEGRATION = Sample(
    INTEGRATIONS,
    {"kind": "cad", "base_url": "https://cad.example/api"},
    "name",
    {"base_url": "https://cad.example/county"},
)
API_KEY = Sample(EXTERNAL_API_KEYS, {"scopes": ["chart.read"]}, "name")
CUSTOM_ELEMENT = Sample(CUSTOM_ELEMENTS, {"elements": EXAMPLE}, "custom_element_id", {"custom_element_id": "dog"})
PAYER = Sample(
    PAYERS,
    {
        "payer_id": "00952",
        "claim_filing_code": "MB",
        "timely_filing_days": 365,
        "appeal_days": 120,
        "requires_prior_authorization": True,
        "edits": {"E48": "blocking"},
        "street": "1 Payer Plaza",
        "city": "Springfield",
        "state": "IL",
        "zip": "62701-1000",
        "phone": "8005550142",
    },
    "name",
    {"takes_replacements": True, "edits": {"E16": "off"}, "appeal_days": None},
)
ALS_ACT = Sample(
    ALS_ACTS,
    {"state": "IL", "kind": "procedure", "level": "paramedic", "effective_from": "2026-01-01"},
    "code",
    {"level": "aemt", "effective_to": "2026-12-31"},
)
CLEARINGHOUSE = Sample(
    CLEARINGHOUSES,
    {"receiver_qualifier": "30", "receiver_id": "330897513", "application_receiver_code": "OA"},
    "name",
    {"test_files": True},
)
SAMPLES = (
    VEHICLE,
    PERSON,
    FACILITY,
    STATION,
    ASSET,
    ITEM,
    INTEGRATION,
    API_KEY,
    CUSTOM_ELEMENT,
    PAYER,
    ALS_ACT,
    CLEARINGHOUSE,
)
UNIQUE = tuple(sample for sample in SAMPLES if sample.unique)
REVISED = tuple(sample for sample in SAMPLES if Verb.REVISE in sample.kind.actions)
DELETED = tuple(sample for sample in SAMPLES if Verb.DELETE in sample.kind.actions)
RESTORED = tuple(sample for sample in SAMPLES if Verb.RESTORE in sample.kind.actions)
MOVED = tuple(sample for sample in SAMPLES if sample.action is not None)
