"""Rules for fields of a profile that belong together. They hold for provisioning and for changes over the API."""

from __future__ import annotations

from app.core.errors import Problem, refuse
from app.core.tenants.models import Tenant

_WHOLE = (("street", "city", "zip"), ("pay_to_street", "pay_to_city", "pay_to_state", "pay_to_zip"))
"""An address is given whole or not at all: 837P has no half N3/N4. The service address lies in `state`."""
_DETAIL_OF = {
    "billing_contact_email": "billing_contact_name",
    "administrative_contact_phone": "administrative_contact_name",
    "administrative_contact_email": "administrative_contact_name",
}
"""How to reach a contact says nothing without whom."""


def require_consistent(tenant: Tenant) -> None:
    """Raises ValidationFailed with every field that the given ones need and that is missing."""
    missing = [
        name
        for fields in _WHOLE
        if any(getattr(tenant, field) is not None for field in fields)
        for name in fields
        if getattr(tenant, name) is None
    ]
    missing += [
        name
        for detail, name in _DETAIL_OF.items()
        if getattr(tenant, detail) is not None and getattr(tenant, name) is None
    ]
    refuse(Problem.missing(name, "What was given beside this needs it.") for name in dict.fromkeys(missing))
