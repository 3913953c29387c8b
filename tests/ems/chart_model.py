"""A small model of what a chart is and allows, written from the directive (1.6, 5.2) and docs/adr 0010 and 0011.

Nothing here comes from the code under test: what signatures cover is compared from the charted values themselves.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from tests.ems.charts import RECORDED_AS

CHARTERS = ("medic", "partner", "supervisor", "admin")
PEOPLE = (*CHARTERS, "biller", "founder")
OPEN = ("draft", "in_progress")
MOVES = {
    "start": ("draft", "in_progress", CHARTERS),
    "submit_for_review": ("in_progress", "ready_for_review", CHARTERS),
    "return_for_correction": ("ready_for_review", "in_progress", ("supervisor", "admin")),
    "recall": ("ready_for_review", "in_progress", CHARTERS),
    "complete": ("ready_for_review", "completed", ("supervisor", "admin")),
    "lock": ("completed", "locked", ("admin",)),
    "unlock": ("locked", "completed", ("admin",)),
}
REVIEWS = {
    "submit_for_review": "waiting",
    "return_for_correction": "returned",
    "recall": "recalled",
    "complete": "completed",
}

Values = dict[str, list[Any]]
ABOUT_NOBODY = ("incident", "responder", "crew")
UPLOADS = {"attachments": "stored", "signatures": "signed"}
"""Path: the state of one whose content was found good."""
PATHS = {
    "patient": "patients",
    "vital": "vitals",
    "intervention": "interventions",
    "narrative": "narratives",
    "protocol": "element-groups",
    "responder": "element-groups",
    "crew": "crew",
}
BODIES: dict[str, dict[str, Any]] = {
    "intervention": {"type": "procedure", "procedure_code": "392230005"},
    "protocol": {"group_name": "eProtocols.ProtocolGroup"},
    "responder": {"group_name": "eScene.ResponderGroup"},
}
"""What else creates one of a kind; it never changes. A crew member is somebody hired for it."""
VALUES: dict[str, Values] = {
    "incident": {
        "location_street": ["1 Main St", "2 Main St", None],
        "disposition": ["4227001", "4227003", None],
        "incident_number": ["26-000001", "26-000002"],
    },
    "patient": {
        "last_name": ["Rivers", "Brooks", None],
        "date_of_birth": ["1977-07-07", None],
        "home_street": ["3 Elm St", None],
        "elements.eDisposition.28": [[{"value": "4228009"}], [{"value": "4228001"}], None],
        "elements.eHistory.01": [[{"value": "3101003"}], None],
    },
    "vital": {"heart_rate": [60, 90, None], "temperature_c": ["36.6", "37.0", None]},
    "intervention": {"outcome": ["improved", "worse", None]},
    "narrative": {"narrative_text": ["Sitting.", "Supine.", None]},
    "protocol": {"elements.eProtocols.01": [[{"value": "9914075"}], [{"not_value": "7701003"}], None]},
    "responder": {"elements.eScene.02": [[{"value": "Engine 7"}], [{"value": "Engine 8"}], None]},
    "crew": {"response_roles": [["2403001"], ["2403009", "2403013"], None]},
}
IDENTITY = ("last_name", "date_of_birth")
RELEVANT: dict[str, dict[str, tuple[str, ...]]] = {
    "consent_to_treat": {"patient": IDENTITY},
    "receipt_of_privacy_notice": {"patient": IDENTITY},
    "assignment_of_benefits": {"patient": IDENTITY, "incident": ("incident_number",)},
    "refusal": {"patient": (*IDENTITY, "elements.eDisposition.28"), "incident": ("incident_number", "disposition")},
    "crew_attestation": {kind: tuple(values) for kind, values in VALUES.items()},
}
"""What a statement is about, of the fields that the model charts."""
SIGNERS = {"assignment_of_benefits": "guardian", "crew_attestation": "crew"}

Outcome = tuple[int, str | None]
Content = dict[str, dict[str, Any]]
Change = tuple[str, str, tuple[str, ...]]
NOT_EDITABLE, CONFLICT = (409, "CHART_NOT_EDITABLE"), (409, "CONFLICT")
NOT_FOUND, FORBIDDEN = (404, "NOT_FOUND"), (403, "FORBIDDEN")
INVALID, REFUSED = (409, "INVALID_TRANSITION"), (422, "VALIDATION_FAILED")


@dataclass
class Entry:
    """One stored thing. `log` names its effective changes, the creation first: its length is the version."""

    kind: str
    id: str
    fields: dict[str, Any] = field(default_factory=dict)
    patient: Entry | None = None
    deleted: bool = False
    log: list[str] = field(default_factory=lambda: ["created"])

    @property
    def version(self) -> int:
        return len(self.log)

    @property
    def about(self) -> Entry | None:
        return self if self.kind == "patient" else self.patient

    def chart(self, name: str, value: Any, verb: str) -> None:
        if self.fields.get(name) != value:
            self.fields[name] = value
            self.log.append(verb)

    def hide(self, deleted: bool) -> None:
        if deleted != self.deleted:
            self.deleted = deleted
            self.log.append("deleted" if deleted else "restored")

    def charted(self, names: tuple[str, ...] | None = None) -> dict[str, Any]:
        wanted = self.fields if names is None else names
        return {name: copy.deepcopy(self.fields[name]) for name in wanted if self.fields.get(name) is not None}


@dataclass
class Upload(Entry):
    """`good`: what is sent is what was declared. `then`: what a signature was about, as it was when declared."""

    status: str = "pending"
    good: bool = True
    sent: bool = False
    link: Any = None
    code: str | None = None
    then: Content = field(default_factory=dict)


@dataclass
class Late:
    """An entry that came in while the chart waited: `entry` is what it becomes."""

    id: str
    entry: Entry
    sender: str
    submitter: str | None


@dataclass
class ChartModel:
    author: str
    head: Entry
    strict: bool
    status: str = "draft"
    review: str | None = None
    entries: list[Entry] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)
    completed: dict[str, int] = field(default_factory=dict)
    amendments: list[tuple[str, str, int, int]] = field(default_factory=list)
    writers: set[str] = field(default_factory=set)
    barred: set[str] | None = None
    submitter: str | None = None
    late: list[Late] = field(default_factory=list)

    def wrote(self, who: str, entry: Entry, before: int) -> None:
        """Uploads stand beside the chart: who adds one wrote nothing of it."""
        if entry.version != before and not isinstance(entry, Upload):
            self.writers.add(who)

    def erase(self, who: str, *, reason: bool) -> Outcome | None:
        """Why `who` may not delete the chart, or None."""
        if who not in CHARTERS:
            return FORBIDDEN
        if self.head.deleted:
            return NOT_FOUND
        if who not in (self.author, "admin"):
            return FORBIDDEN
        return self.closed(who, reason=reason) or (None if reason else REFUSED)

    def gate(self, who: str, *, reason: bool = False) -> Outcome | None:
        """Why `who` may not write to the chart now, or None."""
        if who not in CHARTERS:
            return FORBIDDEN
        if self.head.deleted:
            return NOT_FOUND
        return self.closed(who, reason=reason)

    def closed(self, who: str, *, reason: bool) -> Outcome | None:
        if self.status in OPEN:
            return None
        if self.status != "completed" or who != "admin":
            return NOT_EDITABLE
        return None if reason else REFUSED

    def takes(self, path: str) -> Outcome | None:
        """True if the chart's state lets an upload in: signatures come to completed charts, too."""
        return None if self.status in OPEN or (self.status, path) == ("completed", "signatures") else NOT_EDITABLE

    def move(self, action: str, who: str, *, stale: bool) -> Outcome | None:
        """What refuses a transition of the chart, or None: then it is done."""
        source, target, movers = MOVES[action]
        if who not in CHARTERS:
            return FORBIDDEN
        if self.head.deleted:
            return NOT_FOUND
        barred = {self.author} if self.barred is None else self.barred
        if who not in movers or (action in ("complete", "return_for_correction") and who in barred):
            return FORBIDDEN
        if action == "recall" and self.submitter not in (None, who):
            return FORBIDDEN
        if self.status != source or (action == "complete" and (self.late or (self.strict and not self.attested()))):
            return INVALID
        if stale:
            return CONFLICT
        if action == "submit_for_review":
            self.writers |= {self.author, who}
            self.barred, self.submitter = set(self.writers), who
        self.status = target
        self.head.log.append(RECORDED_AS[action])
        self.review = REVIEWS.get(action, self.review)
        if target == "completed":
            self.completed = {entry.id: entry.version for entry in (self.head, *self.entries)}
        return None

    def holds(self, who: str, kind: str) -> bool:
        """True if a new entry waits for a decision instead of joining the chart."""
        waits = self.status == "ready_for_review" and not self.head.deleted and kind not in ("patient", "crew")
        return waits and who in CHARTERS

    def decide(self, late: Late, who: str, *, admit: bool) -> Outcome | None:
        """What refuses a decision about a late entry, or None: then it is done."""
        if who not in CHARTERS:
            return FORBIDDEN
        if self.head.deleted:
            return NOT_FOUND
        if who not in (self.author, late.submitter, "supervisor", "admin"):
            return FORBIDDEN
        if admit and self.status not in OPEN:
            return NOT_EDITABLE
        if admit and late.entry.patient is not None and late.entry.patient.deleted:
            return REFUSED
        self.late.remove(late)
        if admit:
            self.entries.append(late.entry)
            self.writers |= {who, late.sender}
        return None

    def amended(self, entry: Entry, change: str, before: int) -> None:
        """Signing changes a completed chart without amending it: an upload's base is what its first amendment found."""
        if self.status == "completed" and entry.version != before:
            base = self.completed.setdefault(entry.id, before if isinstance(entry, Upload) else 0)
            self.amendments.append((entry.id, change, base, entry.version))

    def in_use(self, patient: Entry) -> bool:
        return any(entry.patient is patient and not entry.deleted for entry in (*self.entries, *self.uploads))

    def relevant(self, code: str, patient: Entry | None) -> Content:
        """{id: {field: value}} of what a statement is about now."""
        return {
            entry.id: entry.charted(RELEVANT[code][entry.kind])
            for entry in (self.head, *self.entries)
            if entry.kind in RELEVANT[code]
            and not entry.deleted
            and (patient is None or entry.kind in ABOUT_NOBODY or entry.about is patient)
        }

    def changes(self, signature: Upload) -> set[Change]:
        """What is no longer as it was signed."""
        if signature.status != "signed":
            return set()
        then, now = signature.then, self.relevant(signature.code or "", signature.patient)
        found: set[Change] = {(one, "deleted", ()) for one in then.keys() - now.keys()}
        found |= {(one, "added", ()) for one in now.keys() - then.keys()}
        for one in then.keys() & now.keys():
            names = then[one].keys() | now[one].keys()
            fields = tuple(sorted(name for name in names if then[one].get(name) != now[one].get(name)))
            found |= {(one, "changed", fields)} if fields else set()
        return found

    def attested(self) -> bool:
        """By the crew: once for the whole chart, or for every patient of it."""
        covering = [
            one.patient
            for one in self.uploads
            if (one.code, one.status, one.deleted) == ("crew_attestation", "signed", False) and not self.changes(one)
        ]
        patients = [entry for entry in self.entries if entry.kind == "patient" and not entry.deleted]
        by_patient = bool(covering) and all(any(one is patient for one in covering) for patient in patients)
        return any(one is None for one in covering) or by_patient
