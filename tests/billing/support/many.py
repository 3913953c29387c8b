"""Many claims of one agency, copied from one that was made over HTTP, for tests of whole files."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import asyncpg

_COPY = """
INSERT INTO {table} SELECT copy.* FROM {table} AS origin,
 unnest($2::uuid[], $3::{other_type}[], $4::uuid[]) AS new(id, other, parent),
 jsonb_populate_record(origin, jsonb_build_object('id', new.id, '{other}', new.other, '{parent}', new.parent)) AS copy
WHERE origin.id = $1
"""


async def multiply(connection: asyncpg.Connection, claim: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
    """`count` further claims in the state of `claim`, each of a patient of its own, as the API would show them."""
    origin, patient = uuid.UUID(claim["id"]), uuid.UUID(claim["patient_id"])
    patients = [uuid.uuid4() for _ in range(count)]
    claims = [uuid.uuid4() for _ in range(count)]
    numbers = [f"M{uuid.uuid4().int % 10**12:012}" for _ in range(count)]
    reports = [uuid.uuid4() for _ in range(count)]
    incident = await connection.fetchval("SELECT incident_id FROM patients WHERE id = $1", patient)
    names = {"table": "patients", "other": "pcr_uuid", "other_type": "uuid", "parent": "incident_id"}
    await connection.execute(_COPY.format(**names), patient, patients, reports, [incident] * count)
    names = {"table": "claims", "other": "claim_number", "other_type": "text", "parent": "patient_id"}
    await connection.execute(_COPY.format(**names), origin, claims, numbers, patients)
    made = [{**claim, "id": str(id_), "claim_number": number} for id_, number in zip(claims, numbers, strict=True)]
    for at, line in enumerate(claim["lines"]):
        ids = [uuid.uuid4() for _ in range(count)]
        names = {"table": "claim_lines", "other": "line_number", "other_type": "int", "parent": "claim_id"}
        values = (uuid.UUID(line["id"]), ids, [at + 1] * count, claims)
        await connection.execute(_COPY.format(**names), *values)
        for one, line_id in zip(made, ids, strict=True):
            one["lines"] = [*one["lines"][:at], {**line, "id": str(line_id)}, *one["lines"][at + 1 :]]
    return made
