"""What is protected stays in its own columns: it is in no log, no record of a change, no event, no error, nor in Redis.

The values are harvested from the rows that the journeys left, by the columns' own classification: a new protected
column that no journey fills fails here, and so does a journey that fills it and a sink that shows it.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterator
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
import structlog
from redis.asyncio import Redis

from app.billing.derivation.rules import RULES
from app.core.config import Settings
from app.core.db.columns import Sensitivity
from app.core.db.entity import Base, TenantEntity
from app.core.logging import configure_logging
from app.core.outbox.relay import OutboxRelay
from app.core.runtime import Runtime
from app.ems.elements.phi import PhiClass, phi_class
from app.registry import LOG_KEYS
from scripts.demo_call import PEOPLE, Player
from scripts.demo_chart import CALL
from tests.core.reference.records import SAMPLES
from tests.ems.charts import INTERVENTION, NARRATIVE, VITAL, Chart
from tests.ems.test_records import write_everything
from tests.ems.uploads import attach, sign
from tests.journeys.billed import bill
from tests.support.actors import Agency
from tests.support.media import SAMPLES as CONTENTS

PROTECTED = {Sensitivity.PHI, Sensitivity.SECRET}
_BY_CHANCE = re.compile(
    r".{1,4}|[0-9]{1,6}(\.[0-9]{2})?|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|elements\.e[A-Z][A-Za-z]+\.[0-9]+"
)
"""Short texts, short numbers and amounts are found everywhere by chance. Ids and names of elements are no secret."""
CLAIM: dict[str, Any] = {
    "group_number": "GRP-QUACK-77",
    "prior_authorization": "AUTH-QUACK-77",
    "round_trip_purpose": "Quackenbush goes home",
    "stretcher_purpose": "Quackenbush cannot sit",
    "accident": {"causes": ["AA"], "state": "IL", "occurred_on": "2019-09-19"},
}
# Tables in which something is written about the rows of entities; and the jobs' own.
SINKS = {
    "audit_events": "changed_fields_json::text || coalesce(metadata_json::text, '')",
    "outbox_events": "payload::text",
    "access_log": "t::text",
    "idempotency_keys": "t::text",
}
JOB_SINKS = {"pgqueuer": "coalesce(convert_from(payload, 'UTF8'), '')", "pgqueuer_log": "t::text"}
# What a journey leaves there says nothing without its row (a code, a state), or is a user's address, which is plain in
# `users`; addresses of messages and suppressions have a canary of their own in tests/email. The last one is written by
# no verb yet.
UNTELLING = {
    "patients.name_suffix", "patients.home_state", "patients.destination_state", "claims.transport_reason",
    "claims.certifications", "claim_lines.modifiers", "element_groups.attributes", "narratives.elements",
    "incidents.location_county", "patients.home_county", "patients.destination_county", "email_messages.recipient",
    "email_suppressions.address", "narratives.ai_suggestions_json",
    # What a chart keeps of a facility is plain in `facilities`; tests/ems/test_facilities_on_calls.py looks for it.
    "incidents.origin_facility", "incidents.destination_facility", "patients.destination_facility",
    "patients.home_country",
    # Codes of countries, states, languages and sexes, ZIP codes of five digits; a payer's name is plain on claims.
    "billing_accounts.country", "billing_accounts.language", "billing_accounts.state", "billing_accounts.zip",
    "coverages.subscriber_country", "coverages.subscriber_sex", "coverages.subscriber_state",
    "coverages.subscriber_zip", "coverages.charted_payer_name", "claim_derivations.lines",
    # No kind of secret is listed yet; tests/core/secrets has a canary of its own.
    "tenant_secrets.current_sealed", "tenant_secrets.previous_sealed",
}  # fmt: skip


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged from now on, down to DEBUG."""
    quiet = structlog.get_config()
    stream = io.StringIO()
    configure_logging("DEBUG", LOG_KEYS)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(stream))
    yield stream
    configure_logging("ERROR", LOG_KEYS)
    structlog.configure(**quiet)


@pytest.fixture
def refusals(client: httpx.AsyncClient) -> Iterator[list[str]]:
    """Bodies of every answer that was an error."""
    bodies: list[str] = []

    async def note(answer: httpx.Response) -> None:
        if answer.status_code >= 400:
            bodies.append((await answer.aread()).decode())

    client.event_hooks["response"].append(note)
    yield bodies
    client.event_hooks["response"].remove(note)


def _texts(value: Any, *, plain: bool = False) -> Iterator[str]:
    """The texts in a column's value; the keys of JSON objects are our own names, some of plain elements."""
    if isinstance(value, dict):
        for name, item in value.items():
            whole = plain or phi_class(name) is PhiClass.PHI
            yield from _texts(item if whole else [entry.get("correlation_id") for entry in item], plain=plain)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, plain=plain)
    elif isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        yield value.isoformat()
    elif isinstance(value, str) and value and not _BY_CHANCE.fullmatch(value):
        yield value


def _columns() -> Iterator[tuple[str, Any]]:
    for mapper in Base.registry.mappers:
        entity = mapper.class_
        if issubclass(entity, TenantEntity) and entity.metadata is Base.metadata:
            yield from ((entity.__tablename__, column) for column in entity.__table__.columns)


def _names() -> set[str]:
    """The names of columns, entities and derived values. Protected JSON cites them."""
    entities = [mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, TenantEntity)]
    return {entity.entity_type for entity in entities if hasattr(entity, "entity_type")} | {
        *(rule.name for rule in RULES),
        *(column.key for _, column in _columns()),
    }


async def harvest(connection: asyncpg.Connection, agency: Agency) -> tuple[dict[str, set[str]], set[str]]:
    """{table.column: the protected texts in it}, and the texts that stand in plain columns and elements."""
    protected: dict[str, set[str]] = {}
    plain: set[str] = _names()
    for table, column in _columns():
        rows = await connection.fetch(f"SELECT {column.key} FROM {table} WHERE tenant_id = $1", agency.tenant_id)
        values = [row[0] for row in rows]
        if "JSON" in str(column.type).upper():
            values = [orjson.loads(value) for value in values if value is not None]
        protected_here = column.info["sensitivity"] in PROTECTED
        texts = {text for value in values for text in _texts(value, plain=not protected_here)}
        if protected_here:
            plain |= {text for value in values for text in _texts(value, plain=True)} - texts
            if str(column.type).upper() in ("TEXT", "DATE", "JSONB"):
                protected[f"{table}.{column.key}"] = texts
        else:
            plain |= texts
    return protected, plain


async def live(agency: Agency, runtime: Runtime) -> None:
    """Everything that the journeys do, well and badly."""
    await write_everything(agency)
    player = Player({who: agency.actors[who].request for who in PEOPLE}, lambda _: None)
    played = await player.play(CALL)
    incident = await player.review((await player.chart(CALL))[0])
    claim = {**CALL.claim, **CLAIM, "incident_id": incident["id"]}
    key = {"Idempotency-Key": "claim-1"}
    made = await agency.biller.expect(201, "POST", "billing/claims", json=claim, headers=key)
    override = {
        "name": "stretcher_purpose",
        "value": "Quackenbush cannot sit",
        "reason": "As Quackenbush's nurse said.",
    }
    path = f"billing/claims/{made['id']}/overrides"
    await agency.biller.expect(200, "POST", path, json={"version": made["version"], **override})
    for body in ({"member_id": "x" * 500}, {"Quackenbush\x00": 1}):
        await agency.biller.patch(f"billing/claims/{played.claim['id']}", json={"version": 1, **body})
    await _signed_and_returned(agency)
    await bill(agency, runtime)
    for sample in SAMPLES:
        await sample.add(agency.admin)
    invited = {"email": f"newcomer@{agency.slug}.example", "display_name": "Q", "role": "ems"}
    await agency.admin.expect(201, "POST", "users", json=invited)
    await agency.admin.post("users", json=invited)
    await agency.medic.post("auth/password/reset", json={"token": "Quackenbush", "new_password": "Quackenbush-12"})
    tokens = {"tenant_slug": agency.slug, "email": f"medic@{agency.slug}.example"}
    tokens["password"] = agency.passwords[tokens["email"]]
    opened = await agency.medic.expect(200, "POST", "auth/login", json=tokens)
    refresh = {"refresh_token": opened["refresh_token"]}
    await agency.medic.expect(200, "POST", "auth/refresh", json=refresh, headers={"Idempotency-Key": "quack-77-key"})
    for body in ({"current_password": "Quackenbush", "new_password": "violet-Tangent-91-harbor"}, {"Quackenbush": 1}):
        await agency.founder.post("auth/password/change", json=body)
    await agency.admin.get("audit/events/export", params={"format": "csv"})


async def _signed_and_returned(agency: Agency) -> None:
    """Signatures, attachments, a late entry, comments, correlation ids: what people write beside the chart's fields."""
    chart = await Chart.open(agency)
    await chart.add(INTERVENTION, correlation_id="Quackenbush-intervention")
    await chart.add(VITAL, correlation_id="Quackenbush-vital")
    told = {"file_name": "Quackenbush wallet.jpg", "description": "The insurance card of Q. Quackenbush"}
    await attach(chart, CONTENTS["image/jpeg"], "image/jpeg", **told)
    await sign(chart, signer_name="Quirinus Quackenbush", statement="I, Quirinus Quackenbush, agree.")
    await chart.advance("ready_for_review")
    late = await chart.add(NARRATIVE, status=202, narrative_text="Quackenbush felt better by then.")
    refused = {"action": "refuse", "version": 1, "reason": "Charted already."}
    await agency.medic.expect(200, "POST", f"{chart.url}/late-entries/{late['id']}/transitions", json=refused)
    comment = {"entity": "patient", "entity_id": chart.patient["id"], "field": "last_name"}
    comments = [{**comment, "text": "Is Quackenbush spelt so?"}]
    body = {"action": "return_for_correction", "version": chart.version, "comments": comments}
    await agency.supervisor.expect(200, "POST", f"{chart.url}/transitions", json=body)


def _stands_in(text: str, content: str) -> bool:
    """A value of digits alone is looked for as a number of its own: times and ids are long numbers that may hold it."""
    if text.isdigit():
        return re.search(rf"(?<![0-9]){text}(?![0-9])", content) is not None
    return text in content


async def dump(url: str) -> str:
    """Every key of Redis with what is stored under it, in its own serialisation."""
    async with Redis.from_url(url) as redis:
        return "\n".join([f"{key!r} {await redis.dump(key)!r}" async for key in redis.scan_iter()])


async def test_no_protected_value_is_anywhere_else(
    agency: Agency,
    runtime: Runtime,
    settings: Settings,
    relay: OutboxRelay,
    log: io.StringIO,
    refusals: list[str],
    admin_connection: asyncpg.Connection,
) -> None:
    await live(agency, runtime)
    await relay.drain()
    protected, plain = await harvest(admin_connection, agency)
    empty = {name for name, texts in protected.items() if not texts - plain} - UNTELLING
    assert not empty, f"no journey fills {sorted(empty)}"

    assert settings.redis_url is not None
    seen = {"log": log.getvalue(), "errors": "\n".join(refusals)}
    seen["redis"] = await dump(settings.redis_url.get_secret_value())
    for table, text in SINKS.items():
        rows = await admin_connection.fetch(
            f"SELECT {text} AS text FROM {table} AS t WHERE tenant_id = $1", agency.tenant_id
        )
        assert rows, table
        seen[table] = "\n".join(row["text"] for row in rows)
    for table, text in JOB_SINKS.items():
        rows = await admin_connection.fetch(f"SELECT {text} AS text FROM {table} AS t")
        seen[table] = "\n".join(row["text"] for row in rows)
    assert seen["log"].count('"event":"request"') > 60 and len(refusals) > 10
    found = {
        (name, text, place)
        for name, texts in protected.items()
        for text in texts - plain
        for place, content in seen.items()
        if _stands_in(text.lower(), content.lower())
    }
    assert not found, sorted(found)


async def test_harvest_finds_a_value_that_leaked(agency: Agency, admin_connection: asyncpg.Connection) -> None:
    """The comparison discriminates: what is protected here is what the charts were given."""
    await write_everything(agency)
    protected, plain = await harvest(admin_connection, agency)
    assert any("Quackenbush" in text for text in protected["patients.last_name"] - plain)
    assert "1977-07-07" in protected["patients.date_of_birth"] - plain
    assert any(text.startswith("$2b$") for text in protected["users.password_hash"] - plain)
