"""A request body that each operation would accept, to spoil one field at a time."""

from __future__ import annotations

from typing import Any

from scripts.demo_chart import CALL
from tests.core.reference.records import MOVED, REVISED, SAMPLES
from tests.ems.charts import KINDS
from tests.ems.uploads import SIGNED, content_of, declared
from tests.fuzz.document import Described, alternatives, resolve
from tests.fuzz.world import Records

_CREATED = {f"create_{kind.noun.replace(' ', '_')}": dict(kind.body) for kind in KINDS}
_REVISED = {f"revise_{kind.noun.replace(' ', '_')}": dict(kind.change) for kind in KINDS}
_RECORDS = {f"create_{sample.kind.noun.lower().replace(' ', '_')}": sample.fresh() for sample in SAMPLES}
_RECORDS |= {f"revise_{sample.kind.noun.lower().replace(' ', '_')}": dict(sample.change) for sample in REVISED}
_RECORDS |= {f"transition_{sample.kind.noun}": {"action": sample.action} for sample in MOVED}
_BODIES: dict[str, dict[str, Any]] = {
    **_CREATED,
    **_REVISED,
    **_RECORDS,
    "create_attachment": declared(content_of("attachments"), "image/jpeg"),
    "create_signature": declared(content_of("signatures"), "image/svg+xml") | SIGNED,
    "transition_attachment": {"action": "complete"},
    "transition_signature": {"action": "complete"},
    "revise_current_tenant": {"phone": "2175550101"},
    "login": {"tenant_slug": "demo", "email": "medic@demo.example", "password": "sample"},
    "request_password_reset": {"tenant_slug": "demo", "email": "medic@demo.example"},
    "reset_password": {"token": "sample", "new_password": "violet-Tangent-91-harbor"},
    "change_password": {"current_password": "sample", "new_password": "violet-Tangent-91-harbor"},
    "create_user": {"email": "sample@demo.example", "display_name": "Sample", "role": "ems"},
    "revise_user": {"display_name": "Sample"},
    "revise_me": {"display_name": "Sample"},
    "transition_user": {"action": "invite", "reason": "as agreed"},
    "transition_incident": {"action": "start", "reason": "as agreed"},
    "assign_review": {"reviewer_id": None},
    "transition_review_comment": {"action": "resolve"},
    "sync_chart": {
        "changes": [{"kind": "vital", "op": "delete", "id": "0190a5c4-0000-7000-8000-000000000000", "version": 1}]
    },
    "transition_export": {"action": "validate"},
    "create_billing_account": {"last_name": "Rivers", "first_name": "Marta"},
    "revise_billing_account": {"phone": "2175550143"},
    "revise_coverage": {"group_number": "4711"},
    "transition_claim": {"action": "approve", "reason": "as agreed"},
    "create_claim_adjustment": {"kind": "self_pay", "amount": "1.00", "reason": "as agreed"},
    "create_paper_remittance": {
        "payer_name": "Sample",
        "trace_number": "1",
        "paid_on": "2026-11-09",
        "amount": "776.00",
    },
    "create_appeal": {"amount": "1.00"},
    "revise_appeal": {"amount": "1.00"},
    "transition_appeal": {"action": "file", "on": "2026-11-30", "reason": "as agreed"},
    "revise_denial": {"owner": "clinical"},
    "transition_denial": {"action": "give_up", "reason": "as agreed"},
    "transition_remittance_claim": {"action": "set_aside", "reason": "as agreed"},
    "create_claim": CALL.claim,
    "override_claim_value": {"name": "weight_lb", "value": "150", "reason": "as agreed"},
    "revise_claim": {"payer_name": "Medicare Part B IL"},
    "create_claim_line": CALL.claim["lines"][0],
    "add_vocabulary_term": {"say": "the usual", "means": ["chest pain"], "boost": ["R07.9"]},
    "revise_vocabulary_term": {"means": ["shortness of breath"]},
    "revise_claim_line": {"charge": "651.00"},
    "create_fee_schedule": {
        "name": "Contract of 1990",
        "kind": "contract",
        "effective_from": "1990-01-01",
        "effective_to": "1990-12-31",
    },
    "revise_fee_schedule": {"name": "Gross prices"},
    "create_fee_schedule_item": {"hcpcs": "A0433", "unit_price": "900.00"},
    "revise_fee_schedule_item": {"unit_price": "651.00"},
    "import_fee_schedule_items": {"csv": "hcpcs,unit_price\nA0427,1200.00\n"},
    "assign_claim": {"user_id": None},
    "snooze_claim": {"until": "2099-01-04T08:00:00-06:00"},
    "create_exemption": {"reason": "charity"},
    "create_certificate": {"signer_name": "Ruth Adler", "signer_role": "physician", "signed_on": "2026-01-02"},
    "revise_certificate": {"signer_role": "registered_nurse"},
    "create_advance_notice": {
        "signer_name": "Ana Rivers",
        "signed_on": "2026-01-02",
        "option": "1",
        "reason": "Not the nearest hospital",
    },
    "revise_advance_notice": {"option": "2"},
}


def acceptable(operation: Described, records: Records, version: int | None) -> dict[str, Any]:
    """With the ids and the version of `records`, and samples for required fields that nothing above names."""
    schema = resolve(operation.body)
    body = dict(_BODIES.get(operation.part["operationId"], {}))
    for name, field in schema.get("properties", {}).items():
        referred = records.named(name, operation.path)
        if name == "version":
            body[name] = version or 1
        elif referred is not None:
            several = any(variant.get("type") == "array" for variant in alternatives(field))
            body[name] = [referred] if several else referred
        elif name in schema.get("required", ()) and name not in body:
            body[name] = _sample(field)
    if operation.part["operationId"] == "move_entries":
        body["entries"] = [{"entity": "vital", "id": records.ids["vitals"], "version": 1}]
    if operation.part["operationId"] == "transition_remittance_claim":
        body.pop("claim_id", None)  # it belongs to another action
    if operation.part["operationId"] == "create_paper_remittance":
        paid = {"line_id": "650.00", "mileage_line_id": "126.00"}
        lines = [{"line_id": records.ids[name], "paid": amount} for name, amount in paid.items()]
        body["claims"] = [{"claim_id": records.ids["claim_id"], "lines": lines}]
    return body


def _sample(field: dict[str, Any]) -> Any:
    [variant, *_] = alternatives(field)
    if "enum" in variant:
        return variant["enum"][0]
    by_type: dict[str, Any] = {"integer": 1, "boolean": True, "array": [], "object": {}}
    return by_type.get(variant.get("type", ""), "sample")
