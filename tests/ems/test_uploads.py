"""Attachments from declaration to download, everything that can be wrong with one, and who may do what."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import hashlib
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.core import sealed
from app.core.clock import utcnow
from app.core.config import Settings
from app.core.errors import ServiceUnavailable
from app.core.runtime import Runtime
from app.core.storage.gateway import FilesystemStore
from app.core.storage.links import LOCAL_DOWNLOADS, LOCAL_UPLOADS
from tests.architecture.queries import counted
from tests.ems.charts import CLOSED_STATES, PATIENT, Chart
from tests.ems.evidence import Evidence
from tests.ems.uploads import PATHS, at, attach, body_of, declare, declared, fire, objects_of, send
from tests.support.actors import Agency
from tests.support.media import (
    GPS,
    MP3_FRAME,
    PDF,
    SAMPLES,
    SVG,
    chunk,
    exif,
    jpeg,
    kept,
    png,
    segment,
    vast_png,
    wav,
)

JPEG = SAMPLES["image/jpeg"]


@pytest.mark.parametrize("file_type", sorted(set(SAMPLES) - {"image/svg+xml"}))
async def test_every_type_comes_back(chart: Chart, settings: Settings, file_type: str) -> None:
    stored = await attach(chart, SAMPLES[file_type], file_type, patient_id=chart.patient["id"])
    content, stored_type = kept(file_type)
    digest = hashlib.sha256(content).hexdigest()
    assert (stored["status"], stored["allowed_actions"], stored["rejection_code"]) == ("stored", [], None)
    assert (stored["stored_size_bytes"], stored["stored_sha256"]) == (len(content), digest)
    assert (stored["file_type"], stored["stored_type"]) == (file_type, stored_type)
    assert stored["uploaded_at"] is not None and stored["upload"] is None
    link = await chart.agency.biller.expect(200, "GET", f"{at(chart, 'attachments', stored)}/download")
    answer = await chart.writer.client.get(link["url"])
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, content, stored_type)
    assert answer.headers["content-disposition"] == f'attachment; filename="{link["file_name"]}"'
    assert link["file_name"].startswith(f"{stored['id']}.")
    assert len(objects_of(settings, chart.agency.tenant_id)) == 1  # what was sent is gone, what was kept is there


ANEW = {
    "exif": (jpeg(segment(0xE1, exif(6))), "image/jpeg"),
    "a second photo behind it": (jpeg(behind=jpeg(segment(0xE1, exif(1)))), "image/jpeg"),
    "a page behind it": (jpeg(behind=b"<script>" + GPS), "image/jpeg"),
    "an archive behind it": (png(behind=b"PK\x03\x04" + GPS), "image/png"),
    "exif of a PNG": (png(chunk(b"eXIf", exif(6))), "image/png"),
    "a text of a PNG": (png(chunk(b"tEXt", b"Comment\0" + GPS)), "image/png"),
    "an archive behind a PDF": (PDF + b"PK\x03\x04" + GPS * 40, "application/pdf"),
    "an archive behind a sound": (wav() + b"PK\x03\x04" + GPS, "audio/wav"),
    "a tag of a sound": (MP3_FRAME * 3 + b"TAG" + GPS + bytes(125 - len(GPS)), "audio/mpeg"),
}


@pytest.mark.parametrize("case", ANEW)
async def test_nothing_else_is_stored(chart: Chart, settings: Settings, case: str) -> None:
    """Neither the place of a photo, nor anything that the file was besides what it was declared to be."""
    stored = await attach(chart, *ANEW[case])
    assert stored["status"] == "stored" and stored["stored_size_bytes"] < stored["size_bytes"]
    [file] = objects_of(settings, chart.agency.tenant_id)
    assert GPS not in file.read_bytes()
    assert b"PK" not in file.read_bytes() and b"<script>" not in file.read_bytes()
    assert hashlib.sha256(file.read_bytes()).hexdigest() == stored["stored_sha256"]


async def test_declaring_stores_a_pending_row_and_a_link(chart: Chart, evidence: Evidence) -> None:
    entry = await declare(chart, file_name="wrist.jpg", description="left wrist")
    assert (entry["status"], entry["allowed_actions"], entry["version"]) == ("pending", ["complete"], 1)
    assert (entry["upload"]["method"], entry["upload"]["fields"]) == ("POST", {})
    assert (entry["file_name"], entry["description"]) == ("wrist.jpg", "left wrist")
    assert (await evidence.records(entry["id"])).counts() == (1, 1, 1)
    read = await chart.writer.expect(200, "GET", at(chart, "attachments", entry))
    assert read == {**entry, "upload": None}
    listed = await chart.writer.expect(200, "GET", f"{chart.url}/attachments")
    assert listed == {"items": [read], "next_cursor": None}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"size_bytes": 50 * 2**20 + 1}, "size_bytes"),
        ({"size_bytes": 0}, "size_bytes"),
        ({"size_bytes": "10"}, "size_bytes"),
        ({"sha256": "ab"}, "sha256"),
        ({"sha256": "A" * 64}, "sha256"),
        ({"file_type": "image/svg+xml"}, "file_type"),
        ({"file_type": "image/avif"}, "file_type"),
        ({"file_type": "text/html"}, "file_type"),
        ({"file_name": "a\x00b"}, "file_name"),
        ({"file_name": "x" * 256}, "file_name"),
        ({"storage": "tenant/other"}, "storage"),
        ({"patient_id": "0198a1b2-0000-7000-8000-000000000000"}, "patient_id"),
    ],
)
async def test_bad_declarations_are_refused(
    chart: Chart, evidence: Evidence, fields: dict[str, Any], field: str
) -> None:
    before = await evidence.digest(chart.agency.tenant_id)
    refused = await declare(chart, status=422, **fields)
    assert field in str(refused["error"]["details"]["problems"])
    assert await evidence.digest(chart.agency.tenant_id) == before


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "..\\a", "tenant/x", "a\r\nSet-Cookie: x", "%2e%2e"]
)
async def test_file_names_lead_nowhere(chart: Chart, settings: Settings, name: str) -> None:
    entry = await chart.writer.post(f"{chart.url}/attachments", json=body_of(chart, "attachments", file_name=name))
    if entry.status_code == 422:  # control characters
        assert objects_of(settings, chart.agency.tenant_id) == []
        return
    stored = entry.json()
    assert name not in stored["upload"]["url"]
    assert (await send(chart, stored, JPEG)).status_code == 204
    await fire(chart, "attachments", stored)
    [file] = objects_of(settings, chart.agency.tenant_id)
    assert file.parent.name == chart.id and file.name.startswith(stored["id"])


REFUSED = {
    "another type": (PDF, "image/jpeg", "wrong_type"),
    "a page that begins as a picture": (b"\xff\xd8\xff<html><script>", "image/jpeg", "malformed"),
    "two types at once": (JPEG + PDF, "application/pdf", "wrong_type"),
    "a PDF without a page": (b"%PDF-1.7\nPK\x03\x04%%EOF", "application/pdf", "malformed"),
    "a sound and a ZIP": (MP3_FRAME * 4 + b"PK\x03\x04", "audio/mpeg", "malformed"),
    "ten billion pixels": (vast_png(100_000, 100_000), "image/png", "too_large"),
    "a million nodes": (b"<a>" + b"<b/>" * 1_000_001 + b"</a>", "application/xml", "too_large"),
    "a page": (b"<html xmlns='http://www.w3.org/1999/xhtml'/>", "application/xml", "wrong_type"),
    "entities": (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "application/xml", "malformed"),
    "a program": (b"MZ\x90\x00" * 20, "application/pdf", "wrong_type"),
    "truncated": (png()[:40], "image/png", "malformed"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_not_as_declared_is_thrown_away(chart: Chart, settings: Settings, case: str) -> None:
    content, file_type, code = REFUSED[case]
    rejected = await attach(chart, content, file_type)
    assert (rejected["status"], rejected["rejection_code"], rejected["version"]) == ("rejected", code, 2)
    assert (rejected["allowed_actions"], rejected["stored_sha256"], rejected["uploaded_at"]) == ([], None, None)
    assert objects_of(settings, chart.agency.tenant_id) == []
    await chart.writer.expect(404, "GET", f"{at(chart, 'attachments', rejected)}/download")


@pytest.mark.parametrize(
    ("content", "code"), [(JPEG[:-1], "wrong_size"), (JPEG + b"!", "wrong_size"), (JPEG[:-1] + b"\0", "wrong_hash")]
)
async def test_a_store_that_took_something_else_is_not_believed(
    chart: Chart, runtime: Runtime, settings: Settings, content: bytes, code: str
) -> None:
    """S3 checks size and hash by the link's policy; what lies there is judged all the same."""
    entry = await declare(chart)
    key = f"tenant/{chart.agency.tenant_id}/uploads/{entry['id']}"
    await runtime.objects.put(key, content, "image/jpeg")
    rejected = await fire(chart, "attachments", entry)
    assert (rejected["status"], rejected["rejection_code"]) == ("rejected", code)
    assert objects_of(settings, chart.agency.tenant_id) == []


async def test_nothing_sent_is_no_rejection(chart: Chart, evidence: Evidence) -> None:
    entry = await declare(chart)
    before = await evidence.digest(chart.agency.tenant_id)
    refused = await fire(chart, "attachments", entry, status=409)
    assert refused["error"]["code"] == "INVALID_TRANSITION"
    assert [guard["name"] for guard in refused["error"]["details"]["failed_guards"]] == ["uploaded"]
    assert await evidence.digest(chart.agency.tenant_id) == before


async def check_nothing_is_there(chart: Chart, entry: dict[str, Any], settings: Settings, evidence: Evidence) -> None:
    """Neither an object nor a record, and completing it finds nothing."""
    before = await evidence.digest(chart.agency.tenant_id)
    assert objects_of(settings, chart.agency.tenant_id) == []
    refused = await fire(chart, "attachments", entry, status=409)
    assert [guard["name"] for guard in refused["error"]["details"]["failed_guards"]] == ["uploaded"]
    await chart.writer.expect(404, "GET", f"{at(chart, 'attachments', entry)}/download")
    assert await evidence.digest(chart.agency.tenant_id) == before


SENT_WRONG = {
    "longer": (JPEG + b"!", {}, 413),
    "shorter": (JPEG[:-1], {}, 422),
    "nothing": (b"", {}, 422),
    "altered": (JPEG[:-1] + b"!", {}, 422),
    "another type": (JPEG, {"Content-Type": "application/pdf"}, 415),
    "a form": (JPEG, {"Content-Type": "multipart/form-data; boundary=x"}, 415),
}


@pytest.mark.parametrize("case", SENT_WRONG)
async def test_what_is_sent_and_not_as_declared_is_not_stored(
    chart: Chart, settings: Settings, evidence: Evidence, case: str
) -> None:
    content, headers, status = SENT_WRONG[case]
    entry = await declare(chart)
    link = entry["upload"]
    wrong = {**link, "headers": link["headers"] | headers}
    assert (await send(chart, {**entry, "upload": wrong}, content)).status_code == status
    await check_nothing_is_there(chart, entry, settings, evidence)
    assert (await send(chart, entry, JPEG)).status_code == 204  # the right content may still come
    assert (await fire(chart, "attachments", entry))["status"] == "stored"


@pytest.mark.parametrize(
    "case", ["expired", "altered", "a path behind it", "another upload's", "another agency's", "a download's"]
)
async def test_bad_links_store_nothing(
    chart: Chart,
    found: Callable[[], Awaitable[Agency]],
    settings: Settings,
    evidence: Evidence,
    monkeypatch: pytest.MonkeyPatch,
    case: str,
) -> None:
    entry = await declare(chart)
    url, status, code = entry["upload"]["url"], 403, "LINK_REFUSED"
    if case == "expired":
        late = utcnow() + dt.timedelta(minutes=11)
        monkeypatch.setattr(sealed, "utcnow", lambda: late)
    elif case == "altered":
        url = url[:-20] + ("A" if url[-20] != "A" else "B") + url[-19:]
    elif case == "a path behind it":
        url, status, code = f"{url}/../../{chart.agency.tenant_id}/attachments/x", 415, "UNSUPPORTED_MEDIA_TYPE"
    elif case == "another upload's":
        other = await declare(chart, **declared(PDF, "application/pdf"))
        url, status, code = other["upload"]["url"], 415, "UNSUPPORTED_MEDIA_TYPE"
    elif case == "another agency's":
        theirs = await Chart.open(await found())
        url, status, code = (await declare(theirs))["upload"]["url"], 204, ""
    else:
        stored = await attach(theirs := await Chart.open(await found()), JPEG, "image/jpeg")
        link = await theirs.writer.expect(200, "GET", f"{at(theirs, 'attachments', stored)}/download")
        url = LOCAL_UPLOADS + link["url"].rpartition("/")[2]
    answer = await send(chart, {**entry, "upload": entry["upload"] | {"url": url}}, JPEG)
    assert (answer.status_code, answer.json()["error"]["code"] if code else "") == (status, code)
    monkeypatch.undo()
    await check_nothing_is_there(chart, entry, settings, evidence)


async def test_bad_download_links_show_nothing(chart: Chart, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = await attach(chart, JPEG, "image/jpeg")
    pending = await declare(chart)
    issued = await chart.writer.expect(200, "GET", f"{at(chart, 'attachments', stored)}/download")
    url, client = issued["url"], chart.writer.client
    upload = LOCAL_DOWNLOADS + pending["upload"]["url"].rpartition("/")[2]
    for wrong in (url[:-20] + ("A" if url[-20] != "A" else "B") + url[-19:], url[:-1], url + "A", upload):
        answer = await client.get(wrong)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "LINK_REFUSED")
        assert JPEG not in answer.content
    late = utcnow() + dt.timedelta(minutes=6)
    monkeypatch.setattr(sealed, "utcnow", lambda: late)
    assert (await client.get(url)).status_code == 403


async def test_a_link_is_good_once_and_a_repeated_declaration_gives_another(chart: Chart) -> None:
    body = body_of(chart, "attachments")
    headers = {"Idempotency-Key": "first"}
    first = await chart.writer.expect(201, "POST", f"{chart.url}/attachments", json=body, headers=headers)
    again = await chart.writer.expect(201, "POST", f"{chart.url}/attachments", json=body, headers=headers)
    assert again["id"] == first["id"] and again["upload"] is not None
    assert (await send(chart, first, JPEG)).status_code == 204
    used = await send(chart, first, JPEG)
    assert (used.status_code, used.json()["error"]["code"]) == (409, "LINK_USED")
    stored = await fire(chart, "attachments", first)
    last = await chart.writer.expect(201, "POST", f"{chart.url}/attachments", json=body, headers=headers)
    assert last == stored  # no link any more


async def test_what_is_sent_late_changes_nothing(chart: Chart) -> None:
    """A second link of the same upload, used after completion: what is stored is not what lies there."""
    content = jpeg(segment(0xE1, exif(6)))
    body = declared(content, "image/jpeg") | {"id": str(uuid.uuid4())}
    first = await chart.writer.expect(201, "POST", f"{chart.url}/attachments", json=body)
    second = await chart.writer.expect(200, "POST", f"{chart.url}/attachments", json=body)
    assert (await send(chart, first, content)).status_code == 204
    stored = await fire(chart, "attachments", first)
    assert (await send(chart, second, content)).status_code == 204
    link = await chart.writer.expect(200, "GET", f"{at(chart, 'attachments', stored)}/download")
    assert GPS not in (await chart.writer.client.get(link["url"])).content
    refused = await fire(chart, "attachments", stored, status=409)
    assert refused["error"]["code"] == "INVALID_TRANSITION"


async def test_one_of_many_completions_wins(chart: Chart, evidence: Evidence, settings: Settings) -> None:
    entry = await declare(chart)
    assert (await send(chart, entry, JPEG)).status_code == 204
    url, body = f"{at(chart, 'attachments', entry)}/transitions", {"action": "complete", "version": 1}
    people = (chart.agency.medic, chart.agency.partner)
    answers = await asyncio.gather(*(people[number % 2].post(url, json=body) for number in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert (await evidence.records(entry["id"])).counts() == (2, 2, 2)
    [file] = objects_of(settings, chart.agency.tenant_id)
    assert file.read_bytes() == kept("image/jpeg")[0]
    link = await chart.writer.expect(200, "GET", f"{at(chart, 'attachments', entry)}/download")
    assert (await chart.writer.client.get(link["url"])).content == kept("image/jpeg")[0]


async def test_a_store_that_is_away_leaves_it_pending(
    chart: Chart, evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await declare(chart)
    assert (await send(chart, entry, JPEG)).status_code == 204
    before = await evidence.digest(chart.agency.tenant_id)

    async def away(*_: Any) -> None:
        raise ServiceUnavailable

    monkeypatch.setattr(FilesystemStore, "put", away)
    await fire(chart, "attachments", entry, status=503)
    assert await evidence.digest(chart.agency.tenant_id) == before
    monkeypatch.undo()
    assert (await fire(chart, "attachments", entry))["status"] == "stored"


@pytest.mark.parametrize("status", CLOSED_STATES)
async def test_a_chart_that_closed_meanwhile_takes_nothing(chart: Chart, settings: Settings, status: str) -> None:
    entry = await declare(chart)
    assert (await send(chart, entry, JPEG)).status_code == 204
    await chart.advance(status)
    for refused in (
        await fire(chart, "attachments", entry, status=409),
        await declare(chart, status=409),
    ):
        assert refused["error"]["code"] == "CHART_NOT_EDITABLE"
    assert len(objects_of(settings, chart.agency.tenant_id)) == 1  # what was sent, which nobody can fetch
    await chart.writer.expect(404, "GET", f"{at(chart, 'attachments', entry)}/download")


async def test_an_object_whose_record_was_refused_goes_again(
    chart: Chart, runtime: Runtime, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chart closes between the judgement and the record."""
    entry = await declare(chart)
    assert (await send(chart, entry, JPEG)).status_code == 204
    put = FilesystemStore.put

    async def closing(self: FilesystemStore, *arguments: Any) -> None:
        await put(self, *arguments)
        await chart.advance("ready_for_review")

    monkeypatch.setattr(FilesystemStore, "put", closing)
    refused = await fire(chart, "attachments", entry, status=409)
    assert refused["error"]["code"] == "CHART_NOT_EDITABLE"
    assert [file.parent.name for file in objects_of(settings, chart.agency.tenant_id)] == ["uploads"]


async def test_a_file_keeps_its_name_beside_the_link(chart: Chart) -> None:
    """A photo that a phone called .HEIC is saved as the JPEG that it has become; the link itself tells no name."""
    name = "C:\\Pictures\\Quackenbush wrist.HEIC"
    stored = await attach(chart, SAMPLES["image/heic"], "image/heic", file_name=name)
    assert stored["file_name"] == name
    link = await chart.agency.biller.expect(200, "GET", f"{at(chart, 'attachments', stored)}/download")
    assert link["file_name"] == "Quackenbush wrist.jpg"
    answer = await chart.writer.client.get(link["url"])
    assert answer.headers["content-type"] == "image/jpeg"
    payload = link["url"].rpartition("/")[2].split(".")[1]
    for text in (link["url"], str(base64.urlsafe_b64decode(payload + "==")), answer.headers["content-disposition"]):
        assert "Quackenbush" not in text


async def test_downloads_are_audited_without_names(chart: Chart, evidence: Evidence) -> None:
    stored = await attach(chart, JPEG, "image/jpeg", file_name="Quackenbush.jpg", description="Quackenbush")
    await chart.agency.biller.expect(200, "GET", f"{at(chart, 'attachments', stored)}/download")
    audit = (await evidence.records(stored["id"])).audit
    assert [event["action"] for event in audit] == [
        "attachment.created",
        "attachment.stored",
        "attachment.download_link_issued",
    ]
    told = {"means": "link", "what": "attachment_content", "incident_ids": [chart.id]}
    assert (audit[-1]["changed_fields_json"], audit[-1]["metadata_json"]) == ({}, told)
    assert audit[-1]["actor_user_id"] != audit[0]["actor_user_id"]
    assert "Quackenbush" not in await evidence.text(chart.agency.tenant_id)


async def test_events_are_the_incidents(chart: Chart, evidence: Evidence) -> None:
    stored = await attach(chart, JPEG, "image/jpeg", patient_id=chart.patient["id"])
    events = (await evidence.records(stored["id"])).outbox
    assert [(event["topic"], event["payload"]["status"]) for event in events] == [
        ("incident.updated", "pending"),
        ("incident.updated", "stored"),
    ]
    assert {str(event["aggregate_id"]) for event in events} == {chart.id}


@pytest.mark.parametrize("path", PATHS)
async def test_deleting_and_restoring(chart: Chart, path: str) -> None:
    entry = await declare(chart, path)
    url = at(chart, path, entry)
    await chart.writer.expect(409, "DELETE", url, params={"version": 2})
    await chart.writer.expect(204, "DELETE", url, params={"version": 1})
    for gone in ("", "/download"):
        await chart.writer.expect(404, "GET", url + gone)
    refused = await fire(chart, path, entry, status=409)
    assert (refused["error"]["code"], refused["error"]["details"]["server_version"]) == ("CONFLICT", 2)
    listed = await chart.agency.admin.expect(200, "GET", f"{chart.url}/{path}", params={"include_deleted": True})
    assert [item["id"] for item in listed["items"]] == [entry["id"]]
    biller = chart.agency.biller
    await biller.expect(403, "GET", f"{chart.url}/{path}", params={"include_deleted": True})
    await biller.expect(403, "POST", f"{url}/restore", json={"version": 2})
    back = await chart.writer.expect(200, "POST", f"{url}/restore", json={"version": 2})
    assert (back["version"], back["deleted_at"]) == (3, None)


@pytest.mark.parametrize("path", PATHS)
async def test_a_patient_with_uploads_stays(chart: Chart, path: str) -> None:
    entry = await declare(chart, path, patient_id=chart.patient["id"])
    url, version = chart.at(PATIENT, chart.patient), {"version": chart.patient["version"]}
    refused = await chart.writer.expect(409, "DELETE", url, params=version)
    assert refused["error"]["details"] == {"used_by": path}
    await chart.writer.expect(204, "DELETE", at(chart, path, entry), params={"version": 1})
    await chart.writer.expect(204, "DELETE", url, params=version)
    await chart.agency.admin.expect(422, "POST", f"{at(chart, path, entry)}/restore", json={"version": 2})


@pytest.mark.parametrize("path", PATHS)
async def test_billing_reads_and_does_not_write(chart: Chart, evidence: Evidence, path: str) -> None:
    entry = await declare(chart, path)
    before = await evidence.digest(chart.agency.tenant_id)
    url = at(chart, path, entry)
    for who, status in (("biller", 403), ("founder", 403)):
        actor = chart.agency.actors[who]
        await actor.expect(status, "POST", f"{chart.url}/{path}", json=body_of(chart, path))
        await actor.expect(status, "POST", f"{url}/transitions", json={"action": "complete", "version": 1})
        await actor.expect(status, "DELETE", url, params={"version": 1})
        await actor.expect(200 if who == "biller" else 403, "GET", url)
        await actor.expect(200 if who == "biller" else 403, "GET", f"{chart.url}/{path}")
    assert await evidence.digest(chart.agency.tenant_id) == before


@pytest.mark.parametrize("path", PATHS)
async def test_an_upload_of_another_incident_is_not_found(chart: Chart, path: str) -> None:
    entry, other = await declare(chart, path), await Chart.open(chart.agency)
    wrong = f"{other.url}/{path}/{entry['id']}"
    await chart.writer.expect(404, "GET", wrong)
    await chart.writer.expect(404, "GET", f"{wrong}/download")
    await chart.writer.expect(404, "POST", f"{wrong}/transitions", json={"action": "complete", "version": 1})
    await chart.writer.expect(404, "DELETE", wrong, params={"version": 1})
    await declare(other, path, status=422, patient_id=chart.patient["id"])


async def test_lists_cost_the_same_for_many(chart: Chart, runtime: Runtime) -> None:
    for path in PATHS:
        costs = []
        for _ in range(2):
            await declare(chart, path)
            async with counted(runtime.database) as statements:
                await chart.writer.expect(200, "GET", f"{chart.url}/{path}")
            costs.append(len(statements))
        assert len(set(costs)) == 1, path


async def test_a_signature_is_no_page(chart: Chart) -> None:
    content = SVG.replace(b"<path", b"<script>alert(1)</script><path")
    entry = await declare(chart, "signatures", **declared(content, "image/svg+xml"))
    assert (await send(chart, entry, content)).status_code == 204
    rejected = await fire(chart, "signatures", entry)
    assert (rejected["status"], rejected["rejection_code"]) == ("rejected", "malformed")
    assert rejected["covers_current_chart"] is False
