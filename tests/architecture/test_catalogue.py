"""The migrated catalogue against the rules of tenancy, keys, indexes and grants: a forgotten table fails here."""

from __future__ import annotations

import re
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from app.core.db.columns import EnumText
from tests.architecture.scratch import entities, mapped_classes

ROLES = ("fusionems_app", "fusionems_system")
QUEUE = ("pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics")
# Tables that no tenant owns (directive 2.4), beside the reference data of `coding`.
GLOBAL = {"alembic_version", *QUEUE}
# Tables that only the system role may touch: their rows are stored before their tenant is known.
SYSTEM_ONLY = {"webhook_bodies"}
# Unique keys that are not led by tenant_id, each for its reason.
GLOBAL_KEYS = {
    "uq_tenants_slug": "the agency is found by its slug before any tenant is known",
    "uq_webhook_receipts_event": "a provider's event is stored once, before its tenant is known",
    "uq_outbox_deliveries_handler": "an event belongs to one tenant already",
    "uq_billing_accounts_account_number": "the bill portal looks an account up without a tenant",
}
ISOLATED = "(tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)"

_TABLES = """
SELECT c.oid, c.relname AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
  r.rolname AS owner, array_agg(a.attname::text) AS columns
FROM pg_class AS c JOIN pg_roles AS r ON r.oid = c.relowner
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
GROUP BY c.oid, r.rolname ORDER BY c.relname
"""
_INDEXES = """
SELECT i.indrelid::regclass::text AS table, c.relname AS name, i.indisunique AS unique, i.indisprimary AS primary,
  i.indpred IS NOT NULL AS partial,
  (SELECT array_agg(pg_get_indexdef(i.indexrelid, k, true) ORDER BY k) FROM generate_series(1, i.indnkeyatts) AS k)
    AS columns
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE c.relnamespace = 'public'::regnamespace
"""
_FOREIGN_KEYS = """
SELECT conname AS name, conrelid::regclass::text AS table, confrelid::regclass::text AS target,
  ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k(n, o) JOIN pg_attribute
    ON attrelid = conrelid AND attnum = k.n ORDER BY k.o) AS columns,
  ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY AS k(n, o) JOIN pg_attribute
    ON attrelid = confrelid AND attnum = k.n ORDER BY k.o) AS target_columns
FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND conparentid = 0
"""


async def tables(catalogue: asyncpg.Connection) -> list[Any]:
    return list(await catalogue.fetch(_TABLES))


async def tenant_tables(catalogue: asyncpg.Connection) -> list[Any]:
    found = [table for table in await tables(catalogue) if "tenant_id" in table["columns"]]
    assert {"tenants", "users", "audit_events", "outbox_events"} <= {table["name"] for table in found}
    return found


async def test_every_mapped_table_exists_and_every_table_is_known(catalogue: asyncpg.Connection) -> None:
    mapped = {entity.__tablename__ for entity in mapped_classes()}
    stored = {table["name"] for table in await tables(catalogue)}
    assert mapped <= stored
    assert stored - mapped == GLOBAL, "map the table, or say here why it is not"


async def test_table_without_tenant_is_reference_data(catalogue: asyncpg.Connection) -> None:
    reference = {mapped.__tablename__ for mapped in mapped_classes() if mapped.__module__.startswith("app.coding.")}
    bare = {table["name"] for table in await tables(catalogue) if "tenant_id" not in table["columns"]}
    assert bare - reference == GLOBAL | SYSTEM_ONLY


async def test_app_role_has_no_privilege_on_what_is_the_systems_alone(catalogue: asyncpg.Connection) -> None:
    """By table or by column: there is no tenant in these rows that row-level security could ask for."""
    for table in SYSTEM_ONLY:
        for function, privileges in (
            ("has_table_privilege", "SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER"),
            ("has_any_column_privilege", "SELECT, INSERT, UPDATE, REFERENCES"),
        ):
            granted = await catalogue.fetchval(f"SELECT {function}('fusionems_app', $1, $2)", table, privileges)
            assert granted is False, (table, function)


async def test_row_level_security_is_enabled_and_forced(catalogue: asyncpg.Connection) -> None:
    bare = [table["name"] for table in await tenant_tables(catalogue) if not (table["enabled"] and table["forced"])]
    assert bare == []


async def test_every_tenant_table_has_the_isolation_policy(catalogue: asyncpg.Connection) -> None:
    """In exactly this form: fail-closed on '', and without a volatile function (which costs a sequential scan)."""
    policies = await catalogue.fetch("SELECT * FROM pg_policies WHERE schemaname = 'public'")
    isolated = {policy["tablename"] for policy in policies if policy["policyname"] == "tenant_isolation"}
    assert isolated == {table["name"] for table in await tenant_tables(catalogue)}
    for policy in policies:
        where = f"{policy['tablename']}.{policy['policyname']}"
        form = (policy["roles"], policy["cmd"], policy["permissive"], policy["qual"], policy["with_check"])
        expected = {
            "tenant_isolation": (["fusionems_app"], "ALL", "PERMISSIVE", ISOLATED, ISOLATED),
            "owner_all": (["fusionems_owner"], "ALL", "PERMISSIVE", "true", "true"),
            "system_all": (["fusionems_system"], "ALL", "PERMISSIVE", "true", "true"),
        }
        assert form == expected[policy["policyname"]], where


async def test_owner_is_not_blind(catalogue: asyncpg.Connection) -> None:
    granted = await catalogue.fetch("SELECT tablename FROM pg_policies WHERE policyname = 'owner_all'")
    assert {row[0] for row in granted} == {table["name"] for table in await tenant_tables(catalogue)}


async def test_system_role_has_a_policy_exactly_where_it_has_a_grant(catalogue: asyncpg.Connection) -> None:
    policies = {
        row[0] for row in await catalogue.fetch("SELECT tablename FROM pg_policies WHERE policyname = 'system_all'")
    }
    for table in await tenant_tables(catalogue):
        granted = await catalogue.fetchval(
            "SELECT has_table_privilege('fusionems_system', $1::oid, 'SELECT, INSERT, UPDATE')", table["oid"]
        )
        assert granted is (table["name"] in policies), table["name"]


async def test_indexes_led_by_tenant(catalogue: asyncpg.Connection) -> None:
    """Directive 2.3: tenant_id on every tenant table; compound with status, created_at, incident_id where present."""
    indexes = [index for index in await catalogue.fetch(_INDEXES) if not index["partial"]]
    missing = []
    for table in await tenant_tables(catalogue):
        led = [index["columns"] for index in indexes if index["table"] == table["name"]]
        if not any(columns[0] == "tenant_id" for columns in led):
            missing.append((table["name"], "tenant_id"))
        missing += [
            (table["name"], second)
            for second in ("status", "created_at", "incident_id")
            if second in table["columns"] and not any(columns[:2] == ["tenant_id", second] for columns in led)
        ]
    assert missing == []


async def test_unique_keys_are_led_by_tenant(catalogue: asyncpg.Connection) -> None:
    """A global unique key is an oracle: it tells one tenant what another has."""
    names = {table["name"] for table in await tenant_tables(catalogue)}
    bare = {
        index["name"]
        for index in await catalogue.fetch(_INDEXES)
        if index["unique"] and not index["primary"] and index["table"] in names and index["columns"][0] != "tenant_id"
    }
    assert bare <= set(GLOBAL_KEYS)


async def test_entities_are_targets_of_composite_keys(catalogue: asyncpg.Connection) -> None:
    indexes = await catalogue.fetch(_INDEXES)
    for entity in entities():
        table = entity.__tablename__
        own = [(index["primary"], index["columns"]) for index in indexes if index["table"] == table and index["unique"]]
        assert (True, ["id"]) in own, table
        assert table == "tenants" or (False, ["tenant_id", "id"]) in own, table


async def test_foreign_keys_between_tenant_tables_are_composite(catalogue: asyncpg.Connection) -> None:
    """Foreign keys bypass row-level security: by id alone, a row could refer to another tenant's."""
    names = {table["name"] for table in await tenant_tables(catalogue)}
    loose = []
    for key in await catalogue.fetch(_FOREIGN_KEYS):
        if key["table"] not in names or key["target"] not in names:
            continue
        pairs = list(zip(key["columns"], key["target_columns"], strict=True))
        to_tenant = key["target"] == "tenants" and pairs == [("tenant_id", "id")]
        if not to_tenant and pairs[0] != ("tenant_id", "tenant_id"):
            loose.append(key["name"])
    assert loose == []


async def test_foreign_keys_do_not_cascade(catalogue: asyncpg.Connection) -> None:
    """Rows are soft-deleted by audited changes; a cascade would change rows without an audit event."""
    found = await catalogue.fetch(
        "SELECT conname FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
        " AND (confdeltype <> 'a' OR confupdtype <> 'a') AND conname NOT LIKE 'pgqueuer%'"
    )
    assert [row[0] for row in found] == []


async def test_roles_cannot_bypass_anything(catalogue: asyncpg.Connection) -> None:
    for role in (*ROLES, "fusionems_owner"):
        [row] = await catalogue.fetch("SELECT * FROM pg_roles WHERE rolname = $1", role)
        assert not (row["rolsuper"] or row["rolbypassrls"] or row["rolcreaterole"] or row["rolreplication"]), role
        memberships = await catalogue.fetchval(
            "SELECT count(*) FROM pg_auth_members AS m JOIN pg_roles AS r ON r.oid = m.member WHERE r.rolname = $1",
            role,
        )
        assert memberships == 0, role
    assert {table["owner"] for table in await tables(catalogue)} == {"fusionems_owner"}


@pytest.mark.parametrize("role", ROLES)
async def test_nobody_may_delete_but_the_job_queue(catalogue: asyncpg.Connection, role: str) -> None:
    for table in await tables(catalogue):
        for privilege in ("DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"):
            granted = await catalogue.fetchval(
                "SELECT has_table_privilege($1, $2::oid, $3)", role, table["oid"], privilege
            )
            queue = role == "fusionems_system" and privilege == "DELETE" and table["name"] in QUEUE
            assert granted is queue, (role, privilege, table["name"])


async def test_append_only_tables_are_never_updated(catalogue: asyncpg.Connection) -> None:
    """What has no version has no second version: the app may add rows there and nothing more."""
    for table in await tenant_tables(catalogue):
        if "version" in table["columns"] and table["name"] != "chart_revisions":
            continue
        assert not await catalogue.fetchval(
            "SELECT has_table_privilege('fusionems_app', $1::oid, 'UPDATE')", table["oid"]
        ), table["name"]


@pytest.mark.parametrize("table", ["audit_events", "chart_revisions"])
async def test_append_only_triggers_stand(catalogue: asyncpg.Connection, table: str) -> None:
    """Row triggers are cloned into partitions; TRUNCATE triggers are not, and stand on each."""
    members = await catalogue.fetch(
        "SELECT $1::text::regclass::oid UNION SELECT inhrelid FROM pg_inherits WHERE inhparent = $1::text::regclass",
        table,
    )
    for (member,) in members:
        triggers = await catalogue.fetch(
            "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = $1 AND tgenabled = 'O'", member
        )
        text = "\n".join(row[0] for row in triggers)
        assert "BEFORE DELETE OR UPDATE" in text and "FOR EACH ROW" in text
        assert "BEFORE TRUNCATE" in text
        assert text.count("fusionems_append_only()") == 2


async def test_nothing_is_granted_to_everybody(catalogue: asyncpg.Connection) -> None:
    granted = await catalogue.fetch(
        "SELECT table_name, privilege_type FROM information_schema.table_privileges"
        " WHERE grantee = 'PUBLIC' AND table_schema = 'public'"
    )
    assert [tuple(row) for row in granted] == []
    assert not await catalogue.fetchval("SELECT has_schema_privilege('fusionems_app', 'public', 'CREATE')")


async def test_functions_that_act_as_the_owner_are_pinned_and_closed(catalogue: asyncpg.Connection) -> None:
    functions = await catalogue.fetch(
        "SELECT proname, proconfig, proacl::text AS acl FROM pg_proc"
        " WHERE pronamespace = 'public'::regnamespace AND prosecdef"
    )
    assert functions
    for function in functions:
        assert any(setting.startswith("search_path=") for setting in function["proconfig"] or ()), function["proname"]
        assert "{=X" not in function["acl"] and ",=X" not in function["acl"], function["proname"]


async def test_views_obey_the_callers_policies(catalogue: asyncpg.Connection) -> None:
    views = await catalogue.fetch(
        "SELECT relname, relkind::text, reloptions FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')"
    )
    for view in views:
        assert view["relkind"] == "v", f"{view['relname']}: materialised views are not filtered by tenant"
        assert "security_invoker=true" in (view["reloptions"] or ()), view["relname"]


async def test_column_types_work_under_row_level_security(catalogue: asyncpg.Connection) -> None:
    """No native enums (`=` is not leakproof), no times without zone, no json, no money of unbounded precision.

    A charted number keeps the zeros that were typed, so its column has no scale: a CHECK bounds it instead.
    """
    checked = await catalogue.fetch(
        "SELECT conrelid::regclass::text AS table, conname AS name FROM pg_constraint"
        " WHERE contype = 'c' AND pg_get_constraintdef(oid) LIKE '%scale(%' AND pg_get_constraintdef(oid) LIKE '%>=%'"
    )
    bounded = {(check["table"], check["name"].removeprefix(f"ck_{check['table']}_")) for check in checked}
    columns = await catalogue.fetch(
        "SELECT a.attrelid::regclass::text AS table, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,"
        " t.typtype::text AS kind FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid"
        " JOIN pg_class AS c ON c.oid = a.attrelid WHERE c.relnamespace = 'public'::regnamespace"
        " AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped"
    )
    refused = [
        tuple(column)
        for column in columns
        if column["table"] not in GLOBAL
        and not (column["type"] == "numeric" and (column["table"], column["name"]) in bounded)
        and (
            column["kind"] == "e"
            or column["type"] in ("timestamp without time zone", "json", "money", "real", "numeric")
            or column["type"].startswith(("character", '"char"'))
        )
    ]
    assert refused == []


async def test_entities_have_the_standard_columns(catalogue: asyncpg.Connection) -> None:
    """Directive 2.1, with the server defaults that it asks for."""
    for entity in entities():
        rows = await catalogue.fetch(
            "SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name = $1",
            entity.__tablename__,
        )
        found = {row[0]: tuple(row)[1:] for row in rows}
        when = "timestamp with time zone"
        assert found["id"] == ("uuid", "NO", None)
        assert found["tenant_id"][0] == "uuid"
        assert found["tenant_id"][1] == "NO" or entity.__tablename__ == "webhook_receipts"
        assert found["version"] == ("integer", "NO", "1")
        assert found["created_at"] == found["updated_at"] == (when, "NO", "now()")
        assert found["deleted_at"] == (when, "YES", None)


async def test_enum_columns_are_checked_by_the_database(catalogue: asyncpg.Connection) -> None:
    for mapped in mapped_classes():
        table: sa.Table = mapped.__table__
        checks = await catalogue.fetch(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1::text::regclass AND contype = 'c'",
            table.name,
        )
        for column in table.columns:
            if not isinstance(column.type, EnumText):
                continue
            values = {member.value for member in column.type.enum}
            found = [
                set(re.findall(r"'([^']*)'", row[0])) for row in checks if re.search(rf"\b{column.name} =", row[0])
            ]
            if column.name == "status":
                assert found == [values], f"{table.name}.{column.name}"
            elif found:
                assert found[0] <= values, f"{table.name}.{column.name}"
            else:
                pytest.fail(f"{table.name}.{column.name} takes any text")


async def test_constraint_names_say_what_they_are(catalogue: asyncpg.Connection) -> None:
    """Errors are mapped by constraint name: a name that PostgreSQL made up means nothing to a client."""
    constraints = await catalogue.fetch(
        "SELECT conname, conrelid::regclass::text AS table, contype::text AS type FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 AND conparentid = 0"
        " AND contype <> 'n'"  # NOT NULL, which PostgreSQL 18 lists too, under names of its own
    )
    prefixes = {"p": "pk_", "u": "uq_", "f": "fk_", "c": "ck_"}
    odd = [
        row["conname"]
        for row in constraints
        if not row["table"].startswith((*GLOBAL, "audit_events_"))
        and not row["conname"].startswith(f"{prefixes[row['type']]}{row['table']}")
    ]
    assert odd == []
