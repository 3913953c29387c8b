"""Secrets over HTTP and in use: never read back, two versions valid, bound to their place, every use audited."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest
import structlog
from pydantic import SecretStr

from app.core.config import Settings
from app.core.errors import ServiceUnavailable
from app.core.logging import configure_logging
from app.core.permissions import Principal
from app.core.runtime import Runtime
from app.core.secrets.gateway import SECRET_KEYS, DataKey, FileKeys, KeyEncryption, KeyFile
from app.core.secrets.public import SecretNotSet, SecretUnreadable, SecretValue, use_secret
from app.core.secrets.service import Rewrapped, rewrap_secrets
from app.registry import COMPOSITION, LOG_KEYS
from scripts.rewrap_secrets import rewrap
from tests.core.evidence import audit_of, checksum
from tests.core.secrets.conftest import CLEARINGHOUSE, PROCESSOR
from tests.support.actors import Actor, Agency

SECRETS = "tenants/current/secrets"
FIRST, SECOND, THIRD = "CANARY-first-41c7", "CANARY-second-9a02", "CANARY-third-77fe"
NAME = CLEARINGHOUSE.name
JSON = {"content-type": "application/json"}
Body = dict[str, Any]


async def create(actor: Actor, value: str = FIRST, name: str = NAME) -> Body:
    return dict(await actor.expect(201, "POST", SECRETS, json={"name": name, "value": value}))


async def rotate(actor: Actor, secret: Body, value: str = SECOND) -> Body:
    body = {"version": secret["version"], "value": value}
    return dict(await actor.expect(200, "PUT", f"{SECRETS}/{secret['name']}", json=body))


def retirement(secret: Body, number: int) -> str:
    return f"{SECRETS}/{secret['name']}/versions/{number}?version={secret['version']}"


def numbers(secret: Body) -> list[int]:
    return [version["number"] for version in secret["versions"]]


async def listed(actor: Actor, name: str = NAME) -> Body:
    items = (await actor.expect(200, "GET", SECRETS))["items"]
    return next(dict(item) for item in items if item["name"] == name)


async def used(runtime: Runtime, system: Principal) -> list[tuple[int, str]]:
    values = await use_secret(runtime, system, CLEARINGHOUSE, purpose="test")
    return [(value.number, value.reveal()) for value in values]


async def row_of(admin: asyncpg.Connection, secret: Body) -> Any:
    return await admin.fetchrow("SELECT * FROM tenant_secrets WHERE id = $1", secret["id"])


class Away:
    """Keys that cannot be had."""

    name = "file"

    async def new_data_key(self, context: Mapping[str, str]) -> DataKey:
        raise ServiceUnavailable

    async def open_data_key(self, key: str, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        raise ServiceUnavailable

    def is_active(self, key: str) -> bool:
        return True


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged from now on, down to DEBUG."""
    stream = io.StringIO()
    configure_logging("DEBUG", LOG_KEYS)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(stream))
    yield stream
    configure_logging("ERROR", LOG_KEYS)


async def test_the_list_says_what_is_taken_and_what_is_set(keepers: Agency) -> None:
    before = (await keepers.admin.expect(200, "GET", SECRETS))["items"]
    assert [(item["name"], item["id"], item["version"], item["versions"]) for item in before] == [
        (CLEARINGHOUSE.name, None, None, []),
        (PROCESSOR.name, None, None, []),
    ]
    made = await create(keepers.admin)
    assert await listed(keepers.admin) == made
    assert made["version"] == 1 and numbers(made) == [1] and made["last_used_at"] is None
    assert (await listed(keepers.admin, PROCESSOR.name))["id"] is None


async def test_two_versions_are_valid_until_the_previous_is_retired(
    keepers: Agency, secrets_runtime: Runtime, system: Principal
) -> None:
    made = await create(keepers.admin)
    assert await used(secrets_runtime, system) == [(1, FIRST)]
    rotated = await rotate(keepers.admin, made)
    assert [(one["number"], one["is_current"]) for one in rotated["versions"]] == [(2, True), (1, False)]
    assert await used(secrets_runtime, system) == [(2, SECOND), (1, FIRST)]
    await keepers.admin.expect(204, "DELETE", retirement(rotated, 1))
    after = await listed(keepers.admin)
    assert numbers(after) == [2]
    assert await used(secrets_runtime, system) == [(2, SECOND)]
    again = await rotate(keepers.admin, after, THIRD)
    assert numbers(again) == [3, 2], "no number stands for two values"


async def test_a_third_version_has_to_wait(
    keepers: Agency, secrets_runtime: Runtime, system: Principal, admin_connection: asyncpg.Connection
) -> None:
    rotated = await rotate(keepers.admin, await create(keepers.admin))
    before = await checksum(admin_connection, keepers.tenant_id)
    body = {"version": rotated["version"], "value": THIRD}
    refusal = await keepers.admin.expect(409, "PUT", f"{SECRETS}/{NAME}", json=body)
    assert refusal["error"]["code"] == "SECRET_HAS_TWO_VERSIONS"
    assert await checksum(admin_connection, keepers.tenant_id) == before
    assert await used(secrets_runtime, system) == [(2, SECOND), (1, FIRST)]


async def test_a_deleted_secret_leaves_no_ciphertext_and_can_be_set_again(
    keepers: Agency, secrets_runtime: Runtime, system: Principal, admin_connection: asyncpg.Connection
) -> None:
    rotated = await rotate(keepers.admin, await create(keepers.admin))
    await keepers.admin.expect(204, "DELETE", f"{SECRETS}/{NAME}?version={rotated['version']}")
    row = await row_of(admin_connection, rotated)
    assert row["deleted_at"] is not None
    assert row["current_sealed"] is row["previous_sealed"] is None
    with pytest.raises(SecretNotSet):
        await used(secrets_runtime, system)
    assert (await listed(keepers.admin))["id"] is None
    again = await create(keepers.admin, THIRD)
    assert again["id"] != rotated["id"]
    assert await used(secrets_runtime, system) == [(1, THIRD)]


@pytest.mark.parametrize("role", ["medic", "supervisor", "biller", "founder"])
async def test_administrators_alone(keepers: Agency, role: str, admin_connection: asyncpg.Connection) -> None:
    made = await create(keepers.admin)
    before = await checksum(admin_connection, keepers.tenant_id)
    actor = keepers.actors[role]
    await actor.expect(403, "GET", SECRETS)
    await actor.expect(403, "POST", SECRETS, json={"name": PROCESSOR.name, "value": "key-1"})
    await actor.expect(403, "PUT", f"{SECRETS}/{NAME}", json={"version": made["version"], "value": SECOND})
    await actor.expect(403, "DELETE", f"{SECRETS}/{NAME}?version={made['version']}")
    await actor.expect(403, "DELETE", retirement(made, 1))
    assert await checksum(admin_connection, keepers.tenant_id) == before


async def test_another_agency_sees_and_changes_nothing(
    keepers: Agency, others: Agency, secrets_runtime: Runtime, system: Principal, admin_connection: asyncpg.Connection
) -> None:
    made = await create(keepers.admin)
    before = await checksum(admin_connection, keepers.tenant_id)
    assert (await listed(others.admin))["id"] is None
    await others.admin.expect(404, "PUT", f"{SECRETS}/{NAME}", json={"version": 1, "value": SECOND})
    await others.admin.expect(404, "DELETE", f"{SECRETS}/{NAME}?version=1")
    await others.admin.expect(404, "DELETE", retirement(made, 1))
    with pytest.raises(SecretNotSet):
        await used(secrets_runtime, Principal.system(others.tenant_id))
    await create(others.admin, SECOND)
    assert await checksum(admin_connection, keepers.tenant_id) == before
    assert await used(secrets_runtime, system) == [(1, FIRST)]


async def test_refusals_change_nothing(keepers: Agency, admin_connection: asyncpg.Connection) -> None:
    made = await create(keepers.admin)
    before = await checksum(admin_connection, keepers.tenant_id)
    admin, path = keepers.admin, f"{SECRETS}/{NAME}"
    unknown = await admin.expect(422, "POST", SECRETS, json={"name": "nobody_asks", "value": SECOND})
    assert [problem["field"] for problem in unknown["error"]["details"]["problems"]] == ["name"]
    await admin.expect(409, "POST", SECRETS, json={"name": NAME, "value": SECOND})
    await admin.expect(409, "PUT", path, json={"version": made["version"] + 1, "value": SECOND})
    await admin.expect(409, "DELETE", f"{path}?version={made['version'] + 1}")
    await admin.expect(409, "DELETE", retirement(made, 1))
    await admin.expect(404, "DELETE", retirement(made, 2))
    await admin.expect(404, "PUT", f"{SECRETS}/nobody_asks", json={"version": 1, "value": SECOND})
    await admin.expect(404, "PUT", f"{SECRETS}/{PROCESSOR.name}", json={"version": 1, "value": "key-1"})
    await admin.expect(404, "DELETE", f"{SECRETS}/nobody_asks?version=1")
    bad = await admin.expect(422, "POST", SECRETS, json={"name": PROCESSOR.name, "value": SECOND})
    assert [problem["code"] for problem in bad["error"]["details"]["problems"]] == ["unusable_secret"]
    for value in ("", "x" * 16_385, None, 5, "\ud800", [FIRST]):
        answer = await admin.request(
            "POST", SECRETS, content=_json({"name": PROCESSOR.name, "value": value}), headers=JSON
        )
        assert answer.status_code == 422, value
    assert await checksum(admin_connection, keepers.tenant_id) == before


def _json(body: Body) -> bytes:
    """As `json=` would, with lone surrogates."""
    return json.dumps(body).encode()


async def test_of_two_who_rotate_at_once_one_wins(keepers: Agency, secrets_runtime: Runtime, system: Principal) -> None:
    made = await create(keepers.admin)
    bodies = [{"version": made["version"], "value": f"CANARY-{number}"} for number in range(4)]
    answers = await asyncio.gather(*(keepers.admin.request("PUT", f"{SECRETS}/{NAME}", json=body) for body in bodies))
    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) == [200, 409, 409, 409]
    won = bodies[statuses.index(200)]["value"]
    assert await used(secrets_runtime, system) == [(2, won), (1, FIRST)]


async def test_of_two_who_set_it_at_once_one_wins(keepers: Agency, secrets_runtime: Runtime, system: Principal) -> None:
    values = [f"CANARY-{number}" for number in range(4)]
    answers = await asyncio.gather(
        *(keepers.admin.post(SECRETS, json={"name": NAME, "value": value}) for value in values)
    )
    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) == [201, 409, 409, 409]
    assert await used(secrets_runtime, system) == [(1, values[statuses.index(201)])]


async def test_every_use_is_audited_and_shown(
    keepers: Agency, secrets_runtime: Runtime, system: Principal, admin_connection: asyncpg.Connection
) -> None:
    made = await rotate(keepers.admin, await create(keepers.admin))
    await use_secret(secrets_runtime, system, CLEARINGHOUSE, purpose="deliver a claim file")
    events = await audit_of(admin_connection, made["id"])
    assert [event["action"] for event in events] == ["secret.created", "secret.rotated", "secret.used"]
    assert events[-1]["entity_type"] == "secret" and events[-1]["actor_user_id"] is None
    assert events[-1]["metadata_json"] == {"name": NAME, "purpose": "deliver a claim file", "versions": [2, 1]}
    shown = await listed(keepers.admin)
    assert shown["last_used_at"] is not None and shown["version"] == made["version"], "a use changes nothing"
    assert (await rotate_after_retirement(keepers.admin, shown))["last_used_at"] == shown["last_used_at"]


async def rotate_after_retirement(admin: Actor, secret: Body) -> Body:
    await admin.expect(204, "DELETE", retirement(secret, 1))
    return await rotate(admin, await listed(admin), THIRD)


async def test_without_its_audit_entry_no_value_is_handed_out(
    keepers: Agency, secrets_runtime: Runtime, system: Principal, admin_connection: asyncpg.Connection
) -> None:
    """What is audited is decided by the database: it refuses the entry, and the caller has nothing."""
    made = await create(keepers.admin)
    unstorable: Any = "a purpose with a NUL \x00"
    handed: list[SecretValue] = []
    with pytest.raises(asyncpg.PostgresError):
        handed += await use_secret(secrets_runtime, system, CLEARINGHOUSE, purpose=unstorable)
    assert handed == []
    assert [event["action"] for event in await audit_of(admin_connection, made["id"])] == ["secret.created"]


async def test_an_envelope_opens_in_its_place_only(
    keepers: Agency, others: Agency, secrets_runtime: Runtime, system: Principal, admin_connection: asyncpg.Connection
) -> None:
    """Whoever can write to the database moves a ciphertext: to another agency, secret, version, or back in time."""
    made = await create(keepers.admin)
    theirs = await create(others.admin, THIRD)
    second = await create(keepers.admin, "key-2", PROCESSOR.name)
    own = (await row_of(admin_connection, made))["current_sealed"]
    for target, kind, tenant in (
        (theirs, CLEARINGHOUSE, Principal.system(others.tenant_id)),
        (second, PROCESSOR, system),
    ):
        await admin_connection.execute("UPDATE tenant_secrets SET current_sealed = $2 WHERE id = $1", target["id"], own)
        with pytest.raises(SecretUnreadable):
            await use_secret(secrets_runtime, tenant, kind, purpose="test")
    rotated = await rotate(keepers.admin, made)
    await admin_connection.execute("UPDATE tenant_secrets SET current_sealed = $2 WHERE id = $1", made["id"], own)
    with pytest.raises(SecretUnreadable):
        await used(secrets_runtime, system)
    await keepers.admin.expect(204, "DELETE", f"{SECRETS}/{NAME}?version={rotated['version']}")
    again = await create(keepers.admin, SECOND)
    await admin_connection.execute("UPDATE tenant_secrets SET current_sealed = $2 WHERE id = $1", again["id"], own)
    with pytest.raises(SecretUnreadable):
        await used(secrets_runtime, system)
    for entity in (theirs, second, made, again):
        assert "secret.used" not in [event["action"] for event in await audit_of(admin_connection, entity["id"])]


async def test_an_altered_envelope_does_not_open(
    keepers: Agency, secrets_runtime: Runtime, system: Principal, admin_connection: asyncpg.Connection
) -> None:
    made = await create(keepers.admin)
    sealed = orjson.loads((await row_of(admin_connection, made))["current_sealed"])
    altered = [{**sealed, part: "AAAA" + sealed[part][4:]} for part in ("data_key", "nonce", "ciphertext")]
    altered += [{**sealed, "key": "another"}, {**sealed, "keeper": "another"}, {"keeper": "file"}]
    for envelope in [*map(orjson.dumps, altered), b"", b"{"]:
        query = "UPDATE tenant_secrets SET current_sealed = $2 WHERE id = $1"
        await admin_connection.execute(query, made["id"], envelope.decode())
        with pytest.raises(SecretUnreadable):
            await used(secrets_runtime, system)


async def test_the_database_holds_no_value_and_no_key(
    keepers: Agency, secrets_runtime: Runtime, admin_connection: asyncpg.Connection
) -> None:
    one, two = await create(keepers.admin), await create(keepers.admin, "key-" + FIRST, PROCESSOR.name)
    rows = [await row_of(admin_connection, made) for made in (one, two)]
    text = "".join(str(dict(row)) for row in rows)
    assert FIRST not in text
    keys = orjson.loads((secrets_runtime.settings.data_dir / "dev-secrets.json").read_bytes())["secrets_keys"]["keys"]
    assert keys and not any(key in text for key in keys.values())
    envelopes = [orjson.loads(row["current_sealed"]) for row in rows]
    for part in ("data_key", "nonce", "ciphertext"):
        assert envelopes[0][part] != envelopes[1][part]


async def test_another_key_file_opens_nothing(
    keepers: Agency, secrets_runtime: Runtime, system: Principal, admin_connection: asyncpg.Connection
) -> None:
    """Nor does one whose key has the same name. The agency's own administrators are told nothing of values either."""
    made = await create(keepers.admin)
    before = await checksum(admin_connection, keepers.tenant_id)
    foreign = KeyFile.generate()
    renamed = KeyFile(active="k9", keys={"k9": foreign.keys["k1"]})
    for file in (foreign, renamed):
        foreign_keys = KeyEncryption(FileKeys(file))
        with secrets_runtime.gateways.replace(SECRET_KEYS, foreign_keys), pytest.raises(SecretUnreadable):
            await used(secrets_runtime, system)
    assert await checksum(admin_connection, keepers.tenant_id) == before
    assert await used(secrets_runtime, system) == [(1, FIRST)]
    assert made["id"]


async def test_while_the_keys_are_away_nothing_is_set_or_used(
    keepers: Agency, secrets_runtime: Runtime, system: Principal, admin_connection: asyncpg.Connection
) -> None:
    made = await create(keepers.admin)
    before = await checksum(admin_connection, keepers.tenant_id)
    with secrets_runtime.gateways.replace(SECRET_KEYS, KeyEncryption(Away())):
        await keepers.admin.expect(503, "POST", SECRETS, json={"name": PROCESSOR.name, "value": "key-1"})
        body = {"version": made["version"], "value": SECOND}
        await keepers.admin.expect(503, "PUT", f"{SECRETS}/{NAME}", json=body)
        with pytest.raises(ServiceUnavailable):
            await used(secrets_runtime, system)
        assert await checksum(admin_connection, keepers.tenant_id) == before
        assert secrets_runtime.database.checked_out() == 0
    await rotate(keepers.admin, made)


async def test_no_connection_is_held_while_a_key_is_asked_for(
    keepers: Agency, secrets_runtime: Runtime, system: Principal
) -> None:
    held: list[int] = []
    own = secrets_runtime.gateways.get(SECRET_KEYS)

    class Watching(KeyEncryption):
        def __init__(self) -> None: ...

        async def new_data_key(self, context: Mapping[str, str]) -> DataKey:
            held.append(secrets_runtime.database.checked_out())
            return await own.new_data_key(context)

        async def open_data_key(self, keeper: str, key: str, wrapped: bytes, context: Mapping[str, str]) -> bytes:
            held.append(secrets_runtime.database.checked_out())
            return await own.open_data_key(keeper, key, wrapped, context)

    with secrets_runtime.gateways.replace(SECRET_KEYS, Watching()):
        await rotate(keepers.admin, await create(keepers.admin))
        assert await used(secrets_runtime, system) == [(2, SECOND), (1, FIRST)]
    assert held == [0, 0, 0, 0]


async def test_another_active_key_takes_over(
    keepers: Agency, secrets_runtime: Runtime, system: Principal, admin_connection: asyncpg.Connection
) -> None:
    """The order of a rotation: add and activate, encrypt anew, take the old key away."""
    old, new = KeyFile.generate(), KeyFile.generate().keys["k1"]
    both = KeyFile(active="k2", keys={**old.keys, "k2": new})
    only_new = KeyFile(active="k2", keys={"k2": new})
    gateways = secrets_runtime.gateways
    with gateways.replace(SECRET_KEYS, KeyEncryption(FileKeys(old))):
        made = await rotate(keepers.admin, await create(keepers.admin))
    with gateways.replace(SECRET_KEYS, KeyEncryption(FileKeys(both))):
        assert await used(secrets_runtime, system) == [(2, SECOND), (1, FIRST)]
        assert await rewrap_secrets(secrets_runtime, system) == Rewrapped(1, [])
        assert await rewrap_secrets(secrets_runtime, system) == Rewrapped(0, [])
    row = await row_of(admin_connection, made)
    assert [orjson.loads(row[name])["key"] for name in ("current_sealed", "previous_sealed")] == ["k2", "k2"]
    with gateways.replace(SECRET_KEYS, KeyEncryption(FileKeys(only_new))):
        assert await used(secrets_runtime, system) == [(2, SECOND), (1, FIRST)]
        shown = await listed(keepers.admin)
    assert shown["versions"] == made["versions"], "the values are the same ones, set when they were set"
    actions = [event["action"] for event in await audit_of(admin_connection, made["id"])]
    assert actions.count("secret.rewrapped") == 1


async def test_a_rotation_meanwhile_is_not_overwritten(
    keepers: Agency, secrets_runtime: Runtime, system: Principal, admin_connection: asyncpg.Connection
) -> None:
    """It is told as not done; a second run does it."""
    made = await create(keepers.admin)
    both = await _with_another_active(secrets_runtime)
    meanwhile = [rotate(keepers.admin, made)]

    class Slow(FileKeys):
        async def new_data_key(self, context: Mapping[str, str]) -> DataKey:
            while meanwhile:
                await meanwhile.pop()
            return await super().new_data_key(context)

    with secrets_runtime.gateways.replace(SECRET_KEYS, KeyEncryption(Slow(both))):
        first = await rewrap_secrets(secrets_runtime, system)
        assert first == Rewrapped(0, [uuid.UUID(made["id"])])
        assert await used(secrets_runtime, system) == [(2, SECOND), (1, FIRST)]
        assert await rewrap_secrets(secrets_runtime, system) == Rewrapped(1, [])
        assert await used(secrets_runtime, system) == [(2, SECOND), (1, FIRST)]
    actions = [event["action"] for event in await audit_of(admin_connection, made["id"])]
    assert actions.count("secret.rewrapped") == 1


async def _with_another_active(runtime: Runtime) -> KeyFile:
    """The installation's own keys, and a new one that is active."""
    await runtime.gateways.reach(SECRET_KEYS)
    held = orjson.loads((runtime.settings.data_dir / "dev-secrets.json").read_bytes())["secrets_keys"]["keys"]
    return KeyFile(active="k2", keys={**held, "k2": KeyFile.generate().keys["k1"]})


async def test_the_operator_encrypts_all_agencies_anew(
    keepers: Agency,
    others: Agency,
    settings: Settings,
    secrets_runtime: Runtime,
    system: Principal,
    tmp_path: Path,
    admin_connection: asyncpg.Connection,
) -> None:
    """An unreadable one is named, and keeps no other waiting."""
    broken = await create(keepers.admin, "key-1", PROCESSOR.name)
    await create(keepers.admin)
    await create(others.admin, SECOND)
    query = "UPDATE tenant_secrets SET current_sealed = '{}' WHERE id = $1"
    await admin_connection.execute(query, broken["id"])
    both, file = await _with_another_active(secrets_runtime), tmp_path / "keys.json"
    file.write_bytes(orjson.dumps(both.model_dump()))
    rotated = settings.model_copy(update={"secrets_key_file": file})
    first, second = await rewrap(rotated), await rewrap(rotated)
    assert first.done >= 2 and second.done == 0
    assert uuid.UUID(broken["id"]) in first.failed and uuid.UUID(broken["id"]) in second.failed
    only_new = KeyFile(active="k2", keys={"k2": both.keys["k2"]})
    with secrets_runtime.gateways.replace(SECRET_KEYS, KeyEncryption(FileKeys(only_new))):
        assert await used(secrets_runtime, system) == [(1, FIRST)]
        assert await used(secrets_runtime, Principal.system(others.tenant_id)) == [(1, SECOND)]


async def test_canary_is_nowhere(
    keepers: Agency,
    secrets_runtime: Runtime,
    system: Principal,
    log: io.StringIO,
    admin_connection: asyncpg.Connection,
) -> None:
    """Not in logs, answers, audit diffs, events or errors, whatever goes wrong."""
    admin, path = keepers.admin, f"{SECRETS}/{NAME}"
    answers = [await admin.post(SECRETS, json={"name": NAME, "value": FIRST})]
    answers.append(await admin.request("PUT", path, json={"version": 1, "value": SECOND}))
    answers.append(await admin.request("PUT", path, json={"version": 2, "value": THIRD}))
    answers.append(await admin.request("PUT", path, json={"version": 1, "value": [THIRD]}))
    answers.append(await admin.request("PUT", path, json={"version": 1, "value": THIRD, "note": THIRD}))
    answers.append(await admin.post(SECRETS, json={"name": PROCESSOR.name, "value": THIRD}))
    answers.append(await admin.post(SECRETS, json={"name": THIRD, "value": THIRD}))
    answers.append(await admin.get(SECRETS))
    answers.append(await admin.get("audit/events?limit=100"))
    values = await use_secret(secrets_runtime, system, CLEARINGHOUSE, purpose="test")
    assert [value.reveal() for value in values] == [SECOND, FIRST]
    foreign = KeyEncryption(FileKeys(KeyFile.generate()))
    with secrets_runtime.gateways.replace(SECRET_KEYS, foreign), pytest.raises(SecretUnreadable) as unreadable:
        await used(secrets_runtime, system)
    with secrets_runtime.gateways.replace(SECRET_KEYS, KeyEncryption(Away())):
        answers.append(await admin.post(SECRETS, json={"name": PROCESSOR.name, "value": "key-" + THIRD}))
    made = await listed(admin)
    audit = await audit_of(admin_connection, made["id"])
    assert set(audit[0]["changed_fields_json"]) >= {"name", "current_sealed"}
    sealed = (await row_of(admin_connection, made))["current_sealed"]
    events = await admin_connection.fetch(
        "SELECT payload::text FROM outbox_events WHERE tenant_id = $1", system.tenant_id
    )
    seen = {
        "log": log.getvalue(),
        "answers": "".join(answer.text for answer in answers),
        "audit": str(audit),
        "events": str(events),
        "repr": repr(values) + str(values) + repr(unreadable.value) + str(unreadable.value.details),
    }
    assert seen["log"]
    for place, text in seen.items():
        assert "CANARY" not in text, place
        assert sealed not in text and orjson.loads(sealed)["ciphertext"] not in text, place


async def test_the_service_takes_no_secret_that_no_domain_uses(agency: Agency) -> None:
    """The shipped list: what is not listed is refused, and nothing is stored of it."""
    shown = (await agency.admin.expect(200, "GET", SECRETS))["items"]
    assert [item["name"] for item in shown] == [kind.name for kind in COMPOSITION.secret_kinds]
    await agency.admin.expect(422, "POST", SECRETS, json={"name": NAME, "value": FIRST})
    assert [item["id"] for item in (await agency.admin.expect(200, "GET", SECRETS))["items"]] == [
        None for _ in COMPOSITION.secret_kinds
    ]


def test_a_value_shows_itself_to_nobody_who_does_not_ask() -> None:
    value = SecretValue(1, SecretStr(FIRST))
    assert "CANARY" not in repr(value) + str(value) + str(dataclasses.asdict(value))
    assert value.reveal() == FIRST
