"""Do the checks discriminate? Breaks the kernel on purpose, one way at a time: `python -m tests.core.mutants [WORD …]`.

Each mutant is applied to a copy of the checkout. The tests that are named with it must fail there, and must pass in the
copy as it is. Words choose the mutants whose names contain them. Needs what `make test` sets (the database's and Redis'
addresses).
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from tests.support.database import TEMPLATE, build_database

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("app", "migrations", "scripts", "tests", "pyproject.toml", "alembic.ini")


@dataclass(frozen=True)
class Mutant:
    """`tests` are given below tests/core, or from tests/ where they begin with a slash."""

    name: str
    file: str
    old: str
    new: str
    tests: str


UOW, PLAN, GUARD, POOL = "app/core/db/uow.py", "app/core/db/plan.py", "app/core/db/guard.py", "app/core/db/pool.py"
HTTP, TOKENS = "app/core/http.py", "app/core/auth/tokens.py"
AUTH, THROTTLE, POOLS = "app/core/auth/service.py", "app/core/auth/throttle.py", "app/core/pools.py"
RESETS, LINKS = "app/core/auth/password_service.py", "app/core/account_tokens/service.py"
SESSIONS, GATE, UPLOADS = "app/core/sessions/service.py", "app/core/sessions/gate.py", "app/ems/entries/uploads.py"
RELAY, JOBS = "app/core/outbox/relay.py", "app/core/jobs/queue.py"
OUTBOUND, OUTSIDE = "app/core/outbound/service.py", "app/core/outbound/outside.py"
BREAKER = "app/core/outbound/breaker.py"
INBOX, BODIES = "app/core/inbox/", "migrations/versions/20261130_1430_receipt_bodies.py"
PROTOCOL = "app/core/serving/protocol.py"
TENANCY, KERNEL = "migrations/tenancy.py", "migrations/versions/20261124_0454_kernel.py"

MUTANTS = (
    Mutant("session-level set_config", UOW, "'{tenant}',true)", "'{tenant}',false)",
           "test_tenancy.py db/test_races.py"),
    Mutant("no tenant set", UOW, "BEGIN;SELECT set_config('app.tenant_id','{tenant}',true)", "BEGIN",
           "test_tenancy.py"),
    Mutant("no rollback on error", UOW, 'execute("ROLLBACK")', 'execute("COMMIT")', "db/test_commit.py"),
    Mutant("nothing sent on error", UOW,
           'execute("ROLLBACK")\n        clean = not lease.conn.is_closed() and not lease.conn.is_in_transaction()',
           'execute("SELECT 1")\n        clean = True', "db/test_pool.py"),
    Mutant("COMMIT tag ignored", UOW, 'if status != "COMMIT":', "if not status:", "db/test_commit.py"),
    Mutant("poison ignored", UOW, "if self._poisoned:", "if self._poisoned is None:", "db/test_commit.py"),
    Mutant("poison healed by the next change", UOW, "_poisoned = poisoned", "_poisoned = False", "db/test_commit.py"),
    Mutant("clean-up not shielded", UOW, "asyncio.shield(asyncio.ensure_future(_scrub(self._source, lease)))",
           "_scrub(self._source, lease)", "db/test_races.py"),
    Mutant("signal before the commit", UOW, "        await super().commit()\n", "", "db/test_commit.py"),
    Mutant("session not flushed at commit", UOW, "await self._session.flush()", "pass", "db/test_guard.py"),
    Mutant("another tenant's entity accepted", UOW, 'if state["tenant_id"] != self._uow.tenant_id:', "if False:",
           "db/test_change.py"),
    Mutant("dead connection not retried", UOW, "except _DEAD:", "except ZeroDivisionError:", "db/test_pool.py"),
    Mutant("loaded entity not sealed", PLAN, 'values["_sealed"] = True', 'values["_sealed"] = False',
           "db/test_change.py"),
    Mutant("session's entity not sealed", "app/core/db/entity.py", 'entity.__dict__["_sealed"] = True', "pass",
           "db/test_session.py"),
    Mutant("audit dropped", PLAN, "[self._audited(written), self._published(written)]", "[self._published(written)]",
           "db/test_change.py"),
    Mutant("outbox dropped", PLAN, "[self._audited(written), self._published(written)]", "[self._audited(written)]",
           "db/test_change.py"),
    Mutant("revision dropped", PLAN, "records.append(self._revised(written))", "pass", "db/test_change.py"),
    Mutant("version not checked", PLAN, 'table.c.version == _bind("expected", table.c.version),', "",
           "db/test_races.py"),
    Mutant("version not bumped", PLAN, 'table.c.version + sa.literal_column("1")', "table.c.version",
           "db/test_change.py"),
    Mutant("PHI not redacted", PLAN, "elif key in self.redacted:", "elif key is None:", "db/test_change.py"),
    Mutant("secrets not redacted", PLAN, "in (Sensitivity.PHI, Sensitivity.SECRET)", "is Sensitivity.PHI",
           "db/test_change.py"),
    Mutant("JSON not copied", PLAN, "_copied(before[key])", "before[key]", "db/test_change.py"),
    Mutant("heavy columns always written", PLAN, "if key not in self.heavy)", ")", "db/test_change.py"),
    Mutant("no tenant in the repository's read", PLAN,
           'table.c.tenant_id == _bind("tenant_id", table.c.tenant_id), table.c.id == _bind("id", table.c.id)'
           '\n        )\n        return',
           'table.c.id == _bind("id", table.c.id)\n        )\n        return', "test_tenancy.py"),
    Mutant("no tenant in the repository's list", "app/core/repository.py",
           'where = [table.c.tenant_id == sa.bindparam("tenant_id", type_=table.c.tenant_id.type)]', "where = []",
           "test_tenancy.py"),
    Mutant("deleted rows listed", "app/core/repository.py", "if not including_deleted:", "if False:",
           "test_pagination.py"),
    Mutant("page repeats its edge", "app/core/pagination.py", "key > last if ascending else key < last",
           "key >= last if ascending else key <= last", "test_pagination.py"),
    Mutant("guard of statements removed", GUARD, "    if audited:\n", "    if not tables:\n", "db/test_guard.py"),
    Mutant("guard of text removed", POOL, '"before_cursor_execute", refuse_unaudited_text', '"engine_connect", print',
           "db/test_guard.py"),
    Mutant("guard of flush removed", "app/core/db/entity.py", "if isinstance(entity, TenantEntity):",
           "if entity is None:",
           "db/test_guard.py"),
    Mutant("soiled connection handed out", POOL, "and not conn.is_in_transaction()", "", "db/test_pool.py"),
    Mutant("commit after the response", "app/core/dependencies.py", 'Depends(unit_of_work, scope="function")',
           "Depends(unit_of_work)", "db/test_commit.py"),
    Mutant("permissions not enforced", "app/core/dependencies.py", "        principal.require(self.permission)\n",
           "        return\n", "/architecture/test_access.py"),
    Mutant("row-level security not forced", TENANCY, "FORCE ROW LEVEL SECURITY", "ENABLE ROW LEVEL SECURITY",
           "/architecture/test_catalogue.py"),
    Mutant("row-level security not enabled", TENANCY, 'op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")',
           "pass", "test_tenancy.py"),
    Mutant("policy without a check", TENANCY, "USING ({condition}) WITH CHECK ({condition})",
           "USING ({condition}) WITH CHECK (true)", "test_tenancy.py"),
    Mutant("policy open without context", TENANCY, 'condition = f"tenant_id = {CURRENT_TENANT}"',
           'condition = f"coalesce(tenant_id = {CURRENT_TENANT}, true)"', "test_tenancy.py"),
    Mutant("delete granted", TENANCY, 'app: str = "SELECT, INSERT, UPDATE"',
           'app: str = "SELECT, INSERT, UPDATE, DELETE"',
           "test_tenancy.py /architecture/test_catalogue.py"),
    Mutant("audit log can be changed", KERNEL, '    append_only("audit_events")\n', "", "test_audit_log.py"),
    Mutant("partitions can be truncated", KERNEL, '    no_truncate("audit_events_default")\n', "", "test_audit_log.py"),
    Mutant("an index is missing", KERNEL,
           'op.create_index("ix_users_tenant_status", "users", ["tenant_id", "status", "created_at"], unique=False)',
           "pass", "/architecture/test_catalogue.py /architecture/test_migrations.py"),
    Mutant("downgrade leaves a function", KERNEL, 'op.execute("DROP FUNCTION fusionems_append_only()")', "pass",
           "/architecture/test_migrations.py"),
    Mutant("expiry forgotten in the cache", TOKENS, "elif principal.expires_at <= timestamp():", "elif False:",
           "test_tokens.py"),
    Mutant("tokens of the system accepted", TOKENS, "if role not in USER_ROLES:", "if role is None:", "test_tokens.py"),
    Mutant("issuer not required", TOKENS, "issuer=self._issuer,", "issuer=None,", "test_tokens.py"),
    Mutant("any key for any kid", TOKENS, "self._verifying[kid],", "next(iter(self._verifying.values())),",
           "test_tokens.py"),
    Mutant("cache without bounds", TOKENS, "if len(self._verified) > self.CACHE_SIZE:", "if False:", "test_tokens.py"),
    Mutant("validators quoted", HTTP, '    "value_error": "The value is not valid",\n', "", "http/test_bodies.py"),
    Mutant("unknown keys quoted", HTTP, 'if len(text) <= 40 and _OUR_SPELLING.fullmatch(text) else "?"', "",
           "http/test_bodies.py"),
    Mutant("no 415", HTTP, "    if _has_body(scope) and not rule.takes(_media_type(scope)):\n",
           "    if False:\n", "http/test_bodies.py"),
    Mutant("no 413", HTTP, "        if received > limit:\n", "        if False:\n",
           "http/test_bodies.py"),
    Mutant("405 without every method", "app/core/routing.py",
           "{method for route in having_the_path for method in route.methods}", "set(next(having_the_path).methods)",
           "http/test_envelope.py"),
    Mutant("any request id echoed", HTTP, "                break\n",
           "                return value.decode('latin-1')  # type: ignore\n",
           "http/test_envelope.py"),
    Mutant("deadlock is our fault", HTTP, "    asyncpg.DeadlockDetectedError,\n", "", "http/test_failures.py"),
    Mutant("free JSON not checked", "app/core/schemas.py", "        if refusal is not None:\n", "        if False:\n",
           "http/test_bodies.py"),
    Mutant("another body replays", "app/core/idempotency/creation.py", "if first[0] != fingerprint:", "if False:",
           "test_idempotency.py"),
    Mutant("key without its resource", "app/core/idempotency/creation.py",
           "return Reservation(first[1], repeated=True)", "return Reservation(first[1], repeated=False)",
           "test_idempotency.py"),
    Mutant("delivered again", RELAY, "if taken is not None:", "if True:", "test_outbox.py"),
    Mutant("order of an aggregate lost", RELAY, 'if row["aggregate_id"] in waiting:', "if False:", "test_outbox.py"),
    Mutant("retry overtaken", RELAY, "AND earlier.next_attempt_at > now())", "AND false)", "test_outbox.py"),
    Mutant("two leaders", RELAY, 'if not await lease.conn.fetchval("SELECT pg_try_advisory_lock($1)", LEADER_LOCK):',
           "if False:", "test_outbox.py"),
    Mutant("nothing is set aside", RELAY, "attempts >= MAX_ATTEMPTS", "False", "test_outbox.py"),
    Mutant("relay dies of an error", RELAY, "except Exception as error:  # a relay",
           "except ZeroDivisionError as error:  # a relay",
           "test_outbox.py"),
    Mutant("leader not woken", "app/core/outbox/signal.py", "            self._wake.set()\n        else:",
           "            pass\n        else:", "test_outbox.py"),
    Mutant("no poke received", "app/core/outbox/signal.py", "if message is not None:", "if False:", "test_outbox.py"),
    Mutant("receipt not locked", INBOX + "repository.py", ".with_for_update(skip_locked=True))", ")", "test_inbox.py"),
    Mutant("receipt's status not asked", INBOX + "settling.py",
           "if receipt is None or receipt.status is not ReceiptStatus.RECEIVED:", "if receipt is None:",
           "test_inbox.py"),
    Mutant("receipt given away", INBOX + "repository.py", "            _receipts.c.tenant_id.is_(None),\n", "",
           "test_inbox.py"),
    Mutant("event not verified", INBOX + "taking.py", "await provider.verify(verifier, delivery)",
           "__import__('json').loads(delivery.body).get('id')", "test_inbox.py"),
    Mutant("effect before the receipt is committed", INBOX + "taking.py",
           "        pending = await receive(system, provider.name, event_id, delivery.body, tenant_id, utcnow())\n"
           "    if pending is not None",
           "        pending = await receive(system, provider.name, event_id, delivery.body, tenant_id, utcnow())\n"
           "        await system.rollback()\n"
           "    if pending is not None", "test_inbox.py"),
    Mutant("mark without its effect", INBOX + "settling.py", "    await provider.effect(uow, pending.body)\n", "",
           "test_inbox.py"),
    Mutant("interrupted event not finished", INBOX + "settling.py",
           "if not await settle(runtime, by_name[pending.provider], pending):",
           "if pending.tenant_id is None and not await settle(runtime, by_name[pending.provider], pending):",
           "test_inbox.py"),
    Mutant("attempt not put off", INBOX + "repository.py", 'next_attempt_at=sa.func.now() + delay)',
           "next_attempt_at=_bodies.c.next_attempt_at)", "test_inbox.py"),
    Mutant("failure not recorded", INBOX + "settling.py",
           "receipt_lifecycle.fire(uow, receipt, ReceiptAction.FAIL, None, failure=error.code)", "uow.rollback()",
           "test_inbox.py"),
    Mutant("failure's text kept on the receipt", INBOX + "settling.py", "failure=error.code)", "failure=error.message)",
           "test_inbox.py"),
    Mutant("what may pass is failed", INBOX + "settling.py", "if pending.attempts < max(", "if -1 > max(",
           "test_inbox.py"),
    Mutant("arrival not audited", INBOX + "repository.py", ".add_cte(kept.cte(\"kept\"), told)",
           ".add_cte(kept.cte(\"kept\"))", "test_inbox.py"),
    Mutant("assignment not audited", INBOX + "repository.py", ', _told("assigned", assigned))', ")", "test_inbox.py"),
    Mutant("body kept for ever", BODIES, "DELETE FROM webhook_bodies WHERE receipt_id = NEW.id;", "NULL;",
           "test_inbox.py"),
    Mutant("replay not due", BODIES, "SET attempts = 0, next_attempt_at = now()", "SET attempts = 0", "test_inbox.py"),
    Mutant("body for the app", BODIES, "GRANT SELECT, INSERT, UPDATE ON webhook_bodies TO {SYSTEM}",
           "GRANT SELECT, INSERT, UPDATE ON webhook_bodies TO fusionems_app, {SYSTEM}", "test_inbox.py"),
    Mutant("ids choose the tenant", JOBS,
           '{name: str(value) for name, value in ids.items()} | {"tenant_id": str(tenant_id)}',
           '{"tenant_id": str(tenant_id)} | {name: str(value) for name, value in ids.items()}', "test_jobs.py"),
    Mutant("failure's text kept", JOBS, "raise JobFailed(type(failure).__name__)", "raise JobFailed(str(failure))",
           "test_jobs.py"),
    Mutant("failure's cause kept", JOBS, "raise JobFailed(type(failure).__name__)",
           "raise JobFailed(type(failure).__name__) from failure", "test_jobs.py"),
    Mutant("runner dies of an error", JOBS, "except Exception as error:  # a runner",
           "except ZeroDivisionError as error:  # a runner", "test_jobs.py"),
    Mutant("log without redaction", "app/core/logging.py", "value if key in safe_keys else REDACTED", "value",
           "test_logging.py"),
    Mutant("log with texts of exceptions", "app/core/logging.py", 'entry["error_type"] = type(error).__name__',
           'entry["error_type"] = repr(error)', "test_logging.py"),
    Mutant("log with texts of libraries", "app/core/logging.py", "isinstance(record.msg, str) and record.args",
           "isinstance(record.msg, str)", "test_logging.py"),
    Mutant("one guard at a time", "app/core/lifecycle.py",
           "failed = [] if transition is None else [guard for guard in transition.guards if not guard.holds(facts)]",
           "failed = [] if transition is None else [g for g in transition.guards if not g.holds(facts)][:1]",
           "test_lifecycle.py"),
    Mutant("another state's permission", "app/core/lifecycle.py",
           "if transition is not None and not transition.permits(entity, principal):", "if False:",
           "test_lifecycle.py"),
    Mutant("reviewers of every role", "app/core/permissions.py",
           "(principal.is_reviewer and role in self.reviewer_roles)", "principal.is_reviewer", "test_permissions.py"),
    Mutant("key leaves the store", "app/core/storage/gateway.py",
           "if not path.is_relative_to(self._root) or path == self._root:", "if False:", "test_storage.py"),
    Mutant("seal not compared", "app/core/sealed.py", "if not hmac.compare_digest(self._seal(keys, signed), seal):",
           "if False:", "test_sealed.py"),
    Mutant("expiry not looked at", "app/core/sealed.py", "utcnow().timestamp() >= payload.expires", "False",
           "test_sealed.py"),
    Mutant("file written in place", "app/core/files.py",
           'return path.with_name(f".{path.name}.{secrets.token_hex(8)}")',
           "path.unlink(missing_ok=True); return path", "test_files.py"),
    Mutant("long passwords cut off", "app/core/auth/passwords.py", 'given = password if fits else ""',
           "given, fits = password[:72], True", "test_passwords.py"),
    Mutant("cancellation lost", "app/core/outbox/signal.py", "await self._wake.wait()",
           "await asyncio.wait_for(self._wake.wait(), seconds)", "test_outbox.py"),
    Mutant("naive times accepted", "app/core/schemas.py", "Instant = Annotated[AwareDatetime,",
           "Instant = Annotated[dt.datetime,",
           "test_schemas.py"),
    Mutant("work before the commit", UOW,
           "        await super().commit()\n        if self._after_commit is not None:\n",
           "        if self._after_commit is not None:\n            self._run_after_commit()\n"
           "        await super().commit()\n        if self._after_commit is not None:\n", "db/test_commit.py"),
    Mutant("work after a rollback", UOW, "        self._after_commit = None\n        await super().rollback()",
           "        await super().rollback()", "db/test_commit.py"),
    Mutant("work runs again", UOW, "registered, self._after_commit = self._after_commit or (), None",
           "registered = self._after_commit or ()", "db/test_commit.py"),
    Mutant("failing work stops the rest", UOW,
           'except Exception as error:\n                _log.error("work after a commit failed"',
           'except KeyError as error:\n                _log.error("work after a commit failed"', "db/test_commit.py"),
    Mutant("relay not poked", UOW, "            self.after_commit(self._on_publish)\n", "", "db/test_commit.py"),
    Mutant("ended session not marked", "app/core/sessions/service.py",
           "        self._uow.after_commit(partial(self._gate.mark, (session.id,)))\n", "",
           "identity/test_revocation.py"),
    Mutant("called inside a unit of work", OUTSIDE, "    refuse_open_transaction()\n", "", "test_outbound.py"),
    Mutant("called before the read has ended", OUTSIDE,
           "        found = await read(uow)\n    if isinstance(found, Done):\n        return found.answer\n"
           "    result = await call(found)\n",
           "        found = await read(uow)\n        if isinstance(found, Done):\n            return found.answer\n"
           "        result = await call(found)\n", "test_outbound.py"),
    Mutant("refused record not undone", OUTSIDE, "            await undo(found, result)\n", "            pass\n",
           "test_outbound.py"),
    Mutant("doubtful record undone", OUTSIDE, "except AppError:", "except Exception:", "test_outbound.py"),
    Mutant("attempt held without a lock", OUTBOUND,
           "find_for_update(self._uow.tenant_id, entity_id)\n        if entity is None or not kind.is_queued",
           "find(self._uow.tenant_id, entity_id)\n        if entity is None or not kind.is_queued",
           "test_outbound.py"),
    Mutant("late failure believed", OUTBOUND, " or entity.attempts != held.attempt", "", "test_outbound.py"),
    Mutant("late success not believed", OUTBOUND, "if self._kind.is_queued(entity) and entity.attempts:", "if False:",
           "test_outbound.py"),
    Mutant("lease not asked again", OUTBOUND, " or entity.lease_until > utcnow()", "", "/email/test_sending.py"),
    Mutant("attempts without end", OUTBOUND, "if entity.attempts >= self._kind.max_attempts:",
           "if entity.attempts >= 5:", "test_outbound.py"),
    Mutant("no time for a late answer", OUTBOUND, "max(delay, self._kind.lease) if failure.unanswered else delay",
           "delay", "test_outbound.py"),
    Mutant("postponed job lost", OUTBOUND, ":{entity.attempts}:{entity.version}", ":{entity.attempts}",
           "test_outbound.py"),
    Mutant("budget not asked", OUTBOUND, "None if kind.admit is None else await kind.admit(self._uow, entity)", "None",
           "test_outbound.py"),
    Mutant("sweep dies of an error", OUTBOUND, "            except Exception as error:\n",
           "            except ZeroDivisionError as error:\n", "test_outbound.py"),
    Mutant("another key at every attempt", "app/core/outbound/kind.py",
           "idempotency_key(self.kind, self.entity_id, purpose)",
           "idempotency_key(f'{self.kind}{self.attempt}', self.entity_id, purpose)", "test_outbound.py"),
    Mutant("breaker never opens", BREAKER, "if failing.count >= rule.failures:", "if False:", "test_outbound.py"),
    Mutant("everybody tries after the pause", BREAKER,
           "        failing.open_until = now + rule.pause.total_seconds()\n        return None", "        return None",
           "test_outbound.py"),
    Mutant("breaker never closes", BREAKER, "self._failing.pop(key, None)", "pass", "test_outbound.py"),
    Mutant("sign-in does not lock its user", AUTH, "find_for_share(uow.tenant_id, found[\"id\"])",
           "find(uow.tenant_id, found[\"id\"])", "identity/test_session_limits.py"),
    Mutant("sign-in believes the password of before", AUTH, ' or user.password_hash != found["password_hash"]', "",
           "identity/test_sessions.py"),
    Mutant("locked users sign in", AUTH, "user.status is not UserStatus.ACTIVE or user.password_hash",
           "user.password_hash", "identity/test_enumeration.py"),
    Mutant("suspended agencies sign in", AUTH, 'found["tenant_status"] != TenantStatus.ACTIVE and', "False and",
           "test_tenants_provisioning.py"),
    Mutant("failed sign-in not audited", AUTH,
           "await audit_login(runtime, found, AuthAction.LOGIN_FAILED)\n            raise",
           "pass\n            raise", "identity/test_enumeration.py"),
    Mutant("replayed refresh token goes on", AUTH, "reason = EndReason.REFRESH_TOKEN_REUSED", "reason = None",
           "identity/test_sessions.py"),
    Mutant("refresh without a lock", AUTH, "find_for_update(uow.tenant_id, presented.session_id)",
           "find(uow.tenant_id, presented.session_id)", "identity/test_sessions.py"),
    Mutant("logout leaves the session", AUTH, "            await SessionService(uow, self._runtime).end(session, "
           "EndReason.LOGOUT)\n", "", "identity/test_sessions.py"),
    Mutant("access token outlives its session", AUTH, "max(1, min(runtime.tokens.seconds, left))",
           "runtime.tokens.seconds", "identity/test_session_limits.py"),
    Mutant("no idle limit", SESSIONS, "now - session.rotated_at > idle", "False",
           "identity/test_session_limits.py"),
    Mutant("no absolute limit", SESSIONS, "if now >= session.expires_at:", "if False:",
           "identity/test_session_limits.py"),
    Mutant("ended sessions not polled", GATE, "if session_id in self._ended or session_id in self._marked:",
           "if session_id in self._marked:", "identity/test_revocation.py"),
    Mutant("closed agencies admitted", GATE, "if tenant_id in self._closed:", "if False:",
           "identity/test_revocation.py"),
    Mutant("link works twice", LINKS, "await account_token_lifecycle.fire(self._uow, token, AccountTokenTransition.USE,"
           " None)\n        return token", "return token", "identity/test_passwords.py"),
    Mutant("link never expires", LINKS, "        and token.expires_at > utcnow()\n", "", "identity/test_passwords.py"),
    Mutant("older links stay good", LINKS, "        await self.withdraw_all(user_id)\n        token_id",
           "        token_id", "identity/test_passwords.py"),
    Mutant("new password leaves sessions", RESETS,
           "        await SessionService(uow, self._runtime).end_all(user.id, EndReason.PASSWORD_CHANGED)\n", "",
           "identity/test_revocation.py identity/test_passwords.py"),
    Mutant("present password not asked", RESETS,
           "if not await judge_password(runtime, given.current_password, user.password_hash, counted):", "if False:",
           "identity/test_passwords.py"),
    Mutant("tries not counted", THROTTLE, "self._held.update((count, (tries + 1, ends)) for", "list(tries for",
           "identity/test_throttle.py"),
    Mutant("tries not counted in Redis", THROTTLE, "redis.call('INCR', key) == 1", "redis.call('EXISTS', key) == 0",
           "identity/test_throttle.py"),
    Mutant("counters in Redis never end", THROTTLE, "redis.call('EXPIRE', key, ARGV[2 * i])",
           "redis.call('EXISTS', key)", "identity/test_throttle.py"),
    Mutant("first full window announced", THROTTLE, "wait = math.max(wait, redis.call('PTTL', key))",
           "if wait == 0 then wait = redis.call('PTTL', key) end", "identity/test_throttle.py"),
    Mutant("as lenient without Redis", THROTTLE, "if tries >= stricter(count.window).amount",
           "if tries >= count.window.amount", "identity/test_throttle.py"),
    Mutant("strangers without a limit", THROTTLE, "counted = Counted(own, strangers, ", "counted = Counted(own, (), ",
           "identity/test_throttle.py"),
    Mutant("addresses without a limit", THROTTLE,
           'strangers, self._counts(self._address, "address", origin.address))', "strangers)",
           "identity/test_throttle.py"),
    Mutant("owner waits for strangers", THROTTLE, "        if familiar is None:\n", "        if True:\n",
           "identity/test_throttle.py"),
    Mutant("everybody is familiar", THROTTLE, "return _address(origin) if present in known else None",
           "return _address(origin)", "identity/test_throttle.py"),
    Mutant("device token of anybody", THROTTLE,
           'if device is not None and device.account == self._key("device", *account) else None', "",
           "identity/test_throttle.py"),
    Mutant("device token of an old password", THROTTLE, "device is not None and device.password == present",
           "device is not None", "identity/test_throttle.py"),
    Mutant("success does not start afresh", THROTTLE, "            await counters.clear(counted.own)\n", "",
           "identity/test_throttle.py"),
    Mutant("successes of a station count", THROTTLE, "            await counters.give_back(counted.shared)\n", "",
           "identity/test_throttle.py"),
    Mutant("success frees strangers", THROTTLE, "await counters.give_back(counted.shared)",
           "await counters.clear(counted.shared)", "identity/test_throttle.py"),
    Mutant("turned away is a guess", THROTTLE, "counters.give_back(counted.all)", "counters.give_back(())",
           "identity/test_throttle.py"),
    Mutant("sealed refresh token is a guess", AUTH, "        if isinstance(prolonged, EndReason):\n",
           "        if isinstance(prolonged, EndReason):\n            await runtime.throttle.guess(address)\n",
           "identity/test_throttle.py"),
    Mutant("forged refresh token is none", AUTH, "            await runtime.throttle.guess(address)\n", "",
           "identity/test_throttle.py"),
    Mutant("forged link is no guess", RESETS, "            await runtime.throttle.guess(address)\n", "",
           "identity/test_throttle.py"),
    Mutant("every host is a trusted proxy", "app/core/auth/proxies.py",
           "return any(address in network for network in self._networks)", "return True", "identity/test_proxies.py"),
    Mutant("untrusted peer not noticed", "app/core/auth/proxies.py", "self._seen_at = time.monotonic()", "pass",
           "identity/test_proxies.py"),
    Mutant("pool without an end", POOLS, "if self._inside >= self.threads + self.waiting:", "if False:",
           "test_pools.py"),
    Mutant("place in the pool kept", POOLS, "            self._inside -= 1\n", "            pass\n", "test_pools.py"),
    Mutant("passwords share a pool", "app/core/auth/passwords.py",
           "from app.core.pools import PASSWORDS", "from app.core.pools import FILES as PASSWORDS", "test_pools.py"),
    Mutant("stale upload completed", UPLOADS, "cycle.require(entry, UploadTransition.COMPLETE, uow.principal, facts)\n"
           "        require_version(entry, version)\n",
           "cycle.require(entry, UploadTransition.COMPLETE, uow.principal, facts)\n",
           "/ems/test_stale_and_unlogged.py"),
    Mutant("upload of another size kept", UPLOADS, "if size != entry.size_bytes:", "if False:", "/ems/test_uploads.py"),
    Mutant("refused upload stays in the store", UPLOADS,
           "        except RefusedContent as error:\n            await self._objects.delete(_sent_to(entry))\n",
           "        except RefusedContent as error:\n", "/ems/test_uploads.py"),
    Mutant("unlogged read is shown", UOW,
           "*RECORD_ACCESS.arguments(read.row(self.principal)))\n            except BaseException:\n"
           "                await self.rollback()\n                raise\n",
           "*RECORD_ACCESS.arguments(read.row(self.principal)))\n            except BaseException:\n"
           "                await self.rollback()\n                return\n", "/ems/test_stale_and_unlogged.py"),
    Mutant("chart without a bound", "app/ems/entries/checks.py",
           "if await uow.fetch_row(_entry_after(entity), values) is not None:", "if False:",
           "/ems/test_soft_delete.py"),
    Mutant("headers without a bound", PROTOCOL,
           "if self._head_bytes > self._limits.max_header_bytes or self._headers > self._limits.max_headers:",
           "if False:", "serving/test_limits.py"),
    Mutant("headers without an end", PROTOCOL, "self._held_bytes + len(data) if self._parsed == before else 0", "0",
           "serving/test_limits.py"),
    Mutant("what was held counts twice", PROTOCOL, " if self._parsed == before else 0", "", "serving/test_limits.py"),
    Mutant("trailers are headers", PROTOCOL, "        if self._stage is _Stage.HEAD:\n", "        if True:\n",
           "serving/test_limits.py"),
    Mutant("refusal answers another request", PROTOCOL, "self._active is not self.cycle or ", "",
           "serving/test_limits.py"),
    Mutant("connections change their protocol", PROTOCOL, '            ws="none",\n', "", "serving/test_limits.py"),
    Mutant("heads may drip", PROTOCOL, "float(self._limits.request_head_seconds), self._on_head_deadline",
           "3600.0, self._on_head_deadline", "serving/test_limits.py"),
    Mutant("bodies may drip", PROTOCOL, "        if left > 0:\n", "        if True:\n", "serving/test_limits.py"),
    Mutant("time of a body is not extended", PROTOCOL, " + self._body_bytes / self._limits.request_body_rate", "",
           "serving/test_limits.py"),
    Mutant("clients need not read", PROTOCOL, "        if self._stall is None:\n", "        if False:\n",
           "serving/test_limits.py"),
    Mutant("reading is not noticed", PROTOCOL, "if self.transport.get_write_buffer_size() < before:", "if False:",
           "serving/test_stalls.py"),
    Mutant("nobody need read the end", PROTOCOL, "        if self.transport.is_closing():\n            self._expect",
           "        if False:\n            self._expect", "serving/test_stalls.py"),
    Mutant("requests ahead without a bound", PROTOCOL, "if len(self.pipeline) >= MOST_PIPELINED:", "if False:",
           "serving/test_limits.py"),
    Mutant("no connection gives way", PROTOCOL, "        if not ranked:\n", "        if ranked is not None:\n",
           "serving/test_capacity.py"),
    Mutant("connections in use give way", PROTOCOL, "        if not self._is_answering:\n            return",
           "        if True:\n            return", "serving/test_capacity.py"),
    Mutant("slow bodies do not give way", PROTOCOL, "if self._active is self.cycle and self._stage is _Stage.BODY",
           "if False", "serving/test_capacity.py"),
    Mutant("listener closes at once", "app/core/serving/server.py", "        if not self._drains:\n",
           "        if True:\n", "serving/test_stopping.py"),
    Mutant("readiness does not tell", "app/core/runtime.py", "        self.is_stopping = True\n",
           "        self.is_stopping = False\n", "serving/test_stopping.py"),
    Mutant("disclosure leaves no access row", "app/core/audit/disclosures.py",
           "        uow.note_phi(disclosure.what, incident_id, disclosure.purpose)\n", "        pass\n",
           "/journeys/test_disclosures.py"),
    Mutant("refusal leaves no trace", HTTP, "            await record_refusal(request, refusal)\n",
           "            pass\n", "test_refusals.py"),
    Mutant("database that starts is our fault", HTTP, "    asyncpg.OperatorInterventionError,", "",
           "http/test_database_away.py"),
    Mutant("problems without a bound", HTTP, 'if name == "problems" and len(value) > MOST_PROBLEMS:', "if False:",
           "http/test_envelope.py"),
    Mutant("app reads the queue", "migrations/versions/20261130_1640_job_privileges.py",
           'op.execute(f"REVOKE ALL ON {table} FROM {APP}")', "pass", "test_job_privileges.py"),
    Mutant("unsealed job runs", JOBS,
           "if not isinstance(seal, str) or not hmac.compare_digest(_seal_of(runtime.keys.seal, job, given), seal):",
           "if False:", "test_job_privileges.py"),
    Mutant("nodes without a bound", "app/ems/media/documents.py", "if self._nodes > MAX_NODES:", "if False:",
           "/ems/test_media.py"),
    Mutant("pixels without a bound", "app/ems/media/photos.py", "Image.MAX_IMAGE_PIXELS = MAX_PIXELS",
           "Image.MAX_IMAGE_PIXELS = None", "/ems/test_media.py"),
    Mutant("pixels of HEIC without a bound", "app/ems/media/photos.py",
           "if primary.size[0] * primary.size[1] > MAX_PIXELS:", "if False:", "/ems/test_media.py"),
)  # fmt: skip


def run(mutant: Mutant, checkout: Path) -> str:
    """`killed …`, or what went wrong with the mutant itself."""
    file = checkout / mutant.file
    text = file.read_text()
    if mutant.old not in text:
        return "not applicable"
    file.write_text(text.replace(mutant.old, mutant.new, 1))
    template = {} if mutant.file.startswith("migrations/") else {TEMPLATE: template_of(checkout)}
    try:
        done = run_tests(mutant.tests.split(), checkout, 300, **template)
    except subprocess.TimeoutExpired:
        return "killed (hung)"
    finally:
        file.write_text(text)
    if done.returncode != 1:
        return f"SURVIVED ({done.returncode})"
    return f"killed by {first_failure(done)}"


def run_tests(tests: list[str], checkout: Path, seconds: int | None, **extra: str) -> subprocess.CompletedProcess[str]:
    paths = [f"tests{test}" if test.startswith("/") else f"tests/core/{test}" for test in tests]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-m", "not long", "-p", "no:cacheprovider", *paths],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=seconds,
        env={**os.environ, "PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1", **extra},
        check=False,
    )


def first_failure(done: subprocess.CompletedProcess[str]) -> str:
    first = next((line for line in done.stdout.splitlines() if line.startswith(("FAILED tests", "ERROR tests"))), "")
    return first.split(" - ")[0].split("::")[-1][:80]


def template_of(checkout: Path) -> str:
    """The name of the migrated database of the copy as it is."""
    return f"fusionems_test_{hashlib.sha256(str(checkout).encode()).hexdigest()[:8]}_template"


async def drop_databases(checkout: Path) -> None:
    """Those of the copy."""
    prefix = f"fusionems_test_{hashlib.sha256(str(checkout).encode()).hexdigest()[:8]}_%"
    connection = await asyncpg.connect(os.environ["TEST_ADMIN_DATABASE_URL"])
    for (name,) in await connection.fetch("SELECT datname FROM pg_database WHERE datname LIKE $1", prefix):
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.close()


def main(words: list[str]) -> int:
    chosen = [mutant for mutant in MUTANTS if not words or any(word in mutant.name for word in words)]
    checkout = Path(tempfile.mkdtemp(prefix="mutants-")).resolve()
    tests = sorted({test for mutant in chosen for test in mutant.tests.split()})
    survived = 0
    try:
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, checkout / name)
        build_database(template_of(checkout))
        unbroken = run_tests(tests, checkout, None, **{TEMPLATE: template_of(checkout)})
        if unbroken.returncode != 0:
            sys.stdout.write(f"nothing is shown: without any mutant fails {first_failure(unbroken)}\n")
            return 1
        for mutant in chosen:
            outcome = run(mutant, checkout)
            survived += not outcome.startswith("killed")
            sys.stdout.write(f"{mutant.name:40} {outcome}\n")
            sys.stdout.flush()
    finally:
        asyncio.run(drop_databases(checkout))
        shutil.rmtree(checkout)
    sys.stdout.write(f"{len(chosen) - survived} of {len(chosen)} killed\n")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
