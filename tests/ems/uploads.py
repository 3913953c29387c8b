"""Uploads as a client makes them: declare, send, complete."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import httpx

from app.core.config import Settings
from app.core.ids import TenantId
from tests.ems.charts import Chart
from tests.support.actors import Actor
from tests.support.media import SAMPLES, SVG

PATHS = ("attachments", "signatures")
SIGNED = {
    "signer_role": "patient",
    "signer_name": "Ana Rivers",
    "statement_code": "consent_to_treat",
    "statement": "I agree to be treated and transported.",
}
ATTESTED: dict[str, Any] = {
    "signer_role": "crew",
    "signer_name": "Sam Medic",
    "statement_code": "crew_attestation",
    "statement": "This chart is true and complete.",
    "patient_id": None,
}


def declared(content: bytes, file_type: str) -> dict[str, Any]:
    return {"file_type": file_type, "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def content_of(path: str) -> bytes:
    """What `body_of` declares."""
    return SAMPLES["image/jpeg"] if path == "attachments" else SVG


def body_of(chart: Chart, path: str, **fields: Any) -> dict[str, Any]:
    """What declares a good upload of either kind."""
    if path == "attachments":
        return declared(content_of(path), "image/jpeg") | fields
    return declared(content_of(path), "image/svg+xml") | SIGNED | {"patient_id": chart.patient["id"]} | fields


async def declare(chart: Chart, path: str = "attachments", *, status: int = 201, **fields: Any) -> Any:
    body = body_of(chart, path, **fields)
    return await chart.writer.expect(status, "POST", f"{chart.url}/{path}", json=body)


async def send(chart: Chart, entry: dict[str, Any], content: bytes) -> httpx.Response:
    """With the link alone."""
    link = entry["upload"]
    return await chart.writer.client.request(link["method"], link["url"], content=content, headers=link["headers"])


def at(chart: Chart, path: str, entry: dict[str, Any]) -> str:
    return f"{chart.url}/{path}/{entry['id']}"


async def fire(
    chart: Chart, path: str, entry: dict[str, Any], action: str = "complete", *, status: int = 200, **fields: Any
) -> Any:
    who: Actor = fields.pop("who", chart.writer)
    body = {"action": action, "version": entry["version"], **fields}
    return await who.expect(status, "POST", f"{at(chart, path, entry)}/transitions", json=body)


async def attach(chart: Chart, content: bytes, file_type: str, **fields: Any) -> Any:
    """A whole upload; the answer may be a rejection."""
    entry = await declare(chart, **(declared(content, file_type) | fields))
    assert (await send(chart, entry, content)).status_code == 204
    return await fire(chart, "attachments", entry)


async def sign(chart: Chart, **fields: Any) -> Any:
    """A whole signature, by the patient unless `fields` say otherwise."""
    entry = await declare(chart, "signatures", **fields)
    assert (await send(chart, entry, SVG)).status_code == 204
    return await fire(chart, "signatures", entry)


async def coverage(chart: Chart, signature: dict[str, Any]) -> tuple[bool, set[tuple[str, str, tuple[str, ...]]]]:
    """True if it covers the chart, and the changes: (id, change, fields)."""
    read = await chart.writer.expect(200, "GET", at(chart, "signatures", signature))
    changes = {(item["id"], item["change"], tuple(item["fields"])) for item in read["changed_since"]}
    return read["covers_current_chart"], changes


def objects_of(settings: Settings, tenant_id: TenantId) -> list[Path]:
    """Every object that the agency has, uploads that nobody completed too."""
    root = settings.data_dir / "objects" / "tenant" / str(tenant_id)
    return sorted(path for path in root.rglob("*") if path.is_file())
