"""Proves in each run that the rivals do equal work: the same answers, and the same rows stored."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import asyncpg
import orjson

from bench.load import autosave
from bench.service import ROUTES, Service, save_path

_VOLATILE = frozenset(
    {"id", "entity_id", "aggregate_id", "incident_id", "created_at", "updated_at", "request_id", "trace_id"}
)
_ROWS = {
    "incidents": "SELECT to_jsonb(t) FROM incidents t WHERE id = $1",
    "audit_events": "SELECT to_jsonb(t) FROM audit_events t WHERE entity_id = $1 ORDER BY id",
    "outbox_events": "SELECT to_jsonb(t) - 'sequence' FROM outbox_events t WHERE aggregate_id = $1 ORDER BY sequence",
    "chart_revisions": "SELECT to_jsonb(t) FROM chart_revisions t WHERE entity_id = $1 ORDER BY version",
}


class Unequal(Exception):
    """Two variants answered or stored different things, so that comparing their cost would mean nothing."""


async def prove_equal(service: Service, database: asyncpg.Connection) -> None:
    """Compare the variants through `database`, which sees every row. Raises Unequal naming what differs."""
    observed = {variant: await _observe(service, database, variant) for variant in ROUTES}
    reference = observed.pop("real")
    for variant, seen in observed.items():
        for place, (expected, found) in enumerate(itertools.zip_longest(reference, seen)):
            if expected != found:
                raise Unequal(f"step {place}: real {expected!r}, {variant} {found!r}")


async def _observe(service: Service, database: asyncpg.Connection, variant: str) -> list[Any]:
    """The answers to a chart's autosaves, accepted and refused, and every row that they leave."""
    chart = await service.open_chart()
    path, token = save_path(chart["id"], variant), service.token
    elements = {"eResponse.08": None, "eResponse.13": [{"value": "M-14"}]}
    unit = {"location_unit": "4"}
    seen: list[Any] = [
        await _answer(service, path, autosave(1), token),
        await _answer(service, path, {"version": 2, "elements": elements, "location_zip": None}, token),
        await _answer(service, path, {"version": 3, "location_zip": None}, token),
        await _answer(service, path, {"version": 2, **unit}, token),
        await _answer(service, path, {"version": 3, "elements": {"eVitals.10": [{"value": "80"}]}}, token),
        await _answer(service, path, {"version": 3, **unit}, ""),
        await _answer(service, save_path(uuid.uuid4(), variant), {"version": 1, **unit}, token),
    ]
    for version, action in enumerate(("start", "submit_for_review"), start=3):
        transition = {"action": action, "version": version}
        await service.expect(200, "POST", f"{save_path(chart['id'], 'real')}/transitions", transition)
    seen.append(await _answer(service, path, {"version": 5, **unit}, token))
    for table, query in _ROWS.items():
        seen += [(table, _stable(orjson.loads(row))) for (row,) in await database.fetch(query, uuid.UUID(chart["id"]))]
    return seen


async def _answer(service: Service, path: str, body: dict[str, Any], token: str) -> tuple[int, Any]:
    status, content = await service.http.request("PATCH", path, body, token)
    return status, _stable(orjson.loads(content))


def _stable(value: Any) -> Any:
    """The value with "given" in place of what must differ between two charts, such as ids and times."""
    if isinstance(value, dict):
        plain = {
            key: "given" if key in _VOLATILE and item is not None else _stable(item) for key, item in value.items()
        }
        if "changed" in plain:  # a set of names
            plain["changed"] = sorted(plain["changed"])
        return plain
    if isinstance(value, str) and value.startswith("digest:"):
        return "digest"  # of the same value, in another chart
    return [_stable(item) for item in value] if isinstance(value, list) else value
