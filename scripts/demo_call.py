"""Play one synthetic emergency call against a running server, over HTTP, as its users would.

`python -m scripts.demo_call [--base-url URL] [--data-dir DIR]` signs in as the demo tenant's people, charts the call,
reviews and locks it, exports it as NEMSIS, completes the claim that the locked chart drafted, exports it as an 837P,
and leaves both documents in the data directory.
Meanwhile a second medic has the chart open and sees each change as it happens.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from app.core.paths import API_PREFIX
from scripts.demo_chart import CALL, PAYER, PRICES, Call
from scripts.demo_onlooker import NothingSeen, Onlooker, Session
from scripts.realtime_client import ChannelRefused, ConnectionRefused

PEOPLE = ("medic", "supervisor", "admin", "biller")
SECOND_MEDIC = "partner"
PATIENCE, PAUSE = 60, 0.5
"""How often the drafted claim is looked for, and the seconds between."""
Request = Callable[..., Awaitable[httpx.Response]]
Opened = Callable[[dict[str, Any]], Awaitable[None]]


class StepFailed(Exception):
    """A step of the call was refused."""


@dataclass
class Played:
    """What the call left behind."""

    incident: dict[str, Any]
    patient: dict[str, Any]
    export: dict[str, Any]
    claim: dict[str, Any]
    claim_export: dict[str, Any]
    nemsis_document: bytes
    claim_document: bytes
    steps: list[str] = field(default_factory=list)


class Player:
    """Sends the requests of one call. `requests` maps a person to a function (method, path, **options) → response.

    `opened` gets the incident when it is there. `patience` is how often the biller looks for the drafted claim.
    """

    def __init__(
        self,
        requests: dict[str, Request],
        narrate: Callable[[str], None],
        opened: Opened | None = None,
        *,
        patience: int = 1,
    ) -> None:
        self._requests = requests
        self._narrate = narrate
        self._opened = opened
        self._patience = patience
        self.steps: list[str] = []

    async def open_books(self) -> None:
        """The payer and the prices, if the agency does not have them yet. Drafted claims are priced by them."""
        await self._payer()
        path = "billing/fee-schedules"
        kept = (await self._send("biller", "look for prices", "GET", f"{path}?kind=gross", None, 200))["items"]
        if not kept:
            body = {"name": "Demo prices", "kind": "gross", "effective_from": "2026-01-01"}
            made = await self._send("biller", "open a fee schedule", "POST", path, body, 201)
            file = {"version": made["version"], "csv": PRICES}
            await self._send("biller", "load its prices", "POST", f"{path}/{made['id']}/imports", file, 200)

    async def play(self, call: Call) -> Played:
        """Chart, review, lock, export, bill. Raises StepFailed at the first refusal."""
        incident, patient = await self.chart(call)
        incident = await self.review(incident)
        export, nemsis_document = await self.export(incident)
        claim, claim_export, claim_document = await self.bill(call, incident)
        return Played(incident, patient, export, claim, claim_export, nemsis_document, claim_document, steps=self.steps)

    async def chart(self, call: Call) -> tuple[dict[str, Any], dict[str, Any]]:
        """Chart the call. The result is the incident, in_progress, and its patient."""
        incident = await self._send("medic", "open the chart", "POST", "ems/incidents", call.incident, 201)
        chart = f"ems/incidents/{incident['id']}"
        if self._opened is not None:
            await self._opened(incident)
        incident = await self._move("medic", "start charting", chart, incident, "start")
        for person, part in call.crew:
            body = part | {"personnel_id": await self._person(person)}
            await self._send("medic", "name the crew", "POST", f"{chart}/crew", body, 201)
        patient = await self._send("medic", "record the patient", "POST", f"{chart}/patients", call.patient, 201)
        of_patient = {"patient_id": patient["id"]}
        for vital in call.vitals:
            await self._send("medic", "take vital signs", "POST", f"{chart}/vitals", vital | of_patient, 201)
        for intervention in call.interventions:
            body = intervention | of_patient
            await self._send("medic", f"record a {body['type']}", "POST", f"{chart}/interventions", body, 201)
        for narrative in call.narratives:
            await self._send("medic", "tell the story", "POST", f"{chart}/narratives", narrative | of_patient, 201)
        for group in call.incident_groups:
            await self._send("medic", f"record {group['group_name']}", "POST", f"{chart}/element-groups", group, 201)
        for group in call.patient_groups:
            body = group | of_patient
            await self._send("medic", f"record {body['group_name']}", "POST", f"{chart}/element-groups", body, 201)
        for autosave in call.autosaves:
            body = autosave | {"version": incident["version"]}
            incident = await self._send("medic", "autosave", "PATCH", chart, body, 200)
        return incident, patient

    async def _person(self, person: dict[str, Any]) -> str:
        """The id of the person, who is hired now when the agency does not have them yet."""
        names = ("last_name", "licensure_level", "licensure_id")
        known: dict[str, str] = {name: person[name] for name in names if name in person}
        path = f"tenants/current/personnel?{urlencode(known)}"
        found = (await self._send("medic", "look the person up", "GET", path, None, 200))["items"]
        if not found:
            found = [await self._send("admin", "hire the person", "POST", "tenants/current/personnel", person, 201)]
        return str(found[0]["id"])

    async def review(self, incident: dict[str, Any]) -> dict[str, Any]:
        """Review the incident and lock it. The result is the locked incident."""
        chart = f"ems/incidents/{incident['id']}"
        validation = await self._send("medic", "what the state would say", "GET", _validation(incident), None, 200)
        self._narrate(f"        {'valid' if validation['valid'] else 'not valid'} under {validation['schema_build']}")
        incident = await self._move("medic", "submit for review", chart, incident, "submit_for_review")
        incident = await self._move("supervisor", "complete the review", chart, incident, "complete")
        return await self._move("admin", "lock the chart", chart, incident, "lock")

    async def export(self, incident: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """The NEMSIS export and its document. Raises StepFailed with the findings of a document that is not valid."""
        body = {"incident_id": incident["id"]}
        export = await self._send("admin", "begin the NEMSIS export", "POST", "nemsis/exports", body, 201)
        path = f"nemsis/exports/{export['id']}"
        export = await self._move("admin", "validate the document", path, export, "validate")
        if export["status"] != "ready_for_export":
            raise StepFailed(f"the document is not valid: {json.dumps(export['validation_errors_json'], indent=2)}")
        export = await self._move("admin", "export the document", path, export, "export")
        return export, await self._download("admin", "download the document", f"{path}/artifact")

    async def bill(self, call: Call, incident: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], bytes]:
        """The exported claim, its export, and the 837P."""
        claim = await self._claim(call, incident)
        path = f"billing/claims/{claim['id']}"
        claim = await self._move("biller", "approve the claim", path, claim, "approve")
        ids = {"claim_ids": [claim["id"]]}
        export = await self._send("biller", "export it as 837P", "POST", "billing/exports", ids, 201)
        content = await self._download("biller", "download the 837P", f"billing/exports/{export['id']}/artifact")
        claim = await self._send("biller", "see the claim", "GET", path, None, 200)
        return claim, export, content

    async def _claim(self, call: Call, incident: dict[str, Any]) -> dict[str, Any]:
        """The claim that the locked chart drafted, completed; made by hand where nothing was drafted yet."""
        claim = await self._drafted(incident)
        if claim is None:
            body = call.claim | {"incident_id": incident["id"]}
            return await self._send("biller", "make the claim", "POST", "billing/claims", body, 201)
        path = f"billing/claims/{claim['id']}"
        coverage = {name: claim[name] for name in ("incident_id", "patient_id")} | {
            "payer_record_id": await self._payer(),
            "member_id": call.claim["member_id"],
        }
        await self._send("biller", "enter the coverage", "POST", "billing/coverages", coverage, 201)
        again = {"version": claim["version"]}
        derived = await self._send("biller", "derive the claim again", "POST", f"{path}/derivation", again, 200)
        override = {
            "version": derived["claim_version"],
            "name": "loaded_miles",
            "value": call.claim["loaded_miles"],
            "reason": "The odometer was read on paper",
        }
        derived = await self._send("biller", "override the miles", "POST", f"{path}/overrides", override, 200)
        for value in derived["values"]:
            why = ", ".join(reason["code"] for reason in value["reasons"])
            self._narrate(f"        {value['status']:<11} {value['name']} ({why})")
        entered = ("transport_reason", "weight_lb", "certifications", "signature_on_file")
        body = {name: call.claim[name] for name in entered} | {"version": derived["claim_version"]}
        claim = await self._send("biller", "enter what no chart told", "PATCH", path, body, 200)
        scrubbed = await self._send("biller", "what the claim edits find", "GET", f"{path}/scrub", None, 200)
        self._narrate(f"        {scrubbed['blocking']} blocking, {scrubbed['warnings']} warnings")
        return claim

    async def _drafted(self, incident: dict[str, Any]) -> dict[str, Any] | None:
        """The claim that the lock drafted. The service drafts it soon after the lock, not with it."""
        path = f"billing/claims?incident_id={incident['id']}"
        for last in (*[False] * (self._patience - 1), True):
            found = (await self._send("biller", "look for the drafted claim", "GET", path, None, 200))["items"]
            if found:
                claim: dict[str, Any] = found[0]
                return claim
            if not last:
                await asyncio.sleep(PAUSE)
        return None

    async def _payer(self) -> str:
        """The id of the payer, who is entered now when the agency does not have it yet."""
        path = f"billing/payers?{urlencode({'payer_id': PAYER['payer_id']})}"
        found = (await self._send("biller", "look the payer up", "GET", path, None, 200))["items"]
        if not found:
            found = [await self._send("biller", "enter the payer", "POST", "billing/payers", PAYER, 201)]
        return str(found[0]["id"])

    async def _move(self, who: str, title: str, path: str, entity: dict[str, Any], action: str) -> dict[str, Any]:
        body = {"action": action, "version": entity["version"]}
        return await self._send(who, title, "POST", f"{path}/transitions", body, 200)

    async def _send(self, who: str, title: str, method: str, path: str, body: Any, expected: int) -> dict[str, Any]:
        response = await self._step(who, title, method, path, expected, **({} if body is None else {"json": body}))
        answer: dict[str, Any] = response.json()
        return answer

    async def _download(self, who: str, title: str, path: str) -> bytes:
        return (await self._step(who, title, "GET", path, 200)).content

    async def _step(
        self, who: str, title: str, method: str, path: str, expected: int, **options: Any
    ) -> httpx.Response:
        started = time.perf_counter()
        response = await self._requests[who](method, path, **options)
        elapsed = (time.perf_counter() - started) * 1000
        self.steps.append(f"{who}: {title}")
        self._narrate(f"{response.status_code} {elapsed:7.1f} ms  {who:<10} {title}")
        if response.status_code != expected:
            raise StepFailed(f"{method} {path} answered {response.status_code}: {response.text}")
        return response


def _validation(incident: dict[str, Any]) -> str:
    return f"nemsis/incidents/{incident['id']}/validation"


async def sign_in(client: httpx.AsyncClient, tenant: str, passwords: dict[str, str]) -> dict[str, Request]:
    """One authorised request function per person of PEOPLE. Raises StepFailed."""
    return {
        person: _authorised(client, (await _tokens(client, tenant, person, passwords))["access_token"])
        for person in PEOPLE
    }


async def onlooker(
    client: httpx.AsyncClient, base_url: str, tenant: str, passwords: dict[str, str], narrate: Callable[[str], None]
) -> Onlooker:
    """The second medic, signed in. Raises StepFailed."""
    tokens = await _tokens(client, tenant, SECOND_MEDIC, passwords)
    me = (await _authorised(client, tokens["access_token"])("GET", "auth/me")).json()
    session = Session(client, tokens["access_token"], tokens["refresh_token"])
    return Onlooker(SECOND_MEDIC, me["tenant_id"], base_url, session, narrate)


async def _tokens(client: httpx.AsyncClient, tenant: str, person: str, passwords: dict[str, str]) -> dict[str, str]:
    email = f"{person}@{tenant}.example"
    if email not in passwords:
        raise StepFailed(f"{email} is not in the demo tenant: an older version made it; choose another data directory")
    body = {"tenant_slug": tenant, "email": email, "password": passwords[email]}
    response = await client.post(f"{API_PREFIX}/auth/login", json=body)
    if response.status_code != 200:
        raise StepFailed(f"{email} cannot sign in: {response.text}")
    tokens: dict[str, str] = response.json()
    return tokens


def _authorised(client: httpx.AsyncClient, token: str) -> Request:
    async def request(method: str, path: str, **options: Any) -> httpx.Response:
        return await client.request(
            method, f"{API_PREFIX}/{path}", headers={"Authorization": f"Bearer {token}"}, **options
        )

    return request


async def main(base_url: str, data_dir: Path) -> int:
    credentials = json.loads((data_dir / "demo-credentials.json").read_text())
    async with httpx.AsyncClient(base_url=base_url, timeout=30) as client:
        try:
            second = await onlooker(client, base_url, "demo", credentials, print)
            requests = await sign_in(client, "demo", credentials)
            player = Player(requests, print, second.open, patience=PATIENCE)
            await player.open_books()
            played = await player.play(CALL)
            await second.leave()
        except (StepFailed, NothingSeen, ChannelRefused, ConnectionRefused, httpx.TransportError) as error:
            print(f"the call stopped: {error or type(error).__name__}", file=sys.stderr)
            return 1
    written = {"nemsis.xml": played.nemsis_document, "claim.edi": played.claim_document}
    for name, content in written.items():
        file = data_dir / "demo-call" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        print(f"written: {file}")
    print(f"in the object store: {played.export['s3_key']}")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base-url", default="http://127.0.0.1:8000")
    parser.add_argument("--data-dir", type=Path, default=Path(".data"))
    arguments = parser.parse_args()
    try:
        sys.exit(asyncio.run(main(arguments.base_url, arguments.data_dir)))
    except FileNotFoundError as error:
        sys.exit(f"{error.filename} is missing: start the server first (make run)")
