"""State machines: what is declared happens, and nothing else; the kernel's rules and every machine of the service."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

import migrations.metadata  # noqa: F401  # imports every domain's lifecycles
from app.core import lifecycle as lifecycle_module
from app.core import permissions as permissions_module
from app.core.errors import AppError, Conflict, Forbidden, InvalidTransition, Problem, ValidationFailed
from app.core.ids import TenantId, new_id
from app.core.lifecycle import Guard, Lifecycle, Transition, registered_lifecycles
from app.core.permissions import USER_ROLES, Permission, Principal, Role, declare
from app.core.runtime import Runtime
from tests.core.charts import CHART_CHANGED, Chart, ChartAction, ChartRepository, ChartStatus
from tests.core.evidence import audit_of, checksum, outbox_of
from tests.core.principals import principal_of


class Action(StrEnum):
    CLOSE = "close"
    REOPEN = "reopen"
    SWEEP = "sweep"
    VANISH = "vanish"


@pytest.fixture
def apart() -> Iterator[pytest.MonkeyPatch]:
    """Declarations of these tests are not declarations of the service."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lifecycle_module, "_REGISTRY", {})
        patch.setattr(permissions_module, "_REGISTRY", {})
        yield patch


@pytest.fixture
def close_permission(apart: pytest.MonkeyPatch) -> Permission:
    return declare("probe.close", "Close charts.", Role.EMS, reviewers=(Role.BILLING,))


@pytest.fixture
def machine(close_permission: Permission) -> Lifecycle[ChartStatus, dict[str, bool]]:
    reopen = declare("probe.reopen", "Reopen charts.", Role.ADMIN)
    return Lifecycle(
        name="probe",
        states=ChartStatus,
        initial=ChartStatus.DRAFT,
        transitions=(
            Transition(
                Action.CLOSE,
                frozenset({ChartStatus.DRAFT}),
                ChartStatus.CLOSED,
                permission=close_permission,
                guards=(
                    Guard("signed", "The chart is not signed.", lambda facts: facts["signed"]),
                    Guard(
                        "complete",
                        "The chart is not complete.",
                        lambda facts: facts["complete"],
                        explain=lambda facts: [Problem.missing("number", "Give a number.")],
                    ),
                ),
                event=CHART_CHANGED,
                audit_action=ChartAction.CLOSED,
                forbids=lambda entity, principal: entity.number == "forbidden for all",
            ),
            Transition(
                Action.REOPEN,
                frozenset({ChartStatus.CLOSED}),
                ChartStatus.DRAFT,
                audit_action=ChartAction.REOPENED,
                permission=reopen,
                needs_reason=True,
            ),
            Transition(
                Action.SWEEP,
                frozenset({ChartStatus.DRAFT}),
                ChartStatus.CLOSED,
                audit_action=ChartAction.SWEPT,
                system=True,
            ),
            Transition(
                Action.VANISH,
                frozenset({ChartStatus.DRAFT}),
                ChartStatus.CLOSED,
                audit_action=ChartAction.SWEPT,
                permission=reopen,
                system=True,
            ),
        ),
        internal=frozenset({Action.VANISH}),
    )


READY = {"signed": True, "complete": True}


async def fire(
    runtime: Runtime,
    principal: Principal,
    machine: Any,
    chart_id: uuid.UUID,
    action: str,
    facts: Any = READY,
    **also: Any,
) -> Chart:
    async with runtime.unit_of_work(principal) as uow:
        found = await ChartRepository(uow).get(principal.tenant_id, chart_id)
        await machine.fire(uow, found, action, facts, **also)
    return found


async def test_transition_is_one_audited_published_change(
    machine: Any, runtime: Runtime, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    closed = await fire(runtime, principal, machine, chart.id, Action.CLOSE, number="with the transition")
    assert (closed.status, closed.number, closed.version) == (ChartStatus.CLOSED, "with the transition", 2)
    _, event = await audit_of(admin_connection, chart.id)
    assert event["action"] == "chart.closed"
    assert event["changed_fields_json"]["status"] == ["draft", "closed"]
    assert event["metadata_json"] == {"action": "close", "from": "draft", "to": "closed"}
    [published] = await outbox_of(admin_connection, chart.id)
    assert (published["topic"], published["payload"]["status"]) == (CHART_CHANGED.name, "closed")


async def test_reason_is_required_where_declared_and_recorded(
    machine: Any, runtime: Runtime, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    await fire(runtime, principal, machine, chart.id, Action.CLOSE)
    admin = principal_of(principal.tenant_id, Role.ADMIN)
    with pytest.raises(ValidationFailed):
        await fire(runtime, admin, machine, chart.id, Action.REOPEN)
    await fire(runtime, admin, machine, chart.id, Action.REOPEN, reason="wrong unit")
    event = (await audit_of(admin_connection, chart.id))[-1]
    assert event["metadata_json"]["reason"] == "wrong unit"
    assert event["action"] == "chart.reopened"


@pytest.mark.parametrize(
    ("action", "role", "facts", "error"),
    [
        (Action.CLOSE, Role.BILLING, READY, Forbidden),
        (Action.REOPEN, Role.EMS, READY, Forbidden),
        (Action.SWEEP, Role.ADMIN, READY, Forbidden),
        (Action.REOPEN, Role.ADMIN, READY, InvalidTransition),
        (Action.CLOSE, Role.EMS, {"signed": False, "complete": True}, InvalidTransition),
        ("explode", Role.ADMIN, READY, InvalidTransition),
        ("", Role.ADMIN, READY, InvalidTransition),
    ],
)
async def test_refused_transition_changes_nothing(
    machine: Any,
    runtime: Runtime,
    principal: Principal,
    chart: Chart,
    admin_connection: asyncpg.Connection,
    action: str,
    role: Role,
    facts: Any,
    error: type[AppError],
) -> None:
    before = await checksum(admin_connection, principal.tenant_id)
    with pytest.raises(error):
        await fire(runtime, principal_of(principal.tenant_id, role), machine, chart.id, action, facts)
    assert await checksum(admin_connection, principal.tenant_id) == before


async def test_refusal_names_state_action_ways_out_and_every_failed_guard(
    machine: Any, runtime: Runtime, principal: Principal, chart: Chart
) -> None:
    with pytest.raises(InvalidTransition) as refused:
        await fire(runtime, principal, machine, chart.id, Action.CLOSE, {"signed": False, "complete": False})
    assert refused.value.details == {
        "state": "draft",
        "action": "close",
        "allowed_actions": ["close"],
        "failed_guards": [
            {"name": "signed", "message": "The chart is not signed."},
            {
                "name": "complete",
                "message": "The chart is not complete.",
                "problems": [{"field": "number", "code": "missing", "message": "Give a number."}],
            },
        ],
    }


async def test_two_at_once_one_moves_it(
    machine: Any, runtime: Runtime, principal: Principal, chart: Chart, admin_connection: asyncpg.Connection
) -> None:
    async with runtime.read_unit_of_work(principal) as reading:
        seen = await ChartRepository(reading).get(principal.tenant_id, chart.id)
    await fire(runtime, principal, machine, chart.id, Action.CLOSE)
    with pytest.raises(Conflict):
        async with runtime.unit_of_work(principal) as uow:
            await machine.fire(uow, seen, Action.CLOSE, READY)
    assert len(await outbox_of(admin_connection, chart.id)) == 1


def an_entity(status: ChartStatus, number: str = "1") -> Any:
    return SimpleNamespace(status=status, number=number)


def somebody(role: Role, *, is_reviewer: bool = False) -> Principal:
    return principal_of(TenantId(new_id()), role, is_reviewer=is_reviewer)


def test_allowed_actions_are_those_of_state_and_person(machine: Any) -> None:
    draft, closed = an_entity(ChartStatus.DRAFT), an_entity(ChartStatus.CLOSED)
    assert machine.allowed_actions(draft, somebody(Role.EMS)) == ["close"]
    assert machine.allowed_actions(draft, somebody(Role.BILLING)) == []
    assert machine.allowed_actions(draft, somebody(Role.BILLING, is_reviewer=True)) == ["close"]
    assert machine.allowed_actions(draft, somebody(Role.ADMIN)) == [], "vanish is internal, close is not theirs"
    assert machine.allowed_actions(closed, somebody(Role.ADMIN)) == ["reopen"]
    assert machine.allowed_actions(draft, Principal.system(TenantId(new_id()))) == ["sweep"]
    assert machine.allowed_actions(an_entity(ChartStatus.DRAFT, "forbidden for all"), somebody(Role.EMS)) == []


def test_person_that_the_entity_forbids_is_forbidden(machine: Any) -> None:
    with pytest.raises(Forbidden):
        machine.require(an_entity(ChartStatus.DRAFT, "forbidden for all"), Action.CLOSE, somebody(Role.EMS), READY)


def test_permission_for_an_action_in_one_state_is_none_in_another(apart: pytest.MonkeyPatch) -> None:
    """The same verb from two states, held by different people: each has only the one that is theirs."""
    ours, theirs = declare("probe.ours", "Ours.", Role.EMS), declare("probe.theirs", "Theirs.", Role.ADMIN)
    machine: Lifecycle[ChartStatus, None] = Lifecycle(
        name="probe",
        states=ChartStatus,
        initial=ChartStatus.DRAFT,
        transitions=(
            Transition(
                Action.CLOSE,
                frozenset({ChartStatus.DRAFT}),
                ChartStatus.CLOSED,
                audit_action=ChartAction.CLOSED,
                permission=ours,
            ),
            Transition(
                Action.CLOSE,
                frozenset({ChartStatus.CLOSED}),
                ChartStatus.DRAFT,
                audit_action=ChartAction.REOPENED,
                permission=theirs,
            ),
        ),
    )
    assert machine.require(an_entity(ChartStatus.DRAFT), Action.CLOSE, somebody(Role.EMS), None)
    for state, role in ((ChartStatus.CLOSED, Role.EMS), (ChartStatus.DRAFT, Role.ADMIN)):
        with pytest.raises(Forbidden):
            machine.require(an_entity(state), Action.CLOSE, somebody(role), None)
        assert machine.allowed_actions(an_entity(state), somebody(role)) == []


def test_declaration_is_checked(machine: Any, close_permission: Permission) -> None:
    with pytest.raises(ValueError, match="probe is declared twice"):
        Lifecycle(name="probe", states=ChartStatus, initial=ChartStatus.DRAFT, transitions=())
    twice: Transition[ChartStatus, Any] = Transition(
        Action.CLOSE,
        frozenset({ChartStatus.DRAFT}),
        ChartStatus.CLOSED,
        audit_action=ChartAction.CLOSED,
        permission=close_permission,
    )
    with pytest.raises(ValueError, match="close from draft is declared twice"):
        Lifecycle(name="other", states=ChartStatus, initial=ChartStatus.DRAFT, transitions=(twice, twice))
    assert str(machine.check().sqltext) == "status IN ('draft', 'closed')"


class Blank(SimpleNamespace):
    """An entity of any kind of which nothing but the status is known."""

    def __getattr__(self, name: str) -> None:
        return None


SERVICE = [found for found in registered_lifecycles() if found.states.__module__.startswith("app.")]
EVERYBODY = [
    *(somebody(role) for role in USER_ROLES),
    *(somebody(role, is_reviewer=True) for role in USER_ROLES),
    Principal.system(TenantId(new_id())),
]


@pytest.mark.parametrize("machine", SERVICE, ids=lambda machine: machine.name)
def test_every_state_and_action_of_the_service_obeys_the_table(machine: Lifecycle[Any, Any]) -> None:
    """States by actions by people: a pair that is not in the table is refused to everybody, no guard is asked."""
    actions = {transition.action for transition in machine.transitions}
    assert len(SERVICE) >= 3
    for state in machine.states.__members__.values():
        for action in actions:
            declared = machine.find(state, action)
            for person in EVERYBODY:
                entity = Blank(status=state)
                candidates = [found for found in machine.transitions if found.action == action]
                if any(found.forbids is not None for found in candidates):
                    continue
                permitted = any(found.permits(entity, person) for found in candidates)
                if declared is None:
                    with pytest.raises(InvalidTransition if permitted else Forbidden):
                        machine.require(entity, action, person, None)
                elif not declared.permits(entity, person):
                    with pytest.raises(Forbidden):
                        machine.require(entity, action, person, None)
                    assert action not in machine.allowed_actions(entity, person)
                elif not declared.guards:
                    assert machine.require(entity, action, person, None, reason="why") is declared
