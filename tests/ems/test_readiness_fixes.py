"""Every rule that offers a request: sent as it is, it clears its finding and blocks nothing that was not blocked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import FastAPI

from app.ems.readiness.combining import combined
from app.ems.readiness.port import READINESS, Fix, FixRule, ReadinessSource
from app.registry import COMPOSITION
from tests.billing.support.claims import new_claim
from tests.ems.charts import Chart
from tests.ems.evidence import Evidence
from tests.ems.findings import ASSIGNED, blocking, findings, key_of, readiness
from tests.ems.uploads import sign
from tests.support.actors import Agency
from tests.support.charts import lock_call, open_call

Scene = Callable[[Agency], Awaitable[tuple[str, str]]]


async def _a_draft(agency: Agency) -> tuple[str, str]:
    return (await Chart.open(agency)).id, "medic"


async def _a_bare_chart(agency: Agency) -> tuple[str, str]:
    return (await Chart.open(agency, "in_progress")).id, "medic"


async def _a_claim_of_a_signed_chart(agency: Agency) -> tuple[str, str]:
    call = await open_call(agency)
    await sign(Chart(agency, "medic", call.incident, call.patient), **ASSIGNED)
    await new_claim(agency, await lock_call(agency, call), signature_on_file=None)
    return str(call.incident["id"]), "biller"


SCENES: dict[tuple[str, str, str | None], Scene] = {
    ("review", "not_started", None): _a_draft,
    ("state_submission", "not_recorded", None): _a_bare_chart,
    ("payment", "missing", "signature_on_file"): _a_claim_of_a_signed_chart,
}
"""By stage, code and field of a rule: (incident, who may mend it) where the rule speaks."""


def _rules() -> list[tuple[ReadinessSource, FixRule]]:
    return [(source, rule) for source in COMPOSITION.sources(READINESS) for rule in source.fixes]


def test_every_rule_with_a_fix_has_a_scene(app: FastAPI) -> None:
    assert {(source.stage.value, rule.code, rule.field) for source, rule in _rules()} == SCENES.keys()


@pytest.mark.parametrize("stage,code,field", SCENES, ids=lambda part: part or "any")
async def test_a_fix_clears_its_finding_and_blocks_nothing_else(
    agency: Agency, stage: str, code: str, field: str | None
) -> None:
    """Until none of the rule's is left: each of its findings is another request."""
    incident_id, who = await SCENES[stage, code, field](agency)
    actor, cleared = agency.actors[who], 0
    before = await readiness(actor, incident_id)
    while (found := next(iter(_fixable(before, stage, code, field)), None)) is not None:
        fix = found["fix"]
        await actor.expect(200, fix["method"], fix["path"], json=fix["body"])
        after = await readiness(actor, incident_id)
        place = (key_of(found), found["entity_id"])
        assert place not in {(key_of(left), left["entity_id"]) for left in after["findings"]}, found
        assert blocking(after) <= blocking(before), found
        before, cleared = after, cleared + 1
    assert cleared and not findings(before, stage=stage, code=code, **({} if field is None else {"field": field}))


def _fixable(answer: dict[str, Any], stage: str, code: str, field: str | None) -> list[dict[str, Any]]:
    wanted = {"stage": stage, "code": code} | ({} if field is None else {"field": field})
    return [found for found in findings(answer, **wanted) if found["fix"] is not None]


async def test_all_fixes_of_a_bare_chart_are_one_request_for_each_record(agency: Agency, evidence: Evidence) -> None:
    """Sent in their order, as they were read together: the version of none is stale, and every finding is cleared."""
    chart = await Chart.open(agency)
    before = await readiness(agency.medic, chart.id)
    fixable = [found for found in before["findings"] if found["fix"] is not None]
    fixes = before["fixes"]
    base = f"/api/v1/{chart.url}"
    assert [(fix["method"], fix["path"]) for fix in fixes] == [
        ("PATCH", base),
        ("PATCH", f"{base}/patients/{chart.patient['id']}"),
        ("POST", f"{base}/transitions"),
    ]
    named = ("stage", "code", "entity_id", "field")
    promised = {tuple(one[name] for name in named) for fix in fixes for one in fix["clears"]}
    assert promised == {tuple(found[name] for name in named) for found in fixable}
    assert len(fixable) > len(fixes)
    for fix in fixes:
        await agency.medic.expect(200, fix["method"], fix["path"], json=fix["body"])
    after = await readiness(agency.medic, chart.id)
    left = {tuple(found[name] for name in named) for found in after["findings"]}
    assert not promised & left and blocking(after) <= blocking(before) and after["fixes"] == []
    for entity_id, versions in ((chart.id, 3), (chart.patient["id"], 2)):
        assert len((await evidence.records(entity_id)).audit) == versions


async def test_a_combined_fix_is_all_or_nothing(agency: Agency, evidence: Evidence) -> None:
    chart = await Chart.open(agency, "in_progress")
    [fix, *_] = (await readiness(agency.medic, chart.id))["fixes"]
    spoilt = {**fix["body"], "elements": {**fix["body"]["elements"], "eResponse.99": [{"value": "x"}]}}
    before = await evidence.digest(agency.tenant_id)
    await agency.medic.expect(422, fix["method"], fix["path"], json=spoilt)
    await agency.medic.expect(409, fix["method"], fix["path"], json={**fix["body"], "version": chart.version + 1})
    assert await evidence.digest(agency.tenant_id) == before
    for who in ("biller", "admin"):
        shown = (await readiness(agency.actors[who], chart.id))["fixes"]
        assert [one["path"] for one in shown] == ([] if who == "biller" else [fix["path"], shown[-1]["path"]])


def test_patches_that_contradict_each_other_are_not_combined() -> None:
    """The first is sent, the other waits for the next reading; other requests have the version that is left."""
    fixes = [
        ("a", Fix("PATCH", "/x/1", {"version": 4, "elements": {"e.1": [1], "e.2": [2]}})),
        ("b", Fix("POST", "/x/1/transitions", {"version": 4, "action": "go"})),
        ("c", Fix("PATCH", "/x/1", {"version": 4, "elements": {"e.2": [2], "e.3": None}, "sex": None})),
        ("d", Fix("PATCH", "/x/1", {"version": 4, "elements": {"e.1": [9]}})),
        ("e", Fix("POST", "/x/1/restore", {"version": 4})),
        ("f", Fix("POST", "/x/2/transitions", {"version": 7, "action": "go"})),
    ]
    assert combined(fixes) == [
        (
            Fix("PATCH", "/x/1", {"version": 4, "elements": {"e.1": [1], "e.2": [2], "e.3": None}, "sex": None}),
            ["a", "c"],
        ),
        (Fix("POST", "/x/1/transitions", {"version": 5, "action": "go"}), ["b"]),
        (Fix("POST", "/x/1/restore", {"version": 6}), ["e"]),
        (Fix("POST", "/x/2/transitions", {"version": 7, "action": "go"}), ["f"]),
    ]
