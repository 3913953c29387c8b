"""The review queue: what waits, since when, for whom; what reviewers ask for, and who may settle it."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from tests.ems.charts import CHILDREN, INTERVENTION, VITAL, Chart
from tests.ems.evidence import Evidence
from tests.support.actors import Actor, Agency

PEOPLE = ("medic", "partner", "supervisor", "admin", "biller", "founder")
QUEUE = "ems/review-queue"


async def id_of(agency: Agency, who: str) -> str:
    return str((await agency.actors[who].expect(200, "GET", "auth/me"))["id"])


async def queue(agency: Agency, who: str = "supervisor", **params: Any) -> list[dict[str, Any]]:
    page = await agency.actors[who].expect(200, "GET", QUEUE, params=params)
    items: list[dict[str, Any]] = page["items"]
    return items


def comment(entity: str, entity_id: str, field: str, text: str = "Please look again.") -> dict[str, Any]:
    return {"entity": entity, "entity_id": entity_id, "field": field, "text": text}


async def send_back(chart: Chart, *comments: dict[str, Any], status: int = 200, who: str = "supervisor") -> Any:
    body = {"action": "return_for_correction", "version": chart.version, "comments": list(comments)}
    answer = await chart.agency.actors[who].expect(status, "POST", f"{chart.url}/transitions", json=body)
    if status == 200:
        chart.head = answer
    return answer


async def test_a_chart_waits_from_submission_to_verdict(agency: Agency, evidence: Evidence) -> None:
    """Once in the queue, with its author and the time; each verdict closes it, the next submission opens another."""
    chart = await Chart.open(agency)
    await agency.medic.expect(404, "GET", f"{chart.url}/review")
    assert await queue(agency) == []
    await chart.advance("ready_for_review")
    [waiting] = await queue(agency)
    author, supervisor = await id_of(agency, "medic"), await id_of(agency, "supervisor")
    assert (waiting["incident_id"], waiting["author_id"], waiting["author_name"]) == (chart.id, author, "Medic")
    assert (waiting["incident_number"], waiting["incident_version"]) == (chart.head["incident_number"], chart.version)
    assert (waiting["reviewer_id"], waiting["reviewer_name"], waiting["submitted_by"]) == (None, None, author)
    assert waiting["waiting_since"] == chart.head["updated_at"]
    await send_back(chart)
    assert await queue(agency) == []
    returned = await agency.medic.expect(200, "GET", f"{chart.url}/review")
    assert (returned["id"], returned["status"], returned["decided_by"]) == (waiting["id"], "returned", supervisor)
    await chart.fire("submit_for_review", "partner")
    [again] = await queue(agency)
    assert again["id"] != waiting["id"] and again["submitted_by"] == await id_of(agency, "partner")
    await chart.fire("complete", "supervisor")
    assert await queue(agency) == []
    assert (await agency.biller.expect(200, "GET", f"{chart.url}/review"))["status"] == "completed"
    records = await evidence.records(again["id"])
    assert [row["action"] for row in records.audit] == ["chart_review.opened", "chart_review.completed"]


async def test_the_queue_is_filtered_paged_and_oldest_first(agency: Agency) -> None:
    charts = [await Chart.open(agency, "ready_for_review", author=who) for who in ("medic", "partner", "medic")]
    assert [one["incident_id"] for one in await queue(agency)] == [chart.id for chart in charts]
    newest = await queue(agency, sort="-created_at")
    assert [one["incident_id"] for one in newest] == [chart.id for chart in reversed(charts)]
    partner, admin = await id_of(agency, "partner"), await id_of(agency, "admin")
    assert [one["incident_id"] for one in await queue(agency, author_id=partner)] == [charts[1].id]
    body = {"version": 1, "reviewer_id": admin}
    await agency.supervisor.expect(200, "PATCH", f"{charts[2].url}/review", json=body)
    [assigned] = await queue(agency, reviewer_id=admin)
    assert (assigned["incident_id"], assigned["reviewer_name"]) == (charts[2].id, "Admin")
    assert [one["incident_id"] for one in await queue(agency, unassigned=True)] == [charts[0].id, charts[1].id]
    first = await agency.admin.expect(200, "GET", QUEUE, params={"limit": 2})
    rest = await agency.admin.expect(200, "GET", QUEUE, params={"limit": 2, "cursor": first["next_cursor"]})
    assert [one["incident_id"] for one in (*first["items"], *rest["items"])] == [chart.id for chart in charts]
    assert rest["next_cursor"] is None


async def test_who_may_see_the_queue_and_assign(
    agency: Agency, found: Any, evidence: Evidence, anonymous: Actor
) -> None:
    chart, other = await Chart.open(agency, "ready_for_review"), await found()
    body = {"version": 1, "reviewer_id": None}
    before = await evidence.digest(agency.tenant_id)
    for who in PEOPLE:
        allowed = who in ("supervisor", "admin")
        await agency.actors[who].expect(200 if allowed else 403, "GET", QUEUE)
        await agency.actors[who].expect(200 if allowed else 403, "PATCH", f"{chart.url}/review", json=body)
    await anonymous.expect(401, "GET", QUEUE)
    await other.admin.expect(404, "PATCH", f"{chart.url}/review", json=body)
    assert await queue(other, "admin") == []
    assert await evidence.digest(agency.tenant_id) == before


async def test_assignment_takes_reviewers_only_and_leaves_the_chart_alone(
    agency: Agency, found: Any, evidence: Evidence
) -> None:
    chart = await Chart.open(agency, "ready_for_review", author="admin")
    url, strangers = f"{chart.url}/review", await found()
    before = await evidence.digest(agency.tenant_id)
    candidates = [await id_of(agency, who) for who in ("medic", "biller", "founder")]
    candidates += [str(uuid.uuid4()), await id_of(strangers, "admin")]
    for reviewer_id, code in [*((one, "unknown_reviewer") for one in candidates),
                              (await id_of(agency, "admin"), "is_author")]:  # fmt: skip
        refused = await agency.supervisor.expect(422, "PATCH", url, json={"version": 1, "reviewer_id": reviewer_id})
        assert refused["error"]["details"]["problems"][0]["code"] == code
    assert await evidence.digest(agency.tenant_id) == before
    supervisor = await id_of(agency, "supervisor")
    assigned = await agency.supervisor.expect(200, "PATCH", url, json={"version": 1, "reviewer_id": supervisor})
    assert (assigned["version"], assigned["reviewer_id"]) == (2, supervisor)
    stale = await agency.admin.expect(409, "PATCH", url, json={"version": 1, "reviewer_id": None})
    assert stale["error"]["details"]["server_version"] == 2
    records = await evidence.records(assigned["id"])
    assert [row["action"] for row in records.audit] == ["chart_review.opened", "chart_review.assigned"]
    assert [(row["topic"], str(row["aggregate_id"])) for row in records.outbox] == [("incident.updated", chart.id)]
    assert (await chart.reload())["version"] == 3
    await chart.fire("complete", "supervisor")
    closed = await agency.admin.expect(409, "PATCH", url, json={"version": 3, "reviewer_id": None})
    assert (closed["error"]["code"], closed["error"]["details"]) == ("REVIEW_CLOSED", {"status": "completed"})


async def test_comments_go_to_the_author_field_by_field(agency: Agency, evidence: Evidence) -> None:
    chart = await Chart.open(agency)
    entries = [(kind, await chart.add(kind)) for kind in CHILDREN]
    await chart.advance("ready_for_review")
    given = [
        comment("incident", chart.id, "arrival_time"),
        comment("incident", chart.id, "elements.eTimes.07"),
        comment("patient", entries[0][1]["id"], "date_of_birth", "CANARY born when?"),
        comment("patient", entries[0][1]["id"], "elements.eSituation.11"),
        comment("vital", entries[1][1]["id"], "elements.eVitals.10"),
        comment("intervention", entries[2][1]["id"], "outcome"),
        comment("narrative", entries[3][1]["id"], "narrative_text"),
        comment("element_group", entries[4][1]["id"], "elements.eProtocols.01"),
        comment("crew_member", entries[5][1]["id"], "response_roles"),
        comment("crew_member", entries[5][1]["id"], "elements.eCrew.01"),
    ]
    await send_back(chart, *given)
    assert chart.head["status"] == "in_progress"
    listed = await agency.medic.expect(
        200, "GET", f"{chart.url}/review-comments", params={"sort": "created_at", "status": "open"}
    )
    shown = [{name: item[name] for name in ("entity", "entity_id", "field", "text")} for item in listed["items"]]
    assert sorted(shown, key=str) == sorted(given, key=str)
    author, supervisor = await id_of(agency, "medic"), await id_of(agency, "supervisor")
    for item in listed["items"]:
        assert (item["status"], item["chart_author_id"], item["created_by"]) == ("open", author, supervisor)
    of_vital = await agency.biller.expect(
        200, "GET", f"{chart.url}/review-comments", params={"entity_id": entries[1][1]["id"]}
    )
    assert [item["field"] for item in of_vital["items"]] == ["elements.eVitals.10"]
    text = await evidence.text(agency.tenant_id)
    assert "review_comment" in text and "CANARY" not in text


BAD = [
    ("vital", "heart_rat", "field", "unknown_field"),
    ("vital", "incident_id", "field", "unknown_field"),
    ("vital", "elements", "field", "unknown_field"),
    ("vital", "elements.eVitals.99", "field", "unknown_field"),
    ("vital", "elements.ePatient.02", "field", "unknown_field"),
    ("vital", "version", "field", "unknown_field"),
    ("patient", "heart_rate", "entity_id", "unknown_entry"),
    ("incident", "location_zip", "entity_id", "unknown_entry"),
]


@pytest.mark.parametrize(("entity", "field", "problem", "code"), BAD)
async def test_a_comment_on_nothing_returns_nothing(
    agency: Agency, evidence: Evidence, entity: str, field: str, problem: str, code: str
) -> None:
    """The verdict and all its comments are one."""
    chart = await Chart.open(agency)
    vital = await chart.add(VITAL)
    await chart.advance("ready_for_review")
    before = await evidence.digest(agency.tenant_id)
    good = comment("vital", vital["id"], "heart_rate")
    refused = await send_back(chart, good, comment(entity, vital["id"], field), status=422)
    assert refused["error"]["details"]["problems"] == [
        {
            "field": f"comments.1.{problem}",
            "code": code,
            "message": refused["error"]["details"]["problems"][0]["message"],
        }
    ]
    for wrong in (
        {**good, "text": " "},
        {**good, "entity": "claim"},
        {**good, "mood": 1},
        {**good, "text": "x" * 2001},
    ):
        await send_back(chart, wrong, status=422)
    await send_back(chart, *[good] * 51, status=422)
    body = {"action": "complete", "version": chart.version, "comments": [good]}
    refused = await agency.supervisor.expect(422, "POST", f"{chart.url}/transitions", json=body)
    assert refused["error"]["details"]["problems"][0]["field"] == "comments"
    await send_back(chart, good, status=403, who="medic")
    assert await evidence.digest(agency.tenant_id) == before


async def test_a_comment_on_a_deleted_or_foreign_entry_is_refused(agency: Agency, evidence: Evidence) -> None:
    chart, other = await Chart.open(agency), await Chart.open(agency)
    gone, foreign = await chart.add(INTERVENTION), await other.add(INTERVENTION)
    await chart.writer.expect(204, "DELETE", chart.at(INTERVENTION, gone), params={"version": 1})
    await chart.advance("ready_for_review")
    before = await evidence.digest(agency.tenant_id)
    for entry in (gone, foreign):
        await send_back(chart, comment("intervention", entry["id"], "outcome"), status=422)
    assert await evidence.digest(agency.tenant_id) == before


@pytest.mark.parametrize("who", PEOPLE)
async def test_author_and_reviewers_resolve_and_nobody_else(agency: Agency, evidence: Evidence, who: str) -> None:
    chart = await Chart.open(agency, "ready_for_review")
    await send_back(chart, comment("incident", chart.id, "arrival_time"))
    [item] = (await agency.medic.expect(200, "GET", f"{chart.url}/review-comments"))["items"]
    url = f"{chart.url}/review-comments/{item['id']}/transitions"
    body = {"action": "resolve", "version": 1}
    actor, allowed = agency.actors[who], who in ("medic", "supervisor", "admin")
    if who != "founder":
        [seen] = (await actor.expect(200, "GET", f"{chart.url}/review-comments"))["items"]
        assert seen["allowed_actions"] == (["resolve"] if allowed else [])
    before = await evidence.digest(agency.tenant_id)
    if not allowed:
        await actor.expect(403, "POST", url, json=body)
        assert await evidence.digest(agency.tenant_id) == before
        return
    await actor.expect(409, "POST", url, json={**body, "version": 2})
    await actor.expect(422, "POST", url, json={**body, "action": "reopen"})
    elsewhere = await Chart.open(agency)
    await actor.expect(404, "POST", url.replace(chart.id, elsewhere.id), json=body)
    resolved = await actor.expect(200, "POST", url, json=body)
    assert (resolved["status"], resolved["resolved_by"], resolved["version"]) == (
        "resolved",
        await id_of(agency, who),
        2,
    )
    again = await actor.expect(409, "POST", url, json={**body, "version": 2})
    assert again["error"]["code"] == "INVALID_TRANSITION"
    assert [row["action"] for row in (await evidence.records(item["id"])).audit] == [
        "review_comment.created",
        "review_comment.resolved",
    ]


async def test_two_verdicts_at_once_are_one_verdict(agency: Agency, evidence: Evidence) -> None:
    for _ in range(3):
        chart = await Chart.open(agency, "ready_for_review")
        [waiting] = [one for one in await queue(agency) if one["incident_id"] == chart.id]
        answers = await asyncio.gather(
            *(
                agency.actors[who].post(f"{chart.url}/transitions", json={"action": action, "version": chart.version})
                for who, action in (("supervisor", "complete"), ("admin", "return_for_correction"))
            ),
            agency.admin.patch(
                f"{chart.url}/review", json={"version": 1, "reviewer_id": await id_of(agency, "supervisor")}
            ),
        )
        assert sorted(answer.status_code for answer in answers[:2]) == [200, 409]
        assert answers[2].status_code in (200, 409)
        actions = [row["action"] for row in (await evidence.records(waiting["id"])).audit]
        assert len({"chart_review.completed", "chart_review.returned"} & set(actions)) == 1


async def take_up(agency: Agency, chart: Chart, who: str | None = "supervisor", *, status: int = 200) -> Any:
    """Make `who` the reviewer of the waiting chart, or nobody."""
    review = await agency.medic.expect(200, "GET", f"{chart.url}/review")
    body = {"version": review["version"], "reviewer_id": None if who is None else await id_of(agency, who)}
    return await agency.supervisor.expect(status, "PATCH", f"{chart.url}/review", json=body)


async def test_who_submitted_a_chart_recalls_it_while_nobody_took_it_up(agency: Agency, evidence: Evidence) -> None:
    chart = await Chart.open(agency, "in_progress")
    await chart.fire("submit_for_review", "partner")
    before = await evidence.digest(agency.tenant_id)
    for who in ("medic", "supervisor", "admin", "biller"):
        refused = (await chart.fire("recall", who, status=403))["error"]
        said = ("FORBIDDEN", "You are not permitted to do this.")
        assert (refused["code"], refused["message"]) == said, "the partner has the medic's role"
    assert await evidence.digest(agency.tenant_id) == before
    review = await take_up(agency, chart)
    before = await evidence.digest(agency.tenant_id)
    refused = (await chart.fire("recall", "partner", status=409))["error"]
    assert (refused["code"], [one["name"] for one in refused["details"]["failed_guards"]]) == (
        "INVALID_TRANSITION",
        ["not_taken_up"],
    )
    assert await evidence.digest(agency.tenant_id) == before
    await take_up(agency, chart, None)
    recalled = await chart.fire("recall", "partner")
    assert recalled["status"] == "in_progress" and "recall" not in recalled["allowed_actions"]
    assert await queue(agency) == []
    ended = await agency.medic.expect(200, "GET", f"{chart.url}/review")
    assert (ended["id"], ended["status"], ended["decided_by"]) == (
        review["id"],
        "recalled",
        await id_of(agency, "partner"),
    )
    assert [row["action"] for row in (await evidence.records(review["id"])).audit][-1] == "chart_review.recalled"
    vital = await agency.medic.expect(201, "POST", chart.at(VITAL), json=chart.body(VITAL))
    await chart.fire("submit_for_review", "medic")
    [again] = await queue(agency)
    assert again["id"] != review["id"] and vital["version"] == 1
    await chart.fire("recall", "partner", status=403)  # the last submission is the medic's
    await chart.fire("complete", "supervisor")
    assert (await chart.fire("recall", "medic", status=409))["error"]["code"] == "INVALID_TRANSITION"


async def test_a_recall_and_a_verdict_at_once_are_one_of_them(agency: Agency, evidence: Evidence) -> None:
    for _ in range(5):
        chart = await Chart.open(agency, "ready_for_review")
        [waiting] = [one for one in await queue(agency) if one["incident_id"] == chart.id]
        answers = await asyncio.gather(
            *(
                agency.actors[who].post(f"{chart.url}/transitions", json={"action": action, "version": chart.version})
                for who, action in (("medic", "recall"), ("supervisor", "complete"))
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        recalled = answers[0].status_code == 200
        assert (await chart.reload())["status"] == ("in_progress" if recalled else "completed")
        actions = [row["action"] for row in (await evidence.records(waiting["id"])).audit]
        assert actions == ["chart_review.opened", "chart_review.recalled" if recalled else "chart_review.completed"]


async def test_a_recall_and_a_take_up_at_once_are_one_of_them(agency: Agency) -> None:
    for _ in range(5):
        chart = await Chart.open(agency, "ready_for_review")
        reviewer = await id_of(agency, "supervisor")
        recall, taken = await asyncio.gather(
            agency.medic.post(f"{chart.url}/transitions", json={"action": "recall", "version": chart.version}),
            agency.supervisor.patch(f"{chart.url}/review", json={"version": 1, "reviewer_id": reviewer}),
        )
        assert sorted((recall.status_code, taken.status_code)) == [200, 409]
        review = await agency.medic.expect(200, "GET", f"{chart.url}/review")
        wanted = ("recalled", None) if recall.status_code == 200 else ("waiting", reviewer)
        assert (review["status"], review["reviewer_id"]) == wanted
