"""A provider of webhooks that only the tests know, declared and routed as a domain would do it."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import hmac
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson
from fastapi import APIRouter, Depends, Request

from app.core.db.system import SystemUnitOfWork
from app.core.db.uow import UnitOfWork
from app.core.dependencies import RuntimeDependency, public_route
from app.core.errors import Forbidden
from app.core.ids import TenantId, new_id
from app.core.inbox.providers import Delivery, WebhookProvider
from app.core.inbox.taking import take
from app.core.tenants.repository import get_cross_tenant_for_admin_only_by_slug
from tests.core.charts import Chart, ChartAction

CANARY = "CANARYquill7731"
TOLERANCE = dt.timedelta(minutes=5)


@dataclass
class Probe:
    """The verifier: the secret that signs. `raising` is what the effect of an event raises; `calls` counts effects."""

    secret: bytes = b"of the tests"
    raising: dict[str, list[Exception]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    hanging: bool = False

    def signed(self, body: bytes, *, at: float | None = None) -> dict[str, str]:
        """The headers of a genuine delivery."""
        moment = str(int(time.time() if at is None else at))
        digest = hmac.new(self.secret, f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        return {"x-probe-time": moment, "x-probe-signature": digest, "content-type": "application/json"}


PROBE_STATE = Probe()


async def verify(probe: Probe, delivery: Delivery) -> str | None:
    """Raises Forbidden for what is forged or stale."""
    moment = delivery.headers.get("x-probe-time", "")
    if not moment.isdigit() or abs(time.time() - int(moment)) > TOLERANCE.total_seconds():
        raise Forbidden
    expected = probe.signed(delivery.body, at=int(moment))["x-probe-signature"]
    if not hmac.compare_digest(expected, delivery.headers.get("x-probe-signature", "")):
        raise Forbidden
    event_id: str | None = orjson.loads(delivery.body).get("id")
    return event_id


async def find_tenant(system: SystemUnitOfWork, body: bytes) -> TenantId | None:
    return await get_cross_tenant_for_admin_only_by_slug(system, orjson.loads(body)["agency"])


async def open_chart(uow: UnitOfWork, body: bytes) -> None:
    """One chart per call: a second effect would show. What is to be raised comes after it."""
    event: dict[str, Any] = orjson.loads(body)
    PROBE_STATE.calls[event["id"]] += 1
    number = f"{event['id']} {new_id()}"
    made = Chart(tenant_id=uow.tenant_id, incident_id=new_id(), number=number, patient_name=event["patient"])
    await uow.create(made, ChartAction.OPENED)
    if PROBE_STATE.hanging:
        sys.stdout.write("in effect\n")
        sys.stdout.flush()
        await asyncio.Event().wait()
    if PROBE_STATE.raising.get(event["id"]):
        raise PROBE_STATE.raising[event["id"]].pop(0)


PROBE: WebhookProvider[Probe] = WebhookProvider(
    name="probe",
    verify=verify,
    find_tenant=find_tenant,
    effect=open_chart,
    interests=lambda body: orjson.loads(body).get("kind") != "greeting",
)

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


@router.post("/probe", status_code=204, dependencies=[Depends(public_route)])
async def take_probe(request: Request, runtime: RuntimeDependency) -> None:
    """Takes an event of the tests. The signature is the credential."""
    await take(runtime, PROBE, PROBE_STATE, Delivery(await request.body(), request.headers))
