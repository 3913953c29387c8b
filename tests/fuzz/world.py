"""What the fuzzed agency has: records in open and in final states, so that generated requests reach the handlers."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from decimal import Decimal

from app.core.runtime import Runtime
from app.core.tenants.schemas import TenantPatch
from scripts.demo_call import PEOPLE, Player
from scripts.demo_chart import CALL
from tests.billing.support.adjudications import Decided, DecidedLine
from tests.billing.support.claims import approved_claim, export
from tests.billing.support.remittances import denied, pay
from tests.core.reference.records import SAMPLES
from tests.email.support.people import bounce_message
from tests.ems.charts import CHILDREN, VITAL, Chart
from tests.ems.uploads import PATHS as UPLOADS
from tests.ems.uploads import attach, content_of, declare, send
from tests.fuzz.service import Service
from tests.support.actors import Agency, profile

_SUFFIX = re.compile(r"/(transitions|restore)$")


_CODES = {
    "code": "I21.3",
    "rxcui": "7242",
    "name": "webhook_secret",
    "number": "1",
    "value_name": "weight_lb",
    "receipt_id": "0190a5c4-0000-7000-8000-000000000001",
}
"""In paths: of what the fuzzed service does not have (reference data, secrets, webhooks), so each is answered as any
missing record."""
_NAMED = {
    "patient_id": "patients",
    "claim_ids": "claim_id",
    "payer_record_id": "payers",
    "clearinghouse_id": "clearinghouses",
    "personnel_id": "personnel",
    "vehicle_id": "vehicles",
    "origin_facility_id": "facilities",
    "destination_facility_id": "facilities",
}
"""In bodies and filters: the key of what each refers to, where it is not the field's own name."""
UNREACHED = {"create_secret", "rotate_secret", "transition_webhook_receipt"}
"""Ids of the operations that need such a record in order to accept a body."""


_USING = ("/transitions", "/exports", "/claims", "/fee-schedules", "/items")
"""Ends of paths where something may be done or made once."""


@dataclass
class Records:
    """Ids by what they name in a path: `incident_id`, `vitals` (a child of that incident), `claim_id`…

    `locked_incident_id` is a chart that neither an export nor a claim was made of.
    """

    ids: dict[str, str] = field(default_factory=dict)

    def of(self, operation_path: str) -> dict[str, str]:
        """Values of the path's parameters. Parameters that name nothing here are absent."""
        found: dict[str, str] = {}
        for collection, name in re.findall(r"([a-z0-9-]+)/\{([a-z_]+)\}", operation_path):
            area = "claim_export_id" if "/billing/exports" in operation_path else name
            key = collection if name in ("child_id", "record_id", "token") else area
            value = self.ids.get(key, _CODES.get(name))
            if value is not None:
                found[name] = value
        return found

    def named(self, name: str, operation_path: str) -> str | None:
        """The value of a field or query parameter that refers to something."""
        if name == "incident_id" and "/ems/" not in operation_path:
            return self.ids.get("locked_incident_id")
        if name == "patient_id" and "/ems/" not in operation_path:
            return self.ids.get("locked_patient_id")
        return self.ids.get(_NAMED.get(name, name))


class World:
    """`open` can be changed and is made anew when something was used up; `final` has come to the end of its way."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.final = service.wait_for(_played, service.agency)
        self.renew()

    def renew(self) -> None:
        self.open = self._service.wait_for(_opened, self._service.agency, self._service.runtime)

    def version(self, actor: str | None, address: str) -> int | None:
        """The present version of what a path (with ids) leads to."""
        headers = self._service.authorization(actor)
        found = self._service.send("GET", _SUFFIX.sub("", address), headers)
        version = found.json().get("version") if found.status_code == 200 else None
        return version if isinstance(version, int) else None


async def _reviewed(chart: Chart) -> dict[str, str]:
    """Send the chart through a review that returns it: the ids of the reviewer's comment and of an entry that came in
    meanwhile."""
    await chart.advance("ready_for_review")
    late = await chart.add(VITAL, status=202)
    comment = {"entity": "incident", "entity_id": chart.id, "field": "arrival_time", "text": "When?"}
    body = {"action": "return_for_correction", "version": chart.version, "comments": [comment]}
    await chart.agency.supervisor.expect(200, "POST", f"{chart.url}/transitions", json=body)
    page = await chart.writer.expect(200, "GET", f"{chart.url}/review-comments")
    return {"comment_id": page["items"][0]["id"], "late_entry_id": late["id"]}


async def _restored(agency: Agency) -> None:
    """The agency as it was founded: what other operations made of its numbers keeps claims and remittances out."""
    now = await agency.admin.expect(200, "GET", "tenants/current")
    founded = {name: value for name, value in profile(agency.slug).items() if name in TenantPatch.model_fields}
    body = {"version": now["version"], **founded}
    await agency.admin.expect(200, "PATCH", "tenants/current", json=body)


async def _opened(agency: Agency, runtime: Runtime) -> Records:
    await _restored(agency)
    chart = await Chart.open(agency)
    ids = {"incident_id": chart.id, "patients": chart.patient["id"]}
    for kind in CHILDREN[1:]:
        ids[kind.path] = (await chart.add(kind))["id"]
    ids |= await _reviewed(chart)
    billed, unbilled = await Chart.open(agency, "locked"), await Chart.open(agency, "locked")
    ids |= {"locked_incident_id": unbilled.id, "locked_patient_id": unbilled.patient["id"]}
    claim = await agency.biller.expect(201, "POST", "billing/claims", json=CALL.claim | {"incident_id": billed.id})
    ids |= {"claim_id": claim["id"], "line_id": claim["lines"][0]["id"]}
    ids["mileage_line_id"] = claim["lines"][1]["id"]
    ids |= await _insured(agency, billed, unbilled)
    export = await agency.admin.expect(201, "POST", "nemsis/exports", json={"incident_id": billed.id})
    ids |= await _held(agency, runtime)
    ids |= await _refused(agency, runtime)
    for path in UPLOADS:
        entry = await declare(chart, path)
        await send(chart, entry, content_of(path))
        ids[path] = entry["id"]
    ids |= await _tokens(chart)
    email = f"fuzz-{uuid.uuid4().hex}@{agency.slug}.example"
    user = await agency.admin.expect(201, "POST", "users", json={"email": email, "display_name": "Fuzz", "role": "ems"})
    for sample in SAMPLES:
        ids[sample.path.rsplit("/", 1)[-1]] = (await sample.add(agency.admin))["id"]
    ids |= await _priced(agency, billed, ids["payers"])
    term = await agency.admin.expect(201, "POST", "coding/vocabulary", json={"say": f"code {export['id']}"})
    await bounce_message(runtime, agency.tenant_id)
    suppressed = await agency.admin.expect(200, "GET", "email/suppressions?limit=1")
    ids |= {"suppression_id": suppressed["items"][0]["id"], "user_id": user["id"], "term_id": term["id"]}
    ids["session_id"] = await _session(agency)
    return Records(ids | {"export_id": export["id"]})


async def _held(agency: Agency, runtime: Runtime) -> dict[str, str]:
    """A payment whose claim nobody knows, and a file of a layout that nobody knows."""
    line = DecidedLine(1, "A0429", ("RH",), Decimal(650), Decimal(650), ())
    [decision] = await pay(runtime, agency, Decided("NOT-OURS", (line,)), trace=uuid.uuid4().hex)
    headers = {"Content-Type": "text/plain"}
    content = f"Dear biller, {uuid.uuid4()}".encode()
    sent = await agency.biller.expect(201, "POST", "billing/acknowledgements", content=content, headers=headers)
    ids = {"remittance_claim_id": decision["id"], "remittance_id": decision["remittance_id"]}
    return ids | {"file_id": sent["files"][0]["file"]["id"]}


async def _refused(agency: Agency, runtime: Runtime) -> dict[str, str]:
    """Two claims that the payer has refused to pay. One refusal is appealed."""
    ids = []
    known = (await agency.admin.expect(200, "GET", "billing/clearinghouses?limit=1"))["items"]
    receiver = {"clearinghouse_id": known[0]["id"]} if known else {}
    for _ in range(2):
        claim = await approved_claim(agency)
        await export(agency, claim, **receiver)
        await pay(runtime, agency, denied(claim), trace=uuid.uuid4().hex)
        found = await agency.biller.expect(200, "GET", "billing/denials", params={"claim_id": claim["id"]})
        ids.append(found["items"][0]["id"])
    appeal = await agency.biller.expect(201, "POST", "billing/appeals", json={"denial_id": ids[1]})
    return {"denial_id": ids[0], "appeal_id": appeal["id"]}


async def _priced(agency: Agency, billed: Chart, payer: str) -> dict[str, str]:
    """A price list, one of its prices, the papers of a transport, and the reason why a call is not billed."""
    named = {"name": f"Contract {uuid.uuid4().hex}", "kind": "contract", "payer_record_id": payer}
    named["effective_from"] = "2026-01-01"
    schedule = await agency.biller.expect(201, "POST", "billing/fee-schedules", json=named)
    price = {"hcpcs": "A0429", "unit_price": "650.00"}
    item = await agency.biller.expect(201, "POST", f"billing/fee-schedules/{schedule['id']}/items", json=price)
    papers = await _papers(agency, billed)
    reason = {"incident_id": billed.id, "reason": "contract"}
    exemption = await agency.biller.expect(201, "POST", "billing/exemptions", json=reason)
    return papers | {"schedule_id": schedule["id"], "item_id": item["id"], "exemption_id": exemption["id"]}


async def _papers(agency: Agency, billed: Chart) -> dict[str, str]:
    """A certification and a notice about the transport."""
    about = {"incident_id": billed.id, "patient_id": billed.patient["id"], "signer_name": "Ruth Adler"}
    signed = about | {"signed_on": "2026-01-02"}
    notice = signed | {"option": "1", "reason": "Not the nearest hospital"}
    certificate = signed | {"signer_role": "physician"}
    made = {
        "certificates": await agency.biller.expect(201, "POST", "billing/certificates", json=certificate),
        "notices": await agency.biller.expect(201, "POST", "billing/notices", json=notice),
    }
    return {name: paper["id"] for name, paper in made.items()}


async def _insured(agency: Agency, billed: Chart, unbilled: Chart) -> dict[str, str]:
    """One billing account of both calls, so that the coverage of the first may be carried to the second."""
    account = await agency.biller.expect(201, "POST", "billing/accounts", json={"last_name": "Rivers"})
    joined = {}
    for chart in (unbilled, billed):
        body = {"incident_id": chart.id, "patient_id": chart.patient["id"]}
        joined = await agency.biller.expect(201, "POST", f"billing/accounts/{account['id']}/patients", json=body)
    coverage = await agency.biller.expect(201, "POST", "billing/coverages", json={**body, "member_id": "XYZ123"})
    return {"account_id": account["id"], "account_patient_id": joined["id"], "coverage_id": coverage["id"]}


async def _session(agency: Agency) -> str:
    """A session beside those that the actors use, so that its end ends no other request."""
    email = next(address for address in agency.passwords if address.startswith("medic@"))
    body = {"tenant_slug": agency.slug, "email": email, "password": agency.passwords[email]}
    await agency.medic.expect(200, "POST", "auth/login", json=body)
    newest = await agency.medic.expect(200, "GET", "auth/sessions", params={"limit": 1})
    return str(newest["items"][0]["id"])


async def _tokens(chart: Chart) -> dict[str, str]:
    """Of links that are still good."""
    stored = await attach(chart, content_of("attachments"), "image/jpeg")
    download = await chart.writer.expect(200, "GET", f"{chart.url}/attachments/{stored['id']}/download")
    upload = (await declare(chart))["upload"]
    links = {"uploads": upload["url"], "downloads": download["url"]}
    return {name: url.rsplit("/", 1)[1] for name, url in links.items()}


async def _played(agency: Agency) -> Records:
    played = await Player({who: agency.actors[who].request for who in PEOPLE}, lambda _: None).play(CALL)
    incident = played.incident["id"]
    ids = {"incident_id": incident, "locked_incident_id": incident, "export_id": played.export["id"]}
    for kind in CHILDREN:
        page = await agency.medic.expect(200, "GET", f"ems/incidents/{incident}/{kind.path}")
        if page["items"]:
            ids[kind.path] = page["items"][0]["id"]
    ids |= {"claim_id": played.claim["id"], "line_id": played.claim["lines"][0]["id"]}
    return Records(ids | {"locked_patient_id": played.patient["id"], "claim_export_id": played.claim_export["id"]})


def uses_up(method: str, path: str, status: int) -> bool:
    """True if a request that was answered so may have taken something from the open records."""
    changes = method == "DELETE" or path.endswith(_USING)
    return changes and method != "GET" and status < 300
