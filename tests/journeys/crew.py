"""A crew that charts a call: its requests are counted, and its charts go the whole way."""

from __future__ import annotations

from typing import Any, cast

import httpx

from tests.ems.charts import Chart
from tests.support.actors import Actor, Agency

Body = dict[str, Any]


class Requests:
    """A client that counts what is sent through it, uploads by link included."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.sent = 0

    async def request(self, *given: Any, **options: Any) -> httpx.Response:
        self.sent += 1
        return await self._client.request(*given, **options)


def counted(agency: Agency, who: str = "medic") -> Requests:
    """From now on, the requests that `who` sends are counted."""
    actor = agency.actors[who]
    requests = Requests(actor.client)
    agency.actors[who] = Actor(cast("httpx.AsyncClient", requests), actor.token)
    return requests


async def hired(agency: Agency, *people: Body) -> list[Body]:
    """People of the agency, as its admin entered them long before the call: each of them once."""
    path = "tenants/current/personnel"
    known = {one["first_name"]: one for one in (await agency.admin.expect(200, "GET", path))["items"]}
    return [
        known.get(person["first_name"]) or await agency.admin.expect(201, "POST", path, json=person)
        for person in people
    ]


async def exported(chart: Chart, *patients: Body | None) -> list[bytes]:
    """The documents of a completed chart. None: that of a call without a patient."""
    found = []
    for patient in patients:
        body = {"incident_id": chart.id, **({"patient_id": patient["id"]} if patient else {})}
        export = await chart.agency.admin.expect(201, "POST", "nemsis/exports", json=body)
        path = f"nemsis/exports/{export['id']}"
        for action, status in (("validate", "ready_for_export"), ("export", "exported")):
            move = {"action": action, "version": export["version"]}
            export = await chart.agency.admin.expect(200, "POST", f"{path}/transitions", json=move)
            assert export["status"] == status, export["validation_errors_json"]
        found.append((await chart.agency.admin.get(f"{path}/artifact")).content)
    return found
