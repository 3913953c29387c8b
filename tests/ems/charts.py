"""Charts made over HTTP, and what each kind of chart entry is made of: the vocabulary of the ems tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.core.reference.records import PERSON
from tests.support.actors import Actor, Agency

INCIDENTS = "ems/incidents"
OPEN_STATES = ("draft", "in_progress")
CLOSED_STATES = ("ready_for_review", "completed", "locked")
STATES = OPEN_STATES + CLOSED_STATES
ROUTE_TO = (
    ("in_progress", "start", "medic"),
    ("ready_for_review", "submit_for_review", "medic"),
    ("completed", "complete", "supervisor"),
    ("locked", "lock", "admin"),
)
"""How a chart gets to each state: (state, action, who)."""
RECORDED_AS = {
    "start": "started",
    "submit_for_review": "submitted_for_review",
    "return_for_correction": "returned_for_correction",
    "recall": "recalled",
    "complete": "completed",
    "lock": "locked",
    "unlock": "unlocked",
}
"""The verb by which the audit log calls each transition."""


@dataclass(frozen=True)
class Kind:
    """`body` creates one, `change` revises it; `needs_patient` adds the patient's id to the body."""

    noun: str
    path: str
    body: Mapping[str, Any]
    change: Mapping[str, Any]
    needs_patient: bool = True

    @property
    def entity_type(self) -> str:
        return self.noun.replace(" ", "_")


INCIDENT = Kind("incident", "", {"incident_number": "26-000001"}, {"location_street": "1 Main St"}, False)
PATIENT = Kind("patient", "patients", {"last_name": "Rivers"}, {"first_name": "Ana"}, False)
VITAL = Kind("vital", "vitals", {"taken_at": "2026-03-01T10:00:00-06:00", "heart_rate": 80}, {"heart_rate": 96})
INTERVENTION = Kind(
    "intervention", "interventions", {"type": "procedure", "procedure_code": "392230005"}, {"outcome": "improved"}
)
NARRATIVE = Kind("narrative", "narratives", {"narrative_text": "Found sitting."}, {"narrative_text": "Found supine."})
ELEMENT_GROUP = Kind(
    "element group",
    "element-groups",
    {"group_name": "eProtocols.ProtocolGroup", "elements": {"eProtocols.01": [{"value": "9914075"}]}},
    {"elements": {"eProtocols.01": [{"not_value": "7701003"}]}},
)
CREW = Kind(
    "crew member",
    "crew",
    {"personnel_id": "0190a5c4-0000-7000-8000-000000000000", "response_roles": ["2403011", "2403013"]},
    {"response_roles": ["2403001"]},
    False,
)
"""Of nobody: `Chart.body` names the person that `Chart.ready` hired."""
CHILDREN = (PATIENT, VITAL, INTERVENTION, NARRATIVE, ELEMENT_GROUP, CREW)
KINDS = (INCIDENT, *CHILDREN)


@dataclass
class Chart:
    """One incident of `agency`, written by `author`, with a first patient; `person` is the next to join its crew."""

    agency: Agency
    author: str
    head: dict[str, Any]
    patient: dict[str, Any] = field(default_factory=dict)
    person: dict[str, Any] = field(default_factory=dict)

    @classmethod
    async def open(cls, agency: Agency, status: str = "draft", *, author: str = "medic", **fields: Any) -> Chart:
        """A chart in `status`; `fields` are further ones of the incident."""
        writer = agency.actors[author]
        head = await writer.expect(201, "POST", INCIDENTS, json={**INCIDENT.body, **fields})
        chart = cls(agency, author, head)
        chart.patient = await chart.add(PATIENT)
        await chart.advance(status)
        return chart

    @property
    def id(self) -> str:
        return str(self.head["id"])

    @property
    def url(self) -> str:
        return f"{INCIDENTS}/{self.id}"

    @property
    def version(self) -> int:
        return int(self.head["version"])

    @property
    def writer(self) -> Actor:
        return self.agency.actors[self.author]

    async def ready(self, kind: Kind) -> None:
        """Before an entry of `kind` is made: hire the person that a crew member is."""
        if kind is CREW:
            self.person = await PERSON.add(self.agency.admin)

    def body(self, kind: Kind, **fields: Any) -> dict[str, Any]:
        """What creates an entry of `kind` here."""
        about = {"patient_id": self.patient["id"]} if kind.needs_patient else {}
        who = {"personnel_id": self.person["id"]} if kind is CREW and self.person else {}
        return {**about, **kind.body, **who, **fields}

    def at(self, kind: Kind, entry: Mapping[str, Any] | None = None) -> str:
        """Address of the collection, or of one entry; the incident's own is the chart's."""
        if kind is INCIDENT:
            return self.url
        return f"{self.url}/{kind.path}" + (f"/{entry['id']}" if entry is not None else "")

    async def add(self, kind: Kind, *, status: int = 201, **fields: Any) -> Any:
        """Create an entry as the author; a crew member is somebody hired for it unless `personnel_id` says who."""
        if "personnel_id" not in fields:
            await self.ready(kind)
        return await self.writer.expect(status, "POST", self.at(kind), json=self.body(kind, **fields))

    async def revise(self, kind: Kind, entry: dict[str, Any], *, status: int = 200, **fields: Any) -> Any:
        """PATCH as the author, with the version that `entry` shows."""
        body = {"version": entry["version"], **fields}
        return await self.writer.expect(status, "PATCH", self.at(kind, entry), json=body)

    async def fire(self, action: str, who: str, *, status: int = 200, reason: str | None = None) -> Any:
        """POST a transition with the version last seen; remembers the answer when it was accepted."""
        body = {"action": action, "version": self.version, **({"reason": reason} if reason else {})}
        answer = await self.agency.actors[who].expect(status, "POST", f"{self.url}/transitions", json=body)
        if status == 200:
            self.head = answer
        return answer

    async def advance(self, status: str) -> None:
        """Along the lifecycle to `status`, with a reviewer who is not the author."""
        for state, action, who in ROUTE_TO:
            if STATES.index(self.head["status"]) < STATES.index(state) <= STATES.index(status):
                reviewer = "admin" if self.author == "supervisor" else "supervisor"
                await self.fire(action, reviewer if action == "complete" else who)

    async def reload(self) -> dict[str, Any]:
        self.head = await self.writer.expect(200, "GET", self.url)
        return self.head
