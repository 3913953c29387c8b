"""Provision the demo tenant once, with its vehicles, places and people, in development: `python -m scripts.seed_demo`.

The generated passwords go into `<data dir>/demo-credentials.json`.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from typing import Any

import asyncpg
import orjson
from sqlalchemy.engine import make_url

from app.core.config import Environment, Settings
from app.core.db.uow import UnitOfWork
from app.core.facilities.kind import FacilityAction
from app.core.facilities.models import BillingLetter, Facility, FacilityType
from app.core.facilities.schemas import FacilityCreate
from app.core.files import write_atomically
from app.core.personnel.kind import PersonAction
from app.core.personnel.models import LicensureLevel, Person
from app.core.personnel.schemas import PersonCreate
from app.core.vehicles.kind import VehicleAction
from app.core.vehicles.models import UnitCapability, Vehicle, VehicleType
from app.core.vehicles.schemas import VehicleCreate
from app.registry import load_settings
from scripts.provision_tenant import provision

PROFILE: dict[str, Any] = {
    "slug": "demo",
    "legal_name": "Demo Valley Ambulance District",
    "trade_name": "Demo Valley EMS",
    "state": "IL",
    "time_zone": "America/Chicago",
    "agency_state_id": "IL-DEMO-01",
    "agency_number": "DEMO-01",
    "npi": "1467890129",
    "ein": "371234567",
    "taxonomy": "3416L0300X",
    "street": "1 Station Road",
    "city": "Springfield",
    "zip": "62701-1000",
    "phone": "2175550100",
    "billing_contact_name": "Billing Office",
    "billing_contact_email": "biller@demo.example",
    "administrative_contact_name": "Ada Admin",
    "administrative_contact_phone": "2175550101",
    "administrative_contact_email": "admin@demo.example",
    "submitter_id": "371234567",
    "receiver_name": "OFFICE ALLY",
    "receiver_id": "330897513",
}
USERS: list[dict[str, Any]] = [
    {"email": "admin@demo.example", "display_name": "Ada Admin", "role": "admin"},
    {"email": "medic@demo.example", "display_name": "Max Medic", "role": "ems"},
    {"email": "partner@demo.example", "display_name": "Pat Partner", "role": "ems"},
    {"email": "supervisor@demo.example", "display_name": "Sue Supervisor", "role": "ems", "is_reviewer": True},
    {"email": "biller@demo.example", "display_name": "Bill Biller", "role": "billing"},
    {"email": "founder@demo.example", "display_name": "Fay Founder", "role": "founder"},
]
VEHICLES: tuple[dict[str, Any], ...] = (
    {
        "unit_number": "A1",
        "call_sign": "Medic 1",
        "vehicle_type": VehicleType.AMBULANCE,
        "capability": UnitCapability.GROUND_ALS,
        "vin": "1FDXE4FS4KDC00001",
        "model_year": 2019,
    },
    {
        "unit_number": "A2",
        "call_sign": "Ambulance 2",
        "vehicle_type": VehicleType.AMBULANCE,
        "capability": UnitCapability.GROUND_BLS,
        "model_year": 2021,
    },
    {
        "unit_number": "S1",
        "call_sign": "Supervisor 1",
        "vehicle_type": VehicleType.QUICK_RESPONSE_VEHICLE,
        "capability": UnitCapability.NON_TRANSPORT_ALS,
    },
)
FACILITIES: tuple[dict[str, Any], ...] = (
    {
        "name": "Prairie General Hospital",
        "facility_type": FacilityType.HOSPITAL,
        "billing_letter": BillingLetter.HOSPITAL,
        "street": "701 North First Street",
        "city": "Springfield",
        "state": "IL",
        "zip": "62781-0001",
        "county": "17167",
    },
    {
        "name": "Prairie Kidney Center",
        "facility_type": FacilityType.DIALYSIS_CENTER,
        "billing_letter": BillingLetter.FREESTANDING_DIALYSIS,
        "street": "12 Prairie Road",
        "city": "Springfield",
        "state": "IL",
        "zip": "62704",
        "county": "17167",
    },
)
# The e-mail is that of the user as whom the person signs in.
PERSONNEL: tuple[tuple[str | None, dict[str, Any]], ...] = (
    ("medic@demo.example", {"last_name": "Medic", "first_name": "Max", "licensure_level": LicensureLevel.PARAMEDIC}),
    (
        "partner@demo.example",
        {"last_name": "Partner", "first_name": "Pat", "licensure_level": LicensureLevel.EMT},
    ),
    (
        "supervisor@demo.example",
        {"last_name": "Supervisor", "first_name": "Sue", "licensure_level": LicensureLevel.PARAMEDIC},
    ),
    (None, {"last_name": "Driver", "first_name": "Dee", "licensure_level": LicensureLevel.EMT}),
)


async def furnish(uow: UnitOfWork, users: Mapping[str, uuid.UUID]) -> None:
    """Vehicles, facilities and licensed people, so that a call can be charted at once."""
    for fields in VEHICLES:
        given = VehicleCreate.model_validate(fields)
        await uow.create(Vehicle(tenant_id=uow.tenant_id, **given.values()), VehicleAction.CREATED)
    for fields in FACILITIES:
        place = FacilityCreate.model_validate(fields)
        await uow.create(Facility(tenant_id=uow.tenant_id, **place.values()), FacilityAction.CREATED)
    for number, (email, fields) in enumerate(PERSONNEL, start=1):
        licence = {"licensure_id": f"IL-{number:06}", "licensure_state": PROFILE["state"]}
        person = PersonCreate.model_validate({**fields, **licence, "user_id": None if email is None else users[email]})
        await uow.create(Person(tenant_id=uow.tenant_id, **person.values()), PersonAction.CREATED)


async def exists(settings: Settings) -> bool:
    """True if the demo tenant is there already."""
    url = make_url((settings.migration_database_url or settings.database_url).get_secret_value())
    connection = await asyncpg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        found: bool = await connection.fetchval("SELECT EXISTS (SELECT FROM tenants WHERE slug = $1)", PROFILE["slug"])
        return found
    finally:
        await connection.close()


async def main() -> None:
    settings = load_settings()
    if settings.environment is Environment.PRODUCTION or await exists(settings):
        return
    _, passwords = await provision(settings, PROFILE, USERS, furnish=furnish)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    file = settings.data_dir / "demo-credentials.json"
    write_atomically(file, orjson.dumps(passwords, option=orjson.OPT_INDENT_2))
    print(f"demo tenant provisioned; passwords in {file}")


if __name__ == "__main__":
    asyncio.run(main())
